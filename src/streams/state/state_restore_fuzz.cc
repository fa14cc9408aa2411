// SPDX-License-Identifier: Apache-2.0
//
// Properties: no changelog crashes a store; what it accepts gives the same state when it is applied
// once more, but for versioned stores, where a deletion may leave no trace; what the store then
// holds can be read in every way. Input: the kind, then records: size of the key, key, size of the
// value (255: none), value, one byte of time.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "streams/state/fuzzed_store.h"

namespace {

using namespace leat::streams::detail;  // NOLINT(google-build-using-namespace): a program.

constexpr unsigned char kNoValue = 255;

std::vector<ChangelogRecord> records_of(std::string_view input) {
    std::vector<ChangelogRecord> out;
    const auto take = [&](std::size_t size) {
        const auto bytes = input.substr(0, size);
        input.remove_prefix(bytes.size());
        return bytes;
    };
    while (input.size() >= 3) {
        ChangelogRecord record;
        record.key = take(static_cast<unsigned char>(take(1)[0]));
        if (input.empty()) break;
        const auto size = static_cast<unsigned char>(take(1)[0]);
        if (size != kNoValue) record.value = take(size);
        if (input.empty()) break;
        record.timestamp = static_cast<signed char>(take(1)[0]);
        out.push_back(record);
    }
    return out;
}

struct Content final : FuzzedRows {
    [[nodiscard]] std::string text() const {
        std::string out;
        leat::ignore(bytes->scan({}, std::nullopt, Direction::kForward,
                                 [&](std::string_view key, std::string_view value) {
                                     out.append(key).append("=").append(value).append(";");
                                     return true;
                                 }),
                     "memory does not fail");
        return out;
    }
};

void read_all(const StateStore& store) {
    const auto any = [](const auto&...) { return true; };
    if (const auto* kv = dynamic_cast<const KeyValueStore*>(&store))
        leat::ignore(kv->all(any), "any outcome");
    if (const auto* list = dynamic_cast<const ListStore*>(&store))
        LEAT_CHECK(list->all(any).has_value());
    if (const auto* window = dynamic_cast<const WindowStore*>(&store))
        LEAT_CHECK(window->fetch_all(0, kFuzzedEndMs, any).has_value());
    if (const auto* session = dynamic_cast<const SessionStore*>(&store))
        LEAT_CHECK(session->find("k", 0, kFuzzedEndMs, any).has_value());
    if (const auto* versioned = dynamic_cast<const VersionedStore*>(&store)) {
        LEAT_CHECK(versioned->all(any).has_value());
        LEAT_CHECK(versioned->versions("k", 0, kFuzzedEndMs, any).has_value());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    const StoreSpec spec = fuzzed_spec(data[0]);
    Content content;
    NotingTask task;
    const auto store = make_store(spec, content);
    LEAT_CHECK(store->open(task).has_value());
    const auto records = records_of(input.substr(1));
    if (!store->restore(records)) return 0;
    const std::string once = content.text();
    LEAT_CHECK(store->restore(records).has_value());
    if (spec.kind != StoreSpec::Kind::kVersioned) LEAT_CHECK(content.text() == once);
    read_all(*store);
    return 0;
}
