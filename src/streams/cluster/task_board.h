// SPDX-License-Identifier: Apache-2.0
//
// Which thread of this process runs which of its tasks: what the group gave is laid out over the
// threads, and a task goes to another thread only after the first one has let go of it.
// Layer: streams (L6). Pure but for its lock.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "client/consumer.h"
#include "streams/cluster/task_assignor.h"

namespace leat::streams {

/// Threading: thread-safe.
class TaskBoard {
  public:
    struct Orders {
        std::set<TaskId> active;                      ///< To be run, all of them.
        std::set<TaskId> standby;                     ///< To be followed, all of them.
        std::set<client::TopicPartition> partitions;  ///< What the group gave this process to read.
        std::set<TaskId> closing;  ///< To be closed and then released, held or not.
        bool lost = false;         ///< What runs is no longer ours: drop it without a commit.
    };

    /// The group's latest word.
    void set_wanted(const TaskShare& share, std::set<client::TopicPartition> partitions);
    /// What was assigned before is not ours any more.
    void lose_all();

    /// It was started, and takes orders once it is added: what an instance can carry counts it
    /// already.
    void expect_thread(int thread);
    void add_thread(int thread);
    /// It takes nothing more; what it still holds it gives up.
    void retire_thread(int thread);
    /// It is gone, and holds nothing.
    void thread_gone(int thread);
    /// It does not get on: what it has goes to others, and nobody waits until it lets go of that.
    void abandon_thread(int thread);
    /// It gets on again. It must drop what it had before it takes anything.
    void take_thread_back(int thread);
    /// No thread is there, or on its way, that could run anything.
    [[nodiscard]] bool has_no_thread() const;

    /// What `thread` is to hold now, when that changed since it asked last.
    [[nodiscard]] bool has_news(int thread) const;
    /// Some thread has not yet taken its orders, or a task has no thread yet.
    [[nodiscard]] bool has_any_news() const;
    Orders take(int thread);
    /// Gives the same orders again: the thread has dropped what it had.
    void renew(int thread);
    [[nodiscard]] bool is_lost(int thread) const;
    /// How far the state of a task that is held is behind.
    void note_lag(const TaskId& task, std::int64_t lag);
    /// `thread` does not have the task any more.
    void released(int thread, const TaskId& task);

    /// True when no thread holds what is not wanted.
    [[nodiscard]] bool is_settled() const;
    /// Tasks held, as the group is told.
    [[nodiscard]] MemberState held() const;

  private:
    struct Thread {
        std::set<TaskId> active;
        std::set<TaskId> standby;
        bool retired = false;
        bool news = false;
        bool lost = false;
    };
    void distribute();
    /// How far its tasks are, and which of them it is closing.
    void forget(int thread);
    /// What a thread has in one role and is not to keep.
    void take_back(int id, Thread& thread, bool is_active);
    void give(const TaskId& task, bool is_active);
    /// A thread that came later gets its part.
    void even_out();
    /// Held by any thread, in either role.
    [[nodiscard]] Thread* holder(const TaskId& task);

    mutable std::mutex mutex_;
    TaskShare wanted_;
    std::set<client::TopicPartition> partitions_;
    std::map<TaskId, std::int64_t> lags_;
    std::map<int, Thread> threads_;
    std::set<int> expected_;
    struct Closing {
        int thread = 0;
        bool was_active = false;
    };
    /// Tasks a thread was told to close and has not yet.
    std::map<TaskId, Closing> closing_;
};

}  // namespace leat::streams
