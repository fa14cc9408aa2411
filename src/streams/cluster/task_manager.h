// SPDX-License-Identifier: Apache-2.0
//
// Opens and closes the tasks of one thread as the board orders. Layer: streams (L6).
// Spec:  Kafka Streams' TaskManager.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "streams/cluster/committer.h"
#include "streams/cluster/state_updater.h"
#include "streams/cluster/task_board.h"
#include "streams/cluster/task_environment.h"
#include "streams/cluster/task_restarts.h"
#include "streams/cluster/thread_environment.h"
#include "streams/cluster/thread_output.h"
#include "streams/cluster/thread_report.h"
#include "streams/cluster/thread_tasks.h"
#include "streams/cluster/trouble.h"
#include "streams/state/query_gate.h"

namespace leat::streams {

/// A task comes to a StateUpdater first, which opens it and restores its state, and from there to
/// the thread's tasks; copies stay there.
/// Threading: belongs to the thread, inside its gate; is_restoring() is thread-safe.
/// Failure:   errors end the thread.
class TaskManager {
  public:
    struct Environment {
        const ThreadEnvironment* shared = nullptr;
        int thread = 0;
        std::string name;  ///< Of the thread.
        detail::QueryGate* gate = nullptr;
        ThreadTasks* tasks = nullptr;
        ThreadOutput* output = nullptr;
        Committer* committer = nullptr;
        TaskRestarts* restarts = nullptr;
        ThreadReport* report = nullptr;
        /// What a task uses of the thread; who restores it is filled in here.
        std::function<TaskEnvironment()> environment_of_tasks;
        /// start_restored() has something to do. Called by another thread.
        std::function<void()> on_news;
    };
    explicit TaskManager(Environment environment);
    TaskManager(const TaskManager&) = delete;
    TaskManager& operator=(const TaskManager&) = delete;
    ~TaskManager() = default;

    /// Starts the updater, once. Outside of the gate, as close(). Errors: of its clients.
    Result<void> open();
    /// Ends the updater, with what it has.
    void close();

    /// Does what the board has ordered since.
    Result<void> follow_orders();
    /// Has tasks run that have all of their state. `worked`: there was one.
    Result<void> start_restored(bool& worked);
    /// Of what it was given, not all runs.
    [[nodiscard]] bool is_restoring() const noexcept { return is_restoring_; }
    /// Appends what is being restored or followed.
    void tell(ThreadMetadata& to) const { updater_->tell(to); }
    [[nodiscard]] std::vector<StorePlace> store_places() const { return updater_->store_places(); }

  private:
    /// What runs is not ours any more.
    Result<void> lose_tasks();
    /// After a commit, if they have to.
    Result<void> give_up(const std::vector<TaskId>& ids);
    void close_tasks(const std::vector<TaskId>& ids);
    [[nodiscard]] std::vector<TaskId> unwanted_by(const TaskBoard::Orders& orders) const;
    void open_new(const TaskBoard::Orders& orders);
    /// What a task reads of what the group gave.
    [[nodiscard]] std::vector<client::TopicPartition> inputs_of(
        const TaskId& id, const TaskBoard::Orders& orders) const;
    /// What `call`, its start, ended with may pass. Errors: it may not.
    Result<void> judge_start(const TaskId& id, Result<void> call);
    void note_running(const LiveTask& task);

    struct Waiting {
        bool is_active = false;
        std::vector<client::TopicPartition> inputs;
    };

    Environment environment_;
    const ThreadEnvironment& shared_;
    ThreadTasks& tasks_;
    std::unique_ptr<StateUpdater> updater_;
    std::map<TaskId, Waiting> waiting_;  ///< Those that the updater has.
    Patience starts_;                    ///< Since the last task that began to run.
    std::atomic<bool> is_restoring_ = false;
};

}  // namespace leat::streams
