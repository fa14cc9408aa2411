// SPDX-License-Identifier: Apache-2.0
#include "client/murmur2.h"

#include <cstddef>

namespace leat::client {

std::uint32_t murmur2(std::string_view bytes) {
    constexpr std::uint32_t kSeed = 0x9747'B28C;
    constexpr std::uint32_t kMix = 0x5BD1'E995;
    constexpr std::uint32_t kShift = 24;
    const auto at = [&](std::size_t i) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
    };
    const std::size_t whole = bytes.size() / 4 * 4;
    std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(bytes.size());
    for (std::size_t i = 0; i < whole; i += 4) {
        std::uint32_t part = at(i) | (at(i + 1) << 8U) | (at(i + 2) << 16U) | (at(i + 3) << 24U);
        part *= kMix;
        part ^= part >> kShift;
        hash = (hash * kMix) ^ (part * kMix);
    }
    for (std::size_t i = bytes.size(); i-- > whole;) hash ^= at(i) << (8U * (i - whole));
    if (whole != bytes.size()) hash *= kMix;
    hash ^= hash >> 13U;
    hash *= kMix;
    return hash ^ (hash >> 15U);
}

}  // namespace leat::client
