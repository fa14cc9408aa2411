// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

namespace leat {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kTextChars = 22;

}  // namespace

std::string Uuid::text() const {
    std::string out;
    out.reserve(kTextChars);
    std::uint32_t bits = 0;
    int have = 0;
    for (const std::uint8_t byte : bytes) {
        bits = (bits << 8U) | byte;
        for (have += 8; have >= 6; have -= 6)
            out += kAlphabet[(bits >> static_cast<unsigned>(have - 6)) & 63U];
    }
    out += kAlphabet[(bits << static_cast<unsigned>(6 - have)) & 63U];
    return out;
}

Result<Uuid> Uuid::parse(std::string_view text) {
    if (text.size() != kTextChars) return Error{Errc::kMalformed, "a uuid has 22 characters"};
    Uuid id;
    std::uint32_t bits = 0;
    int have = 0;
    std::size_t at = 0;
    for (const char c : text) {
        const std::size_t digit = kAlphabet.find(c);
        if (digit == std::string_view::npos) return Error{Errc::kMalformed, "not base64url"};
        bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
        have += 6;
        if (have < 8 || at == id.bytes.size()) continue;
        have -= 8;
        id.bytes[at++] = static_cast<std::uint8_t>(bits >> static_cast<unsigned>(have));
    }
    return id;
}

Uuid Uuid::from_random(std::uint64_t high, std::uint64_t low) noexcept {
    Uuid id;
    for (unsigned i = 0; i < 8; ++i) {
        id.bytes[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
        id.bytes[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
    }
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0FU) | 0x40U);
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3FU) | 0x80U);
    return id;
}

bool Uuid::is_usable() const noexcept {
    // A version-4 id is never Kafka's zero or one; 62 in the top six bits prints as '-'.
    return (bytes[0] >> 2U) != 62U;
}

}  // namespace leat
