// SPDX-License-Identifier: Apache-2.0
#include "storage/log.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "storage/log_state.h"
#include "storage/recovery.h"

namespace leat::storage {
namespace {

/// The same for the same segment at every start; in [0, most).
std::int64_t jitter_of(const std::string& directory, Offset base, std::int64_t most) {
    if (most <= 0) return 0;
    const auto seed = static_cast<std::uint64_t>(std::hash<std::string>{}(directory)) ^
                      (static_cast<std::uint64_t>(base.value) * 0x9E37'79B9'7F4A'7C15U);
    return static_cast<std::int64_t>((seed * 0xD6E8'FEB8'6659'FD93U >> 1U) %
                                     static_cast<std::uint64_t>(most));
}

/// Kafka's LogConfig.maxSegmentMs: only closed segments are compacted.
std::int64_t age_max_of(const config::TopicConfig& config) {
    return config.cleanup_compact ? std::min(config.segment_ms, config.max_compaction_lag_ms)
                                  : config.segment_ms;
}

/// Kafka's LogSegment.shouldRoll: time is that of the records, the clock's only without any.
Result<bool> is_time_to_roll(LogState& state, const wire::BatchHeader& header, WallMs now) {
    Segment& active = state.active();
    const config::TopicConfig& config = state.config();
    LEAT_TRY(const WallMs first, active.first_timestamp());
    const bool has_times = first.value >= 0 && header.max_timestamp.value >= 0;
    const std::int64_t waited =
        has_times ? header.max_timestamp.value - first.value : now.value - active.opened().value;
    const std::int64_t age_max = age_max_of(config);
    const std::int64_t jitter = jitter_of(state.options.directory, active.base(),
                                          std::min(config.segment_jitter_ms, age_max));
    return waited > age_max - jitter;
}

Result<bool> must_roll(LogState& state, const wire::BatchHeader& header, WallMs now) {
    Segment& active = state.active();
    if (active.is_empty()) return false;
    const config::TopicConfig& config = state.config();
    const auto size = static_cast<std::int64_t>(header.size_bytes());
    if (active.size().value > config.segment_bytes - size) return true;
    if (header.last_offset().value - active.base().value > std::numeric_limits<std::int32_t>::max())
        return true;
    LEAT_TRY(const bool is_full, active.is_index_full(config.segment_index_bytes));
    if (is_full) return true;
    return is_time_to_roll(state, header, now);
}

/// Everything but the batch itself; nothing of it needs to be undone when a later step fails.
Result<void> prepare(LogState& state, const wire::BatchHeader& header, WallMs now) {
    LEAT_TRY_VOID(state.settle_tail());
    LEAT_TRY(const bool roll, must_roll(state, header, now));
    if (roll) LEAT_TRY_VOID(state.roll(now));
    if (state.active().has_many_unwritten())
        LEAT_TRY_VOID(state.active().write_indexes(state.unsynced));
    if (header.leader_epoch >= 0 && state.epochs.assign(header.leader_epoch, header.base_offset))
        state.are_epochs_unwritten = true;
    if (state.are_epochs_unwritten) LEAT_TRY_VOID(state.write_epochs());
    if (header.is_control() && state.active().has_aborted()) {
        // Once the marker is written its entry cannot be put off until the file can be opened.
        EntryFile<TxnEntry>& entries = state.active().aborted().entries();
        if (entries.exists()) {
            LEAT_TRY(state.aborted_hot, entries.file().open());
        }
    }
    return {};
}

}  // namespace

Log::Log(std::unique_ptr<LogState> state) : state_(std::move(state)) {}
Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::open(rt::Disk& disk, FileCache& files, LogOptions options,
                                       Offset replay_from, const ReplayBatch& replay) {
    LEAT_CHECK(options.config != nullptr);
    auto state = std::make_unique<LogState>(disk, files, std::move(options));
    LEAT_TRY_VOID(recover(*state, replay_from, replay));
    return std::unique_ptr<Log>(new Log(std::move(state)));
}

const Recovered& Log::recovered() const noexcept {
    return state_->recovered;
}

Result<Placed> Log::append(const wire::BatchHeader& header, Bytes batch, WallMs now) {
    LogState& state = *state_;
    LEAT_CHECK(batch.size() == header.size_bytes());
    LEAT_CHECK(header.base_offset >= state.log_end && header.last_offset_delta >= 0);
    LEAT_TRY_VOID(state.check_usable());
    state.aborted_hot.reset();
    if (auto ready = prepare(state, header, now); !ready)
        return state.note_failure(std::move(ready).error());

    Segment& active = state.active();
    if (!state.hot) {
        auto file = active.file();
        if (!file) return state.note_failure(std::move(file).error());
        state.hot = *std::move(file);
        state.unsynced.add(state.hot);
    }
    const FilePos at = active.size();
    if (auto written = state.hot->write_at(at, {&batch, 1}); !written) {
        Error error = std::move(written).error();
        // Half a batch must not stay: the next one goes to its place.
        if (error.code() != Errc::kNoSpace || !state.hot->truncate(at)) state.failed = true;
        return error;
    }
    state.size_bytes += static_cast<std::int64_t>(batch.size());
    state.log_end = {header.last_offset().value + 1};
    state.places.appended(header.base_offset, at);
    // The batch is there; an index that cannot be read ends the log all the same. Where it cannot
    // be opened just now, the next batch gets the entry.
    if (auto noted = active.extend(header, state.config().index_interval_bytes);
        !noted && !is_shortage(noted.error().code()))
        state.failed = true;
    return Placed{.base_offset = header.base_offset,
                  .last_offset = header.last_offset(),
                  .at = at,
                  .rolled = std::exchange(state.rolled, false)};
}

Log::Unsynced Log::take_unsynced() {
    LogState& state = *state_;
    // The next append asks the cache for the file again; until then the holder keeps it open.
    state.hot.reset();
    return {.end = state.log_end,
            .files = state.unsynced.take(),
            .names = std::exchange(state.names_unsynced, false)};
}

Result<void> Log::roll(WallMs now) {
    LEAT_TRY_VOID(state_->check_usable());
    if (state_->active().is_empty()) return {};
    return state_->roll(now);
}

Result<bool> Log::roll_if_old(WallMs now) {
    LogState& state = *state_;
    LEAT_TRY_VOID(state.check_usable());
    Segment& active = state.active();
    if (active.is_empty()) return false;
    LEAT_TRY(const WallMs first, active.first_timestamp());
    const WallMs since = first.value >= 0 ? first : active.opened();
    if (now.value - since.value <= age_max_of(state.config())) return false;
    LEAT_TRY_VOID(state.roll(now));
    return true;
}

Result<std::shared_ptr<rt::File>> Log::append_aborted(const AbortedSpan& span) {
    LogState& state = *state_;
    LEAT_TRY_VOID(state.check_usable());
    Segment& segment = *state.segments[state.segment_of(span.last)];
    auto file = segment.aborted().append({.producer_id = span.producer_id,
                                          .first = span.first,
                                          .last = span.last,
                                          .last_stable = span.last_stable});
    state.aborted_hot.reset();
    if (!file) {
        // Only what waits in memory can be owed: readers find it there.
        if (segment.aborted().entries().unwritten() == 0)
            state.failed = true;
        else if (is_shortage(file.error().code()))
            state.aborted_owed = span.last;
        return state.note_failure(std::move(file).error());
    }
    std::shared_ptr<rt::File> written = *std::move(file);
    state.unsynced.add(written);
    state.names_unsynced = true;  // It may be the first entry of the file.
    return written;
}

Result<std::vector<std::shared_ptr<rt::File>>> Log::rewrite_aborted(Offset from) {
    LogState& state = *state_;
    LEAT_TRY_VOID(state.check_usable());
    SyncList written;
    for (std::size_t i = state.segment_of(from); i < state.segments.size(); ++i) {
        if (!state.segments[i]->has_aborted()) continue;
        auto file = state.segments[i]->aborted().rewrite(from);
        if (!file) return state.note_failure(std::move(file).error());
        state.unsynced.add(*file);
        written.add(*std::move(file));
    }
    return written.take();
}

bool Log::owes_aborted() const noexcept {
    return state_->aborted_owed.value >= 0;
}

Result<std::shared_ptr<rt::File>> Log::write_aborted() {
    LogState& state = *state_;
    LEAT_TRY_VOID(state.check_usable());
    if (!owes_aborted()) return std::shared_ptr<rt::File>{};
    // A segment that is gone took what it owed with it: then this one owes nothing.
    Segment& segment = *state.segments[state.segment_of(state.aborted_owed)];
    auto file = segment.aborted().entries().write_out();
    if (!file) return state.note_failure(std::move(file).error());
    std::shared_ptr<rt::File> written = *std::move(file);
    state.aborted_owed = Offset{-1};
    state.unsynced.add(written);
    state.names_unsynced = true;
    return written;
}

std::int32_t Log::latest_epoch() const noexcept {
    return state_->epochs.latest();
}

std::pair<std::int32_t, Offset> Log::end_of_epoch(std::int32_t epoch) const {
    return state_->epochs.end_of(epoch, state_->log_end);
}

void Log::set_config(std::shared_ptr<const config::TopicConfig> config) {
    LEAT_CHECK(config != nullptr);
    state_->options.config = std::move(config);
}

Result<void> Log::close() {
    LogState& state = *state_;
    LEAT_TRY_VOID(state.check_usable());
    Segment& active = state.active();
    LEAT_TRY_VOID(active.seal(state.unsynced));
    LEAT_TRY(const auto file, active.file());
    LEAT_TRY(const std::int64_t size, file->size());
    if (size > active.size().value) {
        LEAT_TRY_VOID(file->truncate(active.size()));
        state.unsynced.add(file);
    }
    state.list_aborted(active);
    LEAT_TRY_VOID(state.settle_tail());
    if (state.are_epochs_unwritten) LEAT_TRY_VOID(state.write_epochs());
    const Unsynced rest = take_unsynced();
    for (const auto& unsynced : rest.files) LEAT_TRY_VOID(unsynced->sync());
    if (rest.names) LEAT_TRY_VOID(state.disk.sync_directory(state.options.directory));
    return {};
}

bool Log::has_failed() const noexcept {
    return state_->failed;
}

Offset Log::log_start() const noexcept {
    return state_->log_start;
}

Offset Log::log_end() const noexcept {
    return state_->log_end;
}

std::int64_t Log::size_bytes() const noexcept {
    return state_->size_bytes;
}

}  // namespace leat::storage
