// SPDX-License-Identifier: Apache-2.0
//
// What makes the indexes of a segment fit its batches again: after a start, a cut, or damage.
#include <algorithm>
#include <utility>

#include "storage/segment.h"

namespace leat::storage {
namespace {

// As many offset entries are written at once (segment.cc); the last ones in the file may have come
// to the disk without the time entries of the same write.
constexpr std::size_t kWrittenTogether = 2048;

Result<void> sync(const std::shared_ptr<rt::File>& file) {
    if (!file) return {};
    return file->sync();
}

Result<void> sync_all(SyncList& files) {
    for (const auto& file : files.take()) LEAT_TRY_VOID(file->sync());
    return {};
}

/// Cuts `entries` back to the first `keep`, durably: an entry that came back after a crash could
/// fit to other batches than the ones it was made for.
template <class Entry>
Result<void> keep_only(EntryFile<Entry>& entries, std::size_t keep) {
    LEAT_TRY(const std::size_t count, entries.count());
    if (keep == count && !entries.is_torn()) return {};
    LEAT_TRY(const auto file, entries.truncate(keep));
    return sync(file);
}

}  // namespace

Result<void> Segment::cut(FilePos size, Offset end, SyncList& sync_list) {
    LEAT_TRY(auto file, log_.open());
    LEAT_TRY_VOID(file->truncate(size));
    sync_list.add(std::move(file));
    set_extent(size, end);
    LEAT_TRY(auto offsets_file, offsets().truncate(end, size));
    sync_list.add(std::move(offsets_file));
    LEAT_TRY(auto times_file, times().truncate(end));
    sync_list.add(std::move(times_file));
    LEAT_TRY(auto aborted_file, aborted().truncate(end));
    sync_list.add(std::move(aborted_file));

    if (size.value == 0) first_timestamp_.reset();
    LEAT_TRY(const auto last, offsets().last());
    indexed_to_ = last ? last->at : FilePos{-1};
    since_entry_ = 0;
    max_ = {};
    is_max_whole_ = false;
    LEAT_TRY(BatchScan walk, scan(last ? last->at : FilePos{0}, BatchScan::Depth::kHeaders));
    for (;;) {
        LEAT_TRY(const auto found, walk.next());
        if (!found) return {};
        LEAT_TRY_VOID(note(found->header, found->at, interval_));
    }
}

Result<void> Segment::drop_indexes() {
    LEAT_TRY_VOID(keep_only(offsets().entries(), 0));
    LEAT_TRY_VOID(keep_only(times().entries(), 0));
    indexed_to_ = FilePos{-1};
    since_entry_ = 0;
    max_ = {};
    is_max_whole_ = false;
    return {};
}

Result<void> Segment::rebuild_indexes() {
    // Held open: what a want of descriptors stops must be stopped before anything is changed.
    LEAT_TRY(const auto log, log_.open());
    std::shared_ptr<rt::File> offsets_file;
    std::shared_ptr<rt::File> times_file;
    if (offsets().entries().exists()) {
        LEAT_TRY(offsets_file, offsets().entries().file().open());
    }
    if (times().entries().exists()) {
        LEAT_TRY(times_file, times().entries().file().open());
    }
    const auto make = [&]() -> Result<void> {
        LEAT_TRY_VOID(drop_indexes());
        LEAT_TRY(BatchScan walk, scan(FilePos{0}, BatchScan::Depth::kHeaders));
        for (;;) {
            LEAT_TRY(const auto found, walk.next());
            if (!found) break;
            if (found->header.last_offset() >= end_)
                return Error{Errc::kCorruptMessage,
                             path_of(FileKind::kLog) + ": an offset behind the segment's end"};
            LEAT_TRY_VOID(note(found->header, found->at, interval_));
        }
        SyncList files;
        LEAT_TRY_VOID(seal(files));
        return sync_all(files);
    };
    auto made = make();
    // Half an index would be taken for a whole one after a clean stop.
    if (!made) {
        ignore(offsets().entries().remove(), "what is left of it is right as far as it goes");
        // Nor is the largest time of its begin that of the whole.
        max_ = {};
        is_max_whole_ = false;
    }
    return made;
}

Result<bool> Segment::fits(const IndexedBatch& entry) {
    if (entry.at.value < 0 || entry.at >= size_) return false;
    const auto header = header_at(entry.at);
    if (!header) {
        if (header.error().code() == Errc::kCorruptMessage) return false;
        return Error{header.error().code(), header.error().detail()};
    }
    // Kafka's entry of an append of several batches has the offset of the last of them.
    return header->base_offset >= base_ && header->last_offset() <= entry.offset &&
           entry.offset < end_;
}

Result<bool> Segment::fits(const MaxTimestamp& entry) {
    if (entry.offset < base_ || entry.offset >= end_) return false;
    const auto header = [&]() -> Result<wire::BatchHeader> {
        LEAT_TRY(const FilePos at, find(entry.offset, false));
        return header_at(at);
    }();
    if (!header) {
        if (is_wrong_index(header.error())) return false;
        return Error{header.error().code(), header.error().detail()};
    }
    return header->base_offset <= entry.offset && header->max_timestamp == entry.timestamp;
}

Result<bool> Segment::take_index_ends() {
    LEAT_TRY(const auto batch, offsets().last());
    if (batch) {
        LEAT_TRY(const bool is_good, fits(*batch));
        if (!is_good) return false;
    }
    LEAT_TRY(const auto time, times().last());
    if (!time) return true;
    LEAT_TRY(const bool is_good, fits(*time));
    if (is_good) {
        max_ = *time;
        is_max_whole_ = true;
    }
    return is_good;
}

Result<Segment::OrderedEntries> Segment::ordered_entries() {
    LEAT_TRY(const auto raw, offsets().entries().raw());
    const std::size_t count = OffsetIndex::valid_entries(raw);
    OrderedEntries entries{
        .last = {},
        .are_all = count * OffsetEntry::kBytes == raw.size() && !offsets().entries().is_torn()};
    if (count > 0) {
        LEAT_TRY(entries.last, offsets().at(count - 1));
    }
    return entries;
}

Result<bool> Segment::complete_indexes() {
    LEAT_TRY(const auto raw_times, times().entries().raw());
    if (times().entries().is_torn() ||
        TimeIndex::valid_entries(raw_times) * TimeEntry::kBytes != raw_times.size())
        return false;
    LEAT_TRY(const bool has_good_ends, take_index_ends());
    if (!has_good_ends) return false;
    LEAT_TRY(const FilePos from, trusted_to());
    LEAT_TRY(const auto newest, times().last());
    const WallMs known = newest.value_or(MaxTimestamp{}).timestamp;
    const FilePos indexed_to = indexed_to_;
    LEAT_TRY(BatchScan walk, scan(from, BatchScan::Depth::kHeaders));
    for (;;) {
        LEAT_TRY(const auto found, walk.next());
        if (!found) break;
        // Times are taken down together with offsets: among those that are there none can be added.
        if (found->at <= indexed_to && found->header.record_count > 0 &&
            found->header.max_timestamp > known)
            return false;
        LEAT_TRY_VOID(note(found->header, found->at, interval_));
    }
    SyncList files;
    LEAT_TRY_VOID(seal(files));
    LEAT_TRY_VOID(sync_all(files));
    return true;
}

Result<FilePos> Segment::trust_indexes(Offset below, FilePos size) {
    LEAT_TRY(const auto raw_offsets, offsets().entries().raw());
    const std::size_t valid = OffsetIndex::valid_entries(raw_offsets);
    LEAT_TRY_VOID(keep_only(offsets().entries(), valid));
    const std::int64_t relative = below.value - base_.value;
    LEAT_TRY(const std::size_t kept, offsets().entries().partition_point([&](const OffsetEntry& e) {
        return e.relative < relative && e.position < size.value;
    }));
    LEAT_TRY_VOID(keep_only(offsets().entries(), kept));

    LEAT_TRY(const auto raw_times, times().entries().raw());
    LEAT_TRY_VOID(
        keep_only(times().entries(), kept == 0 ? 0 : TimeIndex::valid_entries(raw_times)));
    LEAT_TRY(const auto times_file, times().truncate(below));
    LEAT_TRY_VOID(sync(times_file));
    return trusted_to();
}

Result<FilePos> Segment::trusted_to() {
    LEAT_TRY(const std::size_t kept, offsets().count());
    LEAT_TRY(const auto last, offsets().last());
    indexed_to_ = last ? last->at : FilePos{-1};
    since_entry_ = 0;
    max_ = {};
    is_max_whole_ = false;
    if (!last) return FilePos{0};

    // From the last time entry on, the largest timestamp may be missing; only in what was written
    // together with the last offset entry, though.
    std::size_t from = kept > kWrittenTogether ? kept - kWrittenTogether : 0;
    LEAT_TRY(const auto time, times().last());
    if (time) {
        const std::int64_t time_relative = time->offset.value - base_.value;
        LEAT_TRY(const std::size_t after,
                 offsets().entries().partition_point([time_relative](const OffsetEntry& e) {
                     return e.relative <= time_relative;
                 }));
        from = std::max(from, after > 0 ? after - 1 : 0);
        if (after == 0 && from == 0) return FilePos{0};
    } else {
        return FilePos{0};
    }
    LEAT_TRY(const IndexedBatch start, offsets().at(std::min(from, kept - 1)));
    return start.at;
}

Result<FilePos> Segment::load_indexes(Offset below) {
    // So little has no entry.
    if (size_.value <= interval_) return FilePos{0};
    LEAT_TRY(const auto last, offsets().last());
    // A file whose size was set in advance and never trimmed, or of another log.
    const bool is_odd = last && (last->at.value <= 0 || last->at >= size_ || last->offset >= end_);
    if (is_odd || offsets().entries().is_torn()) return trust_indexes(below, size_);
    indexed_to_ = last ? last->at : FilePos{-1};
    LEAT_TRY(const auto start, offsets().lookup({below.value - 1}));
    return start ? start->at : FilePos{0};
}

}  // namespace leat::storage
