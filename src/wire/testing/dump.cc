// SPDX-License-Identifier: Apache-2.0
#include "wire/testing/dump.h"

#include <array>
#include <charconv>
#include <cmath>

namespace leat::wire::testing {

void Dump::begin_value() {
    if (!first_ && !named_) text_ += ',';
    first_ = named_ = false;
}

void Dump::name(std::string_view name) {
    if (!first_) text_ += ',';
    text_ += name;
    text_ += ':';
    first_ = false;
    named_ = true;
}

void Dump::null() {
    begin_value(), text_ += "null";
}
void Dump::boolean(bool value) {
    begin_value(), text_ += value ? "true" : "false";
}
void Dump::integer(std::int64_t value) {
    begin_value(), text_ += std::to_string(value);
}

void Dump::value(double value) {
    begin_value();
    // As Java prints whole numbers and halves; any other only has to come out the same twice.
    std::array<char, 512> digits{};
    const bool simple = value == std::floor(value * 2) / 2;
    const auto end =
        simple ? std::to_chars(digits.begin(), digits.end(), value, std::chars_format::fixed, 1)
               : std::to_chars(digits.begin(), digits.end(), value);
    text_.append(digits.data(), end.ptr);
}

void Dump::hex(std::uint8_t byte) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text_ += kDigits[byte >> 4U];
    text_ += kDigits[byte & 15U];
}

void Dump::value(std::string_view value) {
    begin_value();
    text_ += '"';
    text_ += value;
    text_ += '"';
}

void Dump::value(Bytes value) {
    begin_value();
    text_ += '#';
    for (const std::byte b : value) hex(std::to_integer<std::uint8_t>(b));
}

void Dump::value(const Records& records) {
    if (records.is_null()) return null();
    value(records.bytes());
}

void Dump::value(const Uuid& id) {
    begin_value();
    text_ += '@';
    for (const std::uint8_t b : id.bytes) hex(b);
}

}  // namespace leat::wire::testing
