// SPDX-License-Identifier: Apache-2.0
//
// The segments of one partition as one sequence of batches: append, read, roll, truncate, retain,
// recover. Layer: storage (L3).
// Spec:  Kafka's log layout: docs/reference/formats/log.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "rt/disk.h"
#include "storage/types.h"
#include "wire/record_batch.h"

namespace leat::storage {

class FileCache;  // Defined in file_cache.h: bounds open descriptors over all logs.
class LogState;

struct LogOptions {
    std::string directory;
    std::shared_ptr<const config::TopicConfig> config;
    /// Everything below was durable at the last run; nullopt: nothing is known to be.
    std::optional<Offset> durable_mark;
    /// The last run ended by shut_down(): no scan is needed.
    bool clean = false;
    Offset log_start;               ///< As it was stored; segments below may still be there.
    bool has_transactions = false;  ///< Producers of them are known.
    WallMs now;                     ///< For the age of the active segment.
    bool check_crc = true;          ///< False only for Faults::skip_crc_check.
};

/// What opening found.
struct Recovered {
    std::int64_t scanned_bytes = 0;
    std::int64_t cut_bytes = 0;  ///< Torn tail above the mark, kept in `cut_file`.
    std::string cut_file;        ///< "" when nothing was cut.
    std::string damage;          ///< "" or what is wrong below the mark: quarantine.
    std::int64_t rebuilt_indexes = 0;
};

/// Sees every batch that recovery or load reads, in order: producers' state is rebuilt so.
using ReplayBatch = std::function<void(const wire::BatchHeader& header, Bytes batch)>;

/// Where a batch came to lie.
struct Placed {
    Offset base_offset;
    Offset last_offset;
    FilePos at;
    bool rolled = false;  ///< A new segment was begun: time for a producer snapshot at base_offset.
};

/// Invariant: batches lie in offset order without overlap; gaps only from compaction.
/// Threading: not synchronised; one call at a time. append() and read() are short (page cache), all
///            else may block: the owner runs it on the pool. Slices of read() hold their file.
/// Failure:   kNoSpace leaves the log as it was (a half-written batch is cut off), and so does
///            kTooManyOpenFiles, of any call that writes; kIoError of a write leaves it unusable.
class Log {
  public:
    /// Opens or creates. What is in the log then is durable, given that the file system was synced
    /// first after a stop that was not clean (DataDirectory does). `replay_from`: batches from this
    /// offset on (where the newest usable producer snapshot ends) are shown to `replay` always.
    static Result<std::unique_ptr<Log>> open(rt::Disk& disk, FileCache& files, LogOptions options,
                                             Offset replay_from, const ReplayBatch& replay);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;
    [[nodiscard]] const Recovered& recovered() const noexcept;

    /// Appends whole batches with their final offsets, of one leader epoch, rolling first when
    /// size, time, index or relative offset ask for it. Errors: as the class says.
    Result<Placed> append(const wire::BatchHeader& header, Bytes batch, WallMs now);

    /// Whole batches from the one that holds `from` (or the next, in a gap) up to `below`, at most
    /// `bytes_max` of one segment; one batch in any case with `at_least_one`. Precondition:
    /// log_start() <= from <= log_end(). An index that is wrong is made anew from its segment,
    /// which takes long; without `may_rebuild` the answer is kCorruptIndex instead. Errors:
    /// kIoError (also below a start that a failed deletion moved to), kCorruptMessage.
    Result<std::vector<ReadSlice>> read(Offset from, Offset below, std::size_t bytes_max,
                                        bool at_least_one, bool may_rebuild = true);
    /// As Partition::available_bytes.
    [[nodiscard]] std::size_t bytes_between(Offset from, Offset below, std::size_t enough) const;

    /// Errors: kIoError; kLimitExceeded: a batch unpacks to more than `inflated_max`.
    Result<TimestampedOffset> find_by_time(WallMs at, Offset below,
                                           std::size_t inflated_max = kStoredInflatedMax);
    /// Of the batches that lie below `below`; the first of several.
    Result<TimestampedOffset> find_max_timestamp(Offset below,
                                                 std::size_t inflated_max = kStoredInflatedMax);

    /// Files and folder whose sync makes everything appended so far durable: the segments written
    /// since the last take, and whether new names need the folder synced. The holder syncs them off
    /// this thread; the files stay out of the cache's eviction until it drops them.
    struct Unsynced {
        Offset end;  ///< Durable up to here once synced.
        std::vector<std::shared_ptr<rt::File>> files;
        bool names = false;
    };
    Unsynced take_unsynced();

