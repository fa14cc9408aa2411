// SPDX-License-Identifier: Apache-2.0
#include "client/write_batch.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "codec/varint.h"
#include "wire/record_reader.h"

namespace leat::client {
namespace {

constexpr std::size_t kFirstCapacity = 4'096;
using Text = std::optional<std::string_view>;

// Null takes one byte, as its length -1 does.
std::size_t nullable_bytes(const Text& text) noexcept {
    if (!text) return 1;
    return codec::uvarint_bytes(std::uint64_t{text->size()} << 1) + text->size();
}

std::byte* put_text(std::byte* out, const Text& text) noexcept {
    if (!text) return codec::put_varint(out, -1);
    out = codec::put_varint(out, static_cast<std::int32_t>(text->size()));
    if (!text->empty()) std::memcpy(out, text->data(), text->size());
    return out + text->size();
}

Text text_of(const std::optional<Bytes>& bytes) noexcept {
    if (!bytes) return std::nullopt;
    return std::string_view{reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

/// The names and values of headers, without their number.
std::size_t header_bytes(const std::vector<Header>* headers) noexcept {
    std::size_t size = 0;
    if (headers != nullptr)
        for (const Header& header : *headers)
            size += nullable_bytes(header.name) + nullable_bytes(header.value);
    return size;
}

}  // namespace

struct WriteBatch::Fields {
    std::int64_t timestamp_ms = -1;
    std::size_t weight = 0;
    Text key;
    Text value;
    const std::vector<Header>* headers = nullptr;  // Either these,
    wire::RecordHeaders encoded;                   // or these.

    [[nodiscard]] std::int32_t header_count() const noexcept {
        return headers != nullptr ? static_cast<std::int32_t>(headers->size()) : encoded.count;
    }
};

void WriteBatch::begin(Steady now) {
    size_ = wire::kBatchHeaderBytes;
    reserve(kFirstCapacity);
    weight_ = 0;
    count_ = 0;
    is_packed_ = false;
    codec_ = codec::Codec::kNone;
    base_timestamp_ = max_timestamp_ = -1;
    opened_ = now;
    tags_.clear();
    base_sequence = wire::kNoSequence;
    identity = {};
    tries = 0;
    is_in_doubt = false;
}

std::size_t WriteBatch::weight_of(const OutgoingRecord& record) {
    return nullable_bytes(record.key) + nullable_bytes(record.value) + header_bytes(record.headers);
}

void WriteBatch::reserve(std::size_t bytes) {
    if (bytes <= capacity_) return;
    const std::size_t more = std::max(bytes, capacity_ * 2);
    auto grown = std::make_unique_for_overwrite<std::byte[]>(more);
    if (capacity_ > 0) std::memcpy(grown.get(), data_.get(), std::min(size_, capacity_));
    data_ = std::move(grown);
    capacity_ = more;
}

void WriteBatch::add(const OutgoingRecord& record, std::int64_t timestamp_ms, std::size_t weight) {
    add({.timestamp_ms = timestamp_ms,
         .weight = weight,
         .key = record.key,
         .value = record.value,
         .headers = record.headers,
         .encoded = {}},
        record.tag);
}

void WriteBatch::add(const Fields& fields, std::uint64_t tag) {
    if (count_ == 0) base_timestamp_ = fields.timestamp_ms;
    max_timestamp_ = std::max(max_timestamp_, fields.timestamp_ms);
    const auto delta = static_cast<std::int64_t>(static_cast<std::uint64_t>(fields.timestamp_ms) -
                                                 static_cast<std::uint64_t>(base_timestamp_));
    const std::size_t body = 1 + codec::varlong_bytes(delta) + codec::varint_bytes(count_) +
                             codec::varint_bytes(fields.header_count()) + fields.weight;
    reserve(size_ + codec::kVarintBytesMax + body);
    std::byte* out = codec::put_varint(&data_[size_], static_cast<std::int32_t>(body));
    *out++ = std::byte{0};  // Attributes.
    out = codec::put_varlong(out, delta);
    out = codec::put_varint(out, count_);
    out = put_text(out, fields.key);
    out = put_text(out, fields.value);
    out = codec::put_varint(out, fields.header_count());
    if (fields.headers != nullptr)
        for (const Header& header : *fields.headers)
            out = put_text(put_text(out, header.name), header.value);
    const Bytes encoded = fields.encoded.encoded;
    if (!encoded.empty()) std::memcpy(out, encoded.data(), encoded.size());
    size_ = static_cast<std::size_t>(out + encoded.size() - data_.get());
    weight_ += fields.weight;
    ++count_;
    if (!tags_.empty() && tags_.back().tag == tag)
        ++tags_.back().count;
    else
        tags_.push_back({tag, 1});
}

void WriteBatch::pack(codec::Codec codec, int level) {
    is_packed_ = true;
    if (codec == codec::Codec::kNone) return;
    const Bytes records = bytes().subspan(wire::kBatchHeaderBytes);
    const auto stream = codec::compress(codec, level, records);
    if (!stream || stream->size() >= records.size()) return;
    std::memcpy(&data_[wire::kBatchHeaderBytes], stream->data(), stream->size());
    size_ = wire::kBatchHeaderBytes + stream->size();
    codec_ = codec;
}

void WriteBatch::stamp(bool is_transactional) {
    LEAT_CHECK(is_packed_ && count_ > 0);
    wire::BatchHeader header;
    header.batch_length = static_cast<std::int32_t>(size_ - wire::kBatchPrefixBytes);
    header.attributes = static_cast<std::int16_t>(static_cast<int>(codec_) |
                                                  (is_transactional ? wire::kTransactionalBit : 0));
    header.last_offset_delta = count_ - 1;
    header.base_timestamp = WallMs{base_timestamp_};
    header.max_timestamp = WallMs{max_timestamp_};
    header.producer_id = identity.id;
    header.producer_epoch = identity.epoch;
    header.base_sequence = base_sequence;
    header.record_count = count_;
    const MutableBytes all{data_.get(), size_};
    wire::put_batch_header(all, header);
    wire::seal(all);
}

Result<std::pair<std::unique_ptr<WriteBatch>, std::unique_ptr<WriteBatch>>> WriteBatch::split()
    const {
    LEAT_CHECK(count_ > 1);
    LEAT_TRY(const wire::BatchHeader header, wire::parse_batch_header(bytes()));
    // What the records took before, with lengths and numbers.
    const std::size_t inflated = weight_ + static_cast<std::size_t>(count_) * bytes_max(0);
    LEAT_TRY(wire::RecordReader reader, wire::RecordReader::open({header, bytes()}, inflated));
    std::pair out{std::make_unique<WriteBatch>(), std::make_unique<WriteBatch>()};
    out.first->begin(opened_);
    out.second->begin(opened_);
    auto run = tags_.begin();
    std::int32_t left = run->count;
    for (std::int32_t i = 0; i < count_; ++i) {
        LEAT_TRY(const auto record, reader.next());
        if (!record) return Error{Errc::kCorruptMessage, "a batch has lost records"};
        if (left == 0) left = (++run)->count;
        --left;
        WriteBatch& half = i < count_ / 2 ? *out.first : *out.second;
        half.add({.timestamp_ms = header.timestamp(record->timestamp_delta).value,
                  .weight = nullable_bytes(text_of(record->key)) +
                            nullable_bytes(text_of(record->value)) + record->headers.encoded.size(),
                  .key = text_of(record->key),
                  .value = text_of(record->value),
                  .headers = nullptr,
                  .encoded = record->headers},
                 run->tag);
    }
    return out;
}

}  // namespace leat::client
