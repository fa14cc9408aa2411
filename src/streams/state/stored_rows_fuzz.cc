// SPDX-License-Identifier: Apache-2.0
//
// Rows as a damaged disk may give them back. Properties: no row crashes the store that finds it,
// when it is opened, read in every way, or goes on with a record; an outcome may be an error.
// Input: the kind, then rows: size of the key, key, size of the value, value.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "streams/state/fuzzed_store.h"

namespace {

using namespace leat::streams::detail;  // NOLINT(google-build-using-namespace): a program.

struct Content final : FuzzedRows {
    void fill(std::string_view input) const {
        const auto take = [&]() -> std::string_view {
            if (input.empty()) return {};
            const auto size = static_cast<unsigned char>(input.front());
            input.remove_prefix(1);
            const auto out = input.substr(0, size);
            input.remove_prefix(out.size());
            return out;
        };
        while (!input.empty()) {
            const auto key = take();
            LEAT_CHECK(bytes->put(key, take()).has_value());
        }
    }
};

void read(const StateStore& store) {
    const auto any = [](const auto&...) { return true; };
    constexpr const char* kWhy = "any outcome";
    if (const auto* kv = dynamic_cast<const KeyValueStore*>(&store))
        leat::ignore(kv->all(any), kWhy);
    if (const auto* list = dynamic_cast<const ListStore*>(&store))
        leat::ignore(list->all(any), kWhy);
    if (const auto* window = dynamic_cast<const WindowStore*>(&store))
        leat::ignore(window->fetch_all(0, kFuzzedEndMs, any), kWhy);
    if (const auto* session = dynamic_cast<const SessionStore*>(&store)) {
        leat::ignore(session->find("k", 0, kFuzzedEndMs, any), kWhy);
        leat::ignore(session->find_ended(0, kFuzzedEndMs, any), kWhy);
    }
    if (const auto* versioned = dynamic_cast<const VersionedStore*>(&store)) {
        leat::ignore(versioned->all(any), kWhy);
        leat::ignore(versioned->versions("k", 0, kFuzzedEndMs, any), kWhy);
        VersionedStore::Version found;
        for (const std::int64_t at : {std::int64_t{0}, kFuzzedRetentionMs, kFuzzedEndMs})
            leat::ignore(versioned->get("k", at, found), kWhy);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const StoreSpec spec = fuzzed_spec(data[0]);
    Content content;
    NotingTask task;
    const auto store = make_store(spec, content);
    content.fill({reinterpret_cast<const char*>(data) + 1, size - 1});
    if (!store->open(task)) return 0;
    read(*store);
    for (const auto& value :
         {std::optional<std::string_view>{"v"}, std::optional<std::string_view>{}}) {
        ChangelogRecord record{.key = std::string_view{"k\0\0\0\0\0\0\0\1\0\0\0\0", 13},
                               .timestamp = 1};
        record.value = value;
        leat::ignore(store->restore({&record, 1}), "any outcome");
    }
    read(*store);
    return 0;
}