    Result<void> roll(WallMs now);
    /// Rolls when the active segment is as old as one may become, by the clock: compaction does not
    /// wait for an append. Returns whether it did.
    Result<bool> roll_if_old(WallMs now);
    /// Cuts everything from `offset` on, durably.
    Result<void> truncate(Offset offset);
    /// Begins anew at `offset` without segments.
    Result<void> truncate_fully(Offset offset);
    /// The next open will get `offset` for the log's start, or more: what lies below may go all at
    /// once. What lies above goes one by one, durably.
    void start_is_stored(Offset offset) noexcept;
    /// Moves the start up to `offset`, for the caller to store; segments below both are deleted.
    Result<void> advance_start(Offset offset, Offset released);

    /// Segments that retention.ms, retention.bytes allow to go, given the readers' bound; returns
    /// the new log start. They are renamed to ".deleted" and removed after file.delete.delay.ms by
    /// remove_deleted(). Errors: kNoSpace: those before the last are gone all the same, and what
    /// they leave is the room that a second call needs.
    Result<Offset> retain(WallMs now, Offset high_watermark);
    /// Where the last one ends that it would take; -1: none. Errors: kIoError.
    Result<Offset> expired_to(WallMs now, Offset high_watermark);
    Result<void> remove_deleted(WallMs now);
    /// The same without the delay, durably in this order: their room is needed.
    Result<void> remove_deleted_now();
    /// Of the segment that holds `offset`, of the first for one below.
    [[nodiscard]] Offset segment_base(Offset offset) const;
    [[nodiscard]] Offset end_of_first() const;

    /// An offset above all that read() from `from` gave, when that ended at `end`: what the index
    /// can tell, or `below`.
    Result<Offset> bound_of_read(Offset from, FilePos end, Offset below);
    /// Aborted transactions that end at or after `from` and start below `below` (txnindex), the
    /// earliest first.
    Result<std::vector<AbortedTransaction>> aborted_between(Offset from, Offset below);
    /// Recorded when an abort marker is appended.
    struct AbortedSpan {
        std::int64_t producer_id = 0;
        Offset first;
        Offset last;
        Offset last_stable;
    };
    /// The file that it lies in, to be synced; null when it was there already. After kNoSpace and
    /// kTooManyOpenFiles readers find it in memory, and the log owes it to the disk; has_failed()
    /// where it is not even there.
    Result<std::shared_ptr<rt::File>> append_aborted(const AbortedSpan& span);
    /// Writes the entries of markers at `from` and behind once more, as they are: after a failed
    /// sync they may be in memory only. The files to sync. Errors: kIoError, kNoSpace.
    Result<std::vector<std::shared_ptr<rt::File>>> rewrite_aborted(Offset from);
    /// Until it is written, nothing may keep the next start from reading its marker again.
    [[nodiscard]] bool owes_aborted() const noexcept;
    /// Writes what is owed; the file to sync, null when nothing was. Errors: kNoSpace (it is still
    /// owed), kIoError.
    Result<std::shared_ptr<rt::File>> write_aborted();

    /// Leader epochs, as leader-epoch-checkpoint has them.
    [[nodiscard]] std::int32_t latest_epoch() const noexcept;  ///< -1: none.
    [[nodiscard]] std::pair<std::int32_t, Offset> end_of_epoch(std::int32_t epoch) const;

    void set_config(std::shared_ptr<const config::TopicConfig> config);
    /// Trims preallocation, writes indexes whole, syncs everything.
    Result<void> close();
    [[nodiscard]] Offset log_start() const noexcept;
    [[nodiscard]] bool has_failed() const noexcept;  ///< A write did: it does not change any more.
    [[nodiscard]] Offset log_end() const noexcept;
    [[nodiscard]] std::int64_t size_bytes() const noexcept;
    /// One segment as the cleaner and `leat log` see it.
    struct SegmentInfo {
        Offset base;
        Offset end;
        std::int64_t size_bytes = 0;
        WallMs max_timestamp{-1};    ///< The largest there is when it cannot be told.
        WallMs first_timestamp{-1};  ///< Of the first batch.
    };
    [[nodiscard]] std::vector<SegmentInfo> segments() const;
    /// What a segment holds now; its file stays what it is when the segment is replaced or goes.
    struct Extent {
        std::shared_ptr<rt::File> file;
        Offset base;
        Offset end;
        FilePos size;
        std::int32_t epoch_max;  ///< Epochs do not go back: that of the next segment's first batch.
    };
    /// Of the first that begins at `from` or later. Errors: kNotFound, kIoError.
    Result<Extent> extent_from(Offset from);
    /// Puts "<base>.log.swap" and its indexes in the place of all segments from `first` to `last`,
    /// as Kafka's cleaner does; or takes that decision back, in one step.
    Result<void> replace_segments(Offset first, Offset last);
    Result<void> discard_swap(Offset first);

  private:
    explicit Log(std::unique_ptr<LogState> state);
    std::unique_ptr<LogState> state_;
};

}  // namespace leat::storage
