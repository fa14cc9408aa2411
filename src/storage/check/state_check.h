// SPDX-License-Identifier: Apache-2.0
//
// Compares what lies beside a log, leader epochs and producers' snapshots, with its batches.
// Layer: storage (L3). Pure.
// Spec:  docs/reference/formats/log.md, producer-window.md
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/units.h"
#include "storage/leader_epochs.h"
#include "storage/producer_state.h"
#include "wire/record_batch.h"

namespace leat::storage {

/// Threading: not synchronised.
class EpochCheck {
  public:
    /// Below `log_start` the file need not say anything.
    EpochCheck(LeaderEpochs epochs, Offset log_start)
        : epochs_(std::move(epochs)), log_start_(log_start) {}

    void batch(const wire::BatchHeader& header);
    /// "" or the first thing that is wrong.
    [[nodiscard]] const std::string& finish(Offset log_end);

  private:
    LeaderEpochs epochs_;
    Offset log_start_;
    std::size_t next_ = 0;  ///< The first entry that begins behind the last batch.
    std::string wrong_;
};

/// Each snapshot is compared with the batches below its offset. What compaction or retention took
/// from the log, and what expired, is not held against it.
/// Threading: not synchronised.
/// Memory:    the snapshots; 40 bytes for each producer of the log.
class SnapshotCheck {
  public:
    struct Snapshot {
        Offset at;
        ProducerEntries entries;
        std::string wrong = {};  ///< "" or the first thing that is.
    };
    /// Ascending.
    explicit SnapshotCheck(std::vector<Snapshot> snapshots) : snapshots_(std::move(snapshots)) {}

    /// In order; data batches and markers.
    void batch(const wire::BatchHeader& header);
    [[nodiscard]] const std::vector<Snapshot>& finish();

  private:
    struct Last {
        std::int16_t epoch = -1;
        std::int32_t last_sequence = -1;
        Offset last_offset{-1};  ///< Of data in this epoch.
        Offset open_since{-1};
    };
    void compare(Snapshot& snapshot) const;
    [[nodiscard]] static std::string judge(const ProducerEntry& entry, const Last& last);

    std::vector<Snapshot> snapshots_;
    std::size_t next_ = 0;
    std::unordered_map<std::int64_t, Last> producers_;
};

}  // namespace leat::storage
