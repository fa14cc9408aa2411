// SPDX-License-Identifier: Apache-2.0
//
// What a partition consists of; its operations are in partition*.cc. Layer: storage (L3).
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/append.h"
#include "storage/flusher.h"
#include "storage/log.h"
#include "storage/partition.h"
#include "storage/pending_sync.h"
#include "storage/producer_state.h"
#include "storage/segment_scrub.h"
#include "storage/shard_context.h"
#include "storage/snapshot_job.h"
#include "storage/tail_buffer.h"
#include "storage/turn.h"

namespace leat::storage {

/// Invariant: log_start <= high_watermark <= log_end, synced <= log_end; none of them goes back.
/// Threading: shard-local, but for open() and what is given to the pool: whoever uses `log` off the
///            shard holds `turn`.
class PartitionState final : public SyncTarget {
  public:
    PartitionState(ShardContext& context_in, PartitionSpec spec_in);
    ~PartitionState() override;

    // --- Opening (partition_open.cc).
    /// Runs on: a thread that may block.
    Result<void> open(SyncOfNew syncs);
    /// The first call on the shard: timers, news of a failed directory.
    void start(Partition& partition);

    /// What one stored batch may unpack to.
    [[nodiscard]] std::size_t stored_inflated_max() const;

    // --- Appending (partition_append.cc). The turn is held from admission to log.
    [[nodiscard]] AdmissionRules admission_rules(Origin origin) const;
    /// Whether the batch may follow what the log has; sets the answer, or its final offsets.
    void check_producer(Append& append);
    void check_marker(Append& append);
    [[nodiscard]] bool must_write_on_pool(std::size_t size) const;
    /// The part that may run on the pool.
    [[nodiscard]] Result<Placed> write(Append& append);
    /// The batch lies in the log: state, watermark and syncs follow.
    void after_write(Append& append, const Result<Placed>& placed);
    void note_producer(const Append& append, const Placed& placed);
    /// A transaction index was written; a sync that ends above `up_to` covers it.
    void note_aborted(const std::shared_ptr<rt::File>& file, Offset up_to);
    void refuse(Append& append, Errc error, std::string message = {});

    // --- Watermarks (partition.cc).
    /// Takes over where the log begins and ends.
    void refresh();
    /// co_await take_turn() gives a HeldTurn.
    [[nodiscard]] TakeTurn take_turn() noexcept { return {turn.take(), *this}; }
    /// Moves the high watermark as durability has it, and tells watchers when anything has moved.
    void advance();
    [[nodiscard]] Offset last_stable() const noexcept;
    [[nodiscard]] Offset read_bound(Isolation isolation) const noexcept {
        return isolation == Isolation::kReadCommitted ? last_stable() : high_watermark;
    }
    void tell_watchers(bool closed);
    void go_offline(std::string why);
    [[nodiscard]] bool is_sync() const noexcept {
        return config->durability == config::Durability::kSync;
    }

    // --- Reading (partition_read.cc).
    /// What needs no disk; true when the result is complete.
    bool read_from_memory(const ReadRequest& request, ReadResult& result);
    /// False: an index is to be made anew first, which only a thread of the pool may do.
    bool read_from_log(const ReadRequest& request, Offset below, ReadResult& result, bool is_pool);
    void add_aborted(const ReadRequest& request, ReadResult& result);
    void keep_tail();

    // --- Syncs. SyncTarget.
    std::optional<Log::Unsynced> take_unsynced() override;
    void on_synced(Offset end) override;
    void on_sync_ended() override;
    void on_directory_failed() override;
    std::shared_ptr<void> hold() override;
    [[nodiscard]] const PartitionId& id() const override { return spec.id; }
    [[nodiscard]] const std::string& folder() const override { return path; }

    /// A coroutine that waits until everything below `need` is durable. Lives in its frame.
    struct SyncWait {
        SyncWait(PartitionState& state_in, Offset need_in) : state(state_in), need(need_in) {}

        PartitionState& state;
        Offset need;
        Errc result = Errc::kNone;
        SyncWait* next = nullptr;
        std::coroutine_handle<> waiter = nullptr;

        [[nodiscard]] bool await_ready() const noexcept { return state.synced >= need; }
        bool await_suspend(std::coroutine_handle<> handle);
        [[nodiscard]] Errc await_resume() const noexcept { return result; }
    };
    void settle_waits(Errc error);

