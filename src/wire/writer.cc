// SPDX-License-Identifier: Apache-2.0
#include "wire/writer.h"

#include <algorithm>
#include <cstring>

namespace leat::wire {
namespace {

std::string_view cut(std::string_view value) {
    return value.substr(0, std::min(value.size(), kStringBytesMax));
}

// Lengths of bytes, records and arrays must fit an int32; strings have been cut.
std::uint32_t length32(std::size_t size) {
    LEAT_CHECK(size < INT32_MAX);
    return static_cast<std::uint32_t>(size);
}

std::size_t length_bytes(bool flex, std::size_t size) {
    return flex ? uvarint_bytes(length32(size) + 1) : 4;
}

}  // namespace

void Sizer::string(std::string_view value, bool flex) noexcept {
    const std::size_t size = cut(value).size();
    size_.inline_bytes += size + (flex ? length_bytes(true, size) : 2);
}

void Sizer::nullable_string(const std::optional<std::string_view>& value, bool flex,
                            bool /*null_ok*/) noexcept {
    // Null and empty are equally long: only the length field is written.
    string(value.value_or(std::string_view{}), flex);
}

void Sizer::bytes(Bytes value, bool flex) noexcept {
    size_.inline_bytes += value.size() + length_bytes(flex, value.size());
}

void Sizer::nullable_bytes(const std::optional<Bytes>& value, bool flex,
                           bool /*null_ok*/) noexcept {
    bytes(value.value_or(Bytes{}), flex);
}

void Sizer::records(const Records& value, bool flex, bool /*null_ok*/) noexcept {
    size_.inline_bytes += length_bytes(flex, value.size_bytes());
    (value.is_external() ? size_.external_bytes : size_.inline_bytes) += value.size_bytes();
}

void Sizer::array(bool flex, std::size_t count) noexcept {
    size_.inline_bytes += length_bytes(flex, count);
}

void Sizer::tag(std::uint32_t number, std::size_t payload_bytes) noexcept {
    size_.inline_bytes += uvarint_bytes(number) + uvarint_bytes(length32(payload_bytes));
}

void Writer::overflow() {
    constexpr bool kBufferHoldsTheMessage = false;
    LEAT_CHECK(kBufferHoldsTheMessage);
    std::abort();
}

void Writer::raw(Bytes value) {
    if (!value.empty()) std::memcpy(room(value.size()), value.data(), value.size());
}

void Writer::uuid(const Uuid& value) {
    raw(std::as_bytes(std::span{value.bytes}));
}

void Writer::uvarint(std::uint32_t value) {
    while (value >= 0x80U) {
        number(static_cast<std::uint8_t>(value | 0x80U));
        value >>= 7U;
    }
    number(static_cast<std::uint8_t>(value));
}

void Writer::length(bool flex, std::size_t size) {
    if (flex) {
        uvarint(length32(size) + 1);
    } else {
        i32(static_cast<std::int32_t>(length32(size)));
    }
}

void Writer::string(std::string_view value, bool flex) {
    const std::string_view text = cut(value);
    if (flex) {
        length(true, text.size());
    } else {
        i16(static_cast<std::int16_t>(text.size()));
    }
    raw(std::as_bytes(std::span{text}));
}

void Writer::nullable_string(const std::optional<std::string_view>& value, bool flex,
                             bool null_ok) {
    if (value || !null_ok) {
        string(value.value_or(std::string_view{}), flex);
    } else if (flex) {
        uvarint(0);
    } else {
        i16(-1);
    }
}

void Writer::bytes(Bytes value, bool flex) {
    length(flex, value.size());
    raw(value);
}

void Writer::nullable_bytes(const std::optional<Bytes>& value, bool flex, bool null_ok) {
    if (value || !null_ok) {
        bytes(value.value_or(Bytes{}), flex);
    } else {
        null_array(flex);
    }
}

void Writer::records(const Records& value, bool flex, bool null_ok) {
    if (value.is_null() && null_ok) {
        null_array(flex);
        return;
    }
    length(flex, value.size_bytes());
    raw(value.bytes());
    if (value.is_external() && value.size_bytes() > 0) {
        splices_.push_back(
            {.position = written(), .id = value.external_id(), .size_bytes = value.size_bytes()});
    }
}

void Writer::array(bool flex, std::size_t count) {
    length(flex, count);
}

void Writer::null_array(bool flex) {
    if (flex) {
        uvarint(0);
    } else {
        i32(-1);
    }
}

void Writer::tag(std::uint32_t number_of_tag, std::size_t payload_bytes) {
    uvarint(number_of_tag);
    uvarint(length32(payload_bytes));
}

}  // namespace leat::wire
