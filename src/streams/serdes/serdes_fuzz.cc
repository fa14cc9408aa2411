// SPDX-License-Identifier: Apache-2.0
//
// Bytes of keys and values. Properties: no crash; what was read and is written again reads as the
// same, and is the same bytes where the form leaves no choice.
#include "leat/streams/serdes.h"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leat/streams/framed.h"
#include "leat/streams/windowed_serde.h"

namespace {

using leat::streams::Serde;
using leat::streams::serde_for;

template <class T>
void check(std::string_view bytes, bool one_form, const Serde<T>& serde = serde_for<T>()) {
    const auto value = serde->decode("t", bytes);
    if (!value) return;
    std::string again;
    if (!serde->encode("t", *value, again)) std::abort();
    if (one_form && again != bytes) std::abort();
    const auto read = serde->decode("t", again);
    if (!read || !(*read == *value)) std::abort();
}

/// Of numbers that need not equal themselves; of doubles Java has one that is none.
template <class T>
void check_bytes(std::string_view bytes) {
    const auto value = serde_for<T>()->decode("t", bytes);
    if (!value) return;
    std::string again;
    if (!serde_for<T>()->encode("t", *value, again)) std::abort();
    if (*value == *value && again != bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using std::optional;
    using std::string;
    using std::vector;
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    check<string>(bytes, true);
    check<std::int64_t>(bytes, true);
    check<std::int32_t>(bytes, true);
    check<std::int16_t>(bytes, true);
    check<vector<std::byte>>(bytes, true);
    check_bytes<float>(bytes);
    check_bytes<double>(bytes);
    check<bool>(bytes, true);
    check<leat::Uuid>(bytes, false);
    check<vector<optional<string>>>(bytes, false);
    check<vector<optional<std::int32_t>>>(bytes, false);
    check<vector<vector<leat::Uuid>>>(bytes, false);
    check(bytes, true, leat::streams::time_windowed<string>(leat::streams::Duration{10}));
    check(bytes, true, leat::streams::session_windowed<string>());
    for (const bool with_message : {false, true}) {
        const auto frame = leat::streams::parse_schema_frame(bytes, with_message);
        if (!frame) continue;
        string again;
        leat::streams::append_schema_frame(again, frame->schema_id,
                                           with_message ? &frame->message : nullptr);
        again += frame->value;
        const auto read = leat::streams::parse_schema_frame(again, with_message);
        if (!read || read->message != frame->message || read->value != frame->value) std::abort();
    }
    return 0;
}
