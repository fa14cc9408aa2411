// SPDX-License-Identifier: Apache-2.0
//
// When a partition's producers are written down, and which segments may go because they are.
#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "obs/log.h"
#include "storage/directory_health.h"
#include "storage/partition.h"
#include "storage/partition_state.h"

namespace leat::storage {
namespace {

constexpr obs::Logger kLog{"storage"};
constexpr Offset kEverything{std::numeric_limits<std::int64_t>::max()};

}  // namespace

void PartitionState::snapshot_soon(Offset at) {
    // The next start has to read again what may lack its index entry.
    if (at <= snapshots.at || is_quarantined || is_offline || (log && log->owes_aborted())) return;
    // A sync of the same files that is under way may fail, and one after it succeeds for nothing.
    const bool is_syncing = !aborted_files.empty() && !context.flusher.is_idle(*this);
    if (snapshots.is_running || is_syncing) {
        snapshots.is_wanted = true;
        return;
    }
    snapshots.is_wanted = false;
    snapshots.has_failed = false;
    snapshots.is_running = true;
    snapshots.at = at;
    snapshots.bytes_since = 0;
    ++jobs;
    auto job = std::make_shared<SnapshotJob>(SnapshotJob{.entries = producers.entries(),
                                                         .at = at,
                                                         .settled = settled(),
                                                         .sync = std::exchange(aborted_files, {})});
    context.pool.submit(
        context.executor, [this, job] { job->run(context.disk, path, context.faults.skip_sync); },
        [this, job, keep = self->shared_from_this()] {
            --jobs;
            snapshot_ended(*job);
            wake_if_idle();
        });
}

void PartitionState::snapshot_if_wanted() {
    if (snapshots.is_wanted && !snapshots.is_running && !is_closed && aborted_files.empty())
        snapshot_soon(log_end);
}

void PartitionState::snapshot_ended(SnapshotJob& job) {
    snapshots.is_running = false;
    snapshots.there = std::move(job.there);
    snapshots.is_starved = job.is_starved;
    if (!job.result) {
        kLog.warn("producer snapshot not written",
                  {{"partition", spec.folder()}, {"error", job.result.error().code()}});
        snapshots.at = snapshots.there.empty() ? Offset{-1} : snapshots.there.back();
        snapshots.has_failed = true;
        // The disk tells of it once: the next sync of these files would succeed for nothing.
        if (job.has_sync_failed) context.flusher.health().fail(job.result.error());
    }
    if (is_closed || is_offline) return;
    if (job.result && snapshots.is_wanted && turn.is_free()) snapshot_soon(log_end);
    const bool may_go_on = snapshots.is_starved || snapshots.newest_up_to(settled()) >= job.at;
    if (snapshots.is_awaited && may_go_on) hasten_retention();
}

Offset PartitionState::releasable() const {
    if (producers.entries().empty()) return kEverything;
    const Offset covered = snapshots.newest_up_to(settled());
    // With no room for a snapshot something has to go first: the oldest, and a snapshot is tried
    // again with what it leaves. A crash just then costs a producer what only that segment knew.
    if (snapshots.is_starved) return std::max(covered, log->end_of_first());
    return covered;
}

void PartitionState::hasten_retention() {
    retention_at = context.executor.now();
    // Without a timer a round is under way, which sets the next one.
    if (upkeep_timer.value == 0) return;
    context.executor.cancel(std::exchange(upkeep_timer, {}));
    schedule_upkeep();
}

}  // namespace leat::storage
