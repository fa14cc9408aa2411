// SPDX-License-Identifier: Apache-2.0
#include "storage/recovery.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "storage/aborted_repair.h"
#include "storage/log_folder.h"
#include "storage/log_state.h"
#include "storage/torn_tail.h"

namespace leat::storage {
namespace {

constexpr std::int64_t kEpochFileMax = std::int64_t{64} << 20U;
constexpr Offset kNoOffset{std::numeric_limits<std::int64_t>::max()};

/// How far the batches of a segment are good.
struct Good {
    FilePos to;
    Offset end;
    Offset end_without_gap;  ///< If the last of them stood right behind the one before it.
    std::string wrong;       ///< What is wrong with the rest; "" when there is none.
};

std::string why(const Segment& segment, std::string_view what) {
    return segment.path() + ": " + std::string{what};
}

std::string place_of(const FoundBatch& batch) {
    return " at byte " + std::to_string(batch.at.value);
}

class Recovery {
  public:
    Recovery(LogState& state, Offset replay_from, const ReplayBatch& replay)
        : state_(state),
          replay_from_(replay_from),
          replay_(replay),
          is_clean_(state.options.clean),
          mark_(state.options.durable_mark.value_or(Offset{0})) {}

    Result<void> run() {
        LEAT_TRY(const LogFolder folder, open_log_folder(state_.disk, state_.options.directory));
        if (!folder.damage.empty()) note_damage(folder.damage);
        LEAT_TRY_VOID(open_segments(folder));
        LEAT_TRY_VOID(load_epochs(folder));
        has_aborted_list_ = folder.has_aborted_list;
        if (is_good()) LEAT_TRY_VOID(scan());
        if (is_good()) LEAT_TRY_VOID(settle_aborted());
        return settle();
    }

  private:
    [[nodiscard]] bool is_good() const { return state_.recovered.damage.empty(); }
    /// A log that ends at `end` has lost durable records. Of those below the log's start any part
    /// may be gone.
    [[nodiscard]] bool loses_durable(Offset end) const {
        return end < mark_ && state_.options.log_start < mark_;
    }
    void note_damage(std::string what) {
        if (is_good()) state_.recovered.damage = std::move(what);
    }

    Result<void> open_segments(const LogFolder& folder) {
        for (const auto& [base, present] : folder.segments) {
            auto segment =
                std::make_unique<Segment>(state_.files, state_.options.directory, base, present);
            segment->set_opened(state_.options.now);
            segment->set_interval(state_.config().index_interval_bytes);
            LEAT_TRY(const auto file, segment->file());
            LEAT_TRY(const std::int64_t size, file->size());
            segment->set_extent(FilePos{size}, base);
            if (!state_.segments.empty()) state_.active().set_extent(state_.active().size(), base);
            state_.segments.push_back(std::move(segment));
        }
        if (!state_.segments.empty()) return {};
        const Offset start = state_.options.log_start;
        if (mark_ > start)
            note_damage("the folder has no segments, but the records below offset " +
                        std::to_string(mark_.value) + " were durable");
        if (is_good()) return state_.begin_segment(start, state_.options.now);
        // Nothing is made in the place of what is lost.
        state_.segments.push_back(std::make_unique<Segment>(state_.files, state_.options.directory,
                                                            start, Segment::Present{}));
        return {};
    }

    Result<void> load_epochs(const LogFolder& folder) {
        if (!folder.has_epochs) return {};
        LEAT_TRY(const auto raw,
                 rt::read_file(state_.disk, state_.path_of(kEpochFileName), kEpochFileMax));
        auto epochs = LeaderEpochs::decode({reinterpret_cast<const char*>(raw.data()), raw.size()});
        // One that cannot be read is made anew from the batches.
        if (epochs) state_.epochs = *std::move(epochs);
        return {};
    }

