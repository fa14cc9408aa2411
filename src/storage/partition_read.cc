// SPDX-License-Identifier: Apache-2.0
//
// Reads: from memory at the tail, else from files, which are warmed first when they are cold.
#include <algorithm>
#include <memory>
#include <utility>

#include "obs/log.h"
#include "rt/on_pool.h"
#include "rt/process.h"
#include "storage/metrics.h"
#include "storage/partition.h"
#include "storage/partition_state.h"

namespace leat::storage {
namespace {

constexpr obs::Logger kLog{"storage"};

constexpr std::int64_t kWarmStep = std::int64_t{128} << 10;  ///< One read.
constexpr std::chrono::seconds kTailIdle{30};

/// False when some of the slice is not in the page cache.
bool is_warm(const ReadSlice& slice) {
    return !slice.file || slice.file->is_cached(slice.at, slice.size_bytes);
}

/// Runs on: the pool.
Result<void> warm(const std::vector<ReadSlice>& slices) {
    const auto buffer = std::make_unique_for_overwrite<std::byte[]>(kWarmStep);
    for (const ReadSlice& slice : slices) {
        if (!slice.file) continue;
        const std::int64_t end = slice.at.value + static_cast<std::int64_t>(slice.size_bytes);
        for (std::int64_t at = slice.at.value; at < end; at += kWarmStep) {
            const auto size = static_cast<std::size_t>(std::min(kWarmStep, end - at));
            LEAT_TRY_VOID(slice.file->read_at(FilePos{at}, {buffer.get(), size}));
        }
    }
    return {};
}

void add_up(ReadResult& result) {
    for (const ReadSlice& slice : result.slices) result.size_bytes += slice.size_bytes;
}

}  // namespace

bool PartitionState::read_from_memory(const ReadRequest& request, ReadResult& result) {
    result.high_watermark = high_watermark;
    result.last_stable = last_stable();
    result.log_start = log_start;
    if (is_closed) {
        result.error = Errc::kUnknownTopicOrPartition;
        return true;
    }
    if (!log) {
        result.error = Errc::kKafkaStorageError;
        return true;
    }
    if (request.from < log_start || request.from > log_end) {
        result.error = Errc::kOffsetOutOfRange;
        return true;
    }
    const Offset below = read_bound(request.isolation);
    if (request.from >= below) return true;
    const bool needs_aborted = has_aborted && request.isolation == Isolation::kReadCommitted;
    if (needs_aborted ||
        !tail.read(request.from, below, request.bytes_max, request.at_least_one, result.slices))
        return false;
    tail_used = true;
    context.metrics.tail_reads.add();
    return true;
}

bool PartitionState::read_from_log(const ReadRequest& request, Offset below, ReadResult& result,
                                   bool is_pool) {
    context.metrics.file_reads.add();
    rt::CpuMeter meter{!is_pool && context.measures_time};
    auto slices = log->read(request.from, below, request.bytes_max, request.at_least_one, is_pool);
    result.busy += meter.stop();
    if (!slices && !is_pool && slices.error().code() == Errc::kCorruptIndex) return false;
    if (!slices) {
        kLog.error("read failed", {{"partition", spec.folder()},
                                   {"from", request.from.value},
                                   {"error", slices.error().code()},
                                   {"detail", slices.error().detail()}});
        result.error = Errc::kKafkaStorageError;
        return true;
    }
    result.slices = *std::move(slices);
    return true;
}

/// Runs on: the pool, with the turn.
void PartitionState::add_aborted(const ReadRequest& request, ReadResult& result) {
    if (context.faults.no_abort_filter) return;
    if (result.slices.empty()) return;
    // Only what overlaps with what was read: there may be many more behind it.
    const ReadSlice& last = result.slices.back();
    const FilePos end{last.at.value + static_cast<std::int64_t>(last.size_bytes)};
    const auto bound = log->bound_of_read(request.from, end, result.last_stable);
    auto aborted = log->aborted_between(request.from, bound ? *bound : result.last_stable);
    if (!aborted) {
        result.error = Errc::kKafkaStorageError;
        result.slices.clear();
        return;
    }
    result.aborted = *std::move(aborted);
}

void PartitionState::keep_tail() {
    tail_used = true;
    if (tail.is_kept() || is_closed || is_offline) return;
    const auto bytes = static_cast<std::size_t>(context.broker->tail_buffer_bytes);
    if (bytes == 0) return;
    tail.keep(bytes);
    struct Check {
        static void later(const std::weak_ptr<Partition>& partition, PartitionState& state) {
            state.tail_timer = state.context.executor.schedule(
                state.context.executor.now() + kTailIdle, [partition, &state] {
                    const auto keep = partition.lock();
                    if (!keep) return;
                    state.tail_timer = {};
                    if (std::exchange(state.tail_used, !state.watchers.empty()))
                        return later(partition, state);
                    const auto freed = static_cast<std::int64_t>(state.tail.memory_bytes());
                    state.context.metrics.tail_bytes.add(-freed);
                    state.tail.clear();
                });
        }
    };
    Check::later(self->weak_from_this(), *this);
}

rt::Task<ReadResult> Partition::read(ReadRequest request) {
    const auto keep = shared_from_this();
    PartitionState& s = *state_;
    ReadResult result;
    // A reader this close to the end comes back for what is appended next.
    if (!s.tail.is_kept() && request.from >= s.high_watermark) s.keep_tail();
    if (s.read_from_memory(request, result)) {
        add_up(result);
        co_return result;
    }
    const bool measures = s.context.measures_time;
    const bool is_committed = request.isolation == Isolation::kReadCommitted;
    const bool has_to_wait = (is_committed && s.has_aborted) || !s.turn.is_free();
    if (has_to_wait || !s.read_from_log(request, s.read_bound(request.isolation), result, false)) {
        HeldTurn turn = co_await s.take_turn();
        // What held the turn may have moved the log start, closed the partition, or aborted the
        // first transaction here.
        const bool needs_aborted = is_committed && s.has_aborted;
        result = {};
        if (!s.read_from_memory(request, result)) {
            const Offset below = s.read_bound(request.isolation);
            auto read_it = [&s, &request, &result, below, measures] {
                rt::CpuMeter meter{measures};
                s.read_from_log(request, below, result, true);
                result.busy += meter.stop();
            };
            if (!s.read_from_log(request, below, result, false))
                co_await rt::on_pool(s.context.pool, s.context.executor, read_it);
            auto add_aborted = [&] { s.add_aborted(request, result); };
            if (needs_aborted && result.error == Errc::kNone)
                co_await rt::on_pool(s.context.pool, s.context.executor, add_aborted);
        }
        turn.give();
    }
    if (!std::ranges::all_of(result.slices, is_warm)) {
        s.context.metrics.cold_reads.add();
        Result<void> warmed;
        auto warm_it = [&warmed, &result, measures] {
            rt::CpuMeter meter{measures};
            warmed = warm(result.slices);
            result.busy += meter.stop();
        };
        co_await rt::on_pool(s.context.pool, s.context.executor, warm_it);
        if (!warmed) {
            result.error = Errc::kKafkaStorageError;
            result.slices.clear();
        }
    }
    add_up(result);
    co_return result;
}

std::size_t Partition::available_bytes(Offset from, Isolation isolation, std::size_t enough) const {
    const PartitionState& s = *state_;
    const Offset below = s.read_bound(isolation);
    if (!s.log || s.is_closed || from < s.log_start || from >= below) return 0;
    // The log is in use off the shard; there is something, and read() will wait for its turn.
    if (!s.turn.is_free()) return enough;
    return s.log->bytes_between(from, below, enough);
}

namespace {

/// How a lookup on the pool is asked for; null when there is no log to ask.
using Find = Result<TimestampedOffset> (*)(Log& log, WallMs at, Offset below,
                                           std::size_t inflated_max);

}  // namespace

std::size_t PartitionState::stored_inflated_max() const {
    return std::max(kStoredInflatedMax,
                    static_cast<std::size_t>(context.broker->decompressed_bytes_max));
}

static rt::Task<Result<TimestampedOffset>> find(std::shared_ptr<Partition> /*keep*/,
                                                PartitionState* state, WallMs at, Offset below,
                                                Find how) {
    PartitionState& s = *state;
    const HeldTurn turn = co_await s.take_turn();
    Result<TimestampedOffset> found = Error{Errc::kKafkaStorageError};
    if (s.log && !s.is_closed) {
        auto find_it = [&] { found = how(*s.log, at, below, s.stored_inflated_max()); };
        co_await rt::on_pool(s.context.pool, s.context.executor, find_it);
    }
    co_return found;
}

rt::Task<Result<TimestampedOffset>> Partition::find_by_time(WallMs at, Isolation isolation) {
    return find(shared_from_this(), state_.get(), at, state_->read_bound(isolation),
                [](Log& log, WallMs time, Offset below, std::size_t most) {
                    return log.find_by_time(time, below, most);
                });
}

rt::Task<Result<TimestampedOffset>> Partition::find_max_timestamp(Isolation isolation) {
    const auto keep = shared_from_this();
    const Offset bound = state_->read_bound(isolation);
    Result<TimestampedOffset> found =
        co_await find(keep, state_.get(), WallMs{0}, state_->high_watermark,
                      [](Log& log, WallMs, Offset below, std::size_t most) {
                          return log.find_max_timestamp(below, most);
                      });
    if (found && found->offset >= bound) found = TimestampedOffset{};
    co_return found;
}

}  // namespace leat::storage
