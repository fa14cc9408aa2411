// SPDX-License-Identifier: Apache-2.0
#include "groups/hash_order.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace leat::groups {

std::size_t hash_buckets_for(std::size_t count) {
    const std::size_t wanted = static_cast<std::size_t>(static_cast<float>(count) / 0.75F) + 1;
    return std::bit_ceil(std::max(wanted, kHashBuckets));
}

std::vector<std::uint32_t> hash_order(std::span<const std::int32_t> hashes, std::size_t buckets) {
    while (hashes.size() * 4 > buckets * 3) buckets *= 2;
    const auto bucket_of = [&](std::uint32_t index) {
        const auto hash = static_cast<std::uint32_t>(hashes[index]);
        return (hash ^ (hash >> 16U)) & static_cast<std::uint32_t>(buckets - 1);
    };
    std::vector<std::uint32_t> out(hashes.size());
    std::iota(out.begin(), out.end(), 0U);
    // Keys of one bucket keep the order in which they came, also when the map grows.
    std::ranges::sort(
        out, {}, [&bucket_of](std::uint32_t index) { return std::pair{bucket_of(index), index}; });
    return out;
}

std::int32_t java_hash(const Uuid& id) noexcept {
    std::uint32_t hash = 0;
    for (std::size_t at = 0; at < id.bytes.size(); at += 4) {
        std::uint32_t word = 0;
        for (std::size_t i = 0; i < 4; ++i) word = word << 8U | id.bytes[at + i];
        hash ^= word;
    }
    return static_cast<std::int32_t>(hash);
}

}  // namespace leat::groups
