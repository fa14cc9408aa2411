// SPDX-License-Identifier: Apache-2.0
//
// One segment: a file of batches and its indexes. Layer: storage (L3).
// Spec:  docs/reference/formats/log.md
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/batch_scan.h"
#include "storage/file_cache.h"
#include "storage/offset_index.h"
#include "storage/segment_files.h"
#include "storage/time_index.h"
#include "storage/txn_index.h"
#include "wire/record_batch.h"

namespace leat::storage {

/// Files whose sync makes something durable; each once.
/// Threading: not synchronised.
class SyncList {
  public:
    void add(std::shared_ptr<rt::File> file);
    [[nodiscard]] std::vector<std::shared_ptr<rt::File>> take() { return std::move(files_); }
    [[nodiscard]] bool empty() const noexcept { return files_.empty(); }

  private:
    std::vector<std::shared_ptr<rt::File>> files_;
};

/// What was read by way of an index is not what the index says: it has to be made anew.
[[nodiscard]] bool is_wrong_index(const Error& error) noexcept;

/// Invariant: size() is behind the last whole batch, end() behind its last offset; what the file
///            has beyond is not part of the log.
/// Threading: not synchronised.
/// Memory:    about 300 bytes; the indexes' newest entries while it is written.
class Segment {
  public:
    /// Which of its files were there when the folder was listed.
    using Present = std::array<bool, 4>;  ///< By FileKind, without snapshots.

    Segment(FileCache& files, const std::string& directory, Offset base, const Present& present);

    [[nodiscard]] Offset base() const noexcept { return base_; }
    [[nodiscard]] Offset end() const noexcept { return end_; }
    [[nodiscard]] FilePos size() const noexcept { return size_; }
    [[nodiscard]] bool is_empty() const noexcept { return size_.value == 0; }
    void set_extent(FilePos size, Offset end) noexcept;

    /// The log file. Hold it while using it.
    Result<std::shared_ptr<rt::File>> file() { return log_.open(); }
    /// Makes the log file. Errors: kAlreadyExists too.
    Result<std::shared_ptr<rt::File>> create();

    /// `header`'s batch lies at `at`, right behind the others: keeps the indexes. `interval` is
    /// index.interval.bytes. Errors: kIoError, kCorruptIndex.
    Result<void> note(const wire::BatchHeader& header, FilePos at, std::int32_t interval);
    /// As note(), and the batch is new: it moves size() and end().
    Result<void> extend(const wire::BatchHeader& header, std::int32_t interval);

    /// Start of the first batch that ends at or after `target`; size() when there is none. Builds
    /// indexes that turn out wrong anew, which reads all of the segment, or answers kCorruptIndex
    /// without `may_rebuild`. Errors: kIoError, kCorruptMessage.
    Result<FilePos> find(Offset target, bool may_rebuild = true);
    /// The largest end of a batch within `bytes_max` of `from`, where a batch begins; `from` itself
    /// when not even that one fits. Errors: as find().
    Result<FilePos> end_within(FilePos from, std::int64_t bytes_max);
    Result<wire::BatchHeader> header_at(FilePos at);
    /// From a place that is below all of [target, ...): where to look for a time or an offset.
    /// Errors: kIoError, kCorruptIndex.
    Result<FilePos> scan_start(Offset target);
    [[nodiscard]] Result<BatchScan> scan(FilePos from, BatchScan::Depth depth);

    /// {-1, -1} in a segment without timestamps. Errors: as find().
    Result<MaxTimestamp> max_timestamp();
    /// The same of the batches that end below `below`.
    Result<MaxTimestamp> max_timestamp_below(Offset below);
    /// The largest timestamp of the first batch, -1 when it has none or there is none.
    Result<WallMs> first_timestamp();

    /// Index entries that wait in memory until they are worth a write.
    [[nodiscard]] bool has_many_unwritten() const noexcept;
    [[nodiscard]] bool has_unwritten() const noexcept;
    /// Writes them. Errors: kNoSpace, kIoError; the entries stay in memory.
    Result<void> write_indexes(SyncList& sync);
    /// No more batches come: the last time entry, and all of the indexes.
    Result<void> seal(SyncList& sync);

