// SPDX-License-Identifier: Apache-2.0
//
// Writing producers' state to a partition's folder, and what a partition knows of the snapshots
// there. Layer: storage (L3).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "rt/disk.h"
#include "storage/producer_state.h"
#include "storage/types.h"

namespace leat::storage {

/// One snapshot that is to be written.
struct SnapshotJob {
    ProducerEntries entries;
    Offset at;  ///< The state behind the record before.
    /// No crash takes the log back below. The newest snapshot up to here and all behind stay: those
    /// above the log's end are thrown away after a crash, and segments went because it was there.
    Offset settled;
    /// Synced first. What precedes a snapshot is not looked at again, so that an index entry that a
    /// crash takes would be missed for ever: readers would take aborted records for good ones.
    std::vector<std::shared_ptr<rt::File>> sync;

    Result<void> result = {};
    bool has_sync_failed = false;  ///< That is the result; the directory has to go offline.
    bool is_starved = false;  ///< It failed, and the disk has no room for it by its own account.
    std::vector<Offset> there = {};  ///< What the folder has then, ascending.

    /// Fills the last four. Runs on: a thread that may block; one at a time for a folder.
    void run(rt::Disk& disk, const std::string& folder, bool skip_sync);
};

/// What a partition knows of its snapshots. Segments without one at their end, or above, are the
/// only witnesses of what producers have written: see PartitionState::releasable().
struct Snapshots {
    Offset at{-1};              ///< Of the newest, which may be on its way.
    std::vector<Offset> there;  ///< Those that are durable, ascending.
    std::int64_t bytes_since = 0;
    bool is_running = false;
    bool is_wanted = false;   ///< Once what stands in its way has ended.
    bool has_failed = false;  ///< The newest job; tried again with the next upkeep.
    bool is_starved = false;  ///< As the newest job has it.
    bool is_awaited = false;  ///< Segments that are to go wait for one.

    /// -1: none.
    [[nodiscard]] Offset newest_up_to(Offset settled) const noexcept;
};

}  // namespace leat::storage
