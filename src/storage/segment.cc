// SPDX-License-Identifier: Apache-2.0
#include "storage/segment.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace leat::storage {
namespace {

// Offset entries that wait for a write: of 8 MiB of log with Kafka's interval. More would be lost
// to a crash and make the next start scan more; fewer cost writes and syncs of their own.
constexpr std::size_t kUnwrittenMax = 2048;

}  // namespace

bool is_wrong_index(const Error& error) noexcept {
    return error.code() == Errc::kCorruptIndex || error.code() == Errc::kCorruptMessage;
}

void SyncList::add(std::shared_ptr<rt::File> file) {
    if (file && std::ranges::find(files_, file) == files_.end()) files_.push_back(std::move(file));
}

struct Segment::Indexes {
    OffsetIndex offsets;
    TimeIndex times;
    TxnIndex aborted;
};

Segment::Segment(FileCache& files, const std::string& directory, Offset base,
                 const Present& present)
    : base_(base),
      end_(base),
      present_(present),
      log_(files, directory + "/" + to_string(FileName{.base = base})) {}

void Segment::set_extent(FilePos size, Offset end) noexcept {
    size_ = size;
    end_ = end;
}

std::string Segment::path_of(FileKind kind) const {
    const std::string& log = log_.path();
    return log.substr(0, log.rfind('/') + 1) + to_string(FileName{.base = base_, .kind = kind});
}

Segment::Indexes& Segment::indexes() {
    if (!indexes_) {
        const auto is_here = [this](FileKind kind) {
            return present_.at(static_cast<std::size_t>(kind));
        };
        FileCache& files = log_.cache();
        indexes_ = std::shared_ptr<Indexes>(new Indexes{
            .offsets = {files, path_of(FileKind::kIndex), is_here(FileKind::kIndex), base_},
            .times = {files, path_of(FileKind::kTimeIndex), is_here(FileKind::kTimeIndex), base_},
            .aborted = {files, path_of(FileKind::kTxnIndex), is_here(FileKind::kTxnIndex)}});
    }
    return *indexes_;
}

OffsetIndex& Segment::offsets() {
    return indexes().offsets;
}

TimeIndex& Segment::times() {
    return indexes().times;
}

TxnIndex& Segment::aborted() {
    return indexes().aborted;
}

bool Segment::has_aborted() const noexcept {
    if (indexes_)
        return indexes_->aborted.entries().exists() || indexes_->aborted.entries().unwritten() > 0;
    return present_[static_cast<std::size_t>(FileKind::kTxnIndex)];
}

void Segment::close_indexes() {
    if (!indexes_) return;
    indexes_->offsets.entries().file().close();
    indexes_->times.entries().file().close();
    indexes_->aborted.entries().file().close();
}

Result<std::shared_ptr<rt::File>> Segment::create() {
    auto file = log_.open(rt::OpenMode::kCreateNew);
    if (file) present_[static_cast<std::size_t>(FileKind::kLog)] = true;
    return file;
}

Result<void> Segment::note(const wire::BatchHeader& header, FilePos at, std::int32_t interval) {
    interval_ = interval;
    if (at.value == 0) is_max_whole_ = true;
    // A batch whose records compaction has removed keeps a timestamp that no record has.
    if (header.record_count > 0 && header.max_timestamp > max_.timestamp)
        max_ = {.timestamp = header.max_timestamp, .offset = header.last_offset()};
    if (at > indexed_to_ && since_entry_ > interval) {
        LEAT_TRY_VOID(load_max());
        // What may fail comes first: an offset without its time would be taken for both.
        LEAT_TRY_VOID(times().last());
        LEAT_TRY_VOID(offsets().append(header.last_offset(), at));
        LEAT_TRY_VOID(times().append(max_));
        indexed_to_ = at;
        since_entry_ = 0;
    }
    if (at >= indexed_to_) since_entry_ += static_cast<std::int64_t>(header.size_bytes());
    return {};
}

Result<void> Segment::extend(const wire::BatchHeader& header, std::int32_t interval) {
    const FilePos at = size_;
    if (at.value == 0) first_timestamp_ = header.max_timestamp;
    // The batch is in the file: whatever becomes of its index entry, it counts.
    size_.value += static_cast<std::int64_t>(header.size_bytes());
    end_ = {header.last_offset().value + 1};
    return note(header, at, interval);
}

