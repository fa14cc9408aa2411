// SPDX-License-Identifier: Apache-2.0
//
// What the leader sees of racks, and what it tells the log of them. Layer: streams (L6).
// Spec:  KIP-925; Kafka Streams' RackAwareTaskAssignor for when racks do not count.
// Threading: pure functions, but for the one that asks the cluster.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/admin.h"
#include "client/consumer.h"
#include "streams/cluster/layout.h"
#include "streams/cluster/task_assignor.h"
#include "streams/racks.h"
#include "streams/settings.h"

namespace leat::streams {

using TaskPartitions = std::map<TaskId, std::vector<client::TopicPartition>>;

/// Changelogs of those of `tasks` that have state; of a table's source the source.
[[nodiscard]] TaskPartitions changelogs_of(const Layout& layout, const TaskPartitions& tasks);

/// Replicas on brokers that are down do not count. Errors: kUnknownTopicOrPartition (a partition is
/// not to be seen yet, or all its brokers are down), kInvalidConfig (a broker that is up and has a
/// replica has no rack).
[[nodiscard]] Result<TaskRacks> racks_in(const client::ClusterInfo& cluster,
                                         const TaskPartitions& inputs,
                                         const TaskPartitions& changelogs);

struct RackView {
    std::optional<TaskRacks> racks{};  ///< Nothing: tasks do not follow racks.
    bool is_early = false;             ///< It may be known later: ask again.
};
/// `members`: who is to get tasks. The log says what is missing.
[[nodiscard]] RackView look_at_racks(client::Admin& admin, const Layout& layout,
                                     const TaskPartitions& inputs,
                                     const std::map<std::string, MemberState>& members,
                                     const Settings& settings);

/// Warns of standbys that share a zone, or whatever tags say, with another copy.
void tell_close_copies(const Plan& plan, const RackOptions& options);

}  // namespace leat::streams
