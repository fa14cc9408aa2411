// SPDX-License-Identifier: Apache-2.0
#include "storage/cleaner.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "storage/batch_scan.h"
#include "storage/cleaned_batch.h"
#include "storage/cleaned_segment.h"
#include "storage/segment_files.h"
#include "wire/record_reader.h"

namespace leat::storage {
namespace {

constexpr std::size_t kOpenMax = 16;

}  // namespace

struct Cleaner::State {
    State(rt::Disk& disk_in, CleanerOptions options_in)
        : disk(disk_in), files(disk_in, kOpenMax), options(std::move(options_in)) {}

    rt::Disk& disk;
    FileCache files;
    CleanerOptions options;
    std::optional<OffsetMap> map;
    AbortedSpans aborted;
    std::optional<BatchCleaner> batches;
    Offset map_end;          ///< Records from here on are not in the map.
    std::size_t mapped = 0;  ///< Segments that pass 1 has gone over.
    std::vector<std::size_t> groups;
    std::size_t group = 0;
    std::size_t segment = 0;     ///< The next one of pass 2.
    std::size_t group_left = 0;  ///< Segments of this group that follow.
    std::size_t group_first = 0;
    std::unique_ptr<CleanedSegment> output;
    std::optional<BatchScan> walk;  ///< Of the segment that is being read.
    std::int64_t io_bytes = 0;
    std::int64_t step_left = 0;

    [[nodiscard]] const std::vector<Log::SegmentInfo>& segments() const {
        return options.plan.segments;
    }

    Result<BatchScan> scan(const Log::SegmentInfo& info) {
        const std::string path = options.directory + "/" + to_string(FileName{.base = info.base});
        LEAT_TRY(auto file, disk.open(path, rt::OpenMode::kRead));
        return BatchScan{std::move(file),
                         {.from = FilePos{0}, .end = FilePos{info.size_bytes}, .least = info.base},
                         BatchScan::Depth::kWhole};
    }

    /// The next batch of `info`, whose scan goes on where the last step left it.
    Result<std::optional<wire::BatchView>> next(const Log::SegmentInfo& info) {
        if (!walk) {
            LEAT_TRY(BatchScan begun, scan(info));
            walk.emplace(std::move(begun));
        }
        LEAT_TRY(const auto found, walk->next());
        if (!found) {
            walk.reset();
            return std::optional<wire::BatchView>{};
        }
        io_bytes += static_cast<std::int64_t>(found->bytes.size());
        step_left -= static_cast<std::int64_t>(found->bytes.size());
        LEAT_TRY_VOID(wire::check_crc(found->bytes));
        // No sum is over a base offset: one too high would put old records in the place of newer.
        if (found->header.last_offset() >= info.end)
            return Error{Errc::kCorruptMessage,
                         to_string(FileName{.base = info.base}) + ": offsets of the next segment"};
        return std::optional{wire::BatchView{.header = found->header, .bytes = found->bytes}};
    }

    Result<void> start() {
        LEAT_TRY(aborted, read_aborted(disk, files, options.directory));
        std::size_t records = 0;
        for (const Log::SegmentInfo& info : segments())
            if (info.end > options.plan.first_dirty)
                records += static_cast<std::size_t>(
                    info.end.value - std::max(info.base, options.plan.first_dirty).value);
        map.emplace(options.map_bytes_max, options.map_load, records, options.secret);
        map_end = segments().back().end;
        return {};
    }

    enum class Mapped : std::uint8_t { kMore, kSegment, kFull };
    /// Pass 1, a step of one segment.
    Result<Mapped> map_segment(const Log::SegmentInfo& info) {
        while (step_left > 0) {
            LEAT_TRY(const auto batch, next(info));
            if (!batch) return Mapped::kSegment;
            const wire::BatchHeader& header = batch->header;
            if (header.last_offset() < options.plan.first_dirty || header.is_control() ||
                header.record_count == 0 || aborted.contains(header))
                continue;
            if (!map->has_room(static_cast<std::size_t>(header.record_count))) {
                if (map->size() == 0)
                    return Error{Errc::kLimitExceeded,
                                 "log.cleaner.dedupe.buffer.size is too small for one batch"};
                map_end = header.base_offset;
                walk.reset();
                return Mapped::kFull;
            }
            LEAT_TRY(auto records, wire::RecordReader::open(*batch, options.inflated_bytes_max));
            for (RecordOrder order{header};;) {
                LEAT_TRY(const auto record, records.next());
                if (!record) break;
                LEAT_TRY_VOID(order.check(*record));
                if (record->key) map->put(*record->key, header.offset(record->offset_delta));
            }
        }
        return Mapped::kMore;
    }