    Result<void> scan() {
        const Offset from = is_clean_ ? replay_from_ : std::min(replay_from_, mark_);
        const std::size_t first = state_.segment_of(from);
        for (std::size_t i = 0; i < first && is_good(); ++i) LEAT_TRY_VOID(check_sealed(i));
        for (std::size_t i = first; i < state_.segments.size() && is_good(); ++i)
            LEAT_TRY_VOID(scan_segment(i, from));
        if (is_good() && loses_durable(state_.active().end()))
            note_damage("the log ends at offset " + std::to_string(state_.active().end().value) +
                        ", but the records below offset " + std::to_string(mark_.value) +
                        " were durable");
        return {};
    }

    [[nodiscard]] bool has_index(Segment& segment) const {
        return segment.size().value <= state_.config().index_interval_bytes ||
               segment.offsets().entries().exists();
    }

    /// A segment that is not read. After a clean stop it needs an index, no more; after another
    /// stop its end is looked at, which finds files that have become shorter.
    Result<void> check_sealed(std::size_t index) {
        Segment& segment = *state_.segments[index];
        bool rebuilds = !has_index(segment);
        if (is_clean_ && !rebuilds) return {};
        std::optional<IndexedBatch> last;
        if (!rebuilds) {
            LEAT_TRY(const auto entries, segment.ordered_entries());
            last = entries.last;
            rebuilds = !entries.are_all;
        }
        const bool says_more = last && last->at >= segment.size();
        LEAT_TRY(const bool fits, last ? segment.fits(*last) : Result<bool>{false});
        LEAT_TRY(std::string wrong, check_end(index, fits ? last->at : FilePos{0}, says_more));
        if (!wrong.empty() && fits) {
            // Then it may be the index that is wrong.
            rebuilds = true;
            LEAT_TRY(wrong, check_end(index, FilePos{0}, says_more));
        }
        if (!wrong.empty()) {
            note_damage(why(segment, wrong));
            return {};
        }
        if (!rebuilds) {
            LEAT_TRY(const bool is_whole, segment.complete_indexes());
            rebuilds = !is_whole;
        }
        if (rebuilds) {
            LEAT_TRY_VOID(segment.rebuild_indexes());
            ++state_.recovered.rebuilt_indexes;
        }
        segment.close_indexes();
        return {};
    }

    /// Walks to the end of a segment that another follows. "" or what is wrong there.
    /// `says_more`: as the index has it, the file was longer.
    Result<std::string> check_end(std::size_t index, FilePos start, bool says_more) {
        Segment& segment = *state_.segments[index];
        const Offset next = state_.segments[index + 1]->base();
        LEAT_TRY(BatchScan walk, segment.scan(start, BatchScan::Depth::kHeaders));
        LEAT_TRY(std::string wrong, walk_to_end(walk));
        if (walk.next_offset() > next) return std::string{"it reaches into the next segment"};
        if (says_more && walk.next_offset() != next)
            return std::string{"it is shorter than its index says"};
        if (wrong.empty() || walk.next_offset() != next) return wrong;
        LEAT_TRY(const auto file, segment.file());
        LEAT_TRY(const bool is_zero, is_all_zero(*file, walk.position(), segment.size()));
        LEAT_TRY(const bool is_legacy, is_legacy_message(*file, walk.position(), segment.size()));
        if (is_legacy) return wrong;
        // Space that was set aside, or half a batch that the disk had no room for: the next segment
        // was begun, and this one was cut, or was to be.
        if (is_zero) {
            LEAT_TRY_VOID(file->truncate(walk.position()));
            LEAT_TRY_VOID(file->sync());
        } else {
            LEAT_TRY_VOID(keep_rest(state_, index, walk.position(), segment.size()));
        }
        segment.set_extent(walk.position(), next);
        return std::string{};
    }

    /// "" at the end, or what is wrong with the batch at the scan's position.
    static Result<std::string> walk_to_end(BatchScan& walk) {
        for (;;) {
            const auto found = walk.next();
            if (found && !*found) return std::string{};
            if (found) continue;
            if (found.error().code() != Errc::kCorruptMessage)
                return Error{found.error().code(), found.error().detail()};
            return std::string{found.error().detail()};
        }
    }

