// SPDX-License-Identifier: Apache-2.0
//
// Integers in big-endian bytes, as Java writes them. Layer: streams SDK, not for users.
// Threading: pure functions.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace leat::streams::detail {

template <std::integral T>
void append_be(std::string& out, T value) {
    char bytes[sizeof(T)];
    auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t i = sizeof(T); i-- > 0;) {
        bytes[i] = static_cast<char>(bits & 0xFFU);
        if constexpr (sizeof(T) > 1) bits = static_cast<decltype(bits)>(bits >> 8U);
    }
    out.append(bytes, sizeof(T));
}

/// Precondition: sizeof(T) bytes stand at `at`.
template <std::integral T>
[[nodiscard]] T read_be(std::string_view bytes, std::size_t at = 0) noexcept {
    std::make_unsigned_t<T> bits = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        if constexpr (sizeof(T) > 1) bits = static_cast<decltype(bits)>(bits << 8U);
        bits = static_cast<decltype(bits)>(bits | static_cast<unsigned char>(bytes[at + i]));
    }
    return static_cast<T>(bits);
}

}  // namespace leat::streams::detail
