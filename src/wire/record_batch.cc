// SPDX-License-Identifier: Apache-2.0
#include "wire/record_batch.h"

#include "base/endian.h"
#include "codec/crc32c.h"

namespace leat::wire {

namespace {

constexpr std::size_t kLengthAt = 8;
constexpr std::size_t kEpochAt = 12;
constexpr std::size_t kMagicAt = 16;
constexpr std::size_t kCrcAt = 17;
constexpr std::size_t kAttributesAt = 21;
constexpr std::size_t kLastDeltaAt = 23;
constexpr std::size_t kBaseTimeAt = 27;
constexpr std::size_t kMaxTimeAt = 35;
constexpr std::size_t kProducerIdAt = 43;
constexpr std::size_t kProducerEpochAt = 51;
constexpr std::size_t kSequenceAt = 53;
constexpr std::size_t kCountAt = 57;

// A message of magic 0 without key and value; what claims less is no message of any magic.
constexpr std::int32_t kLegacyLengthMin = 14;

}  // namespace

std::int32_t BatchHeader::last_sequence() const noexcept {
    if (base_sequence == kNoSequence) return kNoSequence;
    constexpr std::int64_t kSequences = std::int64_t{INT32_MAX} + 1;
    const std::int64_t last = std::int64_t{base_sequence} + last_offset_delta;
    return static_cast<std::int32_t>(last % kSequences);
}

Result<BatchHeader> parse_batch_header(Bytes bytes) {
    constexpr auto kLengthMin = static_cast<std::int32_t>(kBatchHeaderBytes - kBatchPrefixBytes);
    if (bytes.size() <= kMagicAt) return Error{Errc::kTruncated};
    const std::byte* in = bytes.data();
    BatchHeader header;
    header.base_offset = {load_be<std::int64_t>(in)};
    header.batch_length = load_be<std::int32_t>(in + kLengthAt);
    header.leader_epoch = load_be<std::int32_t>(in + kEpochAt);
    header.magic = load_be<std::int8_t>(in + kMagicAt);
    if (header.batch_length < kLegacyLengthMin) {
        return Error{Errc::kCorruptMessage, "a length that no batch has"};
    }
    if (header.magic != kBatchMagic) {
        return Error{Errc::kUnsupportedForMessageFormat, "not a record batch of magic 2"};
    }
    if (header.batch_length < kLengthMin) {
        return Error{Errc::kCorruptMessage, "a batch shorter than its header"};
    }
    if (bytes.size() < kBatchHeaderBytes) return Error{Errc::kTruncated};
    header.crc = load_be<std::uint32_t>(in + kCrcAt);
    header.attributes = load_be<std::int16_t>(in + kAttributesAt);
    header.last_offset_delta = load_be<std::int32_t>(in + kLastDeltaAt);
    header.base_timestamp = {load_be<std::int64_t>(in + kBaseTimeAt)};
    header.max_timestamp = {load_be<std::int64_t>(in + kMaxTimeAt)};
    header.producer_id = load_be<std::int64_t>(in + kProducerIdAt);
    header.producer_epoch = load_be<std::int16_t>(in + kProducerEpochAt);
    header.base_sequence = load_be<std::int32_t>(in + kSequenceAt);
    header.record_count = load_be<std::int32_t>(in + kCountAt);
    return header;
}

void put_batch_header(MutableBytes batch, const BatchHeader& header) {
    LEAT_CHECK(batch.size() >= kBatchHeaderBytes);
    std::byte* out = batch.data();
    store_be(out, header.base_offset.value);
    store_be(out + kLengthAt, header.batch_length);
    store_be(out + kEpochAt, header.leader_epoch);
    store_be(out + kMagicAt, header.magic);
    store_be(out + kCrcAt, header.crc);
    store_be(out + kAttributesAt, header.attributes);
    store_be(out + kLastDeltaAt, header.last_offset_delta);
    store_be(out + kBaseTimeAt, header.base_timestamp.value);
    store_be(out + kMaxTimeAt, header.max_timestamp.value);
    store_be(out + kProducerIdAt, header.producer_id);
    store_be(out + kProducerEpochAt, header.producer_epoch);
    store_be(out + kSequenceAt, header.base_sequence);
    store_be(out + kCountAt, header.record_count);
}

Result<void> check_crc(Bytes batch) {
    LEAT_CHECK(batch.size() >= kBatchHeaderBytes);
    if (codec::crc32c(batch.subspan(kAttributesAt)) == load_be<std::uint32_t>(&batch[kCrcAt])) {
        return {};
    }
    return Error{Errc::kCorruptMessage, "the batch does not match its checksum"};
}

void set_base_offset(MutableBytes batch, Offset base) noexcept {
    LEAT_CHECK(batch.size() >= kBatchHeaderBytes);
    store_be(batch.data(), base.value);
}

void set_leader_epoch(MutableBytes batch, std::int32_t epoch) noexcept {
    LEAT_CHECK(batch.size() >= kBatchHeaderBytes);
    store_be(&batch[kEpochAt], epoch);
}

void set_append_time(MutableBytes batch, WallMs time) noexcept {
    LEAT_CHECK(batch.size() >= kBatchHeaderBytes);
    const auto attributes = load_be<std::int16_t>(&batch[kAttributesAt]);
    store_be(&batch[kAttributesAt], static_cast<std::int16_t>(attributes | kAppendTimeBit));
    set_max_timestamp(batch, time);
}

void set_max_timestamp(MutableBytes batch, WallMs time) noexcept {
    LEAT_CHECK(batch.size() >= kBatchHeaderBytes);
    store_be(&batch[kMaxTimeAt], time.value);
    seal(batch);
}

void seal(MutableBytes batch) noexcept {
    LEAT_CHECK(batch.size() >= kBatchHeaderBytes);
    store_be(&batch[kCrcAt], codec::crc32c(batch.subspan(kAttributesAt)));
}

Result<std::optional<BatchView>> BatchCursor::next() {
    const Bytes rest = range_.subspan(at_);
    auto header = parse_batch_header(rest);
    if (!header) {
        if (header.error().code() == Errc::kTruncated) return std::optional<BatchView>{};
        return std::move(header).error();
    }
    const std::size_t size = header->size_bytes();
    if (size > rest.size()) return std::optional<BatchView>{};
    at_ += size;
    return std::optional{BatchView{.header = *header, .bytes = rest.first(size)}};
}

}  // namespace leat::wire
