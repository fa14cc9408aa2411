// SPDX-License-Identifier: Apache-2.0
//
// A member of a classic group that brings its own assignment strategy, which librdkafka cannot.
// Layer: client (L3), on wire.
// Spec:  Kafka's JoinGroup, SyncGroup, Heartbeat, LeaveGroup; KIP-62 (timeouts), KIP-345 (static
//        members), KIP-394 (member ids).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "client/client_properties.h"
#include "client/cluster.h"

namespace leat::client {

/// As whom one commits. A generation of -1: as nobody of the group.
struct GroupIdentity {
    std::string group;
    std::int32_t generation = -1;
    std::string member_id;
    std::string instance_id;  ///< Empty: a dynamic member.
};

struct GroupMemberOptions {
    std::string group;
    std::string instance_id;  ///< Empty: a dynamic member.
    std::string protocol;     ///< Name of the strategy.
    std::chrono::milliseconds session_timeout{45'000};
    std::chrono::milliseconds rebalance_timeout{300'000};
};

struct JoinedMember {
    std::string id;
    std::string instance_id;
    std::vector<std::byte> metadata;
};

struct MemberShare {
    std::string member_id;
    std::vector<std::byte> assignment;
};

/// Threading: not synchronised. Calls block.
class GroupMember {
  public:
    /// Errors: those of Cluster::connect(); kInvalidSetting.
    static Result<std::unique_ptr<GroupMember>> connect(const std::vector<Property>& properties,
                                                        GroupMemberOptions options);

    struct Joined {
        bool leads = false;
        std::vector<JoinedMember> members;  ///< Of the leader only.
    };
    /// Waits until every member has come back or its time is over; identity() is new then.
    /// Errors: kFencedInstanceId and what else joining again does not cure; kUnknownMemberId is
    /// cured inside.
    Result<Joined> join(Bytes metadata);
    /// The leader gives all shares, the others none; gives one's own.
    /// Errors: kRebalanceInProgress, kIllegalGeneration, kUnknownMemberId: join again.
    Result<std::vector<std::byte>> sync(const std::vector<MemberShare>& shares);
    /// Errors: kRebalanceInProgress (join again), kIllegalGeneration, kUnknownMemberId,
    /// kFencedInstanceId (everything that was assigned is lost), those of Connection::call().
    Result<void> heartbeat();
    Result<void> leave();
    /// The next join() is as a new member.
    void forget();

    [[nodiscard]] const GroupIdentity& identity() const noexcept { return identity_; }

  private:
    GroupMember(std::unique_ptr<Cluster> cluster, GroupMemberOptions options,
                std::chrono::milliseconds request_timeout);
    Result<Joined> try_join(Bytes metadata);

    std::unique_ptr<Cluster> cluster_;
    GroupMemberOptions options_;
    std::chrono::milliseconds request_timeout_;  ///< Of all but JoinGroup.
    GroupIdentity identity_;
    std::string protocol_;  ///< What the group chose.
};

}  // namespace leat::client