Result<BatchScan> Segment::scan(FilePos from, BatchScan::Depth depth) {
    LEAT_TRY(auto file, log_.open());
    return BatchScan{std::move(file), {.from = from, .end = size_, .least = base_}, depth};
}

Result<FilePos> Segment::find_from(FilePos from, Offset target) {
    LEAT_TRY(BatchScan walk, scan(from, BatchScan::Depth::kHeaders));
    for (;;) {
        LEAT_TRY(const auto found, walk.next());
        if (!found) return size_;
        if (found->at == from && from.value > 0 && found->header.base_offset > target)
            return Error{Errc::kCorruptIndex, path_of(FileKind::kIndex)};
        if (found->header.last_offset() >= target) return found->at;
    }
}

Result<FilePos> Segment::find(Offset target, bool may_rebuild) {
    if (target >= end_) return size_;
    if (target <= base_ || is_empty()) return FilePos{0};
    auto start = scan_start(target);
    if (start) {
        auto found = find_from(*start, target);
        if (found || start->value == 0 || !is_wrong_index(found.error())) return found;
    } else if (!is_wrong_index(start.error())) {
        return start;
    }
    if (!may_rebuild) return Error{Errc::kCorruptIndex, path_of(FileKind::kIndex)};
    LEAT_TRY_VOID(rebuild_indexes());
    LEAT_TRY(const FilePos again, scan_start(target));
    return find_from(again, target);
}

Result<FilePos> Segment::scan_start(Offset target) {
    LEAT_TRY(const auto entry, offsets().lookup(target));
    if (entry && entry->at.value < 0) return Error{Errc::kCorruptIndex, path_of(FileKind::kIndex)};
    // An entry beyond the file is of no use; find() notices when it is wrong.
    if (!entry || entry->at >= size_) return FilePos{0};
    return entry->at;
}

Result<FilePos> Segment::end_within(FilePos from, std::int64_t bytes_max) {
    const FilePos most{from.value + bytes_max};
    if (size_ <= most) return size_;
    FilePos start = from;
    const auto entry = offsets().lookup_at(most);
    if (entry && *entry && (*entry)->at > from) start = (*entry)->at;
    if (start > from) {
        const auto there = header_at(start);
        const bool fits = there && there->base_offset <= (*entry)->offset &&
                          there->base_offset >= base_ && there->last_offset() < end_;
        if (!fits) start = from;
    }
    LEAT_TRY(BatchScan walk, scan(start, BatchScan::Depth::kHeaders));
    FilePos end = start;
    for (;;) {
        LEAT_TRY(const auto found, walk.next());
        if (!found || found->end() > most) return end;
        end = found->end();
    }
}

Result<wire::BatchHeader> Segment::header_at(FilePos at) {
    LEAT_TRY(const auto file, log_.open());
    std::array<std::byte, wire::kBatchHeaderBytes> raw{};
    LEAT_TRY(const std::size_t got, file->read_at(at, raw));
    if (got < raw.size()) return Error{Errc::kCorruptMessage, path() + " is too short"};
    auto header = wire::parse_batch_header(raw);
    if (!header) return Error{Errc::kCorruptMessage, path()};
    return header;
}

Result<void> Segment::load_max() {
    if (is_max_whole_ || is_empty()) return {};
    LEAT_TRY(const auto last, times().last());
    LEAT_TRY(const bool is_right, last ? fits(*last) : Result<bool>{false});
    // The entry comes first where both are the same time.
    MaxTimestamp max = is_right ? *last : MaxTimestamp{};
    FilePos from{0};
    if (is_right) {
        if (max_.timestamp > max.timestamp) max = max_;
        // Of a time index that has lost its end the newest batches tell.
        LEAT_TRY(const auto entry, offsets().last());
        if (entry) from = std::max(from, entry->at);
    }
    LEAT_TRY(BatchScan walk, scan(from, BatchScan::Depth::kHeaders));
    for (;;) {
        const auto found = walk.next();
        // What is damaged there does not make the entry wrong.
        if (!found && is_right && is_wrong_index(found.error())) break;
        if (!found) return Error{found.error().code(), found.error().detail()};
        if (!*found) break;
        const wire::BatchHeader& header = (*found)->header;
        if (header.record_count > 0 && header.max_timestamp > max.timestamp)
            max = {.timestamp = header.max_timestamp, .offset = header.last_offset()};
    }
    max_ = max;
    is_max_whole_ = true;
    return {};
}

