// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/task_manager.h"

#include <algorithm>
#include <utility>

#include "obs/log.h"
#include "streams/failpoints.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};

}  // namespace

TaskManager::TaskManager(Environment environment)
    : environment_(std::move(environment)),
      shared_(*environment_.shared),
      tasks_(*environment_.tasks) {}

Result<void> TaskManager::open() {
    if (updater_ != nullptr) return {};
    const bool reads =
        std::ranges::any_of(shared_.layout->subtopologies(), &Subtopology::is_stateful);
    LEAT_TRY(auto clients, open_restore_clients(*shared_.settings, environment_.name, reads));
    updater_ =
        std::make_unique<StateUpdater>(StateUpdater::Environment{.settings = shared_.settings,
                                                                 .clock = shared_.clock,
                                                                 .board = shared_.board,
                                                                 .desk = shared_.desk,
                                                                 .paused = shared_.paused,
                                                                 .index = environment_.thread,
                                                                 .on_news = environment_.on_news},
                                       std::move(clients));
    updater_->start();
    return {};
}

void TaskManager::close() {
    updater_.reset();
}

Result<void> TaskManager::follow_orders() {
    TaskBoard& board = *shared_.board;
    if (!board.has_news(environment_.thread)) return {};
    is_restoring_ = true;  // Before the news are gone: both together say whether all runs.
    const TaskBoard::Orders orders = board.take(environment_.thread);
    reach(FailStep::kRebalanceOrdered);
    if (orders.lost) LEAT_TRY_VOID(lose_tasks());
    LEAT_TRY_VOID(give_up(unwanted_by(orders)));
    // Those too that a restart took away: the board waits for each of them.
    for (const TaskId& id : orders.closing) board.released(environment_.thread, id);
    if (!orders.closing.empty()) {
        shared_.on_progress();
        reach(FailStep::kRevokeReleased);
    }
    open_new(orders);
    return {};
}

Result<void> TaskManager::lose_tasks() {
    if (environment_.output->in_transaction()) {
        // What was sent is not ours to commit any more.
        const detail::WorkOutside outside{*environment_.gate};
        LEAT_TRY_VOID(environment_.output->abort());
    }
    std::vector<TaskId> lost = tasks_.ids();
    for (const auto& [id, waiting] : waiting_)
        if (waiting.is_active) lost.push_back(id);
    close_tasks(lost);
    return {};
}

Result<void> TaskManager::give_up(const std::vector<TaskId>& ids) {
    const bool must_commit = std::ranges::any_of(ids, [&](const TaskId& id) {
        const LiveTask* task = tasks_.find(id);
        return task != nullptr && task->needs_commit();
    });
    if (must_commit) {
        // The next owner starts where this commit ends. Without one it does the work again.
        LEAT_TRY_VOID(environment_.committer->commit_at_last());
        reach(FailStep::kRevokeCommitted);
    }
    close_tasks(ids);
    if (!ids.empty()) reach(FailStep::kRevokeClosed);
    return {};
}

void TaskManager::close_tasks(const std::vector<TaskId>& ids) {
    std::vector<TaskId> elsewhere;
    for (const TaskId& id : ids) {
        if (waiting_.erase(id) > 0) elsewhere.push_back(id);
        if (tasks_.close(id)) environment_.report->count(SensorId::kTaskClosed);
    }
    for (const auto& task : updater_->take(elsewhere)) {
        task->close();
        environment_.report->count(SensorId::kTaskClosed);
    }
}

std::vector<TaskId> TaskManager::unwanted_by(const TaskBoard::Orders& orders) const {
    std::vector<TaskId> out;
    // Topics that a pattern matches have come or gone: opened again, with those of now.
    const auto stays = [&](const TaskId& id, const std::vector<client::TopicPartition>& inputs) {
        return orders.active.contains(id) && inputs == inputs_of(id, orders);
    };
    for (const auto& [id, task] : tasks_)
        if (!stays(id, task->inputs())) out.push_back(id);
    for (const auto& [id, waiting] : waiting_) {
        const bool is_wanted = waiting.is_active
                                   ? stays(id, waiting.inputs)
                                   : orders.standby.contains(id) || orders.active.contains(id);
        if (!is_wanted) out.push_back(id);
    }
    return out;
}

void TaskManager::open_new(const TaskBoard::Orders& orders) {
    for (const auto* wanted : {&orders.active, &orders.standby})
        for (const TaskId& id : *wanted) {
            if (tasks_.contains(id)) continue;
            const bool is_active = wanted == &orders.active;
            const auto [at, is_new] = waiting_.try_emplace(id);
            if (!is_new && at->second.is_active == is_active) continue;
            at->second = {is_active, inputs_of(id, orders)};
            if (!is_new) {
                updater_->promote(id, at->second.inputs);
                continue;
            }
            environment_.report->count(SensorId::kTaskCreated);
            TaskEnvironment environment = environment_.environment_of_tasks();
            environment.cluster = updater_->changelogs();
            updater_->add(std::make_unique<LiveTask>(id, at->second.inputs, std::move(environment)),
                          is_active, at->second.inputs);
        }
}

std::vector<client::TopicPartition> TaskManager::inputs_of(const TaskId& id,
                                                           const TaskBoard::Orders& orders) const {
    std::vector<client::TopicPartition> out;
    for (const auto& where : orders.partitions)
        if (where.partition == id.partition && shared_.layout->reads(id.subtopology, where.topic))
            out.push_back(where);
    return out;
}

Result<void> TaskManager::start_restored(bool& worked) {
    if (updater_->has_news()) {
        if (auto why = updater_->failure()) return *std::move(why);
        for (auto& task : updater_->take_restored()) {
            waiting_.erase(task->id());
            tasks_.add(std::move(task));
        }
    }
    bool any = std::ranges::any_of(waiting_, [](const auto& one) { return one.second.is_active; });
    for (const auto& [id, task] : tasks_) {
        if (task->is_running()) continue;
        if (!shared_.globals->is_whole()) {
            any = true;
            continue;
        }
        Result<void> done = task->start();
        if (task->is_damaged()) {
            LEAT_TRY(const bool with_all, environment_.restarts->restart_damaged(id, done));
            return with_all ? environment_.restarts->restart_all() : Result<void>{};
        }
        if (!done) {
            LEAT_TRY_VOID(judge_start(id, std::move(done)));
            any = true;
            continue;
        }
        worked = true;
        note_running(*task);
    }
    if (is_restoring_.exchange(any) != any) shared_.on_progress();
    return {};
}

Result<void> TaskManager::judge_start(const TaskId& id, Result<void> call) {
    const Error& why = call.error();
    if (!may_pass(why.code()) ||
        !starts_.lasts(shared_.clock->now(), shared_.settings->task_timeout))
        return call;
    kLog.warn("task has to wait",
              {{"task", id.text()}, {"code", why.code()}, {"why", why.detail()}});
    return {};
}

void TaskManager::note_running(const LiveTask& task) {
    starts_.restore();
    environment_.report->make_due();
    kLog.info("task runs", {{"task", task.id().text()},
                            {"thread", environment_.thread},
                            {"restored", task.changelogs().restored()}});
    shared_.on_progress();
}

}  // namespace leat::streams