    /// Where in the segment reading begins. Its indexes are right for what lies before.
    Result<FilePos> start_in(Segment& segment, Offset from) {
        if (has_index(segment)) {
            LEAT_TRY(const FilePos start, indexed_start(segment, from));
            LEAT_TRY(bool is_good, segment.take_index_ends());
            if (is_good && start.value > 0) {
                LEAT_TRY(const auto entry, segment.offsets().lookup_at(start));
                LEAT_TRY(is_good, entry ? segment.fits(*entry) : Result<bool>{false});
                LEAT_TRY(const std::size_t times, segment.times().count());
                is_good = is_good && times > 0;
            }
            if (is_good) return start;
        }
        ++state_.recovered.rebuilt_indexes;
        LEAT_TRY_VOID(segment.drop_indexes());
        return FilePos{0};
    }

    Result<FilePos> indexed_start(Segment& segment, Offset from) {
        if (is_clean_) return segment.load_indexes(from);
        LEAT_TRY(const FilePos needed,
                 segment.trust_indexes(std::max(from, mark_), segment.size()));
        LEAT_TRY(const auto entry, segment.offsets().lookup({from.value - 1}));
        return std::min(needed, entry ? entry->at : FilePos{0});
    }

    Result<void> scan_segment(std::size_t index, Offset from) {
        Segment& segment = *state_.segments[index];
        const bool is_last = index + 1 == state_.segments.size();
        const Offset limit = is_last ? kNoOffset : state_.segments[index + 1]->base();
        const FilePos size = segment.size();
        const std::int64_t rebuilt = state_.recovered.rebuilt_indexes;
        segment.set_extent(size, limit);
        LEAT_TRY(const FilePos start, start_in(segment, from));
        LEAT_TRY(Good good, read_batches(index, start));
        if (good.wrong.empty() && good.end > limit) good.wrong = "it reaches into the next segment";
        // Compaction leaves no gap at the end of a segment; Kafka's may, below the mark.
        if (good.wrong.empty() && good.end < limit && !is_last && !is_clean_ &&
            state_.options.durable_mark && mark_ < limit && limit > state_.options.log_start)
            good.wrong = "it ends before the next segment begins";
        const bool goes_on = good.wrong.empty() || (!is_last && good.end == limit);
        segment.set_extent(good.to, is_last || !goes_on ? good.end : limit);
        if (!good.wrong.empty()) LEAT_TRY_VOID(end_of_log(index, good, size));
        if (is_good() && is_last) LEAT_TRY_VOID(check_last_entry(segment));
        const bool is_indexed_anew = state_.recovered.rebuilt_indexes > rebuilt;
        if (is_good() && (!is_clean_ || is_indexed_anew))
            LEAT_TRY_VOID(finish_scanned(segment, is_last));
        segment.close_indexes();
        return {};
    }

    /// Entries that are made later must lie behind those that are there.
    Result<void> check_last_entry(Segment& segment) {
        LEAT_TRY(const auto last, segment.offsets().last());
        if (!last || last->offset < segment.end()) return {};
        ++state_.recovered.rebuilt_indexes;
        return segment.rebuild_indexes();
    }

    Result<Good> read_batches(std::size_t index, FilePos start) {
        Segment& segment = *state_.segments[index];
        LEAT_TRY(BatchScan walk, segment.scan(start, BatchScan::Depth::kWhole));
        const Offset begin = walk.next_offset();
        Good good{.to = start, .end = begin, .end_without_gap = begin, .wrong = {}};
        for (;;) {
            const auto found = walk.next();
            if (!found) {
                if (found.error().code() != Errc::kCorruptMessage)
                    return Error{found.error().code(), found.error().detail()};
                good.wrong = found.error().detail();
                return good;
            }
            if (!*found) return good;
            const FoundBatch& batch = **found;
            state_.recovered.scanned_bytes += static_cast<std::int64_t>(batch.bytes.size());
            good.wrong = judge(batch);
            if (good.wrong.empty()) good.wrong = misplaced(index, batch);
            if (!good.wrong.empty()) return good;
            LEAT_TRY_VOID(take(index, batch));
            good.to = batch.end();
            good.end_without_gap = {good.end.value + batch.header.last_offset_delta + 1};
            good.end = walk.next_offset();
        }
    }

