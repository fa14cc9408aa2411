// SPDX-License-Identifier: Apache-2.0
//
// Big-endian loads and stores of any integer type, unaligned. Layer: base (L0).
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace leat {

/// Reads sizeof(T) bytes at `in`. Precondition: they are readable.
template <std::integral T>
[[nodiscard]] inline T load_be(const std::byte* in) noexcept {
    T value;
    std::memcpy(&value, in, sizeof value);
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    return value;
}

/// Writes sizeof(T) bytes at `out`. Precondition: they are writable.
template <std::integral T>
inline void store_be(std::byte* out, T value) noexcept {
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    std::memcpy(out, &value, sizeof value);
}

}  // namespace leat
