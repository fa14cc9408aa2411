// SPDX-License-Identifier: Apache-2.0
//
// The committed offsets of one group. Layer: groups (L5).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/units.h"
#include "base/uuid.h"
#include "groups/group_memory.h"
#include "groups/offset_records.h"

namespace leat::groups {

struct CommittedOffset {
    std::int64_t offset = 0;
    std::int32_t leader_epoch = -1;
    std::string metadata;
    WallMs committed_at{-1};
    WallMs expires_at{-1};
    Uuid topic_id;
    /// Place of its record among those of the log that the coordinator has taken: of two commits
    /// the later one holds, also when the earlier one waits for the end of its transaction.
    std::uint64_t order = 0;

    [[nodiscard]] static CommittedOffset from(const OffsetValue& value);
    /// A view of this.
    [[nodiscard]] OffsetValue value() const;
    /// `idle_since` is when the time of retention began.
    [[nodiscard]] bool is_expired(WallMs now, WallMs idle_since,
                                  std::chrono::milliseconds retention) const;
};

/// Threading: not synchronised.
class OffsetTable {
  public:
    using Partitions = std::map<std::int32_t, CommittedOffset>;
    using Topics = std::map<std::string, Partitions, std::less<>>;

    explicit OffsetTable(GroupMemory& memory) : held_(memory) {}

    void put(std::string_view topic, std::int32_t partition, CommittedOffset offset);
    void erase(std::string_view topic, std::int32_t partition);
    [[nodiscard]] const CommittedOffset* find(std::string_view topic, std::int32_t partition) const;
    [[nodiscard]] const Topics& topics() const noexcept { return topics_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool is_empty() const noexcept { return size_ == 0; }

  private:
    Topics topics_;
    std::size_t size_ = 0;
    HeldBytes held_;
};

}  // namespace leat::groups
