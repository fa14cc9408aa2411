// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/partitioner.h"

#include <cstddef>

namespace leat::streams {

namespace {

constexpr std::uint32_t kSeed = 0x9747B28C;
constexpr std::uint32_t kMix = 0x5BD1E995;

std::uint32_t byte_at(std::string_view text, std::size_t at) {
    return static_cast<unsigned char>(text[at]);
}

/// Murmur2 of 32 bits, as Kafka's clients compute it.
std::uint32_t murmur2(std::string_view key) {
    std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(key.size());
    std::size_t at = 0;
    for (; at + 4 <= key.size(); at += 4) {
        std::uint32_t part = byte_at(key, at) | byte_at(key, at + 1) << 8U |
                             byte_at(key, at + 2) << 16U | byte_at(key, at + 3) << 24U;
        part *= kMix;
        part ^= part >> 24U;
        hash = (hash * kMix) ^ (part * kMix);
    }
    if (at < key.size()) {
        for (std::size_t i = key.size(); i-- > at;) hash ^= byte_at(key, i) << (8 * (i - at));
        hash *= kMix;
    }
    hash ^= hash >> 13U;
    hash *= kMix;
    return hash ^ (hash >> 15U);
}

}  // namespace

std::int32_t partition_for_key(std::string_view key, std::int32_t partitions) {
    constexpr std::uint32_t kPositive = 0x7FFFFFFF;
    return static_cast<std::int32_t>(murmur2(key) & kPositive) % partitions;
}

}  // namespace leat::streams
