// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/serdes.h"

#include "leat/streams/detail/big_endian.h"

namespace leat::streams {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
/// Characters of a UUID's text, and where dashes stand in it.
constexpr std::size_t kUuidText = 36;
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
    Uuid id;
    bool good = text.size() == kUuidText;
    std::size_t digits = 0;
    for (std::size_t i = 0; good && i < text.size(); ++i) {
        if (is_dash(i)) {
            good = text[i] == '-';
            continue;
        }
        const int value = digit(text[i]);
        good = value >= 0;
        auto& byte = id.bytes[digits++ / 2];
        byte = static_cast<std::uint8_t>((byte << 4U) | (value & 0xF));
    }
    if (good) return id;
    return Error{Errc::kInvalidRecord, "a UUID is 36 characters of digits and dashes"};
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
