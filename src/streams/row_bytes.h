// SPDX-License-Identifier: Apache-2.0
//
// Numbers inside the keys and values of stores: big-endian, as Java's ByteBuffer puts them.
// Layer: streams (L6).
// Threading: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leat::streams::detail {

inline void append_number(std::string& out, std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i)
        out.push_back(static_cast<char>((value >> (8 * i)) & 0xFFU));
}
inline void append_i64(std::string& out, std::int64_t value) {
    append_number(out, static_cast<std::uint64_t>(value), 8);
}
inline void append_i32(std::string& out, std::int32_t value) {
    append_number(out, static_cast<std::uint32_t>(value), 4);
}
/// Precondition: `bytes` has at least 8.
inline std::int64_t read_i64(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char c : bytes.substr(0, 8)) value = (value << 8U) | static_cast<unsigned char>(c);
    return static_cast<std::int64_t>(value);
}
/// Precondition: `bytes` has at least 4.
inline std::int32_t read_i32(std::string_view bytes) {
    std::uint32_t value = 0;
    for (const char c : bytes.substr(0, 4)) value = (value << 8U) | static_cast<unsigned char>(c);
    return static_cast<std::int32_t>(value);
}

/// The length of a segment of a store that keeps windows for `retention_ms`: as Kafka Streams cuts.
[[nodiscard]] constexpr std::int64_t segment_length(std::int64_t retention_ms) {
    constexpr std::int64_t kShortest = 60'000;
    return retention_ms / 2 > kShortest ? retention_ms / 2 : kShortest;
}

}  // namespace leat::streams::detail
