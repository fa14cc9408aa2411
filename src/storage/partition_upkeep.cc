// SPDX-License-Identifier: Apache-2.0
//
// What goes on beside appends and reads: timers, retention, snapshots, and the end of a partition.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/bounded_time.h"
#include "obs/log.h"
#include "rt/on_pool.h"
#include "storage/directory_health.h"
#include "storage/durable_marks.h"
#include "storage/folder_files.h"
#include "storage/metrics.h"
#include "storage/partition.h"
#include "storage/partition_state.h"

namespace leat::storage {
namespace {

constexpr obs::Logger kLog{"storage"};

/// A snapshot bounds what the next start has to read: one a minute when there is much new, and
/// one at every roll.
constexpr std::chrono::minutes kSnapshotInterval{1};
constexpr std::int64_t kSnapshotBytes = std::int64_t{1} << 20;

using std::chrono::milliseconds;

}  // namespace

void PartitionState::cancel_timers() {
    for (rt::TimerId* timer : {&upkeep_timer, &sync.timer, &tail_timer, &clean_timer, &scrub_timer})
        if (timer->value != 0) context.executor.cancel(std::exchange(*timer, {}));
}

/// What is appended now is synced flush.ms later; where that is not set, durability=interval has a
/// time of its own, and os leaves it to the kernel.
void PartitionState::schedule_flush() {
    if (sync.timer.value != 0 || is_closed || is_offline || sync.records == 0) return;
    std::int64_t wait_ms = config->flush_ms;
    if (wait_ms == config::kNever) {
        if (config->durability != config::Durability::kInterval) return;
        wait_ms = context.broker->flush_interval_default_ms;
    }
    const Instant at = after(context.executor.now(), wait_ms);
    sync.timer = context.executor.schedule(at, [weak = self->weak_from_this(), this] {
        const auto keep = weak.lock();
        if (!keep) return;
        sync.timer = {};
        context.flusher.request(*this);
    });
}

Result<void> PartitionState::store_log_start(Offset offset) {
    LEAT_TRY_VOID(write_log_start(context.disk, path, spec, offset));
    stored_start = offset;
    if (log) log->start_is_stored(offset);
    return {};
}

Result<Offset> PartitionState::retain(WallMs now, Offset bound) {
    // The start comes first: then many segments go with one sync of the folder. On a full disk
    // they go one by one, and make the room that it needs.
    LEAT_TRY(const Offset due, log->expired_to(now, bound));
    if (due > stored_start) {
        auto stored = store_log_start(due);
        if (!stored && stored.error().code() != Errc::kNoSpace) return std::move(stored).error();
    }
    LEAT_TRY(const Offset start, log->retain(now, bound));
    if (start <= stored_start) return start;
    auto stored = store_log_start(start);
    if (stored) return start;
    // Then it holds by the segments that are gone, once they are gone for good.
    LEAT_TRY_VOID(log->remove_deleted_now());
    return std::move(stored).error();
}

Result<Offset> PartitionState::delete_below(Offset to, Offset released) {
    const auto failed = [](const Error& error) {
        return Error{Errc::kKafkaStorageError, error.detail()};
    };
    auto stored = store_log_start(to);
    if (!stored && stored.error().code() == Errc::kNoSpace) {
        // The segments first, then: a start finds the log to begin with the first that is left.
        const Offset base = log->segment_base(std::min(to, released));
        auto freed = log->advance_start(std::max(log_start, base), released);
        if (freed) freed = log->remove_deleted_now();
        if (!freed) return failed(freed.error());
        stored = store_log_start(to);
    }
    if (!stored) return failed(stored.error());
    if (auto moved = log->advance_start(to, released); !moved) return failed(moved.error());
    return to;
}

namespace {

/// One round of upkeep on the pool, while the log is ours.
struct Round {
    bool retain = false;
    WallMs now;
    Offset high_watermark = {};
    Offset released = {};
    bool is_starved = false;
    bool is_held = false;  ///< More would go, were there a snapshot.
    Result<Offset> start = Error{Errc::kNone};