    /// "" for a good batch. Offsets were looked at already; together with the epoch they are what
    /// the checksum does not cover.
    [[nodiscard]] std::string judge(const FoundBatch& batch) const {
        if (batch.header.leader_epoch < last_epoch_)
            return "a leader epoch that goes back" + place_of(batch);
        if (state_.options.check_crc && !wire::check_crc(batch.bytes))
            return "a batch with a wrong checksum" + place_of(batch);
        return {};
    }

    /// "" for a batch whose offsets can be of that segment.
    [[nodiscard]] std::string misplaced(std::size_t index, const FoundBatch& batch) const {
        const Offset last = batch.header.last_offset();
        if (last.value - state_.segments[index]->base().value >
            std::numeric_limits<std::int32_t>::max())
            return "an offset too far above the segment's first" + place_of(batch);
        if (index + 1 < state_.segments.size() && last >= state_.segments[index + 1]->base())
            return "an offset of the next segment" + place_of(batch);
        return {};
    }

    Result<void> take(std::size_t index, const FoundBatch& batch) {
        const std::int32_t epoch = batch.header.leader_epoch;
        if (!has_taken_ && epoch > state_.epochs.latest())
            LEAT_TRY_VOID(find_epochs_before(index, batch.at));
        has_taken_ = true;
        last_epoch_ = epoch;
        has_transactions_ = has_transactions_ || batch.header.is_transactional();
        if (epoch >= 0 && state_.epochs.assign(epoch, batch.header.base_offset))
            epochs_changed_ = true;
        LEAT_TRY_VOID(state_.segments[index]->note(batch.header, batch.at,
                                                   state_.config().index_interval_bytes));
        if (replay_ && batch.header.base_offset >= replay_from_) replay_(batch.header, batch.bytes);
        return {};
    }

    /// The checkpoint does not have the epoch of the first batch that was read: where it began is
    /// found in the headers before that.
    Result<void> find_epochs_before(std::size_t index, FilePos at) {
        const Offset from =
            state_.epochs.entries().empty() ? Offset{0} : state_.epochs.entries().back().start;
        for (std::size_t i = state_.segment_of(from); i <= index; ++i) {
            Segment& segment = *state_.segments[i];
            LEAT_TRY(BatchScan walk, segment.scan(FilePos{0}, BatchScan::Depth::kHeaders));
            for (;;) {
                const auto found = walk.next();
                if (!found) {
                    if (found.error().code() != Errc::kCorruptMessage)
                        return Error{found.error().code(), found.error().detail()};
                    note_damage(why(segment, found.error().detail()));
                    return {};
                }
                if (!*found || (i == index && (*found)->at >= at)) break;
                const wire::BatchHeader& header = (*found)->header;
                if (header.leader_epoch >= 0 &&
                    state_.epochs.assign(header.leader_epoch, header.base_offset))
                    epochs_changed_ = true;
            }
        }
        return {};
    }

    /// Something in a segment is no batch: the end of the log, or damage.
    Result<void> end_of_log(std::size_t index, const Good& good, FilePos size) {
        Segment& segment = *state_.segments[index];
        const bool is_last = index + 1 == state_.segments.size();
        LEAT_TRY(const auto file, segment.file());
        // Space that was set aside, or whose bytes never came to the disk.
        const bool may_be_space =
            is_last ? !loses_durable(good.end) : good.end == state_.segments[index + 1]->base();
        if (may_be_space) {
            LEAT_TRY(const bool is_zero, is_all_zero(*file, good.to, size));
            if (is_zero) {
                LEAT_TRY_VOID(file->truncate(good.to));
                return file->sync();
            }
        }
        LEAT_TRY(const bool is_legacy, is_legacy_message(*file, good.to, size));
        const bool has_no_gap = !is_last && good.end == state_.segments[index + 1]->base();
        if (has_no_gap && !is_legacy && !is_clean_) return keep_rest(state_, index, good.to, size);
        // Without any mark, what precedes the last segment is taken for durable: a guess must not
        // cost records.
        // Behind a batch whose own offset is too high the next one's is too low, and fits to those
        // before.
        bool is_durable = good.end_without_gap < good.end;
        if (is_durable) {
            const BatchScan::Range rest{
                .from = good.to, .end = size, .least = good.end_without_gap};
            LEAT_TRY(is_durable, has_batch(file, rest, mark_));
        }
        const bool is_below = is_clean_ || is_durable || loses_durable(good.end) ||
                              (!state_.options.durable_mark && !is_last);
        if (is_below || is_legacy) {
            note_damage(why(segment, good.wrong + (is_legacy ? " (magic 0 or 1)" : "")));
            // They are left on disk, and left out of the log: it must have no hole.
            state_.segments.resize(index + 1);
            return {};
        }
        LEAT_TRY_VOID(keep_tail(state_, index, good.to, size));
        return {};
    }

