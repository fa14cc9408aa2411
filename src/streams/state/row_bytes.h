// SPDX-License-Identifier: Apache-2.0
//
// Big-endian numbers in rows and changelog keys. Layer: streams (L6).
// Threading: free functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leat::streams::detail {

template <class T>
void append_be(std::string& out, T value) {
    for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8)
        out.push_back(static_cast<char>((static_cast<std::uint64_t>(value) >> shift) & 0xFFU));
}

/// Precondition: there are sizeof(T) bytes.
template <class T>
T read_be(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char c : bytes.substr(0, sizeof(T)))
        value = (value << 8U) | static_cast<unsigned char>(c);
    return static_cast<T>(value);
}

inline constexpr std::size_t kTimestampBytes = 8;

/// timestamp ‖ value.
inline std::string with_timestamp(std::int64_t timestamp, std::string_view value) {
    std::string out;
    out.reserve(kTimestampBytes + value.size());
    append_be(out, timestamp);
    out.append(value);
    return out;
}

/// The first bytes above all that begin with `prefix`; nothing when there are none.
inline std::optional<std::string> after_prefix(std::string_view prefix) {
    std::string out{prefix};
    while (!out.empty() && static_cast<unsigned char>(out.back()) == 0xFFU) out.pop_back();
    if (out.empty()) return std::nullopt;
    out.back() = static_cast<char>(static_cast<unsigned char>(out.back()) + 1);
    return out;
}

}  // namespace leat::streams::detail
