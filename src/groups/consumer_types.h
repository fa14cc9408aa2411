// SPDX-License-Identifier: Apache-2.0
//
// What members of the consumer protocol ask a Coordinator, and what they are told.
// Layer: groups (L5).
// Spec:  KIP-848: ConsumerGroupHeartbeat, ConsumerGroupDescribe.
// Memory: requests are views that need only live through the call; answers own what they hold.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/errc.h"
#include "base/uuid.h"

namespace leat::groups {

/// What a member says it owns of one topic.
struct OwnedTopic {
    Uuid topic_id = {};
    std::span<const std::int32_t> partitions = {};
};

/// Where a JoinGroup would hear kCoordinatorNotAvailable because all groups hold as much as they
/// may. At that one Kafka's clients of this protocol start their back-off anew, look for the
/// coordinator and ask at once; at this one they keep it and back off.
inline constexpr Errc kNodeIsFull = Errc::kCoordinatorLoadInProgress;

struct ConsumerHeartbeat {
    std::string_view group_id = {};
    std::string_view member_id = {};
    std::int32_t member_epoch = 0;  ///< 0 joins, -1 leaves, -2 leaves for a while.
    std::optional<std::string_view> instance_id = {};
    std::optional<std::string_view> rack_id = {};
    std::int32_t rebalance_timeout_ms = -1;
    // Not set: as before.
    std::optional<std::span<const std::string_view>> topics = {};
    std::optional<std::string_view> regex = {};
    std::optional<std::string_view> assignor = {};
    std::optional<std::span<const OwnedTopic>> owned = {};
    std::string_view client_id = {};
    std::string_view client_host = {};
    bool makes_own_id = false;  ///< The version has members choose their ids (v1).
    /// Which topics regular expressions may stand for depends on who asks: the answer says when
    /// Coordinator::resolve_patterns() is to be called.
    bool has_rights = false;
};

struct ConsumerHeartbeatAnswer {
    Errc error = Errc::kNone;
    std::string message = {};  ///< Of an error.
    std::string member_id = {};
    std::int32_t member_epoch = 0;
    std::int32_t heartbeat_interval_ms = 0;
    /// Not set: as told before.
    std::optional<std::vector<std::pair<Uuid, std::vector<std::int32_t>>>> assignment = {};
    bool wants_patterns = false;  ///< See ConsumerHeartbeat::has_rights.
};

struct DescribedPartitions {
    Uuid topic_id = {};
    std::string topic = {};
    std::vector<std::int32_t> partitions = {};
};

struct DescribedConsumer {
    std::string member_id = {};
    std::optional<std::string> instance_id = {};
    std::optional<std::string> rack_id = {};
    std::int32_t member_epoch = 0;
    std::string client_id = {};
    std::string client_host = {};
    std::vector<std::string> topics = {};
    std::string regex = {};
    bool is_classic = false;
    std::vector<DescribedPartitions> assigned = {};
    std::vector<DescribedPartitions> target = {};
};

struct DescribedConsumerGroup {
    Errc error = Errc::kNone;
    std::string message = {};
    std::string_view state = {};
    std::int32_t epoch = 0;
    std::int32_t assignment_epoch = 0;
    std::string_view assignor = {};
    std::vector<DescribedConsumer> members = {};
};

}  // namespace leat::groups
