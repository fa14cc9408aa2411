// SPDX-License-Identifier: Apache-2.0
//
// Group commit: makes the dirty logs of a shard durable with as few syncs as pay. Layer: storage
// (L3).
// Spec:  docs/explanation/durability.md; docs/decisions/0012-group-commit.md for the figures.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "rt/disk.h"
#include "rt/executor.h"
#include "storage/log.h"
#include "storage/shard_context.h"

namespace leat::storage {

class DirectoryHealth;
class DurableMarks;
class Flusher;
class Metrics;

/// What the flusher syncs: one partition. Threading: shard-local, all calls.
class SyncTarget {
  public:
    SyncTarget() = default;
    SyncTarget(const SyncTarget&) = delete;
    SyncTarget& operator=(const SyncTarget&) = delete;
    virtual ~SyncTarget() = default;

    /// What must be synced; nullopt when the log cannot be asked now: the target asks for a sync
    /// again once it can.
    virtual std::optional<Log::Unsynced> take_unsynced() = 0;
    /// Everything below `end` is durable.
    virtual void on_synced(Offset end) = 0;
    /// A sync of it is over, well or not; is_idle(target) is up to date.
    virtual void on_sync_ended() = 0;
    /// The data directory has failed; on_synced() is not called any more.
    virtual void on_directory_failed() = 0;
    /// Keeps the target alive while it is being synced.
    virtual std::shared_ptr<void> hold() = 0;
    [[nodiscard]] virtual const PartitionId& id() const = 0;
    [[nodiscard]] virtual const std::string& folder() const = 0;

  private:
    friend class Flusher;
    enum class Sync : std::uint8_t { kIdle, kQueued, kRunning, kRunningAndQueued };
    Sync sync_ = Sync::kIdle;
};

/// A dirty log is synced by a job of its own, on the pool or, while syncs are short and the shard
/// has nothing else to do, on the shard's thread (Executor::block()); while that runs, what is
/// appended to the log gathers for the next one, so that one sync answers many requests. While
/// syncs take less than `short_sync`, one runs at a time, for the same reason. When more logs wait
/// than `syncfs_threshold`, one sync of the whole file system serves them all, where that is
/// quicker.
///
/// Invariant: at most one sync of a log at a time; on_synced() names only what was in the files
///            before the sync began.
/// Threading: shard-local; the syncs run elsewhere.
/// Memory:    must outlive its targets, and is_idle() must hold at its end.
/// Failure:   a failed sync is never tried again: it fails the data directory for all shards. One
///            that could not be tried for want of a descriptor is tried until it can.
class Flusher {
  public:
    struct Parts {
        rt::Disk* disk = nullptr;
        rt::Executor* executor = nullptr;
        rt::BlockingPool* pool = nullptr;
        DurableMarks* marks = nullptr;
        DirectoryHealth* health = nullptr;
        Metrics* metrics = nullptr;
        std::string data_directory;
    };
    struct Options {
        std::size_t syncfs_threshold = 4;
        std::size_t parallel_max = 4;  ///< Syncs in flight while they take long.
        std::chrono::nanoseconds short_sync = std::chrono::milliseconds{1};
        Faults faults = {};
    };
    Flusher(Parts parts, Options options);
    ~Flusher();
    Flusher(const Flusher&) = delete;
    Flusher& operator=(const Flusher&) = delete;

    /// From here on `target` hears of failures. Precondition: not attached.
    void attach(SyncTarget& target);
    /// Precondition: no sync of it is running. One that waits is dropped.
    void detach(SyncTarget& target);

    /// `target` has unsynced bytes: syncs them soon. Cheap when that is on its way already.
    void request(SyncTarget& target) {
        if (target.sync_ == SyncTarget::Sync::kQueued ||
            target.sync_ == SyncTarget::Sync::kRunningAndQueued)
            return;
        enqueue(target);
    }
    [[nodiscard]] bool is_idle(const SyncTarget& target) const noexcept {
        return target.sync_ == SyncTarget::Sync::kIdle;
    }
    [[nodiscard]] bool is_idle() const noexcept { return in_flight_ == 0 && waiting_.empty(); }
    [[nodiscard]] DirectoryHealth& health() const noexcept { return *parts_.health; }
    void set_syncfs_threshold(std::size_t logs) noexcept { options_.syncfs_threshold = logs; }

    /// Bytes appended lately that nobody syncs: when there are many, the kernel may stop a writer
    /// until it has written some of them.
    void note_unsynced(std::size_t bytes, Instant now) noexcept;
    [[nodiscard]] bool is_write_pressure_high(Instant now) noexcept;

  private:
    struct Item;
    struct Job;
    void enqueue(SyncTarget& target);
    void pump_soon();
    void pump();
    [[nodiscard]] std::size_t parallel() const noexcept;
    [[nodiscard]] bool is_one_short() const noexcept;
    [[nodiscard]] bool whole_pays() const noexcept;
    void start_one();
    void start_whole();
    void submit(std::shared_ptr<Job> job);
    std::optional<Item> begin(SyncTarget& target);
    void run_later(std::shared_ptr<Job> job);
    void finish(const std::shared_ptr<Job>& job);
    void end(Job& job);
    void fail_all();

    Parts parts_;
    Options options_;
    std::shared_ptr<void> listening_;
    std::unordered_set<SyncTarget*> targets_;
    std::deque<SyncTarget*> waiting_;
    std::size_t in_flight_ = 0;
    bool whole_in_flight_ = false;
    bool pump_posted_ = false;
    bool failed_ = false;
    /// How long one sync took lately: of one log, of the whole file system.
    std::chrono::nanoseconds one_cost_{0};
    std::chrono::nanoseconds whole_cost_{0};
    std::uint32_t whole_skipped_ = 0;
    std::int64_t unsynced_lately_ = 0;
    Instant unsynced_since_{};
};

}  // namespace leat::storage
