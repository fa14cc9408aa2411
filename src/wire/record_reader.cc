// SPDX-License-Identifier: Apache-2.0
#include "wire/record_reader.h"

#include "codec/varint.h"

namespace leat::wire {

namespace {

constexpr const char* kCutOff = "a record ends outside of its batch";
constexpr const char* kBadVarint = "a number in a record is malformed";
constexpr const char* kBadLength = "a length in a record is impossible";

// Bounded position in a record. Once an error is set nothing advances.
struct Walk {
    const std::byte* at = nullptr;
    const std::byte* end = nullptr;
    const char* error = nullptr;

    std::int32_t varint() noexcept {
        std::int32_t value = 0;
        const std::byte* next = codec::get_varint(at, end, value);
        if (next == nullptr) [[unlikely]]
            return fail(kBadVarint), 0;
        at = next;
        return value;
    }
    std::int64_t varlong() noexcept {
        std::int64_t value = 0;
        const std::byte* next = codec::get_varlong(at, end, value);
        if (next == nullptr) [[unlikely]]
            return fail(kBadVarint), 0;
        at = next;
        return value;
    }
    // A length and that many bytes; -1 is null. Written in place: returned by value, the padding of
    // the optional is copied in odd pieces, and the stalls of that cost more than all else here.
    void nullable(std::optional<Bytes>& out) noexcept {
        const std::int32_t size = varint();
        if (size == -1) return out.reset();
        if (size < 0 || size > end - at) [[unlikely]] {
            fail(kBadLength);
            return out.reset();
        }
        out.emplace(at, static_cast<std::size_t>(size));
        at += size;
    }
    void fail(const char* why) noexcept {
        if (error == nullptr) error = why;
        at = end;
    }
};

void take_header(Walk& walk, HeaderView& out) noexcept {
    std::optional<Bytes> key;
    walk.nullable(key);
    if (!key) [[unlikely]]
        return walk.fail(kBadLength);
    out.key = {reinterpret_cast<const char*>(key->data()), key->size()};
    walk.nullable(out.value);
}

}  // namespace

std::optional<HeaderView> HeaderReader::next() {
    if (left_.count == 0) return std::nullopt;
    Walk walk{.at = left_.encoded.data(), .end = left_.encoded.data() + left_.encoded.size()};
    HeaderView header;
    take_header(walk, header);
    LEAT_CHECK(walk.error == nullptr);
    --left_.count;
    left_.encoded = {walk.at, walk.end};
    return header;
}

const char* take_record(Bytes& in, RecordView& out) noexcept {
    Walk outer{.at = in.data(), .end = in.data() + in.size()};
    const std::int32_t size = outer.varint();
    if (outer.error != nullptr) return outer.error;
    if (size < 1 || size > outer.end - outer.at) return size < 1 ? kBadLength : kCutOff;

    Walk walk{.at = outer.at + 1, .end = outer.at + size};  // The attributes say nothing yet.
    out.timestamp_delta = walk.varlong();
    out.offset_delta = walk.varint();
    walk.nullable(out.key);
    walk.nullable(out.value);
    out.headers.count = walk.varint();
    // A header takes two bytes at least: a larger count is a lie, and would only cost time.
    if (out.headers.count < 0 || out.headers.count > (walk.end - walk.at) / 2) {
        walk.fail(kBadLength);
        return walk.error;
    }
    const std::byte* headers = walk.at;
    for (std::int32_t i = 0; i < out.headers.count; ++i) {
        HeaderView header;
        take_header(walk, header);
    }
    if (walk.error != nullptr) return walk.error;
    if (walk.at != walk.end) return "a record is longer than its fields";
    out.headers.encoded = {headers, walk.end};
    in = {walk.end, outer.end};
    return nullptr;
}

Result<RecordReader> RecordReader::open(const BatchView& batch, std::size_t bytes_max) {
    RecordReader reader;
    reader.left_ = batch.header.record_count;
    const std::optional<codec::Codec> codec = batch.header.codec();
    if (!codec) return Error{Errc::kUnsupportedCompressionType, "a codec that does not exist"};
    reader.all_ = batch.records();
    // The cleaner leaves headers without records.
    if (*codec != codec::Codec::kNone && !(reader.left_ == 0 && reader.all_.empty())) {
        LEAT_TRY(reader.inflated_, codec::decompress(*codec, reader.all_, bytes_max));
        reader.all_ = reader.inflated_;
    }
    reader.rest_ = reader.all_;
    return reader;
}

Result<std::optional<RecordView>> RecordReader::next() {
    if (left_ <= 0) {
        if (left_ == 0 && rest_.empty()) return std::optional<RecordView>{};
        return Error{Errc::kCorruptMessage, "a batch holds more records than it says"};
    }
    if (rest_.empty()) {
        return Error{Errc::kCorruptMessage, "a batch holds fewer records than it says"};
    }
    RecordView record;
    if (const char* why = take_record(rest_, record); why != nullptr) {
        return Error{Errc::kCorruptMessage, why};
    }
    --left_;
    return std::optional{record};
}

}  // namespace leat::wire
