// SPDX-License-Identifier: Apache-2.0
#include "storage/segment_scrub.h"

#include <charconv>
#include <limits>
#include <span>
#include <utility>

#include "storage/folder_files.h"

namespace leat::storage {
namespace {

std::string note_path(const std::string& folder) {
    return folder + "/" + std::string{kDamageNoteName};
}

}  // namespace

SegmentScrub::SegmentScrub(const Log::Extent& extent, ScrubDepth depth)
    : extent_(extent),
      depth_(depth),
      walk_(extent.file, {.from = FilePos{0}, .end = extent.size, .least = extent.base},
            BatchScan::Depth::kWhole) {}

SegmentScrub::Step SegmentScrub::found(std::int64_t bytes, std::string_view what) const {
    return {.bytes = bytes,
            .is_done = true,
            .damage = "segment " + std::to_string(extent_.base.value) +
                      " is damaged: " + std::string{what}};
}

Result<SegmentScrub::Step> SegmentScrub::step(std::int64_t bytes_max) {
    const std::int64_t from = walk_.position().value;
    if (depth_ == ScrubDepth::kNothing) return Step{.is_done = true};
    for (;;) {
        const std::int64_t bytes = walk_.position().value - from;
        if (bytes >= bytes_max) return Step{.bytes = bytes};
        const auto batch = walk_.next();
        if (!batch && batch.error().code() == Errc::kCorruptMessage)
            return found(bytes, batch.error().detail());
        if (!batch) return Error{batch.error().code(), batch.error().detail()};
        if (!*batch) return Step{.bytes = bytes, .is_done = true};
        if (const std::string wrong = judge(**batch); !wrong.empty())
            return found(bytes, wrong + " at byte " + std::to_string((*batch)->at.value));
    }
}

/// Offsets and the leader epoch are what the checksum does not cover.
std::string SegmentScrub::judge(const FoundBatch& batch) {
    if (batch.header.last_offset() >= extent_.end) return "offsets of the next segment";
    const std::int32_t before = std::exchange(epoch_, batch.header.leader_epoch);
    if (epoch_ < before) return "a leader epoch that goes back";
    if (epoch_ > extent_.epoch_max) return "a leader epoch above the next segment's";
    if (depth_ == ScrubDepth::kWhole && !wire::check_crc(batch.bytes))
        return "a batch with a wrong checksum";
    return {};
}

Result<std::optional<Offset>> read_damage_note(rt::Disk& disk, const std::string& folder) {
    LEAT_TRY(const auto text, read_text(disk, note_path(folder)));
    if (!text) return std::optional<Offset>{};
    std::int64_t base = -1;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), base);
    if (error != std::errc{} || base < 0 || std::string_view{end} != "\n")
        return Error{Errc::kMalformed, note_path(folder) + " cannot be read"};
    return std::optional{Offset{base}};
}

Result<void> write_damage_note(rt::Disk& disk, const std::string& folder, Offset base) {
    const std::string text = std::to_string(base.value) + "\n";
    return rt::replace_file(disk, note_path(folder), std::as_bytes(std::span{text}));
}

Result<void> remove_damage_note(rt::Disk& disk, const std::string& folder) {
    auto removed = disk.remove_file(note_path(folder));
    if (!removed && removed.error().code() == Errc::kNotFound) return {};
    return removed;
}

Result<std::string> noted_damage(rt::Disk& disk, Log& log, const std::string& folder,
                                 ScrubDepth depth) {
    LEAT_TRY(const auto base, read_damage_note(disk, folder));
    if (!base) return std::string{};
    const auto extent = log.extent_from(*base);
    if (!extent && extent.error().code() != Errc::kNotFound)
        return Error{extent.error().code(), extent.error().detail()};
    if (extent && extent->base == *base) {
        SegmentScrub scrub{*extent, depth};
        LEAT_TRY(const auto step, scrub.step(std::numeric_limits<std::int64_t>::max()));
        if (!step.damage.empty()) return step.damage;
    }
    LEAT_TRY_VOID(remove_damage_note(disk, folder));
    return std::string{};
}

}  // namespace leat::storage