    void begin_pass_two() {
        // Whole segments only: the one in which the map became full is rewritten, too.
        auto& list = options.plan.segments;
        std::erase_if(list, [this](const Log::SegmentInfo& info) { return info.base >= map_end; });
        groups = group_segments(list, options.config->segment_bytes);
        batches.emplace(
            BatchCleaner::Rules{.map = &*map,
                                .map_end = map_end,
                                .aborted = &aborted,
                                .producers = &options.producers,
                                .now = options.now,
                                .delete_retention_ms = options.config->delete_retention_ms,
                                .inflated_bytes_max = options.inflated_bytes_max});
    }

    /// Pass 2, a step of one segment.
    Result<Step> rewrite_segment() {
        if (!output) {
            group_first = segment;
            group_left = groups[group];
            output = std::make_unique<CleanedSegment>(disk, files, options.directory,
                                                      segments()[segment].base);
            LEAT_TRY_VOID(output->begin());
        }
        const Log::SegmentInfo& info = segments()[segment];
        const bool ends_group = group_left == 1;
        for (;;) {
            if (step_left <= 0) return Step::kMore;
            LEAT_TRY(const auto batch, next(info));
            if (!batch) break;
            // The last batch stays, if only its header: the segment must not end early.
            const bool must_stay = ends_group && walk->position().value >= info.size_bytes;
            LEAT_TRY(const Bytes kept, batches->clean(*batch, must_stay));
            if (kept.empty()) continue;
            io_bytes += static_cast<std::int64_t>(kept.size());
            LEAT_TRY_VOID(output->append(kept, options.config->index_interval_bytes));
        }
        ++segment;
        if (--group_left > 0) return Step::kMore;
        ++group;
        return end_group();
    }

    Result<Step> end_group() {
        const bool is_same = segment - group_first == 1 && !batches->take_changed();
        ignore_changed();
        const auto ended = batches->take_markers_with_data();
        if (is_same) {
            LEAT_TRY_VOID(output->discard());
            output.reset();
            return group == groups.size() ? Step::kDone : Step::kMore;
        }
        const Offset end = segments()[segment - 1].end;
        auto entries = aborted.within(segments()[group_first].base, end);
        std::erase_if(entries,
                      [&](const TxnEntry& entry) { return !ended.contains(entry.last.value); });
        LEAT_TRY_VOID(output->finish(entries));
        output.reset();
        return Step::kSwap;
    }

    void ignore_changed() { (void)batches->take_changed(); }
};

Cleaner::Cleaner(rt::Disk& disk, CleanerOptions options)
    : state_(std::make_unique<State>(disk, std::move(options))) {
    LEAT_CHECK(!state_->segments().empty() && state_->options.config);
}

Cleaner::~Cleaner() {
    if (state_->output) ignore(state_->output->discard(), "the next start removes it");
}

Result<Cleaner::Step> Cleaner::step() {
    State& s = *state_;
    s.step_left = std::max<std::int64_t>(s.options.step_bytes, 1);
    if (!s.map) {
        LEAT_TRY_VOID(s.start());
        return Step::kMore;
    }
    if (!s.batches) {
        const Log::SegmentInfo& info = s.segments()[s.mapped];
        auto done = State::Mapped::kSegment;
        if (info.end > s.options.plan.first_dirty) {
            LEAT_TRY(done, s.map_segment(info));
        }
        if (done == State::Mapped::kMore) return Step::kMore;
        if (++s.mapped == s.segments().size() || done == State::Mapped::kFull) s.begin_pass_two();
        return Step::kMore;
    }
    if (s.group == s.groups.size()) return Step::kDone;
    return s.rewrite_segment();
}

Offset Cleaner::first() const {
    return state_->segments()[state_->group_first].base;
}

Offset Cleaner::last() const {
    return state_->segments()[state_->segment - 1].base;
}

Offset Cleaner::clean_to() const {
    return state_->map_end;
}

std::int64_t Cleaner::take_io_bytes() {
    return std::exchange(state_->io_bytes, 0);
}

std::int64_t Cleaner::removed_records() const {
    return state_->batches ? state_->batches->removed_records() : 0;
}

}  // namespace leat::storage
