// SPDX-License-Identifier: Apache-2.0
#include "storage/log_folder.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/aborted_list.h"
#include "storage/batch_scan.h"
#include "storage/segment_files.h"

namespace leat::storage {
namespace {

class FolderRepair {
  public:
    FolderRepair(rt::Disk& disk, const std::string& directory)
        : disk_(disk), directory_(directory) {}

    Result<LogFolder> run() {
        LEAT_TRY_VOID(list());
        if (!cleaned_.empty() || !swaps_.empty() || !deleted_.empty()) LEAT_TRY_VOID(finish());
        LEAT_TRY_VOID(drop_orphans());
        return std::move(folder_);
    }

  private:
    [[nodiscard]] std::string path(const FileName& name) const {
        return directory_ + "/" + to_string(name);
    }
    [[nodiscard]] static std::size_t slot(FileKind kind) { return static_cast<std::size_t>(kind); }

    Result<void> list() {
        auto entries = disk_.list(directory_);
        if (!entries) {
            if (entries.error().code() != Errc::kNotFound) return std::move(entries).error();
            LEAT_TRY_VOID(disk_.make_directory(directory_));
            folder_.is_new = true;
            const auto slash = directory_.rfind('/');
            return disk_.sync_directory(slash == std::string::npos ? "."
                                                                   : directory_.substr(0, slash));
        }
        for (const rt::DirEntry& entry : *entries) {
            if (entry.name == kEpochFileName) folder_.has_epochs = true;
            if (entry.name == kAbortedListName) folder_.has_aborted_list = true;
            const auto name = parse_file_name(entry.name);
            if (entry.is_directory || !name) continue;
            switch (name->stage) {
                case FileStage::kPlain:
                    if (name->kind != FileKind::kSnapshot)
                        folder_.segments[name->base].at(slot(name->kind)) = true;
                    break;
                case FileStage::kCleaned:
                    cleaned_.push_back(*name);
                    break;
                case FileStage::kSwap:
                    swaps_.push_back(*name);
                    break;
                case FileStage::kDeleted:
                    deleted_.push_back(*name);
                    break;
            }
        }
        return {};
    }

    Result<void> remove(const FileName& name) {
        auto removed = disk_.remove_file(path(name));
        if (!removed && removed.error().code() != Errc::kNotFound) return removed;
        return {};
    }

    Result<void> finish() {
        // As Kafka: with a ".cleaned" file left, exchanges at or above it never became valid.
        std::optional<Offset> first_cleaned;
        for (const FileName& name : cleaned_) {
            first_cleaned = std::min(first_cleaned.value_or(name.base), name.base);
            LEAT_TRY_VOID(remove(name));
        }
        for (const FileName& name : deleted_) LEAT_TRY_VOID(remove(name));
        std::vector<FileName> rest;
        for (const FileName& name : swaps_) {
            if (!first_cleaned || name.base < *first_cleaned) {
                rest.push_back(name);
                continue;
            }
            LEAT_TRY_VOID(remove(name));
        }
        for (const FileName& name : rest)
            if (name.kind == FileKind::kLog) LEAT_TRY_VOID(finish_swap(name.base, rest));
        if (folder_.damage.empty()) LEAT_TRY_VOID(finish_indexes(rest));
        return disk_.sync_directory(directory_);
    }

    /// The offset behind the last of a segment that is complete and synced.
    Result<std::optional<Offset>> end_of(const FileName& name) {
        LEAT_TRY(auto file, disk_.open(path(name), rt::OpenMode::kRead));
        LEAT_TRY(const std::int64_t size, file->size());
        BatchScan scan{std::move(file),
                       {.from = FilePos{0}, .end = FilePos{size}, .least = name.base},
                       BatchScan::Depth::kHeaders};
        for (;;) {
            auto found = scan.next();
            if (!found) {
                if (found.error().code() != Errc::kCorruptMessage) return std::move(found).error();
                folder_.damage = to_string(name) + ": " + std::string{found.error().detail()};
                return std::optional<Offset>{};
            }
            if (!*found) return std::optional{scan.next_offset()};
        }
    }

