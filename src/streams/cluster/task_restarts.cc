// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/task_restarts.h"

#include <string>
#include <vector>

#include "obs/log.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
/// How often in a row a task may meet damage without a commit in between.
constexpr int kDamagesMax = 3;

}  // namespace

Result<bool> TaskRestarts::restart_damaged(TaskId id, const Result<void>& call) {
    const std::string why{call ? "met by a query" : call.error().detail()};
    const LiveTask& task = environment_.tasks->at(id);
    const bool is_own = !task.has_lost_globals();
    if (is_own && ++damages_[id] > kDamagesMax)
        return Error{call ? Errc::kMalformed : call.error().code(), why};
    kLog.error(is_own ? "state is damaged: its task starts again and restores it"
                      : "global stores are damaged: a task starts again when they are restored",
               {{"task", id.text()}, {"thread", environment_.thread}, {"why", why}});
    environment_.shared->board->renew(environment_.thread);
    const bool exactly_once = environment_.shared->settings->exactly_once;
    // Its output is in one transaction with that of the others, and none of it may be seen.
    if (exactly_once && task.needs_commit()) return true;
    if (!exactly_once) {
        // What it logged has come to its changelog before that is read again.
        const detail::WorkOutside outside{*environment_.gate};
        LEAT_TRY_VOID(environment_.output->flush());
    }
    close(id);
    return false;
}

Result<void> TaskRestarts::restart_all() {
    {
        const detail::WorkOutside outside{*environment_.gate};
        LEAT_TRY_VOID(environment_.output->abort());
    }
    const std::vector<TaskId> ids = environment_.tasks->ids();
    for (const TaskId& id : ids) close(id);
    kLog.info("tasks start again from their last commit", {{"tasks", ids.size()}});
    environment_.shared->board->renew(environment_.thread);
    return {};
}

void TaskRestarts::close(const TaskId& id) {
    if (environment_.tasks->close(id)) environment_.report->count(SensorId::kTaskClosed);
}

}  // namespace leat::streams
