// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/serdes.h"

#include <array>
#include <cstdint>
#include <optional>

#include "leat/streams/detail/big_endian.h"

namespace leat::streams {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
/// Characters of a UUID's text, and where dashes stand in it.
constexpr std::size_t kUuidText = 36;
/// With another digit it is no positive long any more.
constexpr std::uint64_t kTooLarge = std::uint64_t{1} << 59U;
constexpr bool is_dash(std::size_t at) {
    return at == 8 || at == 13 || at == 18 || at == 23;
}

/// Of a hexadecimal digit; -1 for another character.
int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// As Java reads a hexadecimal long that is not negative.
std::optional<std::uint64_t> group(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
    std::uint64_t out = 0;
    for (const char c : text) {
        const int value = digit(c);
        if (value < 0 || out >= kTooLarge) return std::nullopt;
        out = (out << 4U) | static_cast<unsigned>(value);
    }
    return out;
}

}  // namespace

std::string uuid_text(const Uuid& id) {
    std::string out;
    out.reserve(kUuidText);
    for (const std::uint8_t byte : id.bytes) {
        if (is_dash(out.size())) out.push_back('-');
        out.push_back(kDigits[byte >> 4U]);
        out.push_back(kDigits[byte & 0xFU]);
    }
    return out;
}

Result<Uuid> parse_uuid_text(std::string_view text) {
    // Bytes of each group. Java takes groups of any length and keeps the last digits of long ones.
    constexpr std::array<std::size_t, 5> kBytes{4, 2, 2, 2, 6};
    Uuid id;
    std::size_t filled = 0;
    bool good = text.size() <= kUuidText;
    for (std::size_t i = 0; good && i < kBytes.size(); ++i) {
        const bool is_last = i + 1 == kBytes.size();
        const std::size_t end = is_last ? text.size() : text.find('-');
        const auto value =
            end == std::string_view::npos ? std::nullopt : group(text.substr(0, end));
        good = value.has_value();
        if (!good) break;
        filled += kBytes[i];
        for (std::size_t n = 0; n < kBytes[i]; ++n)
            id.bytes[filled - 1 - n] = static_cast<std::uint8_t>(*value >> (8 * n));
        text.remove_prefix(is_last ? end : end + 1);
    }
    if (good) return id;
    return Error{Errc::kInvalidRecord, "a UUID is five groups of digits with dashes between them"};
}

namespace detail {

Result<void> BooleanCodec::encode(std::string_view /*topic*/, const bool& value,
                                  std::string& out) const {
    out.push_back(value ? '\1' : '\0');
    return {};
}

Result<bool> BooleanCodec::decode(std::string_view /*topic*/, std::string_view bytes) const {
    if (bytes.size() == 1 && (bytes[0] == '\0' || bytes[0] == '\1')) return bytes[0] == '\1';
    return Error{Errc::kInvalidRecord, "a truth value is one byte of 0 or 1"};
}

Result<void> VoidCodec::encode(std::string_view /*topic*/, const Void& /*value*/,
                               std::string& /*out*/) const {
    return Error{Errc::kInvalidRecord, "what is void has no bytes"};
}

Result<Void> VoidCodec::decode(std::string_view /*topic*/, std::string_view /*bytes*/) const {
    return Error{Errc::kInvalidRecord, "bytes where each record must be null"};
}

Result<void> UuidCodec::encode(std::string_view /*topic*/, const Uuid& value,
                               std::string& out) const {
    out += uuid_text(value);
    return {};
}

Result<Uuid> UuidCodec::decode(std::string_view /*topic*/, std::string_view bytes) const {
    return parse_uuid_text(bytes);
}

std::optional<std::size_t> UuidCodec::fixed_bytes() const {
    return kUuidText;
}

}  // namespace detail

}  // namespace leat::streams
