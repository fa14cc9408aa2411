// SPDX-License-Identifier: Apache-2.0
#include "wire/reader.h"

#include <bit>
#include <string>

namespace leat::wire {
namespace {

constexpr std::int64_t kNull = -1;
constexpr std::int64_t kStringMax = INT16_MAX;  // Kafka refuses longer ones in compact form too.

}  // namespace

Reader::Reader(Bytes frame, Arena& arena) noexcept
    : begin_(frame.data()),
      at_(frame.data()),
      end_(frame.data() + frame.size()),
      arena_(&arena),
      memory_left_(memory_max(frame.size())) {}

Result<void> Reader::finish() const {
    if (!failed()) return {};
    return Error{code_, std::string{failure_} + " at byte " + std::to_string(failed_at_)};
}

void Reader::fail(Errc code, const char* why) {
    if (failed()) return;
    failure_ = why;
    code_ = code;
    failed_at_ = static_cast<std::size_t>(at_ - begin_);
    at_ = end_;
}

void Reader::short_of_bytes() {
    fail(Errc::kTruncated, "the message ends too early");
}

Bytes Reader::take(std::size_t size) {
    if (remaining() < size) [[unlikely]] {
        short_of_bytes();
        return {};
    }
    const Bytes out{at_, size};
    at_ += size;
    return out;
}

double Reader::f64() {
    return std::bit_cast<double>(i64());
}

Uuid Reader::uuid() {
    Uuid id;
    const Bytes raw = take(id.bytes.size());
    if (!raw.empty()) std::memcpy(id.bytes.data(), raw.data(), raw.size());
    return id;
}

std::uint32_t Reader::uvarint() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (at_ == end_) [[unlikely]] {
            short_of_bytes();
            return 0;
        }
        const auto byte = static_cast<std::uint32_t>(*at_++);
        value |= (byte & 0x7FU) << shift;
        if (byte < 0x80U) return value;
    }
    fail(Errc::kMalformed, "a varint of more than five bytes");
    return 0;
}

// Length of a string, of bytes or of records; kNull for null.
std::int64_t Reader::length(bool flex, bool is_string) {
    if (flex) {
        const std::uint32_t plus_one = uvarint();
        return failed() ? 0 : std::int64_t{plus_one} - 1;
    }
    const std::int64_t size = is_string ? i16() : i32();
    return size < 0 ? kNull : size;
}

std::optional<std::string_view> Reader::nullable_string(bool flex, bool null_ok) {
    const std::int64_t size = length(flex, true);
    if (size == kNull) {
        if (null_ok) return std::nullopt;
        fail(Errc::kMalformed, "null for a string that may not be null");
        return std::string_view{};
    }
    if (size > kStringMax) {
        fail(Errc::kMalformed, "a string of more than 32767 bytes");
        return std::string_view{};
    }
    const Bytes raw = take(static_cast<std::size_t>(size));
    return std::string_view{reinterpret_cast<const char*>(raw.data()), raw.size()};
}

std::string_view Reader::string(bool flex) {
    return nullable_string(flex, false).value_or(std::string_view{});
}

std::optional<Bytes> Reader::nullable_bytes(bool flex, bool null_ok) {
    const std::int64_t size = length(flex, false);
    if (size == kNull) {
        if (null_ok) return std::nullopt;
        fail(Errc::kMalformed, "null for bytes that may not be null");
        return Bytes{};
    }
    return take(static_cast<std::size_t>(size));
}

Bytes Reader::bytes(bool flex) {
    return nullable_bytes(flex, false).value_or(Bytes{});
}

Records Reader::records(bool flex, bool null_ok) {
    const std::optional<Bytes> raw = nullable_bytes(flex, null_ok);
    return raw ? Records{*raw} : Records{};
}

std::int64_t Reader::count(bool flex, bool null_ok, std::size_t least, std::size_t element_bytes) {
    const std::int64_t n = length(flex, false);
    if (n == kNull) {
        if (!null_ok) fail(Errc::kMalformed, "null for an array that may not be null");
        return null_ok ? kNull : 0;
    }
    const auto elements = static_cast<std::size_t>(n);
    if (elements > kArrayMax) {
        fail(Errc::kLimitExceeded, "an array of more than 1000000 elements");
    } else if (elements * least > remaining()) {
        fail(Errc::kTruncated, "an array of more elements than the bytes that remain");
    } else {
        charge(elements * element_bytes);
    }
    return failed() ? 0 : n;
}

void Reader::charge(std::size_t size) {
    if (size > memory_left_) {
        fail(Errc::kLimitExceeded, "a message that needs far more memory than it has bytes");
        return;
    }
    memory_left_ -= size;
}

std::uint32_t Reader::tag_count() {
    const std::uint32_t n = uvarint();
    if (n <= kTagsMax) return n;
    fail(Errc::kLimitExceeded, "more than 10000 tagged fields");
    return 0;
}

TagMark Reader::tag() {
    const std::uint32_t number = uvarint();
    const std::uint32_t size_bytes = uvarint();
    return failed() ? TagMark{.number = UINT32_MAX, .size_bytes = 0}
                    : TagMark{.number = number, .size_bytes = size_bytes};
}

void Reader::skip_tag(TagMark tag) {
    take(tag.size_bytes);
}

void Reader::wrong_tag() {
    fail(Errc::kMalformed, "a tagged field that the version does not have");
}

void Reader::skip_tags() {
    for (std::uint32_t left = tag_count(); left > 0 && !failed(); --left) skip_tag(tag());
}

Error unsupported_version() {
    return Error{Errc::kUnsupportedVersion};
}

}  // namespace leat::wire
