// SPDX-License-Identifier: Apache-2.0
//
// A store of any kind over rows in memory. For fuzz targets only. Layer: streams (L6).
// Threading: not synchronised.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>

#include "streams/state/ordered_bytes.h"
#include "streams/state/store_fixture.h"

namespace leat::streams::detail {

inline constexpr std::int64_t kFuzzedRetentionMs = 3'600'000;
/// No time that a target writes is later.
inline constexpr std::int64_t kFuzzedEndMs = 1'000'000'000'000;

/// The rows of the one store that was made over it.
struct FuzzedRows : StateBackend {
    std::unique_ptr<OrderedBytes> rows(const StoreSpec& /*spec*/) override {
        auto made = std::make_unique<MemoryBytes>();
        bytes = made.get();
        return made;
    }
    MemoryBytes* bytes = nullptr;  ///< The store's.
};

/// The kind and the order that the first byte of an input chooses.
inline StoreSpec fuzzed_spec(std::uint8_t choice) {
    using Kind = StoreSpec::Kind;
    constexpr Kind kKinds[] = {Kind::kKeyValue,    Kind::kWindow,  Kind::kPlainKeyValue,
                               Kind::kPlainWindow, Kind::kSession, Kind::kVersioned,
                               Kind::kList};
    return {.name = "s",
            .kind = kKinds[choice % std::size(kKinds)],
            .retention_ms = kFuzzedRetentionMs,
            .time_ordered = choice >= 128};
}

}  // namespace leat::streams::detail
