// SPDX-License-Identifier: Apache-2.0
//
// Offsets of one group that belong to transactions which have not ended. Layer: groups (L5).
// Spec:  KIP-98, KIP-447: a reader must not see them before the transaction is committed.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "groups/offset_table.h"

namespace leat::groups {

/// Threading: not synchronised.
class PendingOffsets {
  public:
    explicit PendingOffsets(GroupMemory& memory) : memory_(memory) {}

    void put(std::int64_t producer_id, std::string_view topic, std::int32_t partition,
             CommittedOffset offset);
    /// What the producer's transaction has put, which is no longer pending then.
    [[nodiscard]] OffsetTable take(std::int64_t producer_id);
    /// Of all producers: the partition's offset was deleted.
    void erase(std::string_view topic, std::int32_t partition);

    /// What the producer's transaction has put; null: nothing.
    [[nodiscard]] const CommittedOffset* find(std::int64_t producer_id, std::string_view topic,
                                              std::int32_t partition) const;
    /// Whether any producer's has put something.
    [[nodiscard]] bool contains(std::string_view topic, std::int32_t partition) const;
    /// Adds those of all producers, of `topic` or (empty) of all topics.
    void collect(std::string_view topic,
                 std::vector<std::pair<std::string, std::int32_t>>& out) const;
    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] bool is_empty() const noexcept { return producers_.empty(); }

  private:
    GroupMemory& memory_;
    std::map<std::int64_t, OffsetTable> producers_;  ///< None of them empty.
};

}  // namespace leat::groups