    void run(PartitionState& s) {
        if (retain) {
            const auto due = s.log->expired_to(now, high_watermark);
            is_held = due && *due > released;
            const Offset bound = std::min(high_watermark, released);
            start = s.retain(now, bound);
            const bool is_full = is_starved || (!start && start.error().code() == Errc::kNoSpace);
            if (is_full && s.log->remove_deleted_now() && !start) start = s.retain(now, bound);
        }
        ignore(s.log->remove_deleted(now), "tried again in the next round");
    }
};

}  // namespace

static rt::Task<void> keep_up(std::shared_ptr<Partition> /*keep*/, PartitionState* state) {
    PartitionState& s = *state;
    rt::Executor& executor = s.context.executor;
    const Instant now = executor.now();
    if (now >= s.expiry_at) {
        s.expiry_at = after(now, s.context.broker->producer_id_expiration_check_ms);
        s.context.metrics.expired_producers.add(s.producers.expire(executor.wall_now()));
    }
    Round round{.retain = now >= s.retention_at, .now = executor.wall_now()};
    if (round.retain || s.has_deleted_files) {
        HeldTurn turn = co_await s.take_turn();
        if (s.log && !s.is_closed && !s.is_offline) {
            round.high_watermark = s.high_watermark;
            round.released = s.releasable();
            round.is_starved = s.snapshots.is_starved;
            auto run = [&] { round.run(s); };
            co_await rt::on_pool(s.context.pool, executor, run);
            if (round.retain) {
                s.retention_at = after(now, s.context.broker->retention_check_interval_ms);
                s.has_deleted_files = round.start && *round.start > s.log_start;
                if (!round.start)
                    kLog.warn("retention failed", {{"partition", s.spec.folder()},
                                                   {"error", round.start.error().code()},
                                                   {"detail", round.start.error().detail()}});
                s.snapshots.is_awaited = round.is_held && round.start;
            }
        }
        turn.give();
        s.advance();
    }
    const Snapshots& known = s.snapshots;
    const bool is_due = known.bytes_since >= kSnapshotBytes || known.is_wanted ||
                        known.has_failed || known.is_awaited;
    if (!s.is_closed && !s.is_offline && s.turn.is_free() && is_due) s.snapshot_soon(s.log_end);
    s.schedule_upkeep();
}

void PartitionState::schedule_upkeep() {
    if (is_closed || upkeep_timer.value != 0) return;
    rt::Executor& executor = context.executor;
    const auto check = bounded_ms(context.broker->retention_check_interval_ms);
    // All partitions of a node open at once; their upkeep should not come at once.
    if (retention_at == Instant{}) {
        const auto span = static_cast<std::uint64_t>(std::max<std::int64_t>(check.count(), 1));
        retention_at = after(executor.now(), static_cast<std::int64_t>(executor.random() % span));
        expiry_at = after(executor.now(), context.broker->producer_id_expiration_check_ms);
    }
    Instant at = std::min({retention_at, expiry_at, executor.now() + kSnapshotInterval});
    if (has_deleted_files) at = std::min(at, after(executor.now(), config->file_delete_delay_ms));
    at = std::max(at, executor.now() + milliseconds{1});
    upkeep_timer = executor.schedule(at, [weak = self->weak_from_this(), this] {
        const auto keep = weak.lock();
        if (!keep) return;
        upkeep_timer = {};
        if (is_offline) return;
        rt::start(keep_up(keep, this));
    });
}

rt::Task<Result<Offset>> Partition::delete_records(Offset before) {
    const auto keep = shared_from_this();
    PartitionState& s = *state_;
    HeldTurn turn = co_await s.take_turn();
    const Offset to = before.value == -1 ? s.high_watermark : before;
    Result<Offset> result = Error{Errc::kKafkaStorageError, s.offline_reason};
    if (s.is_closed) {
        result = Error{Errc::kUnknownTopicOrPartition};
    } else if (s.is_quarantined) {
        // No log says where it begins or ends.
    } else if (s.config->cleanup_compact && !s.config->cleanup_delete) {
        result = Error{Errc::kPolicyViolation,
                       "records of a topic that is compacted only cannot be deleted"};
    } else if (to.value < 0 || to > s.high_watermark) {
        result = Error{Errc::kOffsetOutOfRange};
    } else if (to <= s.log_start) {
        result = s.log_start;
    } else if (s.log && !s.is_offline) {
        const Offset released = s.releasable();
        bool is_held = false;
        auto delete_them = [&] {
            is_held = s.log->segment_base(to) != s.log->segment_base(std::min(to, released));
            result = s.delete_below(to, released);
        };
        co_await rt::on_pool(s.context.pool, s.context.executor, delete_them);
        s.has_deleted_files = true;
        if (is_held) {
            s.snapshots.is_awaited = true;
            s.snapshot_soon(s.log_end);
        }
        if (result) s.log_start = std::max(s.log_start, to);
    }
    turn.give();
    s.advance();
    co_return result;
}

rt::Task<Result<void>> Partition::with_log(LogWork work) {
    const auto keep = shared_from_this();
    PartitionState& s = *state_;
    HeldTurn turn = co_await s.take_turn();
    Result<void> result = Error{s.is_closed ? Errc::kClosed : Errc::kOffline};
    if (s.log && !s.is_closed && !s.is_offline) {
        auto run = [&] { result = work(*s.log); };
        co_await rt::on_pool(s.context.pool, s.context.executor, run);
    }
    turn.give();
    s.advance();
    co_return result;
}

/// Waits until nobody uses the log: whoever had a turn before, syncs, jobs.
static rt::Task<void> settle(PartitionState* state) {
    co_await state->turn.take();
    co_await PartitionState::IdleWait{*state};
}

static Result<void> write_last_snapshot(PartitionState& s) {
    LEAT_TRY(auto owed, s.log->write_aborted());
    SnapshotJob job{.entries = s.producers.entries(),
                    .at = s.log_end,
                    .settled = s.settled(),
                    .sync = s.aborted_files};
    if (owed) job.sync.push_back(std::move(owed));
    job.run(s.context.disk, s.path, s.context.faults.skip_sync);
    return std::move(job.result);
}

rt::Task<Result<void>> Partition::shut_down() {
    const auto keep = shared_from_this();
    PartitionState& s = *state_;
    LEAT_CHECK(s.is_closed);
    co_await settle(&s);
    Result<void> result;
    if (s.log && s.context.flusher.health().is_failed()) {
        result = Error{Errc::kOffline, "the data directory has failed"};
        s.log.reset();
    }
    const bool was_written = !s.is_offline;
    auto close_it = [&] {
        // A snapshot would keep the next start from completing the index of aborted transactions.
        if (was_written) result = write_last_snapshot(s);
        auto closed = s.log->close();
        if (!closed) result = std::move(closed);
        s.log.reset();
    };
    if (s.log) co_await rt::on_pool(s.context.pool, s.context.executor, close_it);
    if (result && was_written) {
        const DurableMarks::Mark mark{s.spec.id, s.log_end};
        s.context.marks.advance({&mark, 1});
        s.synced = s.log_end;
        s.settle_waits(Errc::kNone);
    }
    s.turn.give(s.context.executor);
    if (result && !was_written) result = Error{Errc::kOffline, s.offline_reason};
    co_return result;
}

namespace {

/// Without descriptors its folder cannot be listed: then it is tried again.
constexpr std::int64_t kRemoveAgainMs = 1000;

/// Nobody has the partition any more when this runs.
void remove_later(ShardContext& context, const std::string& path, std::int64_t delay_ms) {
    context.executor.schedule(after(context.executor.now(), delay_ms), [&context, path] {
        auto removed = std::make_shared<Result<void>>();
        context.pool.submit(
            context.executor,
            [&context, path, removed] { *removed = remove_tree(context.disk, path); },
            [&context, path, removed] {
                if (*removed) return;
                if (removed->error().code() == Errc::kTooManyOpenFiles)
                    return remove_later(context, path, kRemoveAgainMs);
                kLog.warn("deleted partition not removed; the next start tries again",
                          {{"folder", path}, {"detail", removed->error().detail()}});
            });
    });
}

}  // namespace

Result<void> Partition::discard(ShardContext& context, const PartitionSpec& spec) {
    const std::string path = context.data_directory + "/" + spec.folder();
    LEAT_TRY(const bool exists, context.disk.exists(path));
    if (!exists) return {};
    LEAT_TRY(const auto id, read_topic_id(context.disk, path));
    if (id && *id != spec.id.topic) return {};
    if (!id) {
        // It was to be made, and nothing came into it; what has more in it is not taken for ours.
        for (const char* name : {"/partition.metadata", "/partition.metadata.tmp"}) {
            auto removed = context.disk.remove_file(path + name);
            if (!removed && removed.error().code() != Errc::kNotFound) return removed;
        }
        return context.disk.remove_directory(path);
    }
    const std::string gone = deleted_path(path, spec.id);
    LEAT_TRY_VOID(context.disk.rename(path, gone));
    LEAT_TRY_VOID(context.disk.sync_directory(context.data_directory));
    context.marks.forget(spec.id);
    return remove_tree(context.disk, gone);
}

rt::Task<Result<void>> Partition::destroy() {
    const auto keep = shared_from_this();
    PartitionState& s = *state_;
    LEAT_CHECK(s.is_closed);
    co_await settle(&s);
    const std::string gone = deleted_path(s.path, s.spec.id);
    Result<void> result;
    auto rename_it = [&] {
        s.log.reset();
        result = s.context.disk.rename(s.path, gone);
        // Not even the longer name has room: at once, then. What a crash leaves of it no topic has.
        if (!result && result.error().code() == Errc::kNoSpace)
            result = remove_tree(s.context.disk, s.path);
        if (result) result = s.context.disk.sync_directory(s.context.data_directory);
    };
    co_await rt::on_pool(s.context.pool, s.context.executor, rename_it);
    s.context.marks.forget(s.spec.id);
    s.settle_waits(Errc::kKafkaStorageError);
    s.turn.give(s.context.executor);
    if (result) remove_later(s.context, gone, s.config->file_delete_delay_ms);
    co_return result;
}

}  // namespace leat::storage
