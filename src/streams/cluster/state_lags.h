// SPDX-License-Identifier: Apache-2.0
//
// How far state on disk that no task uses is behind: so a process that comes back gets the tasks
// whose state it has. Layer: streams (L6).
// Spec:  the task offset sums of Kafka Streams' subscription; here the member itself looks where
// changelogs end.
// Threading: pure function.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/consumer.h"
#include "streams/cluster/layout.h"
#include "streams/state/task_state.h"
#include "streams/task_id.h"

namespace leat::streams {

/// Ends of partitions, in the same order.
using EndsOf =
    std::function<Result<std::vector<std::int64_t>>(std::span<const client::TopicPartition> where)>;

/// `states`: changelog offsets by store, of tasks by their folders. Tasks that the layout does not
/// know are left out. Errors: those of `ends_of`.
Result<std::map<TaskId, std::int64_t>> lags_of(
    const std::map<std::string, detail::TaskState::Offsets>& states, const Layout& layout,
    const EndsOf& ends_of);

}  // namespace leat::streams