Result<MaxTimestamp> Segment::max_timestamp() {
    LEAT_TRY_VOID(load_max());
    return max_;
}

Result<MaxTimestamp> Segment::max_timestamp_below(Offset below) {
    LEAT_TRY_VOID(load_max());
    if (end_ <= below || max_.offset < below) return max_;
    // What came before the largest of all is in the time index, but for the last batches.
    LEAT_TRY(const auto entry, times().last_below(below));
    LEAT_TRY(const bool is_right, entry ? fits(*entry) : Result<bool>{false});
    MaxTimestamp max = is_right ? *entry : MaxTimestamp{};
    LEAT_TRY(const FilePos start, find(is_right ? entry->offset : base_));
    LEAT_TRY(BatchScan walk, scan(start, BatchScan::Depth::kHeaders));
    for (;;) {
        LEAT_TRY(const auto found, walk.next());
        if (!found || found->header.last_offset() >= below) return max;
        if (found->header.record_count > 0 && found->header.max_timestamp > max.timestamp)
            max = {.timestamp = found->header.max_timestamp, .offset = found->header.last_offset()};
    }
}

Result<WallMs> Segment::first_timestamp() {
    if (!first_timestamp_) {
        if (is_empty()) return WallMs{-1};
        LEAT_TRY(const auto header, header_at(FilePos{0}));
        first_timestamp_ = header.max_timestamp;
    }
    return *first_timestamp_;
}

bool Segment::has_unwritten() const noexcept {
    return indexes_ && (indexes_->offsets.entries().unwritten() > 0 ||
                        indexes_->times.entries().unwritten() > 0);
}

bool Segment::has_many_unwritten() const noexcept {
    return indexes_ && indexes_->offsets.entries().unwritten() >= kUnwrittenMax;
}

Result<void> Segment::write_indexes(SyncList& sync) {
    if (!indexes_) return {};
    // Times first: recovery takes offset entries for a sign that times up to there are whole.
    LEAT_TRY(auto times, indexes_->times.entries().write_out());
    sync.add(std::move(times));
    LEAT_TRY(auto offsets, indexes_->offsets.entries().write_out());
    sync.add(std::move(offsets));
    return {};
}

Result<void> Segment::add_index_files(SyncList& sync) {
    for (CachedFile* file :
         {&offsets().entries().file(), &times().entries().file(), &aborted().entries().file()}) {
        auto opened = file->open();
        if (opened) {
            sync.add(*std::move(opened));
        } else if (opened.error().code() != Errc::kNotFound) {
            return std::move(opened).error();
        }
    }
    return {};
}

Result<void> Segment::seal(SyncList& sync) {
    if (is_empty()) return {};
    LEAT_TRY_VOID(load_max());
    LEAT_TRY_VOID(times().append(max_));
    // Kafka's tools want an index beside a time index, if only an empty one.
    LEAT_TRY_VOID(offsets().entries().make_file());
    return write_indexes(sync);
}

Result<bool> Segment::is_index_full(std::int32_t index_bytes_max) {
    if (!indexes_) return false;
    const auto max = static_cast<std::size_t>(index_bytes_max);
    LEAT_TRY(const std::size_t offsets, indexes_->offsets.count());
    if ((offsets + 1) * OffsetEntry::kBytes > max) return true;
    // One entry is left for the end of the segment.
    LEAT_TRY(const std::size_t times, indexes_->times.count());
    return (times + 2) * TimeEntry::kBytes > max;
}

std::vector<std::string> Segment::paths() const {
    std::vector<std::string> paths{log_.path()};
    for (const FileKind kind : kIndexKinds) {
        bool is_here = present_.at(static_cast<std::size_t>(kind));
        if (indexes_ && kind == FileKind::kIndex) is_here = indexes_->offsets.entries().exists();
        if (indexes_ && kind == FileKind::kTimeIndex) is_here = indexes_->times.entries().exists();
        if (indexes_ && kind == FileKind::kTxnIndex) is_here = indexes_->aborted.entries().exists();
        if (is_here) paths.push_back(path_of(kind));
    }
    return paths;
}

}  // namespace leat::storage
