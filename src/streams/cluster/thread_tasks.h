// SPDX-License-Identifier: Apache-2.0
//
// The active tasks of one thread, and those it has closed that deliveries may still ask about.
// Layer: streams (L6).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "streams/cluster/live_task.h"
#include "streams/task_id.h"

namespace leat::streams {

/// Restored ones: they run, or are about to.
/// Threading: belongs to the thread.
class ThreadTasks {
  public:
    using Map = std::map<TaskId, std::unique_ptr<LiveTask>>;

    /// In the place of one with its id.
    void add(std::unique_ptr<LiveTask> task);
    /// Null: not here.
    [[nodiscard]] LiveTask* find(const TaskId& id) const;
    /// Precondition: it is here.
    [[nodiscard]] LiveTask& at(const TaskId& id) const { return *tasks_.at(id); }
    [[nodiscard]] bool contains(const TaskId& id) const { return tasks_.contains(id); }
    [[nodiscard]] std::vector<TaskId> ids() const;
    [[nodiscard]] bool need_commit() const;  ///< Any of them has processed something since.
    [[nodiscard]] Map::const_iterator begin() const noexcept { return tasks_.begin(); }
    [[nodiscard]] Map::const_iterator end() const noexcept { return tasks_.end(); }

    /// Closes it. Its marks of changelogs stay until forget_closed(). False: it was not here.
    bool close(const TaskId& id);
    /// Nothing that was sent is on its way any more.
    void forget_closed() { closed_.clear(); }
    /// At the end; closed ones stay.
    void close_all();

    /// Whose change of a store it is; empty: nobody's any more.
    [[nodiscard]] std::string owner_of(const ChangelogMark& mark) const;
    /// Output of a task, by its id's text, was refused and is left out.
    void count_dropped(std::string_view task_id);

  private:
    Map tasks_;
    std::vector<std::unique_ptr<LiveTask>> closed_;
};

}  // namespace leat::streams
