// SPDX-License-Identifier: Apache-2.0
#include "storage/torn_tail.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/endian.h"
#include "codec/crc32.h"
#include "storage/log_state.h"

namespace leat::storage {
namespace {

constexpr std::int64_t kChunk = std::int64_t{1} << 20U;

/// Calls `see` with the bytes of [from, to), piece by piece, while it answers true.
template <class See>
Result<void> for_each_piece(rt::File& file, FilePos from, FilePos to, See see) {
    std::vector<std::byte> buffer(
        static_cast<std::size_t>(std::clamp<std::int64_t>(to.value - from.value, 0, kChunk)));
    while (from < to) {
        const auto want = static_cast<std::size_t>(std::min(kChunk, to.value - from.value));
        LEAT_TRY(const std::size_t got, file.read_at(from, MutableBytes{buffer}.first(want)));
        if (got == 0) return {};
        LEAT_TRY(const bool goes_on, see(from, Bytes{buffer}.first(got)));
        if (!goes_on) return {};
        from.value += static_cast<std::int64_t>(got);
    }
    return {};
}

Result<void> copy(rt::Disk& disk, rt::File& from_file, FilePos from, FilePos to,
                  const std::string& path) {
    LEAT_TRY(const auto file, disk.open(path, rt::OpenMode::kCreate));
    LEAT_TRY_VOID(file->truncate(FilePos{0}));
    LEAT_TRY_VOID(for_each_piece(from_file, from, to, [&](FilePos at, Bytes piece) -> Result<bool> {
        LEAT_TRY_VOID(file->write_at({at.value - from.value}, {&piece, 1}));
        return true;
    }));
    return file->sync();
}

void note_cut(LogState& state, const std::string& kept, std::int64_t bytes) {
    state.recovered.cut_bytes += bytes;
    state.recovered.cut_file = kept;
}

Result<void> keep_copy(LogState& state, const Segment& segment, rt::File& file, FilePos from,
                       FilePos to) {
    if (from >= to) return {};
    const std::string kept = state.path_of(cut_file_name(segment.base(), from));
    LEAT_TRY_VOID(copy(state.disk, file, from, to, kept));
    note_cut(state, kept, to.value - from.value);
    return {};
}

/// Gives the log file another name, and removes what belongs to it.
Result<void> put_aside(LogState& state, Segment& segment) {
    for (const std::string& path : segment.paths()) {
        if (path != segment.path() || segment.is_empty()) {
            LEAT_TRY_VOID(state.disk.remove_file(path));
            continue;
        }
        const std::string kept = state.path_of(cut_file_name(segment.base(), FilePos{0}));
        LEAT_TRY_VOID(state.disk.rename(path, kept));
        note_cut(state, kept, segment.size().value);
    }
    return {};
}

}  // namespace

Result<bool> is_all_zero(rt::File& file, FilePos from, FilePos to) {
    bool all = true;
    LEAT_TRY_VOID(for_each_piece(file, from, to, [&](FilePos, Bytes piece) -> Result<bool> {
        all = std::ranges::all_of(piece, [](std::byte b) { return b == std::byte{0}; });
        return all;
    }));
    return all;
}

Result<bool> is_legacy_message(rt::File& file, FilePos from, FilePos to) {
    constexpr std::size_t kLengthAt = 8;
    constexpr std::size_t kCrcAt = 12;
    constexpr std::size_t kMagicAt = 16;
    constexpr std::int64_t kLeast = 14;
    std::vector<std::byte> bytes(
        static_cast<std::size_t>(std::clamp<std::int64_t>(to.value - from.value, 0, kChunk)));
    LEAT_TRY(const std::size_t got, file.read_at(from, bytes));
    if (got <= kMagicAt) return false;
    const auto length = load_be<std::int32_t>(&bytes[kLengthAt]);
    const auto magic = load_be<std::int8_t>(&bytes[kMagicAt]);
    if (length < kLeast || (magic != 0 && magic != 1)) return false;
    const auto covered = static_cast<std::size_t>(length) - 4;
    if (covered > got - kMagicAt) return false;
    return codec::crc32(Bytes{bytes}.subspan(kMagicAt, covered)) ==
           load_be<std::uint32_t>(&bytes[kCrcAt]);
}

Result<bool> has_batch(std::shared_ptr<rt::File> file, const BatchScan::Range& range, Offset mark) {
    BatchScan scan{std::move(file), range, BatchScan::Depth::kWhole};
    const auto found = scan.next();
    if (!found && found.error().code() == Errc::kCorruptMessage) return false;
    if (!found) return Error{found.error().code(), found.error().detail()};
    if (!*found) return false;
    return (**found).header.last_offset() < mark && wire::check_crc((**found).bytes).has_value();
}

Result<void> keep_rest(LogState& state, std::size_t index, FilePos from, FilePos to) {
    Segment& segment = *state.segments[index];
    LEAT_TRY(const auto file, segment.file());
    LEAT_TRY_VOID(keep_copy(state, segment, *file, from, to));
    LEAT_TRY_VOID(state.disk.sync_directory(state.options.directory));
    LEAT_TRY_VOID(file->truncate(from));
    return file->sync();
}

Result<void> keep_tail(LogState& state, std::size_t index, FilePos from, FilePos to) {
    Segment& segment = *state.segments[index];
    LEAT_TRY(const auto file, segment.file());
    LEAT_TRY_VOID(keep_copy(state, segment, *file, from, to));
    // From the back: whatever a crash leaves, what remains is the beginning of the log.
    while (state.segments.size() > index + 1) {
        LEAT_TRY_VOID(put_aside(state, state.active()));
        state.segments.pop_back();
    }
    LEAT_TRY_VOID(state.disk.sync_directory(state.options.directory));
    LEAT_TRY_VOID(file->truncate(from));
    return file->sync();
}

}  // namespace leat::storage