    /// For the one coroutine that waits until no sync and no job is left.
    struct IdleWait {
        PartitionState& state;
        [[nodiscard]] bool await_ready() const noexcept { return state.is_idle(); }
        void await_suspend(std::coroutine_handle<> handle) const { state.idle_waiter = handle; }
        void await_resume() const noexcept {}
    };
    [[nodiscard]] bool is_idle() const noexcept {
        return jobs == 0 && context.flusher.is_idle(*this);
    }
    void wake_if_idle();

    // --- Upkeep (partition_upkeep.cc).
    void schedule_upkeep();
    void schedule_flush();
    /// Looks after `after_ms` whether the log is to be compacted (partition_clean.cc); -1: after
    /// log.cleaner.backoff.ms. One that is not compacted has no such timer.
    void schedule_cleaning(std::int64_t after_ms = -1);
    /// Follows leat.scrub.interval.ms (partition_scrub.cc).
    void start_scrubs();
    void schedule_scrub(std::int64_t after_ms);
    [[nodiscard]] ScrubDepth scrub_depth() const noexcept;
    void cancel_timers();
    /// Writes the producers' state as of `at` off the shard.
    void snapshot_soon(Offset at);
    void snapshot_if_wanted();  ///< One that could not be begun. Nobody uses the log.
    void snapshot_ended(SnapshotJob& job);
    /// As SnapshotJob has it.
    [[nodiscard]] Offset settled() const noexcept { return is_sync() ? synced : log_end; }
    /// Segments that end above must stay: nothing else tells what producers have written. The turn
    /// is held.
    [[nodiscard]] Offset releasable() const;
    void hasten_retention();
    Result<void> store_log_start(Offset offset);
    /// Both run on a thread that may block, with the turn. Errors of retain(): of the log;
    /// kNoSpace: the removal of what was deleted lately may leave the room.
    Result<Offset> retain(WallMs now, Offset bound);
    /// On a full disk too when whole segments lie below `to` and `released`. kKafkaStorageError.
    Result<Offset> delete_below(Offset to, Offset released);

    /// Where a leader epoch began.
    struct EpochStart {
        std::int32_t epoch = -1;
        Offset start;
    };
    void load_epochs();

    ShardContext& context;
    PartitionSpec spec;
    std::string path;  ///< Of its folder.
    std::shared_ptr<const config::TopicConfig> config;
    Partition* self = nullptr;  ///< From start() on.
    std::unique_ptr<Log> log;   ///< Null once shut down or quarantined.
    ProducerState producers;
    TailBuffer tail;
    Turn turn;

    Offset log_start, stored_start;  ///< The latter is what the folder has.
    Offset log_end, synced, high_watermark;
    std::int64_t size_bytes = 0;
    std::vector<EpochStart> epochs;  ///< Ascending; the last one is the current epoch.
    bool has_aborted = false;        ///< Transactions were aborted here at some time.
    /// Transaction indexes written and not synced, which a snapshot needs; up to which marker.
    std::vector<std::shared_ptr<rt::File>> aborted_files;
    Offset aborted_last{-1};
    bool is_closed = false, is_quarantined = false;
    bool is_offline = false;  ///< Takes no more appends.
    std::string offline_reason;

    std::vector<Watcher*> watchers;  ///< Null: left while they were being told.
    bool is_telling = false;
    bool tell_again = false;
    std::pair<Offset, Offset> told{Offset{-1}, Offset{-1}};  ///< Last stable offset, log start.

    SyncWait* first_wait = nullptr;  ///< By what they need.
    SyncWait* last_wait = nullptr;
    PendingSync sync;

    std::size_t jobs = 0;  ///< Pool jobs that nobody awaits.
    std::coroutine_handle<> idle_waiter;
    rt::TimerId upkeep_timer, tail_timer, clean_timer, scrub_timer;
    std::int64_t scrub_interval = 0;  ///< That the timer follows.
    bool is_scrubbing = false, was_scrub_cut = false, is_cleaning = false;
    Offset cleaned_to{-1};  ///< Compacted up to here; -1: not read yet.
    bool tail_used = false;
    bool has_deleted_files = false;
    Instant retention_at{}, expiry_at{};
    Snapshots snapshots;
};

}  // namespace leat::storage
