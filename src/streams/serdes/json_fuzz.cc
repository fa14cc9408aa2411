// SPDX-License-Identifier: Apache-2.0
//
// JSON documents. Properties: no crash; what was read and is written again reads as the same and is
// then written as the same.
#include "leat/streams/json.h"

#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

enum class Kind : std::uint8_t { kView, kBuy };
struct Document {
    std::string text;
    std::optional<double> number;
    std::int32_t whole = 0;
    Kind kind = Kind::kView;
    std::vector<Document> children;
    std::map<std::string, std::optional<bool>> flags;
};

}  // namespace

template <>
struct leat::streams::Enumerators<Kind> {
    static constexpr auto list =
        enumerators_of(named("view", Kind::kView), named("buy", Kind::kBuy));
};
template <>
struct leat::streams::Members<Document> {
    static constexpr auto list = members_of(member("text", &Document::text).or_default(),
                                            member("number", &Document::number),
                                            member("whole", &Document::whole).or_default(),
                                            member("kind", &Document::kind).or_default(),
                                            member("children", &Document::children).or_default(),
                                            member("flags", &Document::flags).or_default());
};

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto serde = leat::streams::json<Document>();
    const auto value = serde->decode("t", {reinterpret_cast<const char*>(data), size});
    if (!value) return 0;
    std::string first;
    if (!serde->encode("t", *value, first)) std::abort();
    const auto again = serde->decode("t", first);
    if (!again) std::abort();
    std::string second;
    if (!serde->encode("t", *again, second) || first != second) std::abort();
    return 0;
}