    /// An exchange takes whole segments: what goes further than `swap` must not be removed for it.
    Result<void> check_whole(const FileName& swap, Offset behind) {
        const auto above = folder_.segments.lower_bound(behind);
        if (above == folder_.segments.begin()) return {};
        const auto& [base, kinds] = *std::prev(above);
        if (base < swap.base || !kinds.at(slot(FileKind::kLog))) return {};
        LEAT_TRY(const auto end, end_of({.base = base}));
        if (end && *end > behind)
            folder_.damage = to_string(swap) + " ends at offset " + std::to_string(behind.value) +
                             ", in the middle of the segment it would replace";
        return {};
    }

    Result<void> finish_swap(Offset base, const std::vector<FileName>& swaps) {
        const FileName swap{.base = base, .kind = FileKind::kLog, .stage = FileStage::kSwap};
        LEAT_TRY(const auto end, end_of(swap));
        if (!end) return {};
        const Offset behind = std::max(*end, Offset{base.value + 1});
        LEAT_TRY_VOID(check_whole(swap, behind));
        if (!folder_.damage.empty()) return {};
        // The old segments go before the new one gets its name, or their records would come twice.
        for (auto at = folder_.segments.lower_bound(base);
             at != folder_.segments.end() && at->first < behind;) {
            for (std::size_t kind = at->second.size(); kind-- > 0;) {
                if (at->second.at(kind))
                    LEAT_TRY_VOID(remove({.base = at->first, .kind = static_cast<FileKind>(kind)}));
            }
            at = folder_.segments.erase(at);
        }
        LEAT_TRY_VOID(disk_.sync_directory(directory_));
        // Its other indexes are made anew: nothing tells whether their names are those of the
        // same exchange.
        const bool has_aborted = std::ranges::any_of(swaps, [base](const FileName& name) {
            return name.base == base && name.kind == FileKind::kTxnIndex;
        });
        if (has_aborted) LEAT_TRY_VOID(rename_swap({.base = base, .kind = FileKind::kTxnIndex}));
        LEAT_TRY_VOID(rename_swap({.base = base, .kind = FileKind::kLog}));
        return {};
    }

    Result<void> rename_swap(FileName name) {
        const std::string to = path(name);
        folder_.segments[name.base].at(slot(name.kind)) = true;
        name.stage = FileStage::kSwap;
        auto renamed = disk_.rename(path(name), to);
        if (!renamed && renamed.error().code() != Errc::kNotFound) return renamed;
        return {};
    }

    /// Indexes whose log had its final name already, or was never complete.
    Result<void> finish_indexes(const std::vector<FileName>& swaps) {
        for (const FileName& name : swaps) {
            if (name.kind == FileKind::kLog || name.kind == FileKind::kSnapshot) continue;
            const auto segment = folder_.segments.find(name.base);
            const bool has_log =
                segment != folder_.segments.end() && segment->second.at(slot(FileKind::kLog));
            if (has_log && name.kind == FileKind::kTxnIndex) {
                LEAT_TRY_VOID(rename_swap({.base = name.base, .kind = name.kind}));
                continue;
            }
            LEAT_TRY_VOID(remove(name));
            if (!has_log) continue;
            // The one with the plain name may be of the old segment.
            LEAT_TRY_VOID(remove({.base = name.base, .kind = name.kind}));
            segment->second.at(slot(name.kind)) = false;
        }
        return {};
    }

    /// An index without its log would later be taken for one of a new segment.
    Result<void> drop_orphans() {
        if (!folder_.damage.empty()) return {};
        for (auto at = folder_.segments.begin(); at != folder_.segments.end();) {
            if (at->second.at(slot(FileKind::kLog))) {
                ++at;
                continue;
            }
            for (const FileKind kind : kIndexKinds)
                if (at->second.at(slot(kind)))
                    LEAT_TRY_VOID(remove({.base = at->first, .kind = kind}));
            at = folder_.segments.erase(at);
        }
        return {};
    }

    rt::Disk& disk_;
    const std::string& directory_;
    LogFolder folder_;
    std::vector<FileName> cleaned_;
    std::vector<FileName> swaps_;
    std::vector<FileName> deleted_;
};

}  // namespace

Result<LogFolder> open_log_folder(rt::Disk& disk, const std::string& directory) {
    return FolderRepair{disk, directory}.run();
}

}  // namespace leat::storage
