// SPDX-License-Identifier: Apache-2.0
#include "wire/batch_builder.h"

#include <algorithm>
#include <cstring>

#include "codec/varint.h"

namespace leat::wire {

namespace {

constexpr std::size_t kSizeMax = INT32_MAX;

// Null takes one byte, as its length -1 does.
std::size_t nullable_bytes(const std::optional<Bytes>& value) noexcept {
    if (!value) return 1;
    return codec::uvarint_bytes(std::uint64_t{value->size()} << 1) + value->size();
}

std::byte* put_bytes(std::byte* out, Bytes bytes) noexcept {
    out = codec::put_varint(out, static_cast<std::int32_t>(bytes.size()));
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    return out + bytes.size();
}

std::byte* put_nullable(std::byte* out, const std::optional<Bytes>& value) noexcept {
    return value ? put_bytes(out, *value) : codec::put_varint(out, -1);
}

Bytes key_of(const HeaderView& header) noexcept {
    return std::as_bytes(std::span{header.key});
}

std::int64_t difference(WallMs a, WallMs b) noexcept {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a.value) -
                                     static_cast<std::uint64_t>(b.value));
}

Error too_large() {
    return Error{Errc::kMessageTooLarge, "a batch cannot pass 2 GiB"};
}

}  // namespace

struct BatchBuilder::Fields {
    std::int64_t timestamp_delta;
    std::int32_t offset_delta;
    std::optional<Bytes> key;
    std::optional<Bytes> value;
    std::span<const HeaderView> headers;  // Either these,
    RecordHeaders encoded;                // or these.

    [[nodiscard]] std::size_t header_count() const noexcept {
        return headers.size() + static_cast<std::size_t>(encoded.count);
    }
    [[nodiscard]] std::size_t body_bytes() const noexcept {
        std::size_t size = 1 + codec::varlong_bytes(timestamp_delta) +
                           codec::varint_bytes(offset_delta) + nullable_bytes(key) +
                           nullable_bytes(value) +
                           codec::uvarint_bytes(std::uint64_t{header_count()} << 1);
        for (const HeaderView& header : headers) {
            size += nullable_bytes(key_of(header)) + nullable_bytes(header.value);
        }
        return size + encoded.encoded.size();
    }
};

BatchOptions BatchOptions::like(const BatchHeader& header) noexcept {
    BatchOptions options;
    options.base_offset = header.base_offset;
    options.leader_epoch = header.leader_epoch;
    options.producer_id = header.producer_id;
    options.producer_epoch = header.producer_epoch;
    options.base_sequence = header.base_sequence;
    options.transactional = header.is_transactional();
    options.control = header.is_control();
    if (header.timestamp_type() == TimestampType::kLogAppendTime) {
        options.append_time = header.max_timestamp;
    }
    if (header.has_delete_horizon()) options.delete_horizon = header.base_timestamp;
    return options;
}

BatchBuilder::BatchBuilder(BatchOptions options) : options_(options), batch_(kBatchHeaderBytes) {
    LEAT_CHECK(!options.control || options.codec == codec::Codec::kNone);
    if (options.delete_horizon) base_timestamp_ = *options.delete_horizon;
}

void BatchBuilder::add(const NewRecord& record) {
    LEAT_CHECK(last_delta_ < INT32_MAX);
    add(last_delta_ + 1, record);
}

void BatchBuilder::add(std::int32_t offset_delta, const NewRecord& record) {
    if (count_ == 0 && !options_.delete_horizon) base_timestamp_ = record.timestamp;
    max_timestamp_ = std::max(max_timestamp_, record.timestamp);
    append({.timestamp_delta = difference(record.timestamp, base_timestamp_),
            .offset_delta = offset_delta,
            .key = record.key,
            .value = record.value,
            .headers = record.headers,
            .encoded = {}});
}

void BatchBuilder::copy(const RecordView& record, WallMs timestamp) {
    copy(record, timestamp, record.offset_delta);
}

void BatchBuilder::copy(const RecordView& record, WallMs timestamp, std::int32_t offset_delta) {
    if (count_ == 0 && !options_.delete_horizon) base_timestamp_ = timestamp;
    max_timestamp_ = std::max(max_timestamp_, timestamp);
    append({.timestamp_delta = difference(timestamp, base_timestamp_),
            .offset_delta = offset_delta,
            .key = record.key,
            .value = record.value,
            .headers = {},
            .encoded = record.headers});
}

