// SPDX-License-Identifier: Apache-2.0
//
// Offsets of a group with their metadata text, committed as a given member. Layer: client (L3), on
// wire.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/client_properties.h"
#include "client/cluster.h"
#include "client/consumer.h"
#include "client/group_member.h"

namespace leat::client {

struct CommittedOffset {
    TopicPartition where;
    std::int64_t offset = -1;  ///< The next one to read; -1: none was committed.
    std::string metadata{};
};

/// Threading: not synchronised. Calls block.
class GroupOffsets {
  public:
    /// `retries_max`: how often a question is asked again before its error is told; not given: for
    /// about 10 seconds.
    static Result<std::unique_ptr<GroupOffsets>> connect(const std::vector<Property>& properties,
                                                         std::optional<int> retries_max = {});

    /// All or the first error. Errors: kRebalanceInProgress (again later), kIllegalGeneration,
    /// kUnknownMemberId, kFencedInstanceId (no longer entitled), what else the coordinator says.
    Result<void> commit(const GroupIdentity& as, std::span<const CommittedOffset> offsets);
    /// In the order of `where`. Waits while a transaction that holds such offsets is open.
    /// Errors: kUnstableOffsetCommit when that lasts, what else the coordinator says.
    Result<std::vector<CommittedOffset>> committed(std::string_view group,
                                                   std::span<const TopicPartition> where);

  private:
    explicit GroupOffsets(std::unique_ptr<Cluster> cluster) : cluster_(std::move(cluster)) {}
    std::unique_ptr<Cluster> cluster_;
};

}  // namespace leat::client
