// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/thread_tasks.h"

#include <algorithm>
#include <utility>

namespace leat::streams {

void ThreadTasks::add(std::unique_ptr<LiveTask> task) {
    const TaskId id = task->id();
    tasks_.insert_or_assign(id, std::move(task));
}

LiveTask* ThreadTasks::find(const TaskId& id) const {
    const auto found = tasks_.find(id);
    return found == tasks_.end() ? nullptr : found->second.get();
}

std::vector<TaskId> ThreadTasks::ids() const {
    std::vector<TaskId> out;
    out.reserve(tasks_.size());
    for (const auto& [id, task] : tasks_) out.push_back(id);
    return out;
}

bool ThreadTasks::need_commit() const {
    return std::ranges::any_of(tasks_, [](const auto& one) { return one.second->needs_commit(); });
}

bool ThreadTasks::close(const TaskId& id) {
    const auto found = tasks_.find(id);
    if (found == tasks_.end()) return false;
    found->second->close();
    closed_.push_back(std::move(found->second));
    tasks_.erase(found);
    return true;
}

void ThreadTasks::close_all() {
    for (const auto& [id, task] : tasks_) task->close();
    tasks_.clear();
}

std::string ThreadTasks::owner_of(const ChangelogMark& mark) const {
    for (const auto& [id, task] : tasks_)
        for (const auto& own : task->changelogs().marks())
            if (own.get() == &mark) return id.text();
    return "";
}

void ThreadTasks::count_dropped(std::string_view task_id) {
    for (const auto& [id, task] : tasks_)
        if (id.text() == task_id) task->count_dropped();
}

}  // namespace leat::streams