    /// Adds the index files that are there. Errors: kIoError.
    Result<void> add_index_files(SyncList& sync);

    /// Number of index entries is at what segment.index.bytes allows.
    Result<bool> is_index_full(std::int32_t index_bytes_max);

    /// Cuts the files. Precondition: a batch ends at `size`. Errors: kIoError.
    Result<void> cut(FilePos size, Offset end, SyncList& sync);

    /// Makes both indexes from the batches, or leaves none, so that the next start sees that one is
    /// missing. Errors: kIoError, kNoSpace, kCorruptMessage.
    Result<void> rebuild_indexes();

    /// Empties both, for a scan from the start of the segment to fill. Errors: kIoError.
    Result<void> drop_indexes();

    struct OrderedEntries {
        std::optional<IndexedBatch> last;
        bool are_all = false;
    };
    /// The last entry of the offset index before one that cannot be right, as far as order tells.
    Result<OrderedEntries> ordered_entries();

    /// Of a segment that takes no more batches, with an offset index in order: writes what its
    /// indexes lack. False: that cannot be told from the end of them, they have to be made anew.
    /// Errors: kIoError, kNoSpace.
    Result<bool> complete_indexes();

    /// Whether a batch lies where the entry says. Errors: kIoError.
    Result<bool> fits(const IndexedBatch& entry);
    /// Whether the batch that the entry names is as new as it says.
    Result<bool> fits(const MaxTimestamp& entry);
    /// Whether the last entries of both indexes fit; the time of the last one is taken for the
    /// largest of the batches before those that are noted from now on.
    Result<bool> take_index_ends();

    /// Keeps what of the index files can be right for batches below `below`, given a file of
    /// `size` bytes; syncs what it cuts. Returns where a scan must begin so that index and largest
    /// timestamp are whole afterwards, at or before the batch that holds `below`.
    Result<FilePos> trust_indexes(Offset below, FilePos size);
    /// The same when the last run ended well: only the ends of the files are looked at.
    Result<FilePos> load_indexes(Offset below);

    [[nodiscard]] OffsetIndex& offsets();
    [[nodiscard]] TimeIndex& times();
    [[nodiscard]] TxnIndex& aborted();
    [[nodiscard]] bool has_aborted() const noexcept;
    /// Closes the descriptors of the index files.
    void close_indexes();

    /// Paths of the files that are there, in the order in which they may be removed.
    [[nodiscard]] std::vector<std::string> paths() const;
    [[nodiscard]] const std::string& path() const noexcept { return log_.path(); }
    void set_opened(WallMs at) noexcept { opened_ = at; }
    /// index.interval.bytes, for what makes entries without note() having been called.
    void set_interval(std::int32_t bytes) noexcept { interval_ = bytes; }
    /// When it was made, or found: what its age counts from when it has no timestamps.
    [[nodiscard]] WallMs opened() const noexcept { return opened_; }

  private:
    struct Indexes;
    Indexes& indexes();
    [[nodiscard]] std::string path_of(FileKind kind) const;
    Result<FilePos> find_from(FilePos from, Offset target);
    Result<void> load_max();
    Result<FilePos> trusted_to();

    Offset base_;
    Offset end_;
    FilePos size_{0};
    Present present_;
    bool is_max_whole_ = false;     ///< max_ covers all batches.
    std::int32_t interval_ = 4096;  ///< As last used.
    std::int64_t since_entry_ = 0;  ///< Bytes since the batch of the last offset entry.
    FilePos indexed_to_{-1};        ///< Position of the last offset entry.
    MaxTimestamp max_;              ///< Of the batches that were noted.
    std::optional<WallMs> first_timestamp_;
    WallMs opened_{-1};
    CachedFile log_;
    std::shared_ptr<Indexes> indexes_;  ///< Made when first needed.
};

}  // namespace leat::storage
