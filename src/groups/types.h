// SPDX-License-Identifier: Apache-2.0
//
// What goes into a Coordinator and what comes out of it. Layer: groups (L5).
// Memory: commands are views that need only live through the call; answers own what they hold.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/errc.h"
#include "base/units.h"
#include "base/uuid.h"
#include "coordination/types.h"

namespace leat::groups {

/// The protocol type of consumers, by either protocol.
inline constexpr std::string_view kConsumerProtocol = "consumer";

using coordination::Now;
using coordination::Producer;
using coordination::RecordToWrite;
using coordination::Write;

struct Protocol {
    std::string_view name = {};
    Bytes metadata = {};
};

struct Join {
    std::string_view group_id = {};
    std::string_view member_id = {};  ///< Empty: a new member.
    std::optional<std::string_view> instance_id = {};
    std::string_view client_id = {};
    std::string_view client_host = {};
    std::string_view protocol_type = {};
    std::span<const Protocol> protocols = {};  ///< Best first.
    std::int32_t session_timeout_ms = 0;
    std::int32_t rebalance_timeout_ms = -1;  ///< Below 0: the session timeout.
    bool member_id_required = false;         ///< The version knows MEMBER_ID_REQUIRED (v4).
    bool can_skip_assignment = false;        ///< The version knows skip_assignment (v9).
};

struct JoinedMember {
    std::string member_id = {};
    std::optional<std::string> instance_id = {};
    std::vector<std::byte> metadata = {};
};

struct JoinAnswer {
    Errc error = Errc::kNone;
    std::int32_t generation = -1;
    std::optional<std::string> protocol_type = {};
    std::optional<std::string> protocol = {};
    std::string leader = {};
    std::string member_id = {};
    bool skip_assignment = false;
    std::vector<JoinedMember> members = {};  ///< For the leader only.
};

struct Assignment {
    std::string_view member_id = {};
    Bytes assignment = {};
};

struct Sync {
    std::string_view group_id = {};
    std::string_view member_id = {};
    std::optional<std::string_view> instance_id = {};
    std::int32_t generation = -1;
    std::optional<std::string_view> protocol_type = {};
    std::optional<std::string_view> protocol = {};
    std::span<const Assignment> assignments = {};  ///< From the leader.
};

struct SyncAnswer {
    Errc error = Errc::kNone;
    std::optional<std::string> protocol_type = {};
    std::optional<std::string> protocol = {};
    std::vector<std::byte> assignment = {};
};

struct Heartbeat {
    std::string_view group_id = {};
    std::string_view member_id = {};
    std::optional<std::string_view> instance_id = {};
    std::int32_t generation = -1;
};

struct LeavingMember {
    std::string_view member_id = {};  ///< Empty: whoever holds the instance id.
    std::optional<std::string_view> instance_id = {};
};

struct Leave {
    std::string_view group_id = {};
    std::span<const LeavingMember> members = {};
};

struct LeaveAnswer {
    Errc error = Errc::kNone;
    std::vector<Errc> members = {};  ///< As many as were asked for, unless `error` is set.
};

struct OffsetToCommit {
    std::string_view topic = {};
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::int32_t leader_epoch = -1;
    std::string_view metadata = {};
    Uuid topic_id = {};
};

struct CommitOffsets {
    std::string_view group_id = {};
    std::string_view member_id = {};
    std::optional<std::string_view> instance_id = {};
    std::int32_t generation = -1;
    std::int64_t retention_ms = -1;  ///< -1: the broker's.
    std::span<const OffsetToCommit> offsets = {};
    bool knows_member_epoch = true;  ///< The version is of the consumer protocol's time (v9).
    /// Set: they hold once the producer's transaction is committed, and not before.
    std::optional<Producer> transaction = {};
};

struct CommitAnswer {
    Errc error = Errc::kNone;           ///< For the whole request; then `partitions` is empty.
    std::vector<Errc> partitions = {};  ///< In the order of the request.
};

struct TopicPartition {
    std::string_view topic = {};
    std::int32_t partition = 0;
};

struct FetchedOffset {
    Errc error = Errc::kNone;  ///< kUnstableOffsetCommit.
    std::int64_t offset = -1;  ///< -1: none was committed.
    std::int32_t leader_epoch = -1;
    std::string metadata = {};
    Uuid topic_id = {};
};

struct FetchedPartition {
    std::string topic = {};
    std::int32_t partition = 0;
    FetchedOffset committed = {};
};

struct DeleteOffsetsAnswer {
    Errc error = Errc::kNone;
    std::vector<Errc> partitions = {};
};

struct DescribedMember {
    std::string member_id = {};
    std::optional<std::string> instance_id = {};
    std::string client_id = {};
    std::string client_host = {};
    std::vector<std::byte> metadata = {};
    std::vector<std::byte> assignment = {};
};

struct DescribedGroup {
    Errc error = Errc::kNone;  ///< kGroupIdNotFound: the state is "Dead" and the rest empty.
    std::string message = {};
    std::string_view state = {};
    std::string protocol_type = {};
    std::string protocol = {};  ///< Of a stable group.
    std::vector<DescribedMember> members = {};
};

struct ListedGroup {
    std::string group_id = {};
    std::string protocol_type = {};
    std::string_view state = {};
    std::string_view type = "classic";
};

template <class T>
using Answer = std::move_only_function<void(T)>;

}  // namespace leat::groups