void BatchBuilder::append(const Fields& fields) {
    LEAT_CHECK(fields.offset_delta > last_delta_ || (count_ == 0 && fields.offset_delta >= 0));
    last_delta_ = fields.offset_delta;
    const std::size_t body = fields.body_bytes();
    const std::size_t record = codec::uvarint_bytes(std::uint64_t{body} << 1) + body;
    too_large_ = too_large_ || body > kSizeMax || record > kSizeMax - batch_.size();
    if (too_large_) return;
    ++count_;
    const std::size_t at = batch_.size();
    batch_.resize(at + record);
    std::byte* out = codec::put_varint(&batch_[at], static_cast<std::int32_t>(body));
    *out++ = std::byte{0};  // Attributes.
    out = codec::put_varlong(out, fields.timestamp_delta);
    out = codec::put_varint(out, fields.offset_delta);
    out = put_nullable(out, fields.key);
    out = put_nullable(out, fields.value);
    out = codec::put_varint(out, static_cast<std::int32_t>(fields.header_count()));
    for (const HeaderView& header : fields.headers) {
        out = put_nullable(put_bytes(out, key_of(header)), header.value);
    }
    const Bytes encoded = fields.encoded.encoded;
    if (!encoded.empty()) std::memcpy(out, encoded.data(), encoded.size());
    LEAT_CHECK(out + encoded.size() == batch_.data() + batch_.size());
}

std::int16_t BatchBuilder::attributes() const noexcept {
    int bits = count_ > 0 ? static_cast<int>(options_.codec) : 0;
    if (options_.append_time) bits |= kAppendTimeBit;
    if (options_.transactional) bits |= kTransactionalBit;
    if (options_.control) bits |= kControlBit;
    if (options_.delete_horizon && count_ > 0) bits |= kDeleteHorizonBit;
    return static_cast<std::int16_t>(bits);
}

Result<void> BatchBuilder::compress_records() {
    const Bytes records = Bytes{batch_}.subspan(kBatchHeaderBytes);
    const int level = options_.level.value_or(codec::levels(options_.codec).fallback);
    LEAT_TRY(const auto stream, codec::compress(options_.codec, level, records));
    if (stream.size() > kSizeMax - kBatchHeaderBytes) return too_large();
    batch_.resize(kBatchHeaderBytes + stream.size());
    std::memcpy(&batch_[kBatchHeaderBytes], stream.data(), stream.size());
    return {};
}

Result<std::vector<std::byte>> BatchBuilder::finish(const BatchEnd& end) {
    LEAT_CHECK(!batch_.empty());
    LEAT_CHECK(count_ > 0 || too_large_ || end.last_offset_delta);
    if (too_large_) return too_large();
    if (count_ > 0 && options_.codec != codec::Codec::kNone) LEAT_TRY_VOID(compress_records());
    BatchHeader header;
    header.base_offset = options_.base_offset;
    header.batch_length = static_cast<std::int32_t>(batch_.size() - kBatchPrefixBytes);
    header.leader_epoch = options_.leader_epoch;
    header.attributes = attributes();
    header.last_offset_delta = end.last_offset_delta.value_or(last_delta_);
    header.base_timestamp = count_ > 0 ? base_timestamp_ : WallMs{-1};
    header.max_timestamp =
        end.max_timestamp.value_or(options_.append_time.value_or(max_timestamp_));
    header.producer_id = options_.producer_id;
    header.producer_epoch = options_.producer_epoch;
    header.base_sequence = options_.base_sequence;
    header.record_count = count_;
    LEAT_CHECK(header.last_offset_delta >= last_delta_);
    put_batch_header(batch_, header);
    seal(batch_);
    return std::move(batch_);
}

Result<std::vector<std::byte>> recompress(const BatchView& batch, codec::Codec codec, int level,
                                          std::size_t bytes_max) {
    LEAT_CHECK(!batch.header.is_control());
    const auto from = batch.header.codec();
    if (!from) return Error{Errc::kUnsupportedCompressionType, "a codec that does not exist"};
    std::vector<std::byte> inflated;
    Bytes plain = batch.records();
    if (*from != codec::Codec::kNone && !plain.empty()) {
        LEAT_TRY(inflated, codec::decompress(*from, plain, bytes_max));
        plain = inflated;
    }
    std::vector<std::byte> packed;
    if (codec != codec::Codec::kNone) {
        LEAT_TRY(packed, codec::compress(codec, level, plain));
        plain = packed;
    }
    if (plain.size() > kSizeMax - kBatchHeaderBytes) return too_large();
    std::vector<std::byte> out(kBatchHeaderBytes + plain.size());
    BatchHeader header = batch.header;
    header.batch_length = static_cast<std::int32_t>(out.size() - kBatchPrefixBytes);
    header.attributes =
        static_cast<std::int16_t>((header.attributes & ~kCodecMask) | static_cast<int>(codec));
    put_batch_header(out, header);
    if (!plain.empty()) std::memcpy(&out[kBatchHeaderBytes], plain.data(), plain.size());
    seal(out);
    return out;
}

}  // namespace leat::wire
