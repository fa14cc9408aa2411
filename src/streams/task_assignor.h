// SPDX-License-Identifier: Apache-2.0
//
// Which process of the group runs which task. Layer: streams (L6). Pure.
// Spec:  what Kafka Streams' HighAvailabilityTaskAssignor promises: tasks stay where they are as
//        far as balance allows, go where their state is, standbys are never with their active task;
//        and KIP-429: a task that moves is first given up and only in the next round given away.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "streams/task_id.h"

namespace leat::streams {

/// A process that is a member of the group.
struct MemberState {
    std::int32_t threads = 1;
    std::set<TaskId> active;   ///< That it runs now.
    std::set<TaskId> standby;  ///< Whose state it follows now.
    /// How far its state is behind, of those it has state of; absent: all of the changelog.
    std::map<TaskId, std::int64_t> lags;
};

struct TaskShare {
    std::set<TaskId> active;
    std::set<TaskId> standby;
    friend bool operator==(const TaskShare&, const TaskShare&) = default;
};

struct AssignorOptions {
    std::int32_t standbys = 0;
    std::int32_t warmups_max = 2;
    std::int64_t acceptable_lag = 10'000;
};

struct Plan {
    std::map<std::string, TaskShare> shares;  ///< By member.
    bool moves = false;     ///< Tasks were withheld until their owners have given them up.
    bool warms_up = false;  ///< Tasks will move as soon as their state is elsewhere: ask again.
};

/// `tasks`: all there are, and whether they have state. Deterministic.
[[nodiscard]] Plan assign_tasks(const std::map<TaskId, bool>& tasks,
                                const std::map<std::string, MemberState>& members,
                                const AssignorOptions& options);

}  // namespace leat::streams
