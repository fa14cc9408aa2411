// SPDX-License-Identifier: Apache-2.0
//
// Starts tasks of a thread again from their last commit: one whose state is damaged, or all of
// them, after what nothing else mends. Layer: streams (L6).
// Spec:  Kafka Streams' TaskCorruptedException.
#pragma once

#include <map>

#include "base/result.h"
#include "streams/cluster/thread_environment.h"
#include "streams/cluster/thread_output.h"
#include "streams/cluster/thread_report.h"
#include "streams/cluster/thread_tasks.h"
#include "streams/state/query_gate.h"
#include "streams/task_id.h"

namespace leat::streams {

/// Closes tasks and has the board give its orders anew, by which they come again.
/// Threading: belongs to the thread, inside its gate; outside of it while it waits for the cluster.
class TaskRestarts {
  public:
    struct Environment {
        const ThreadEnvironment* shared = nullptr;
        int thread = 0;
        detail::QueryGate* gate = nullptr;
        ThreadTasks* tasks = nullptr;
        ThreadOutput* output = nullptr;
        ThreadReport* report = nullptr;
    };
    explicit TaskRestarts(const Environment& environment) : environment_(environment) {}

    /// The task met damage, which a call ended with (or a query met, if that ended well): it
    /// restores all of its state and does again what it did since its last commit. True: what it
    /// did is in one transaction with others' output, and restart_all() is to follow.
    /// Errors: what the call ended with, when that happens again and again; of the cluster.
    Result<bool> restart_damaged(TaskId id, const Result<void>& call);
    /// It was committed: its next damage is the first one again.
    void forget_damage(const TaskId& id) { damages_.erase(id); }
    /// What was processed since the last commit is dropped and done again. Errors: of the cluster.
    Result<void> restart_all();

  private:
    void close(const TaskId& id);

    Environment environment_;
    std::map<TaskId, int> damages_;  ///< Since the task's last commit.
};

}  // namespace leat::streams
