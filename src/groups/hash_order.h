// SPDX-License-Identifier: Apache-2.0
//
// The order in which Java's HashMap gives its keys back. Layer: groups (L5). Pure.
// Spec:  Kafka's assignors walk hash maps, so which member gets an odd partition depends on it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/uuid.h"

namespace leat::groups {

/// Buckets of a map that is made empty.
inline constexpr std::size_t kHashBuckets = 16;
/// Buckets of a HashSet that is made from a collection of `count`.
[[nodiscard]] std::size_t hash_buckets_for(std::size_t count);

/// Indexes of `hashes` in the order of iteration, when the keys were put into a map of `buckets`
/// (a power of two) one after the other. O(n log n).
[[nodiscard]] std::vector<std::uint32_t> hash_order(std::span<const std::int32_t> hashes,
                                                    std::size_t buckets = kHashBuckets);

/// As Kafka's Uuid.hashCode().
[[nodiscard]] std::int32_t java_hash(const Uuid& id) noexcept;

}  // namespace leat::groups
