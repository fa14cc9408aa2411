// SPDX-License-Identifier: Apache-2.0
//
// What the producer is given along with output, and gives back when that was delivered or refused:
// who sent it. Layer: streams (L6).
// Threading: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "streams/cluster/changelog_reader.h"
#include "streams/task_id.h"

namespace leat::streams {

// One of three by its two lowest bits, which are 0 in the address of a changelog's mark. All bits
// are 0 in a dead letter about output that was refused.
inline constexpr std::uint64_t kSourceTag = 1;  ///< Its source is kept, for a handler.
inline constexpr std::uint64_t kTaskTag = 2;

[[nodiscard]] inline std::uint64_t tag_of(const TaskId& id) {
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(id.subtopology)) << 34U) |
           (static_cast<std::uint64_t>(static_cast<std::uint32_t>(id.partition)) << 2U) | kTaskTag;
}
[[nodiscard]] inline std::optional<TaskId> task_of(std::uint64_t tag) {
    if ((tag & 3U) != kTaskTag) return std::nullopt;
    return TaskId{static_cast<std::int32_t>(tag >> 34U),
                  static_cast<std::int32_t>(static_cast<std::uint32_t>(tag >> 2U))};
}

[[nodiscard]] inline std::uint64_t tag_of(const ChangelogMark* mark) {
    static_assert(alignof(ChangelogMark) >= 4);
    return reinterpret_cast<std::uint64_t>(mark);
}
/// Null: it is no change of a store.
[[nodiscard]] inline ChangelogMark* mark_of(std::uint64_t tag) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a tag is a number; this one is the mark's address.
    return (tag & 3U) == 0 ? reinterpret_cast<ChangelogMark*>(tag) : nullptr;
}

/// "orders-3"; the topic alone where no partition was chosen yet.
[[nodiscard]] inline std::string place_of(std::string_view topic, std::int32_t partition) {
    return std::string{topic} + (partition < 0 ? "" : "-" + std::to_string(partition));
}

}  // namespace leat::streams
