// SPDX-License-Identifier: Apache-2.0
//
// The records inside of a batch. Layer: wire (L2).
// Spec:  Kafka protocol guide, "Record":
//   length varint | attributes i8 | timestampDelta varlong | offsetDelta varint |
//   key length varint, key | value length varint, value | header count varint, headers
//   header: key length varint, key | value length varint, value        (length -1 is null)
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "wire/record_batch.h"

namespace leat::wire {

struct HeaderView {
    std::string_view key;
    std::optional<Bytes> value;
};

/// The headers of one record, still encoded. They have been walked once: reading cannot fail.
struct RecordHeaders {
    std::int32_t count = 0;
    Bytes encoded;
};

/// Memory: views into the record. Threading: not synchronised.
class HeaderReader {
  public:
    explicit HeaderReader(RecordHeaders headers) noexcept : left_(headers) {}
    /// nullopt after the last.
    [[nodiscard]] std::optional<HeaderView> next();

  private:
    RecordHeaders left_;
};

/// Memory: views into the batch, or into the reader's buffer when the batch is compressed.
struct RecordView {
    std::int64_t timestamp_delta = 0;  ///< BatchHeader::timestamp() makes a time of it.
    std::int32_t offset_delta = 0;
    std::optional<Bytes> key;
    std::optional<Bytes> value;
    RecordHeaders headers;
};

/// Reads the record at the front of `in` and drops it there. nullptr, or what is wrong with it;
/// then `in` and `out` are of no use. Bytes of keys and values are not touched.
[[nodiscard]] const char* take_record(Bytes& in, RecordView& out) noexcept;

/// Reads the records of one batch in order.
///
/// Limits:    a compressed batch is inflated into a buffer of at most `bytes_max` bytes.
/// Memory:    the batch must outlive the reader; views into a compressed batch live as long as the
///            reader does, also when it is moved.
/// Threading: not synchronised.
class RecordReader {
  public:
    RecordReader(const RecordReader&) = delete;
    RecordReader& operator=(const RecordReader&) = delete;
    RecordReader(RecordReader&&) = default;
    RecordReader& operator=(RecordReader&&) = default;
    ~RecordReader() = default;

    /// Errors: kCorruptMessage (cannot be inflated); kLimitExceeded; kUnsupportedCompressionType.
    [[nodiscard]] static Result<RecordReader> open(const BatchView& batch, std::size_t bytes_max);

    /// nullopt after the last record. Errors: kCorruptMessage (a record is malformed, or the batch
    /// holds more or fewer of them than its header says).
    [[nodiscard]] Result<std::optional<RecordView>> next();

    /// Of all records, without compression.
    [[nodiscard]] Bytes encoded() const noexcept { return all_; }

  private:
    RecordReader() = default;

    std::vector<std::byte> inflated_;
    Bytes all_;
    Bytes rest_;
    std::int32_t left_ = 0;
};

}  // namespace leat::wire
