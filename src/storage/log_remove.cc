// SPDX-License-Identifier: Apache-2.0
//
// The half of Log that takes segments away: retention, truncation, exchange by the cleaner.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "storage/log_state.h"

namespace leat::storage {
namespace {

Result<void> sync_all(SyncList& files) {
    for (const auto& file : files.take()) LEAT_TRY_VOID(file->sync());
    return {};
}

/// When the newest of a segment's records was written, as far as anything tells.
Result<WallMs> age_of(Segment& segment) {
    LEAT_TRY(const MaxTimestamp max, segment.max_timestamp());
    return max.timestamp.value >= 0 ? max.timestamp : segment.opened();
}

/// How many of the first segments the settings allow to go, Kafka's UnifiedLog.deleteOldSegments.
Result<std::size_t> count_expired(LogState& state, WallMs now, Offset high_watermark) {
    const config::TopicConfig& config = state.config();
    std::int64_t over = config.retention_bytes >= 0 && config.cleanup_delete
                            ? state.size_bytes - config.retention_bytes
                            : -1;
    const bool by_time = config.cleanup_delete && config.retention_ms >= 0;
    std::size_t count = 0;
    for (; count < state.segments.size(); ++count) {
        Segment& segment = *state.segments[count];
        const bool is_last = count + 1 == state.segments.size();
        const Offset end = is_last ? state.log_end : state.segments[count + 1]->base();
        if (high_watermark < end || (is_last && segment.is_empty())) break;
        const bool is_below_start = !is_last && end <= state.log_start;
        over -= segment.size().value;
        const bool is_too_much = over >= 0;
        bool is_old = false;
        if (by_time && !is_below_start && !is_too_much) {
            LEAT_TRY(const WallMs newest, age_of(segment));
            is_old = now.value - newest.value > config.retention_ms;
        }
        if (!is_below_start && !is_too_much && !is_old) break;
    }
    return count;
}

}  // namespace

Result<Offset> Log::retain(WallMs now, Offset high_watermark) {
    LogState& state = *state_;
    LEAT_TRY_VOID(state.check_usable());
    LEAT_TRY(std::size_t count, count_expired(state, now, high_watermark));
    // A new active segment comes first: a crash in between must not leave the log without one.
    Result<void> rolled;
    if (count == state.segments.size()) rolled = state.roll_expired(now);
    if (!rolled) {
        if (rolled.error().code() != Errc::kNoSpace) return std::move(rolled).error();
        --count;
    }
    // And it must be there for good before the last of the others goes.
    if (count > 0 && state.names_unsynced)
        if (auto synced = state.disk.sync_directory(state.options.directory); !synced)
            return state.note_failure(std::move(synced).error());
    LEAT_TRY_VOID(state.retire_first(count, now));
    if (const Offset base = state.segments.front()->base(); base > state.log_start) {
        state.log_start = base;
        LEAT_TRY_VOID(state.forget_epochs_below(base));
    }
    if (!rolled) return std::move(rolled).error();
    // Index entries of a log that rests need no memory.
    Segment& active = state.active();
    if (std::exchange(state.end_at_last_retain, state.log_end) == state.log_end &&
        active.has_unwritten()) {
        auto written = active.write_indexes(state.unsynced);
        if (!written && !is_shortage(written.error().code())) return std::move(written).error();
    }
    return state.log_start;
}

Result<Offset> Log::expired_to(WallMs now, Offset high_watermark) {
    LogState& state = *state_;
    LEAT_TRY(const std::size_t count, count_expired(state, now, high_watermark));
    if (count == 0) return Offset{-1};
    return count == state.segments.size() ? state.log_end : state.segments[count]->base();
}

Offset Log::end_of_first() const {
    return state_->segments.size() > 1 ? state_->segments[1]->base() : state_->log_end;
}

Result<void> Log::remove_deleted(WallMs now) {
    LogState& state = *state_;
    std::vector<LogState::Removal> later;
    Result<void> result;
    for (LogState::Removal& removal : state.removals) {
        if (removal.due > now) {
            later.push_back(std::move(removal));
            continue;
        }
        auto removed = state.disk.remove_file(removal.path);
        if (removed || removed.error().code() == Errc::kNotFound) continue;
        result = std::move(removed).error();
        later.push_back(std::move(removal));
    }
    state.removals = std::move(later);
    return result;
}

Result<void> Log::remove_deleted_now() {
    LogState& state = *state_;
    if (state.removals.empty()) return {};
    // A crash must not bring back the old names, or lose the segment that took over, once the files
    // are gone.
    if (auto synced = state.disk.sync_directory(state.options.directory); !synced)
        return state.note_failure(std::move(synced).error());
    return remove_deleted(WallMs{std::numeric_limits<std::int64_t>::max()});
}

Offset Log::segment_base(Offset offset) const {
    return state_->segments[state_->segment_of(offset)]->base();
}

void Log::start_is_stored(Offset offset) noexcept {
    state_->options.log_start = std::max(state_->options.log_start, offset);
}

Result<void> Log::advance_start(Offset offset, Offset released) {
    LogState& state = *state_;
    LEAT_CHECK(offset <= state.log_end);
    LEAT_TRY_VOID(state.check_usable());
    if (offset <= state.log_start) return {};
    state.log_start = offset;
    // The active segment stays: it holds the log's end.
    LEAT_TRY_VOID(
        state.retire_first(state.segment_of(std::min(offset, released)), state.options.now));
    return state.forget_epochs_below(offset);
}

Result<void> Log::truncate_fully(Offset offset) {
    LogState& state = *state_;
    LEAT_TRY_VOID(state.check_usable());
    state.unsynced = {};
    LEAT_TRY_VOID(state.retire_first(state.segments.size(), state.options.now));
    state.places.clear();
    const auto begin = [&]() -> Result<void> {
        LEAT_TRY_VOID(state.begin_segment(offset, state.options.now));
        state.log_start = offset;
        state.log_end = offset;
        state.epochs.clear();
        return state.store_epochs();
    };
    // Half done it is no log, for whatever reason.
    if (auto begun = begin(); !begun) {
        state.failed = true;
        return begun;
    }
    state.names_unsynced = false;  // The file was stored with its folder.
    return {};
}

Result<void> Log::truncate(Offset offset) {
    LogState& state = *state_;
    LEAT_TRY_VOID(state.check_usable());
    if (offset >= state.log_end) return {};
    if (offset <= state.segments.front()->base()) return truncate_fully(offset);
    const std::size_t holder = state.segment_of(offset);
    LEAT_TRY(const FilePos at, state.segments[holder]->find(offset));
    const auto cut = [&]() -> Result<void> {
        // From the back: whatever a crash leaves, what remains is the beginning of the log.
        while (state.segments.size() > holder + 1) {
            Segment& last = state.active();
            LEAT_TRY_VOID(state.retire(last, state.options.now));
            state.size_bytes -= last.size().value;
            state.segments.pop_back();
        }
        LEAT_TRY_VOID(state.disk.sync_directory(state.options.directory));
        Segment& segment = state.active();
        state.size_bytes -= segment.size().value - at.value;
        state.hot.reset();
        state.places.clear();
        state.log_end = offset;
        LEAT_TRY_VOID(segment.cut(at, offset, state.unsynced));
        LEAT_TRY_VOID(sync_all(state.unsynced));
        state.names_unsynced = false;
        if (state.epochs.truncate_end(offset)) LEAT_TRY_VOID(state.store_epochs());
        return {};
    };
    auto done = cut();
    if (done) return {};
    // What it has done already cannot be left at that; on a full disk it is done again.
    if (done.error().code() == Errc::kTooManyOpenFiles) state.failed = true;
    return state.note_failure(std::move(done).error());
}

std::vector<Log::SegmentInfo> Log::segments() const {
    LogState& state = *state_;
    std::vector<SegmentInfo> all;
    for (const auto& segment : state.segments) {
        const auto max = segment->max_timestamp();
        const auto first = segment->first_timestamp();
        all.push_back({.base = segment->base(),
                       .end = segment->end(),
                       .size_bytes = segment->size().value,
                       // While that cannot be told it counts as new: its records must rest.
                       .max_timestamp =
                           max ? max->timestamp : WallMs{std::numeric_limits<std::int64_t>::max()},
                       .first_timestamp = first ? *first : WallMs{-1}});
    }
    return all;
}

Result<void> Log::replace_segments(Offset first, Offset last) {
    LogState& state = *state_;
    LEAT_TRY_VOID(state.check_usable());
    const std::size_t from = state.segment_of(first);
    const std::size_t to = state.segment_of(last);
    if (state.segments[from]->base() != first || state.segments[to]->base() != last || to < from ||
        to + 1 >= state.segments.size())
        return Error{Errc::kNotFound, "the segments are not there any more"};
    // What has to be opened is opened first: in the middle of it nothing may be left at that.
    std::int64_t size = 0;
    {
        const std::string swap_path =
            state.path_of(to_string(FileName{.base = first, .stage = FileStage::kSwap}));
        LEAT_TRY(const auto file, state.disk.open(swap_path, rt::OpenMode::kRead));
        LEAT_TRY(size, file->size());
    }
    const auto swap = [&]() -> Result<void> {
        const WallMs due{state.options.now.value};
        for (std::size_t i = from; i <= to; ++i) {
            LEAT_TRY_VOID(state.retire(*state.segments[i], due));
            state.size_bytes -= state.segments[i]->size().value;
        }
        // Old names first: an old segment beside the new one would give its records twice.
        LEAT_TRY_VOID(state.disk.sync_directory(state.options.directory));
        Segment::Present present{};
        constexpr FileKind kOrder[] = {FileKind::kIndex, FileKind::kTimeIndex, FileKind::kTxnIndex,
                                       FileKind::kLog};
        for (const FileKind kind : kOrder) {
            const FileName name{.base = first, .kind = kind};
            const std::string path = state.path_of(to_string(name));
            auto renamed = state.disk.rename(path + ".swap", path);
            if (!renamed && renamed.error().code() == Errc::kNotFound && kind != FileKind::kLog)
                continue;
            LEAT_TRY_VOID(std::move(renamed));
            present.at(static_cast<std::size_t>(kind)) = true;
        }
        auto fresh =
            std::make_unique<Segment>(state.files, state.options.directory, first, present);
        fresh->set_extent(FilePos{size}, state.segments[to + 1]->base());
        fresh->set_opened(state.segments[to]->opened());
        state.size_bytes += size;
        const auto begin = state.segments.begin() + static_cast<std::ptrdiff_t>(from);
        *begin = std::move(fresh);
        state.segments.erase(begin + 1, begin + static_cast<std::ptrdiff_t>(to - from) + 1);
        state.places.clear();
        return state.disk.sync_directory(state.options.directory);
    };
    auto done = swap();
    if (!done) {
        // Whatever names there are: the next start finishes the exchange.
        state.failed = true;
        return std::move(done).error();
    }
    return {};
}

Result<void> Log::discard_swap(Offset first) {
    LogState& state = *state_;
    LEAT_TRY_VOID(state.check_usable());
    const auto path = [&](FileKind kind, FileStage stage) {
        return state.path_of(to_string(FileName{.base = first, .kind = kind, .stage = stage}));
    };
    const auto discard = [&]() -> Result<void> {
        // A start takes nothing of an exchange at or above a file of that name.
        const std::string cleaned = path(FileKind::kLog, FileStage::kCleaned);
        LEAT_TRY_VOID(state.disk.rename(path(FileKind::kLog, FileStage::kSwap), cleaned));
        LEAT_TRY_VOID(state.disk.sync_directory(state.options.directory));
        for (const FileKind kind : {FileKind::kIndex, FileKind::kTimeIndex, FileKind::kTxnIndex}) {
            auto removed = state.disk.remove_file(path(kind, FileStage::kSwap));
            if (!removed && removed.error().code() != Errc::kNotFound) return removed;
        }
        LEAT_TRY_VOID(state.disk.sync_directory(state.options.directory));
        return state.disk.remove_file(cleaned);
    };
    auto done = discard();
    // A start with the file there would undo what is compacted from now on.
    if (!done) state.failed = true;
    return done;
}

}  // namespace leat::storage
