// SPDX-License-Identifier: Apache-2.0
#include "client/key_partitioner.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "client/murmur2.h"
#include "codec/crc32.h"

namespace leat::client {
namespace {

using Named = std::pair<std::string_view, KeyPartitioner>;
constexpr auto kNames = std::to_array<Named>({
    {"consistent", KeyPartitioner::kConsistent},
    {"consistent_random", KeyPartitioner::kConsistentRandom},
    {"murmur2", KeyPartitioner::kMurmur2},
    {"murmur2_random", KeyPartitioner::kMurmur2Random},
    {"fnv1a", KeyPartitioner::kFnv1a},
    {"fnv1a_random", KeyPartitioner::kFnv1aRandom},
    {"random", KeyPartitioner::kRandom},
});

/// Of its value as a signed number the absolute one, as Sarama takes it.
std::uint32_t fnv1a(std::string_view key) {
    std::uint32_t hash = 0x811C'9DC5U;
    for (const char byte : key) {
        hash ^= static_cast<unsigned char>(byte);
        hash *= 0x0100'0193U;
    }
    return (hash & 0x8000'0000U) == 0 ? hash : 0U - hash;
}

bool leaves_it_open(KeyPartitioner way, const std::optional<std::string_view>& key) {
    switch (way) {
        case KeyPartitioner::kRandom:
            return true;
        case KeyPartitioner::kConsistentRandom:
            return !key || key->empty();
        case KeyPartitioner::kMurmur2Random:
        case KeyPartitioner::kFnv1aRandom:
            return !key;
        case KeyPartitioner::kConsistent:
        case KeyPartitioner::kMurmur2:
        case KeyPartitioner::kFnv1a:
            return false;
    }
    return true;
}

}  // namespace

std::optional<KeyPartitioner> key_partitioner_of(std::string_view name) {
    const auto found = std::ranges::find(kNames, name, &Named::first);
    if (found == kNames.end()) return std::nullopt;
    return found->second;
}

std::optional<std::int32_t> partition_for(KeyPartitioner way,
                                          const std::optional<std::string_view>& key,
                                          std::int32_t partitions) {
    if (leaves_it_open(way, key)) return std::nullopt;
    const std::string_view text = key.value_or("");
    if (way == KeyPartitioner::kMurmur2 || way == KeyPartitioner::kMurmur2Random)
        return partition_of(text, partitions);
    const bool is_fnv = way == KeyPartitioner::kFnv1a || way == KeyPartitioner::kFnv1aRandom;
    const std::uint32_t hash =
        is_fnv ? fnv1a(text) : codec::crc32(std::as_bytes(std::span{text.data(), text.size()}));
    return static_cast<std::int32_t>(hash % static_cast<std::uint32_t>(partitions));
}

}  // namespace leat::client
