// SPDX-License-Identifier: Apache-2.0
//
// Which process of the group runs which task. Layer: streams (L6). Pure.
// Spec:  what Kafka Streams' HighAvailabilityTaskAssignor promises: tasks stay where they are as
//        far as balance allows, go where their state is, standbys are never with their active task;
//        KIP-429: a task that moves is first given up and only in the next round given away;
//        KIP-708 and KIP-925: what racks and tags change.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "streams/racks.h"
#include "streams/task_id.h"

namespace leat::streams {

/// A process that is a member of the group.
struct MemberState {
    std::int32_t threads = 1;
    std::set<TaskId> active;   ///< That it runs now.
    std::set<TaskId> standby;  ///< Whose state it follows now.
    /// How far its state is behind, of those it has state of; absent: all of the changelog.
    std::map<TaskId, std::int64_t> lags;
    std::map<std::string, std::string> tags{};  ///< client.tag., by key.
    std::string rack{};                         ///< client.rack; empty: it tells none.
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
    RackOptions racks{};
    /// Null: tasks do not follow racks. Given: each member tells its own.
    const TaskRacks* known_racks = nullptr;
};

struct Plan {
    std::map<std::string, TaskShare> shares;  ///< By member.
    bool moves = false;     ///< Tasks were withheld until their owners have given them up.
    bool warms_up = false;  ///< Tasks will move as soon as their state is elsewhere: ask again.
    /// By task: standbys for which no member with other tags was left; they went by load.
    std::map<TaskId, std::int32_t> close_copies{};
};

/// `tasks`: all there are, and whether they have state. Deterministic.
[[nodiscard]] Plan assign_tasks(const std::map<TaskId, bool>& tasks,
                                const std::map<std::string, MemberState>& members,
                                const AssignorOptions& options);

}  // namespace leat::streams