    /// All of it becomes durable, and what the run before left of its indexes is completed.
    Result<void> finish_scanned(Segment& segment, bool is_last) {
        if (segment.end() > mark_ || !state_.options.durable_mark) {
            LEAT_TRY(const auto file, segment.file());
            LEAT_TRY_VOID(file->sync());
            has_synced_ = true;
        }
        if (is_last) return {};
        SyncList files;
        LEAT_TRY_VOID(segment.seal(files));
        for (const auto& file : files.take()) LEAT_TRY_VOID(file->sync());
        return {};
    }

    Result<void> settle_aborted() {
        const Offset end = state_.active().end();
        auto repaired = repair_aborted(
            state_, {.complete_below = replay_ ? std::min(replay_from_, end) : end,
                     .has_list = has_aborted_list_,
                     .has_transactions = has_transactions_ || state_.options.has_transactions});
        if (repaired || repaired.error().code() != Errc::kCorruptMessage) return repaired;
        note_damage(std::string{repaired.error().detail()});
        return {};
    }

    Result<void> settle() {
        state_.log_end = state_.active().end();
        for (const auto& segment : state_.segments) state_.size_bytes += segment->size().value;
        const Offset first = state_.segments.front()->base();
        state_.log_start = std::max(state_.options.log_start, first);
        if (!is_good()) {
            state_.log_start = std::min(state_.log_start, state_.log_end);
            return {};
        }
        if (state_.log_start > state_.log_end) LEAT_TRY_VOID(restart_at_log_start());
        if (is_clean_ && !epochs_changed_) return {};
        // Names that the run before gave may not be on disk yet; those of files without records
        // can wait for the next sync.
        if (has_synced_) LEAT_TRY_VOID(state_.disk.sync_directory(state_.options.directory));
        state_.names_unsynced = true;
        state_.is_tail_in_doubt = true;
        for (const auto& segment : state_.segments) {
            if (!segment->has_aborted() || segment->end() < state_.log_end) continue;
            LEAT_TRY(const auto file, segment->aborted().truncate(state_.log_end));
            if (file) LEAT_TRY_VOID(file->sync());
        }
        if (state_.epochs.truncate_end(state_.log_end)) epochs_changed_ = true;
        if (epochs_changed_) LEAT_TRY_VOID(state_.store_epochs());
        return {};
    }

    /// All that is left of the log had been deleted already.
    Result<void> restart_at_log_start() {
        const Offset start = state_.log_start;
        LEAT_TRY_VOID(state_.retire_first(state_.segments.size(), state_.options.now));
        LEAT_TRY_VOID(state_.begin_segment(start, state_.options.now));
        state_.log_end = start;
        return {};
    }

    LogState& state_;
    Offset replay_from_;
    const ReplayBatch& replay_;
    bool is_clean_;
    Offset mark_;  ///< 0 when none is known.
    bool has_taken_ = false;
    bool has_aborted_list_ = false;
    bool has_transactions_ = false;
    bool epochs_changed_ = false;
    bool has_synced_ = false;
    std::int32_t last_epoch_ = -1;
};

}  // namespace

Result<void> recover(LogState& state, Offset replay_from, const ReplayBatch& replay) {
    return Recovery{state, replay_from, replay}.run();
}

}  // namespace leat::storage
