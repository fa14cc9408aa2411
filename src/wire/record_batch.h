// SPDX-License-Identifier: Apache-2.0
//
// Record batches of magic 2: their header, and walking over several. Layer: wire (L2).
// Spec:  Kafka protocol guide, "Record Batch"; KIP-98, KIP-534 (delete horizon).
//
//    0 baseOffset i64         17 crc u32 (CRC-32C over all that follows)  43 producerId i64
//    8 batchLength i32        21 attributes i16                           51 producerEpoch i16
//   12 partitionLeaderEpoch   23 lastOffsetDelta i32                      53 baseSequence i32
//      i32                    27 baseTimestamp i64                        57 recordCount i32
//   16 magic i8               35 maxTimestamp i64                         61 records
//
// batchLength counts what follows it. attributes: bits 0-2 codec, 3 timestamp type, 4
// transactional, 5 control, 6 baseTimestamp is a delete horizon.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "base/units.h"
#include "codec/compression.h"

namespace leat::wire {

inline constexpr std::size_t kBatchHeaderBytes = 61;
inline constexpr std::size_t kBatchPrefixBytes = 12;  ///< What batchLength does not count.
inline constexpr std::int8_t kBatchMagic = 2;
inline constexpr std::int64_t kNoProducerId = -1;
inline constexpr std::int16_t kNoProducerEpoch = -1;
inline constexpr std::int32_t kNoSequence = -1;

enum class TimestampType : std::uint8_t { kCreateTime = 0, kLogAppendTime = 1 };

/// Bits of BatchHeader::attributes.
inline constexpr std::int16_t kCodecMask = 0x07;
inline constexpr std::int16_t kAppendTimeBit = 0x08;
inline constexpr std::int16_t kTransactionalBit = 0x10;
inline constexpr std::int16_t kControlBit = 0x20;
inline constexpr std::int16_t kDeleteHorizonBit = 0x40;

struct BatchHeader {
    Offset base_offset;
    std::int32_t batch_length = 0;
    std::int32_t leader_epoch = -1;
    std::int8_t magic = kBatchMagic;
    std::uint32_t crc = 0;
    std::int16_t attributes = 0;
    std::int32_t last_offset_delta = 0;
    WallMs base_timestamp{-1};
    WallMs max_timestamp{-1};
    std::int64_t producer_id = kNoProducerId;
    std::int16_t producer_epoch = kNoProducerEpoch;
    std::int32_t base_sequence = kNoSequence;
    std::int32_t record_count = 0;

    /// Of the whole batch.
    [[nodiscard]] std::size_t size_bytes() const noexcept {
        return kBatchPrefixBytes + static_cast<std::size_t>(batch_length);
    }
    /// Wraps where base and delta make no sense together; so do the next two.
    [[nodiscard]] Offset last_offset() const noexcept { return offset(last_offset_delta); }
    [[nodiscard]] Offset offset(std::int32_t delta) const noexcept {
        return {static_cast<std::int64_t>(static_cast<std::uint64_t>(base_offset.value) +
                                          static_cast<std::uint64_t>(delta))};
    }
    /// The timestamp of a record: LogAppendTime holds for all of a batch.
    [[nodiscard]] WallMs timestamp(std::int64_t delta) const noexcept {
        if (timestamp_type() == TimestampType::kLogAppendTime) return max_timestamp;
        return {static_cast<std::int64_t>(static_cast<std::uint64_t>(base_timestamp.value) +
                                          static_cast<std::uint64_t>(delta))};
    }
    /// The sequence of the last record; numbers start again at 0 after the largest.
    [[nodiscard]] std::int32_t last_sequence() const noexcept;

    /// nullopt: a codec that does not exist.
    [[nodiscard]] std::optional<codec::Codec> codec() const noexcept {
        return codec::codec_from_number(attributes & kCodecMask);
    }
    [[nodiscard]] TimestampType timestamp_type() const noexcept {
        return (attributes & kAppendTimeBit) != 0 ? TimestampType::kLogAppendTime
                                                  : TimestampType::kCreateTime;
    }
    [[nodiscard]] bool is_transactional() const noexcept {
        return (attributes & kTransactionalBit) != 0;
    }
    [[nodiscard]] bool is_control() const noexcept { return (attributes & kControlBit) != 0; }
    [[nodiscard]] bool has_delete_horizon() const noexcept {
        return (attributes & kDeleteHorizonBit) != 0;
    }
    [[nodiscard]] bool has_producer_id() const noexcept { return producer_id > kNoProducerId; }
};

/// Reads the header at the front of `bytes`; the rest of the batch need not be there. What is read
/// is not judged: neither offsets nor counts nor the checksum.
/// Errors: kTruncated (fewer bytes than a header); kCorruptMessage (a length that no batch has,
///         such as the 0 of space never written); kUnsupportedForMessageFormat (magic 0, 1 or
///         unknown).
[[nodiscard]] Result<BatchHeader> parse_batch_header(Bytes bytes);
/// Writes all fields; the checksum is that of `header`.
void put_batch_header(MutableBytes batch, const BatchHeader& header);

/// Whether the checksum is that of the bytes. Precondition, here and below: `batch` is one whole
/// batch. Errors: kCorruptMessage.
[[nodiscard]] Result<void> check_crc(Bytes batch);

/// In-place changes. The first two lie outside of what the checksum covers.
void set_base_offset(MutableBytes batch, Offset base) noexcept;
void set_leader_epoch(MutableBytes batch, std::int32_t epoch) noexcept;
/// LogAppendTime, for the whole batch; computes the checksum anew, as the next does.
void set_append_time(MutableBytes batch, WallMs time) noexcept;
void set_max_timestamp(MutableBytes batch, WallMs time) noexcept;
/// Only the checksum.
void seal(MutableBytes batch) noexcept;

/// One batch among others. Memory: a view.
struct BatchView {
    BatchHeader header;
    Bytes bytes;  ///< All of it.

    /// What follows the header, compressed as header.codec() says.
    [[nodiscard]] Bytes records() const noexcept { return bytes.subspan(kBatchHeaderBytes); }
};

/// Walks the batches of a byte range, such as a piece of a log or of a fetch response.
///
/// Threading: not synchronised.
/// Memory:    a view; the range must outlive the cursor and its views.
/// Usage:     next() until it gives nullopt; then whole_bytes() tells where whole batches end. A
///            tail that holds a batch only in part is no error: fetch responses end like that.
class BatchCursor {
  public:
    explicit BatchCursor(Bytes range) noexcept : range_(range) {}

    /// Errors: kCorruptMessage, kUnsupportedForMessageFormat, as parse_batch_header(); the cursor
    ///         then stays in front of what it could not read.
    [[nodiscard]] Result<std::optional<BatchView>> next();

    /// Bytes of the batches given so far.
    [[nodiscard]] std::size_t whole_bytes() const noexcept { return at_; }
    /// Bytes not given yet; after the last batch, those of the truncated tail.
    [[nodiscard]] std::size_t left_bytes() const noexcept { return range_.size() - at_; }

  private:
    Bytes range_;
    std::size_t at_ = 0;
};

}  // namespace leat::wire
