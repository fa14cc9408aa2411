// SPDX-License-Identifier: Apache-2.0
//
// Racks: what is set about them, and where the partitions are that tasks read.
// Layer: streams (L6). Pure.
// Spec:  KIP-708 (tags keep copies of a state apart), KIP-925 (tasks read from their own rack).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "streams/task_id.h"

namespace leat::streams {

enum class RackStrategy : std::uint8_t {
    kNone,
    kMinTraffic,          ///< As few partitions as can be are read from another rack.
    kBalanceSubtopology,  ///< The same, and each sub-topology is spread over the members.
};

/// Threading: a plain value.
struct RackOptions {
    std::vector<std::string> tags{};  ///< Keys by which copies of a state are kept apart.
    RackStrategy strategy = RackStrategy::kNone;
    std::int64_t traffic_cost = 10;     ///< Of a partition that is read from another rack.
    std::int64_t non_overlap_cost = 1;  ///< Of a task that moves.
};

/// Threading: a plain value.
struct TaskRacks {
    /// Of each partition the racks that have a replica.
    using Partitions = std::vector<std::set<std::string>>;
    std::map<TaskId, Partitions> inputs;
    std::map<TaskId, Partitions> changelogs;  ///< Of tasks with state, if there are standbys.
};

}  // namespace leat::streams
