// SPDX-License-Identifier: Apache-2.0
//
// What groups append to their partition of __consumer_offsets. Layer: groups (L5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace leat::groups {

struct RecordToWrite {
    std::vector<std::byte> key = {};
    std::optional<std::vector<std::byte>> value = {};  ///< None: a tombstone.
};

/// The producer of a transaction.
struct Producer {
    std::int64_t id = -1;
    std::int16_t epoch = -1;
};

/// One batch to append; Coordinator::on_written() tells how it went.
struct Write {
    std::uint64_t token = 0;
    std::vector<RecordToWrite> records = {};
    std::optional<Producer> producer = {};  ///< Set: the batch is part of its transaction.
};

}  // namespace leat::groups
