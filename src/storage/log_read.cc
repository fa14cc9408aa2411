// SPDX-License-Identifier: Apache-2.0
//
// The reading half of Log.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "storage/log_state.h"
#include "wire/record_reader.h"

namespace leat::storage {
namespace {

Result<wire::BatchView> read_batch(rt::File& file, const FoundBatch& found,
                                   std::vector<std::byte>& buffer) {
    buffer.resize(found.header.size_bytes());
    LEAT_TRY(const std::size_t got, file.read_at(found.at, buffer));
    if (got < buffer.size()) return Error{Errc::kCorruptMessage, "the segment ends too early"};
    LEAT_TRY_VOID(wire::check_crc(buffer));
    return wire::BatchView{.header = found.header, .bytes = buffer};
}

/// Offsets and times that are asked for.
struct Wanted {
    WallMs at;
    Offset from;
    Offset below;
    std::size_t inflated_max = 0;
};

/// The first record of `batch` that is wanted; offset -1: none.
Result<TimestampedOffset> first_in_batch(const wire::BatchView& batch, const Wanted& wanted) {
    LEAT_TRY(auto records, wire::RecordReader::open(batch, wanted.inflated_max));
    for (;;) {
        LEAT_TRY(const auto record, records.next());
        if (!record) return TimestampedOffset{};
        const WallMs time = batch.header.timestamp(record->timestamp_delta);
        const Offset offset = batch.header.offset(record->offset_delta);
        if (offset >= wanted.below) return TimestampedOffset{};
        if (time >= wanted.at && offset >= wanted.from)
            return TimestampedOffset{
                .offset = offset, .timestamp = time, .leader_epoch = batch.header.leader_epoch};
    }
}

/// The first record in `segment` that is wanted; offset -1: none.
Result<TimestampedOffset> first_in_segment(Segment& segment, const Wanted& wanted) {
    LEAT_TRY(auto entry, segment.times().lookup(wanted.at));
    LEAT_TRY(const bool is_right, entry ? segment.fits(*entry) : Result<bool>{true});
    if (!is_right) {
        LEAT_TRY_VOID(segment.rebuild_indexes());
        LEAT_TRY(entry, segment.times().lookup(wanted.at));
    }
    Offset from = std::max(wanted.from, segment.base());
    if (entry) from = std::max(from, entry->offset);
    LEAT_TRY(const FilePos start, segment.find(from));
    LEAT_TRY(BatchScan walk, segment.scan(start, BatchScan::Depth::kHeaders));
    LEAT_TRY(const auto file, segment.file());
    std::vector<std::byte> buffer;
    for (;;) {
        LEAT_TRY(const auto found, walk.next());
        if (!found || found->header.base_offset >= wanted.below) return TimestampedOffset{};
        if (found->header.max_timestamp < wanted.at || found->header.record_count == 0) continue;
        LEAT_TRY(const wire::BatchView batch, read_batch(*file, *found, buffer));
        LEAT_TRY(const TimestampedOffset hit, first_in_batch(batch, wanted));
        if (hit.offset.value >= 0) return hit;
    }
}

}  // namespace

Result<std::vector<ReadSlice>> Log::read(Offset from, Offset below, std::size_t bytes_max,
                                         bool at_least_one, bool may_rebuild) {
    LogState& state = *state_;
    // What was to be deleted when a write failed: nobody was told that the start has moved.
    if (state.failed && from < state.log_start) return state.check_usable().error();
    LEAT_CHECK(from >= state.log_start && from <= state.log_end);
    std::vector<ReadSlice> slices;
    below = std::min(below, state.log_end);
    for (std::size_t i = state.segment_of(from); i < state.segments.size(); ++i) {
        Segment& segment = *state.segments[i];
        if (from >= below || segment.base() >= below) return slices;
        LEAT_TRY(const FilePos start, state.position_of(segment, from, may_rebuild));
        LEAT_TRY(const FilePos limit, state.position_of(segment, below, may_rebuild));
        // A gap that compaction left behind the last batch: what is wanted lies in the next one.
        if (start >= segment.size()) continue;
        if (start >= limit) return slices;
        FilePos end = limit;
        constexpr std::int64_t kMost = std::int64_t{1} << 31U;
        const auto most = static_cast<std::int64_t>(std::min<std::size_t>(bytes_max, kMost));
        if (limit.value - start.value > most) {
            LEAT_TRY(end, segment.end_within(start, most));
            if (end <= start) {
                if (!at_least_one) return slices;
                LEAT_TRY(const auto header, segment.header_at(start));
                end.value = start.value + static_cast<std::int64_t>(header.size_bytes());
                if (end > limit) return Error{Errc::kCorruptMessage, segment.path()};
            }
            // Where the next reader of this kind will ask; behind the last batch there is none.
            if (end < limit) {
                LEAT_TRY(const auto next, segment.header_at(end));
                state.places.learned(segment.base(), next.base_offset, end);
            }
        }
        LEAT_TRY(auto file, segment.file());
        slices.push_back({.file = std::move(file),
                          .at = start,
                          .memory = nullptr,
                          .bytes = {},
                          .size_bytes = static_cast<std::size_t>(end.value - start.value)});
        return slices;
    }
    return slices;
}

std::size_t Log::bytes_between(Offset from, Offset below, std::size_t enough) const {
    LogState& state = *state_;
    below = std::min(below, state.log_end);
    if (from < state.log_start || from >= below) return 0;
    const std::size_t first = state.segment_of(from);
    const std::size_t last = state.segment_of({below.value - 1});
    std::int64_t bytes = 0;
    for (std::size_t i = first + 1; i < last; ++i) bytes += state.segments[i]->size().value;
    if (bytes >= 0 && static_cast<std::size_t>(bytes) >= enough) return enough;
    const auto position = [&](std::size_t index, Offset offset, FilePos fallback) {
        const auto at = state.position_of(*state.segments[index], offset, false);
        return at ? *at : fallback;
    };
    const FilePos start = position(first, from, FilePos{0});
    const FilePos end = position(last, below, state.segments[last]->size());
    bytes += end.value - start.value;
    if (first != last) bytes += state.segments[first]->size().value;
    return std::min(enough, static_cast<std::size_t>(std::max<std::int64_t>(bytes, 0)));
}

Result<TimestampedOffset> Log::find_by_time(WallMs at, Offset below, std::size_t inflated_max) {
    LogState& state = *state_;
    const Wanted wanted{.at = at,
                        .from = state.log_start,
                        .below = std::min(below, state.log_end),
                        .inflated_max = inflated_max};
    for (const auto& segment : state.segments) {
        if (segment->base() >= wanted.below) break;
        if (segment->is_empty() || segment->end() <= wanted.from) continue;
        LEAT_TRY(const MaxTimestamp max, segment->max_timestamp());
        if (max.timestamp < at) continue;
        LEAT_TRY(const TimestampedOffset hit, first_in_segment(*segment, wanted));
        if (hit.offset.value >= 0) return hit;
    }
    return TimestampedOffset{};
}

Result<TimestampedOffset> Log::find_max_timestamp(Offset below, std::size_t inflated_max) {
    LogState& state = *state_;
    below = std::min(below, state.log_end);
    Segment* holder = nullptr;
    MaxTimestamp best;
    for (const auto& segment : state.segments) {
        if (segment->base() >= below) break;
        LEAT_TRY(const MaxTimestamp max, segment->max_timestamp_below(below));
        if (max.timestamp <= best.timestamp) continue;
        best = max;
        holder = segment.get();
    }
    if (holder == nullptr) return TimestampedOffset{};
    LEAT_TRY(const FilePos start, holder->find(best.offset));
    LEAT_TRY(BatchScan walk, holder->scan(start, BatchScan::Depth::kHeaders));
    LEAT_TRY(const auto found, walk.next());
    if (!found) return Error{Errc::kCorruptMessage, holder->path()};
    LEAT_TRY(const auto file, holder->file());
    std::vector<std::byte> buffer;
    LEAT_TRY(const wire::BatchView batch, read_batch(*file, *found, buffer));
    return first_in_batch(
        batch,
        {.at = best.timestamp, .from = Offset{0}, .below = below, .inflated_max = inflated_max});
}

Result<Offset> Log::bound_of_read(Offset from, FilePos end, Offset below) {
    const std::size_t index = state_->segment_of(from);
    Segment& segment = *state_->segments[index];
    LEAT_TRY(const std::size_t count, segment.offsets().count());
    LEAT_TRY(const std::size_t at,
             segment.offsets().entries().partition_point(
                 [end](const OffsetEntry& entry) { return entry.position < end.value; }));
    // Out of a gap at the end of the segment, the read was from the next one.
    if (at == count)
        return index + 1 < state_->segments.size()
                   ? std::min(state_->segments[index + 1]->end(), below)
                   : below;
    LEAT_TRY(const IndexedBatch next, segment.offsets().at(at));
    return next.offset > from ? std::min(next.offset, below) : below;
}

/// No batch before `segment` is of a later epoch; without a first batch that can be read, any is.
static std::int32_t first_epoch(Segment& segment) {
    constexpr std::int32_t kAny = std::numeric_limits<std::int32_t>::max();
    auto walk = segment.scan(FilePos{0}, BatchScan::Depth::kHeaders);
    if (!walk) return kAny;
    const auto batch = walk->next();
    return batch && *batch ? (*batch)->header.leader_epoch : kAny;
}

Result<Log::Extent> Log::extent_from(Offset from) {
    const auto& segments = state_->segments;
    for (std::size_t i = 0; i < segments.size(); ++i) {
        if (segments[i]->base() < from) continue;
        LEAT_TRY(auto file, segments[i]->file());
        return Extent{.file = std::move(file),
                      .base = segments[i]->base(),
                      .end = segments[i]->end(),
                      .size = segments[i]->size(),
                      .epoch_max = i + 1 < segments.size()
                                       ? first_epoch(*segments[i + 1])
                                       : std::numeric_limits<std::int32_t>::max()};
    }
    return Error{Errc::kNotFound};
}

Result<std::vector<AbortedTransaction>> Log::aborted_between(Offset from, Offset below) {
    LogState& state = *state_;
    std::vector<TxnEntry> entries;
    // A transaction is in the index of the segment with its marker, at or behind its records.
    for (std::size_t i = state.segment_of(from); i < state.segments.size(); ++i) {
        if (!state.segments[i]->has_aborted()) continue;
        LEAT_TRY(const bool more, state.segments[i]->aborted().collect(from, below, entries));
        if (!more) break;
    }
    std::vector<AbortedTransaction> aborted;
    aborted.reserve(entries.size());
    for (const TxnEntry& entry : entries)
        aborted.push_back({.producer_id = entry.producer_id, .first_offset = entry.first});
    std::ranges::sort(aborted, {}, &AbortedTransaction::first_offset);
    return aborted;
}

}  // namespace leat::storage
