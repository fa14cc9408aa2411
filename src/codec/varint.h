// SPDX-License-Identifier: Apache-2.0
//
// Variable-length integers, plain and zigzag. Layer: codec (L1).
// Spec:  Kafka protocol guide, "Protocol Primitive Types" (VARINT, VARLONG, UNSIGNED_VARINT).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace leat::codec {

inline constexpr std::size_t kVarintBytesMax = 5;
inline constexpr std::size_t kVarlongBytesMax = 10;

/// Small magnitudes become small numbers: 0, -1, 1, -2 are 0, 1, 2, 3.
[[nodiscard]] constexpr std::uint32_t zigzag(std::int32_t value) noexcept {
    return (static_cast<std::uint32_t>(value) << 1) ^ static_cast<std::uint32_t>(value >> 31);
}
[[nodiscard]] constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
[[nodiscard]] constexpr std::int32_t unzigzag(std::uint32_t value) noexcept {
    return static_cast<std::int32_t>((value >> 1) ^ (0U - (value & 1U)));
}
[[nodiscard]] constexpr std::int64_t unzigzag(std::uint64_t value) noexcept {
    return static_cast<std::int64_t>((value >> 1) ^ (0ULL - (value & 1ULL)));
}

/// Bytes that the value takes: 7 bits each.
template <class Unsigned>
[[nodiscard]] constexpr std::size_t uvarint_bytes(Unsigned value) noexcept {
    static_assert(std::numeric_limits<Unsigned>::is_integer && Unsigned(-1) > 0);
    return (static_cast<std::size_t>(std::bit_width(static_cast<Unsigned>(value | 1))) + 6) / 7;
}
[[nodiscard]] constexpr std::size_t varint_bytes(std::int32_t value) noexcept {
    return uvarint_bytes(zigzag(value));
}
[[nodiscard]] constexpr std::size_t varlong_bytes(std::int64_t value) noexcept {
    return uvarint_bytes(zigzag(value));
}

/// Writes `value` at `out` and gives the byte after it. Precondition: uvarint_bytes() are writable.
template <class Unsigned>
inline std::byte* put_uvarint(std::byte* out, Unsigned value) noexcept {
    while (value >= 0x80) {
        *out++ = static_cast<std::byte>(value | 0x80);
        value = static_cast<Unsigned>(value >> 7);
    }
    *out++ = static_cast<std::byte>(value);
    return out;
}
inline std::byte* put_varint(std::byte* out, std::int32_t value) noexcept {
    return put_uvarint(out, zigzag(value));
}
inline std::byte* put_varlong(std::byte* out, std::int64_t value) noexcept {
    return put_uvarint(out, zigzag(value));
}

/// The same at the end of a buffer.
inline void append_varint(std::vector<std::byte>& out, std::int32_t value) {
    std::byte bytes[kVarintBytesMax];
    out.insert(out.end(), bytes, put_varint(bytes, value));
}
inline void append_varlong(std::vector<std::byte>& out, std::int64_t value) {
    std::byte bytes[kVarlongBytesMax];
    out.insert(out.end(), bytes, put_varlong(bytes, value));
}

/// get_uvarint() for numbers of any length. Out of line, so that the short path stays short.
template <class Unsigned>
[[nodiscard]] [[gnu::noinline]] const std::byte* get_long_uvarint(const std::byte* at,
                                                                  const std::byte* end,
                                                                  Unsigned& value) noexcept {
    constexpr int kBits = std::numeric_limits<Unsigned>::digits;
    Unsigned read = 0;
    for (int shift = 0; shift < kBits && at != end; shift += 7) {
        const auto byte = static_cast<std::uint8_t>(*at++);
        const auto part = static_cast<Unsigned>(byte & 0x7F);
        if (shift + 7 > kBits && (part >> (kBits - shift)) != 0) return nullptr;
        read = static_cast<Unsigned>(read | (part << shift));
        if (byte < 0x80) {
            value = read;
            return at;
        }
    }
    return nullptr;
}

/// Reads from [at, end) into `value` and gives the byte after the number; nullptr when the range
/// ends inside it or when it does not fit the type. Longer spellings than needed are accepted, as
/// Kafka accepts them.
template <class Unsigned>
[[nodiscard]] inline const std::byte* get_uvarint(const std::byte* at, const std::byte* end,
                                                  Unsigned& value) noexcept {
    // One byte or two: nearly all numbers of a record.
    if (end - at >= 2) [[likely]] {
        const auto low = static_cast<Unsigned>(at[0]);
        if (low < 0x80) {
            value = low;
            return at + 1;
        }
        const auto high = static_cast<Unsigned>(at[1]);
        if (high < 0x80) {
            value = static_cast<Unsigned>((low & 0x7F) | high << 7);
            return at + 2;
        }
    }
    return get_long_uvarint(at, end, value);
}
[[nodiscard]] inline const std::byte* get_varint(const std::byte* at, const std::byte* end,
                                                 std::int32_t& value) noexcept {
    std::uint32_t raw = 0;
    at = get_uvarint(at, end, raw);
    value = unzigzag(raw);
    return at;
}
[[nodiscard]] inline const std::byte* get_varlong(const std::byte* at, const std::byte* end,
                                                  std::int64_t& value) noexcept {
    std::uint64_t raw = 0;
    at = get_uvarint(at, end, raw);
    value = unzigzag(raw);
    return at;
}

}  // namespace leat::codec
