// SPDX-License-Identifier: Apache-2.0
//
// What compaction leaves of one batch. Layer: storage (L3).
// Spec:  Kafka's Cleaner.cleanInto and MemoryRecords.filterTo; KIP-534 for delete horizons.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/result.h"
#include "storage/cleaner.h"
#include "storage/file_cache.h"
#include "storage/offset_map.h"
#include "storage/txn_index.h"
#include "wire/record_batch.h"
#include "wire/record_reader.h"

namespace leat::storage {

/// The aborted transactions of a log. Threading: immutable once filled.
class AbortedSpans {
  public:
    void add(const TxnEntry& entry);
    /// Whether the records of a batch were aborted.
    [[nodiscard]] bool contains(const wire::BatchHeader& header) const;
    /// Those whose markers lie in [from, to), by marker.
    [[nodiscard]] std::vector<TxnEntry> within(Offset from, Offset to) const;

  private:
    std::unordered_map<std::int64_t, std::vector<std::pair<Offset, Offset>>> by_producer_;
    std::vector<TxnEntry> entries_;
};
/// From all ".txnindex" files of the folder. Errors: kIoError.
Result<AbortedSpans> read_aborted(rt::Disk& disk, FileCache& files, const std::string& directory);

/// Whether the records of a compressed batch stand in order: it may have been stored unopened,
/// before its topic was compacted (docs/decisions/0031).
///
/// Threading: not synchronised.
class RecordOrder {
  public:
    explicit RecordOrder(const wire::BatchHeader& header) noexcept
        : last_max_(header.last_offset_delta) {}
    /// Errors: kCorruptMessage.
    Result<void> check(const wire::RecordView& record);

  private:
    std::int32_t last_ = -1;
    std::int32_t last_max_;
};

/// Decides for batches of one log in order, from its start.
///
/// Threading: not synchronised.
class BatchCleaner {
  public:
    struct Rules {
        const OffsetMap* map = nullptr;
        Offset map_end;
        const AbortedSpans* aborted = nullptr;
        const std::unordered_map<std::int64_t, LastOfProducer>* producers = nullptr;
        WallMs now;
        std::int64_t delete_retention_ms = 0;
        std::size_t inflated_bytes_max = kStoredInflatedMax;
    };
    explicit BatchCleaner(const Rules& rules) : rules_(rules) {}

    /// What takes the place of `batch`, empty for nothing; valid until the next call. `must_stay`:
    /// at least its header. Errors: kCorruptMessage, kLimitExceeded.
    Result<Bytes> clean(const wire::BatchView& batch, bool must_stay);

    /// Whether anything was not taken over as it was since the last call.
    bool take_changed() noexcept { return std::exchange(changed_, false); }
    /// Offsets of the markers since the last call that end a transaction of which a data batch was
    /// seen, kept or not. Only those have their entry in the index of aborted transactions still: a
    /// reader who is told of a transaction drops all that its producer wrote from there on until
    /// the marker, which is gone when it has rested.
    std::unordered_set<std::int64_t> take_markers_with_data() noexcept {
        return std::exchange(markers_with_data_, {});
    }
    [[nodiscard]] std::int64_t removed_records() const noexcept { return removed_; }

  private:
    Result<Bytes> clean_marker(const wire::BatchView& batch, bool must_stay);
    Result<Bytes> clean_data(const wire::BatchView& batch, bool must_stay);
    Result<Bytes> empty(const wire::BatchHeader& header);
    Result<Bytes> with_horizon(const wire::BatchView& batch);
    [[nodiscard]] WallMs horizon() const;
    [[nodiscard]] bool is_last_of_producer(const wire::BatchHeader& header) const;
    [[nodiscard]] bool keeps(const wire::BatchHeader& header, const wire::RecordView& record) const;
    [[nodiscard]] bool is_horizon_over(const wire::BatchHeader& header) const {
        return header.has_delete_horizon() && header.base_timestamp <= rules_.now;
    }

    Rules rules_;
    std::vector<std::byte> built_;
    /// Producers of whose open transaction a data batch was seen, kept or not.
    std::unordered_set<std::int64_t> with_data_;
    std::unordered_set<std::int64_t> markers_with_data_;
    bool changed_ = false;
    std::int64_t removed_ = 0;
};

}  // namespace leat::storage
