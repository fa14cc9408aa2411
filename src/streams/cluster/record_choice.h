// SPDX-License-Identifier: Apache-2.0
//
// From which of its partitions a task takes the next record, and whether it may. Layer: streams
// (L6). Pure.
// Spec:  Kafka Streams' PartitionGroup and KIP-695: the smallest timestamp of the heads goes first;
//        max.task.idle.ms says how long an empty partition is waited for.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/units.h"

namespace leat::streams {

/// One partition as the choice sees it.
struct Head {
    bool present = false;         ///< A record is there.
    std::int64_t timestamp = -1;  ///< Of that record.
    bool caught_up = false;       ///< None is there because the partition was read to its end.
};

/// Threading: belongs to its task.
class RecordChoice {
  public:
    /// Negative: whenever anything is there.
    explicit RecordChoice(std::chrono::milliseconds idle_max) : idle_max_(idle_max) {}

    /// The partition to take from; nothing: wait, or there is none.
    [[nodiscard]] std::optional<std::size_t> next(std::span<const Head> heads, Instant now);
    /// The last choice went on without an empty partition, which had been waited for.
    [[nodiscard]] bool was_enforced() const noexcept { return was_enforced_; }

  private:
    std::chrono::milliseconds idle_max_;
    /// Of each partition: since when it is known to be at its end, with nothing there.
    std::vector<std::optional<Instant>> idle_since_;
    bool was_enforced_ = false;
};

}  // namespace leat::streams
