// SPDX-License-Identifier: Apache-2.0
#include "groups/partition_of_group.h"

#include "base/check.h"

namespace leat::groups {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

struct CodePoint {
    std::uint32_t value;
    std::size_t bytes;
};

/// Length of the sequence that `lead` starts, 0 when it starts none.
std::size_t sequence_length(std::uint8_t lead) noexcept {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

/// Whether `next` may follow `lead` directly: refuses overlong forms and what is above U+10FFFF.
bool may_follow(std::uint8_t lead, std::uint8_t next) noexcept {
    if (lead == 0xE0) return next >= 0xA0 && next <= 0xBF;
    if (lead == 0xF0) return next >= 0x90 && next <= 0xBF;
    if (lead == 0xF4) return next >= 0x80 && next <= 0x8F;
    return next >= 0x80 && next <= 0xBF;
}

/// The code point at the start of `text`; of a malformed sequence, the replacement and as many
/// bytes as were well-formed so far.
CodePoint decode(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::size_t length = sequence_length(byte(0));
    if (length == 0) return {kReplacement, 1};
    if (length == 1) return {byte(0), 1};
    std::uint32_t value = byte(0) & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if (i >= text.size()) return {kReplacement, i};
        const bool fits =
            i == 1 ? may_follow(byte(0), byte(1)) : byte(i) >= 0x80 && byte(i) <= 0xBF;
        if (!fits) return {kReplacement, i};
        value = value << 6U | (byte(i) & 0x3FU);
    }
    // Java takes an encoded surrogate for one malformed sequence.
    if (value >= 0xD800 && value <= 0xDFFF) return {kReplacement, length};
    return {value, length};
}

}  // namespace

std::int32_t java_string_hash(std::string_view utf8) noexcept {
    std::uint32_t hash = 0;
    while (!utf8.empty()) {
        const CodePoint point = decode(utf8);
        utf8.remove_prefix(point.bytes);
        if (point.value < 0x10000) {
            hash = hash * 31 + point.value;
            continue;
        }
        const std::uint32_t above = point.value - 0x10000;
        hash = hash * 31 + (0xD800 + (above >> 10U));
        hash = hash * 31 + (0xDC00 + (above & 0x3FFU));
    }
    return static_cast<std::int32_t>(hash);
}

std::int32_t partition_of_group(std::string_view group_id, std::int32_t count) noexcept {
    LEAT_CHECK(count > 0);
    return (java_string_hash(group_id) & INT32_MAX) % count;
}

}  // namespace leat::groups
