// SPDX-License-Identifier: Apache-2.0
#include "storage/cleaned_segment.h"

#include <array>

#include "wire/record_batch.h"

namespace leat::storage {
namespace {

constexpr std::size_t kWriteBytes = std::size_t{512} << 10U;
constexpr std::array kKinds{FileKind::kIndex, FileKind::kTimeIndex, FileKind::kTxnIndex,
                            FileKind::kLog};

}  // namespace

CleanedSegment::CleanedSegment(rt::Disk& disk, FileCache& files, const std::string& directory,
                               Offset base)
    : disk_(disk),
      directory_(directory),
      base_(base),
      offsets_(files, path(FileKind::kIndex, FileStage::kCleaned), false, base),
      times_(files, path(FileKind::kTimeIndex, FileStage::kCleaned), false, base),
      aborted_(files, path(FileKind::kTxnIndex, FileStage::kCleaned), false) {}

std::string CleanedSegment::path(FileKind kind, FileStage stage) const {
    return directory_ + "/" + to_string(FileName{.base = base_, .kind = kind, .stage = stage});
}

Result<void> CleanedSegment::discard() {
    file_.reset();
    // The log first: without it the others decide nothing. finish() may have failed behind its
    // renames.
    for (const FileStage stage : {FileStage::kSwap, FileStage::kCleaned}) {
        for (auto kind = kKinds.rbegin(); kind != kKinds.rend(); ++kind) {
            auto removed = disk_.remove_file(path(*kind, stage));
            if (!removed && removed.error().code() != Errc::kNotFound) return removed;
        }
    }
    return {};
}

Result<void> CleanedSegment::begin() {
    LEAT_TRY_VOID(discard());
    LEAT_TRY(file_,
             disk_.open(path(FileKind::kLog, FileStage::kCleaned), rt::OpenMode::kCreateNew));
    return {};
}

Result<void> CleanedSegment::append(Bytes batch, std::int32_t interval) {
    LEAT_TRY(const wire::BatchHeader header, wire::parse_batch_header(batch));
    if (header.record_count > 0 && header.max_timestamp > max_.timestamp)
        max_ = {.timestamp = header.max_timestamp, .offset = header.last_offset()};
    if (since_entry_ > interval) {
        LEAT_TRY_VOID(offsets_.append(header.last_offset(), size_));
        LEAT_TRY_VOID(times_.append(max_));
        since_entry_ = 0;
    }
    since_entry_ += static_cast<std::int64_t>(batch.size());
    size_.value += static_cast<std::int64_t>(batch.size());
    buffer_.insert(buffer_.end(), batch.begin(), batch.end());
    return buffer_.size() >= kWriteBytes ? write_out() : Result<void>{};
}

Result<void> CleanedSegment::write_out() {
    const Bytes part{buffer_};
    if (!part.empty()) LEAT_TRY_VOID(file_->write_at(written_, {&part, 1}));
    written_ = size_;
    buffer_.clear();
    return {};
}

Result<void> CleanedSegment::finish(const std::vector<TxnEntry>& aborted) {
    LEAT_TRY_VOID(write_out());
    LEAT_TRY_VOID(times_.append(max_));
    std::array<std::shared_ptr<rt::File>, 3> indexes;
    LEAT_TRY_VOID(offsets_.entries().make_file());
    LEAT_TRY_VOID(offsets_.entries().write_out());
    LEAT_TRY(indexes[0], offsets_.entries().file().open());
    LEAT_TRY(indexes[1], times_.entries().write_out());
    for (const TxnEntry& entry : aborted) LEAT_TRY_VOID(aborted_.entries().push(entry));
    LEAT_TRY(indexes[2], aborted_.entries().write_out());
    for (const auto& index : indexes)
        if (index) LEAT_TRY_VOID(index->sync());
    LEAT_TRY_VOID(file_->sync());
    for (const FileKind kind : kKinds) {
        const bool is_there =
            kind == FileKind::kLog || indexes.at(static_cast<std::size_t>(kind) - 1) != nullptr;
        if (is_there)
            LEAT_TRY_VOID(
                disk_.rename(path(kind, FileStage::kCleaned), path(kind, FileStage::kSwap)));
    }
    return disk_.sync_directory(directory_);
}

}  // namespace leat::storage
