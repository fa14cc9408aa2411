// SPDX-License-Identifier: Apache-2.0
#include "storage/snapshot_job.h"

#include <algorithm>
#include <utility>

#include "storage/folder_files.h"
#include "storage/producer_snapshot.h"

namespace leat::storage {
namespace {

constexpr std::size_t kSnapshotsKept = 2;
/// A file takes whole blocks, and its name may take one more.
constexpr std::int64_t kRoomBeside = 16'384;

struct Files {
    std::vector<std::byte> window;
    std::vector<std::byte> snapshot;

    Result<void> write(rt::Disk& disk, const std::string& folder, Offset at) const {
        // The window first: a snapshot without it would pass for one of Kafka's.
        LEAT_TRY_VOID(rt::replace_file(disk, snapshot_path(folder, at, ".window"), window));
        return rt::replace_file(disk, snapshot_path(folder, at, ".snapshot"), snapshot);
    }
};

std::size_t count_up_to(const std::vector<Offset>& offsets, Offset settled) {
    return static_cast<std::size_t>(std::ranges::upper_bound(offsets, settled) - offsets.begin());
}

/// All but the newest `kept`, as far as a crash can do without them.
Result<void> remove_older(rt::Disk& disk, const std::string& folder, Offset settled,
                          std::size_t kept) {
    LEAT_TRY(const auto offsets, list_snapshots(disk, folder));
    const std::size_t sure = count_up_to(offsets, settled);
    if (offsets.size() <= kept || sure <= 1) return {};
    for (const Offset old : std::span{offsets}.first(std::min(offsets.size() - kept, sure - 1)))
        LEAT_TRY_VOID(remove_snapshot(disk, folder, old));
    return {};
}

}  // namespace

void SnapshotJob::run(rt::Disk& disk, const std::string& folder, bool skip_sync) {
    const auto sync_all = [&]() -> Result<void> {
        has_sync_failed = true;
        for (const auto& file : sync) LEAT_TRY_VOID(file->sync());
        has_sync_failed = false;
        return {};
    };
    const auto write = [&]() -> Result<void> {
        if (!skip_sync) LEAT_TRY_VOID(sync_all());
        const Files files{encode_window(entries, at), encode_snapshot(entries)};
        auto written = files.write(disk, folder, at);
        if (!written && written.error().code() == Errc::kNoSpace) {
            // What the older one leaves is about the room that this one takes.
            LEAT_TRY_VOID(remove_older(disk, folder, settled, 1));
            written = files.write(disk, folder, at);
        }
        if (written) return remove_older(disk, folder, settled, kSnapshotsKept);
        const auto space = disk.space(folder);
        const auto size = static_cast<std::int64_t>(files.window.size() + files.snapshot.size());
        is_starved = written.error().code() == Errc::kNoSpace && space &&
                     space->usable_bytes < size + kRoomBeside;
        return written;
    };
    result = write();
    // What cannot be listed is not relied on.
    if (auto listed = list_snapshots(disk, folder)) there = *std::move(listed);
    // Nor what has its name, and not for good: segments would go for it.
    if (!result) std::erase(there, at);
}

Offset Snapshots::newest_up_to(Offset settled) const noexcept {
    const std::size_t sure = count_up_to(there, settled);
    return sure == 0 ? Offset{-1} : there[sure - 1];
}

}  // namespace leat::storage
