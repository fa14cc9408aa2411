// SPDX-License-Identifier: Apache-2.0
//
// What an operator sets about groups and offsets, and the faults that tests put in.
// Layer: groups (L5).
// Spec:  Kafka's broker settings of the same names; those without a name there are ours.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "groups/assignor.h"

namespace leat::groups {

/// Deliberate bugs, each of which the simulation must notice. All off in production.
struct Faults {
    bool answer_before_durable = false;        ///< Commits and syncs are answered at once.
    bool skip_generation_check = false;        ///< Commits of any generation are taken.
    bool keep_session_timer = false;           ///< A heartbeat does not move the session timer.
    bool ignore_tombstones = false;            ///< Replay keeps what was deleted.
    bool show_pending_commits = false;         ///< Commits are visible before they are durable.
    bool keep_generation = false;              ///< A rebalance does not raise the generation.
    bool replay_forgets_members = false;       ///< A restart loses the members of stable groups.
    bool offsets_outside_transaction = false;  ///< Offsets of a transaction hold at once.

    // Of the consumer protocol.
    bool assign_before_revoke = false;  ///< A partition goes to its next owner while it has one.
    bool skip_epoch_check = false;      ///< Members of any epoch are taken for current.
    bool keep_group_epoch = false;      ///< What changes a group does not raise its epoch.
    bool keep_stale_owner = false;      ///< A member that is silent stays.
    bool forget_current = false;        ///< A restart loses what members own.
};

/// Which way a group may change its protocol while it has members
/// (group.consumer.migration.policy).
enum class MigrationPolicy : std::uint8_t { kDisabled, kUpgrade, kDowngrade, kBidirectional };

struct Settings {
    std::chrono::milliseconds session_timeout_min{6'000};      // group.min.session.timeout.ms
    std::chrono::milliseconds session_timeout_max{1'800'000};  // group.max.session.timeout.ms
    std::chrono::milliseconds initial_rebalance_delay{3'000};  // group.initial.rebalance.delay.ms
    std::size_t members_max = INT32_MAX;                       // group.max.size
    std::size_t offset_metadata_bytes_max = 4'096;             // offset.metadata.max.bytes
    std::chrono::milliseconds offsets_retention{604'800'000};  // offsets.retention.minutes
    std::chrono::milliseconds retention_check_interval{
        600'000};  // offsets.retention.check.interval.ms

    std::chrono::milliseconds consumer_session_timeout{
        45'000};  // group.consumer.session.timeout.ms
    std::chrono::milliseconds consumer_heartbeat_interval{5'000};
    std::size_t consumer_members_max = INT32_MAX;  // group.consumer.max.size
    std::chrono::milliseconds consumer_assignment_interval{1'000};
    std::chrono::milliseconds regex_refresh_interval{600'000};
    std::size_t patterns_at_once_max = 100;                       ///< Compiled in one call.
    MigrationPolicy migration = MigrationPolicy::kBidirectional;  // group.consumer.migration.policy
    /// Names of server-side assignors, the default first (group.consumer.assignors).
    std::vector<AssignorKind> consumer_assignors{AssignorKind::kUniform, AssignorKind::kRange};
    /// How soon a member of the consumer protocol comes back while its group is not settled, at
    /// least; more for large groups, and never later than its interval. Kafka lets it wait for
    /// that.
    std::chrono::milliseconds unsettled_heartbeat_interval{100};

    /// How long a member that has not yet had its first answer may wait in a rebalance; Kafka's own
    /// constant, since such a member cannot send heartbeats.
    std::chrono::milliseconds new_member_join_timeout{300'000};

    std::size_t groups_max = 100'000;  ///< leat.groups.max: in one partition of __consumer_offsets.
    /// leat.group.pending.members.max: ids given out in a group, not yet joined with.
    std::size_t pending_members_max = 1'000;
    std::size_t protocols_max = 64;  ///< leat.group.member.protocols.max
    /// leat.group.member.max.bytes: what a member says of itself, and its assignment.
    std::size_t member_bytes_max = 1'048'576;
    std::size_t group_bytes_max = 67'108'864;  ///< leat.group.max.bytes: the same of all members.
    std::size_t offsets_max = 1'000'000;       ///< leat.group.offsets.max
    /// leat.groups.max.bytes: what all groups of the node hold, as GroupMemory counts it.
    std::size_t all_groups_bytes_max = 1'073'741'824;

    Faults faults;
};

}  // namespace leat::groups
