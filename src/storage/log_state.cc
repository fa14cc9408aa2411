// SPDX-License-Identifier: Apache-2.0
#include "storage/log_state.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/bounded_time.h"

namespace leat::storage {

LogState::LogState(rt::Disk& disk_in, FileCache& files_in, LogOptions options_in)
    : disk(disk_in),
      files(files_in),
      options(std::move(options_in)),
      log_start(options.log_start),
      log_end(options.log_start) {}

std::string LogState::path_of(std::string_view name) const {
    std::string path = options.directory;
    path += '/';
    path += name;
    return path;
}

std::size_t LogState::segment_of(Offset offset) const {
    const auto after = std::ranges::upper_bound(segments, offset, {}, &Segment::base);
    return after == segments.begin() ? 0 : static_cast<std::size_t>(after - segments.begin()) - 1;
}

Result<FilePos> LogState::position_of(Segment& segment, Offset offset, bool may_rebuild) {
    if (offset >= segment.end()) return segment.size();
    if (offset <= segment.base()) return FilePos{0};
    if (&segment == segments.back().get()) {
        if (const auto at = places.find_appended(offset)) return *at;
    }
    if (const auto at = places.find_learned(segment.base(), offset)) return *at;
    LEAT_TRY(const FilePos at, segment.find(offset, may_rebuild));
    places.learned(segment.base(), offset, at);
    return at;
}

Result<void> LogState::check_usable() const {
    if (!recovered.damage.empty()) return Error{Errc::kQuarantined, recovered.damage};
    if (failed) return Error{Errc::kIoError, options.directory + ": an earlier write failed"};
    return {};
}

Error LogState::note_failure(Error error) {
    if (!is_shortage(error.code())) failed = true;
    return error;
}

Result<void> LogState::begin_segment(Offset base, WallMs now) {
    auto segment = std::make_unique<Segment>(files, options.directory, base, Segment::Present{});
    segment->set_opened(now);
    auto file = segment->create();
    if (!file) return note_failure(std::move(file).error());
    if (config().preallocate) {
        if (auto sized = (*file)->truncate(FilePos{config().segment_bytes}); !sized) {
            // Without its size it is as good; a later append reports a full disk.
            if (sized.error().code() != Errc::kNoSpace)
                return note_failure(std::move(sized).error());
        }
    }
    names_unsynced = true;
    segments.push_back(std::move(segment));
    hot.reset();
    places.rolled();
    return {};
}

Result<void> LogState::settle_tail() {
    if (!is_tail_in_doubt) return {};
    // An index entry that came back after a crash could fit to other batches than it was made for.
    LEAT_TRY_VOID(active().add_index_files(unsynced));
    LEAT_TRY(auto file, active().file());
    unsynced.add(std::move(file));
    is_tail_in_doubt = false;
    return {};
}

Result<void> LogState::roll(WallMs now) {
    Segment& full = active();
    LEAT_CHECK(!full.is_empty());
    if (auto sealed = full.seal(unsynced); !sealed) return note_failure(std::move(sealed).error());
    if (auto settled = settle_tail(); !settled) return note_failure(std::move(settled).error());
    if (config().preallocate) {
        auto file = full.file();
        if (!file) return note_failure(std::move(file).error());
        if (auto cut = (*file)->truncate(full.size()); !cut)
            return note_failure(std::move(cut).error());
        unsynced.add(*std::move(file));
    }
    LEAT_TRY_VOID(begin_segment(log_end, now));
    list_aborted(full);
    full.close_indexes();
    rolled = true;
    return {};
}

Result<void> LogState::roll_expired(WallMs now) {
    Segment& full = active();
    LEAT_CHECK(!full.is_empty());
    auto sealed = full.seal(unsynced);
    if (!sealed && sealed.error().code() != Errc::kNoSpace)
        return note_failure(std::move(sealed).error());
    LEAT_TRY_VOID(begin_segment(log_end, now));
    full.close_indexes();
    // Its files were all that could be in doubt.
    is_tail_in_doubt = false;
    rolled = true;
    return {};
}

Result<void> LogState::replace_soon(std::string_view name, const std::string& text) {
    const std::string path = path_of(name);
    const std::string temporary = path + ".tmp";
    LEAT_TRY(auto file, disk.open(temporary, rt::OpenMode::kCreate));
    LEAT_TRY_VOID(file->truncate(FilePos{0}));
    const Bytes part = std::as_bytes(std::span{text});
    LEAT_TRY_VOID(file->write_at(FilePos{0}, {&part, 1}));
    // Renamed before it is synced, to spare the append two syncs. A crash in between may leave a
    // file that cannot be read: then recovery makes it anew.
    LEAT_TRY_VOID(disk.rename(temporary, path));
    unsynced.add(std::move(file));
    names_unsynced = true;
    return {};
}

Result<void> LogState::write_epochs() {
    LEAT_TRY_VOID(replace_soon(kEpochFileName, epochs.encode()));
    are_epochs_unwritten = false;
    return {};
}

void LogState::list_aborted(Segment& segment) {
    if (!segment.has_aborted() || aborted_owed.value >= 0) return;
    aborted_list.forget_below(segments.front()->base());
    const auto raw = segment.aborted().entries().raw();
    if (raw && aborted_list.note(segment.base(), *raw))
        ignore(replace_soon(kAbortedListName, aborted_list.encode()), "the next start can without");
}

Result<void> LogState::store_aborted_list() {
    const std::string text = aborted_list.encode();
    return rt::replace_file(disk, path_of(kAbortedListName), std::as_bytes(std::span{text}));
}

Result<void> LogState::forget_epochs_below(Offset start) {
    if (!epochs.truncate_start(start)) return {};
    auto written = write_epochs();
    if (written || is_shortage(written.error().code())) return {};
    return note_failure(std::move(written).error());
}

Result<void> LogState::store_epochs() {
    const std::string text = epochs.encode();
    LEAT_TRY_VOID(rt::replace_file(disk, path_of(kEpochFileName), std::as_bytes(std::span{text})));
    are_epochs_unwritten = false;
    return {};
}

Result<void> LogState::retire(Segment& segment, WallMs due) {
    for (const std::string& path : segment.paths()) {
        std::string gone = path + ".deleted";
        auto renamed = disk.rename(path, gone);
        if (renamed) {
            removals.push_back({.path = std::move(gone), .due = due});
            continue;
        }
        if (renamed.error().code() != Errc::kNoSpace) return renamed;
        // Not even the longer name has room. What makes the file superfluous comes first.
        LEAT_TRY_VOID(disk.sync_directory(options.directory));
        LEAT_TRY_VOID(disk.remove_file(path));
    }
    names_unsynced = true;
    return {};
}

Result<void> LogState::retire_first(std::size_t count, WallMs now) {
    const WallMs due = after(now, config().file_delete_delay_ms);
    const Offset kept = count < segments.size() ? segments[count]->base() : log_end;
    // A start that finds one gone and not those before it takes the gap for the end of the log,
    // unless the gap lies below the log's start, or the durable mark behind it.
    const bool may_leave_gaps = options.log_start >= kept;
    for (; count > 0; --count) {
        // Also of the call before, which a shortage may have ended here.
        if (is_retired_unsynced && !may_leave_gaps) {
            if (auto synced = disk.sync_directory(options.directory); !synced)
                return note_failure(std::move(synced).error());
        }
        is_retired_unsynced = true;
        Segment& first = *segments.front();
        if (auto gone = retire(first, due); !gone) return note_failure(std::move(gone).error());
        size_bytes -= first.size().value;
        segments.erase(segments.begin());
    }
    return {};
}

}  // namespace leat::storage
