// SPDX-License-Identifier: Apache-2.0
//
// The time of a call into a coordinator, and what it wants appended. Layer: coordination (L5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/units.h"

namespace leat::coordination {

/// The two clocks at the moment of a call: timers run by one, records carry the other.
struct Now {
    Instant mono{};
    WallMs wall{};
};

struct RecordToWrite {
    std::vector<std::byte> key = {};
    std::optional<std::vector<std::byte>> value = {};  ///< None: a tombstone.
};

/// Of transactions; -1: none.
struct Producer {
    std::int64_t id = -1;
    std::int16_t epoch = -1;
    friend bool operator==(const Producer&, const Producer&) = default;
};

/// One batch to append; AppendQueue::on_written() hears how it went.
struct Write {
    std::uint64_t token = 0;
    std::vector<RecordToWrite> records = {};
    std::optional<Producer> producer = {};  ///< Set: the batch is part of its transaction.
};

}  // namespace leat::coordination
