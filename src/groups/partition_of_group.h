// SPDX-License-Identifier: Apache-2.0
//
// Which partition of __consumer_offsets holds a group. Layer: groups (L5).
// Spec:  Java's String.hashCode over UTF-16, its sign bit cleared as Kafka clears it, modulo count.
#pragma once

#include <cstdint>
#include <string_view>

namespace leat::groups {

/// Java's hash of the text. `utf8` may be malformed: what is not UTF-8 counts as U+FFFD, as Java's
/// decoder reads it.
[[nodiscard]] std::int32_t java_string_hash(std::string_view utf8) noexcept;

/// 0 .. count - 1. Precondition: count > 0.
[[nodiscard]] std::int32_t partition_of_group(std::string_view group_id,
                                              std::int32_t count) noexcept;

}  // namespace leat::groups
