// SPDX-License-Identifier: Apache-2.0
//
// Builds record batches of magic 2. Layer: wire (L2).
// Spec:  wire/record_batch.h, wire/record_reader.h
#pragma once

#include <span>
#include <vector>

#include "wire/record_reader.h"

namespace leat::wire {

struct BatchOptions {
    Offset base_offset = {};
    std::int32_t leader_epoch = -1;
    codec::Codec codec = codec::Codec::kNone;
    std::optional<int> level = {};              ///< Of the codec; its default when absent.
    std::optional<WallMs> append_time = {};     ///< LogAppendTime.
    std::optional<WallMs> delete_horizon = {};  ///< The cleaner's; stands in baseTimestamp.
    std::int64_t producer_id = kNoProducerId;
    std::int16_t producer_epoch = kNoProducerEpoch;
    std::int32_t base_sequence = kNoSequence;
    bool transactional = false;
    bool control = false;  ///< Then `codec` must be none.

    /// What a batch that takes the place of `header`'s must keep: offset, epoch, producer, kind and
    /// timestamp type. The codec is none, the horizon that of `header`.
    [[nodiscard]] static BatchOptions like(const BatchHeader& header) noexcept;
};

struct NewRecord {
    WallMs timestamp{-1};
    std::optional<Bytes> key = {};
    std::optional<Bytes> value = {};
    std::span<const HeaderView> headers = {};
};

/// What finish() writes instead of what the records tell.
struct BatchEnd {
    /// Compaction keeps the last offset of a batch whose last records are gone.
    std::optional<std::int32_t> last_offset_delta = {};
    std::optional<WallMs> max_timestamp = {};
};

/// Usage:     add() or copy() in order of offsets, then finish() once.
/// Memory:    copies what it is given at once.
/// Threading: not synchronised.
class BatchBuilder {
  public:
    explicit BatchBuilder(BatchOptions options);

    /// A record right after the last one, the first at delta 0.
    void add(const NewRecord& record);
    /// The same with a gap before it. Precondition: beyond the last delta.
    void add(std::int32_t offset_delta, const NewRecord& record);
    /// A record of another batch, at `timestamp` and its own offset delta.
    void copy(const RecordView& record, WallMs timestamp);
    void copy(const RecordView& record, WallMs timestamp, std::int32_t offset_delta);

    [[nodiscard]] std::int32_t count() const noexcept { return count_; }
    /// Of the batch so far, without compression.
    [[nodiscard]] std::size_t size_bytes() const noexcept { return batch_.size(); }

    /// The batch with its checksum. Without records it is a header alone, with no codec and no
    /// horizon, as the cleaner leaves it: then give last_offset_delta.
    /// Errors: kMessageTooLarge (a record or the batch passes 2 GiB); those of codec::compress().
    [[nodiscard]] Result<std::vector<std::byte>> finish(const BatchEnd& end = {});

  private:
    struct Fields;
    void append(const Fields& fields);
    [[nodiscard]] std::int16_t attributes() const noexcept;
    [[nodiscard]] Result<void> compress_records();

    BatchOptions options_;
    std::vector<std::byte> batch_;
    WallMs base_timestamp_{-1};
    WallMs max_timestamp_{-1};
    std::int32_t last_delta_ = -1;
    std::int32_t count_ = 0;
    bool too_large_ = false;
};

/// `batch` with its records under another codec; all else stays as it is. Never for control
/// batches.
/// Errors: kCorruptMessage, kLimitExceeded (more than `bytes_max` bytes of records),
///         kMessageTooLarge, kUnsupportedCompressionType, kInvalidSetting (level).
[[nodiscard]] Result<std::vector<std::byte>> recompress(const BatchView& batch, codec::Codec codec,
                                                        int level, std::size_t bytes_max);

}  // namespace leat::wire
