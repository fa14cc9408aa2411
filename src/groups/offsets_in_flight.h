// SPDX-License-Identifier: Apache-2.0
//
// Commits of one group whose records are on their way to the log. Layer: groups (L5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "groups/offset_table.h"

namespace leat::groups {

/// Readers must not see them yet; whoever deletes offsets has to, since a tombstone that follows
/// in the log is all that keeps them from coming into force.
///
/// Threading: not synchronised.
class OffsetsInFlight {
  public:
    struct One {
        std::string topic;
        std::int32_t partition;
        CommittedOffset offset;
    };
    struct Commit {
        std::vector<One> offsets;
        std::int64_t producer_id = -1;  ///< Of no transaction.
    };

    void push(Commit commit);
    /// The oldest: commits end in the order in which they began.
    [[nodiscard]] Commit pop();

    [[nodiscard]] bool contains(std::string_view topic, std::int32_t partition) const;
    /// Adds those of `topic` or (empty) of all topics.
    void collect(std::string_view topic,
                 std::vector<std::pair<std::string, std::int32_t>>& out) const;
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    std::list<Commit> commits_;
    std::size_t size_ = 0;
};

}  // namespace leat::groups
