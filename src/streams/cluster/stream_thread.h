// SPDX-License-Identifier: Apache-2.0
//
// One thread that runs tasks: reads, processes, commits. Layer: streams (L6).
// Spec:  Kafka Streams' StreamThread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "leat/streams/metadata.h"
#include "rt/clock.h"
#include "rt/named_thread.h"
#include "streams/cluster/committer.h"
#include "streams/cluster/live_task.h"
#include "streams/cluster/task_manager.h"
#include "streams/cluster/task_restarts.h"
#include "streams/cluster/thread_clients.h"
#include "streams/cluster/thread_environment.h"
#include "streams/cluster/thread_output.h"
#include "streams/cluster/thread_report.h"
#include "streams/cluster/thread_tasks.h"
#include "streams/settings.h"
#include "streams/store_query.h"

namespace leat::streams {

/// The loop: what it runs is the TaskManager's to say, when it is durable the Committer's.
/// Threading: run by its own thread; what is public is thread-safe.
class StreamThread {
  public:
    StreamThread(int index, const ThreadEnvironment& environment);
    StreamThread(const StreamThread&) = delete;
    StreamThread& operator=(const StreamThread&) = delete;
    /// Joins.
    ~StreamThread();

    void start();
    /// Commits, closes its tasks and ends.
    void stop();
    /// Looks at the board at once.
    void wake();
    [[nodiscard]] int index() const noexcept { return index_; }
    [[nodiscard]] bool is_stopping() const noexcept { return stopping_; }  ///< Told to end.
    /// It is the thread that asks.
    [[nodiscard]] bool is_current() const noexcept;
    /// As it was a moment ago.
    [[nodiscard]] ThreadMetadata metadata() const { return report_.metadata(); }
    /// Where each of its stores stands in its changelog.
    [[nodiscard]] std::vector<StorePlace> store_places() const { return report_.store_places(); }
    /// Tasks that do not run yet.
    [[nodiscard]] bool is_busy_restoring() const noexcept { return manager_.is_restoring(); }

  private:
    ThreadOutput::Environment output_environment();
    Committer::Environment committer_environment();
    TaskManager::Environment manager_environment();
    TaskEnvironment task_environment();

    Result<void> run();
    /// Again while it may pass; false: stopped meanwhile.
    Result<bool> open_clients();
    Result<void> try_open_clients();
    /// Behind run(), whatever that ended with.
    void end(const Result<void>& done);
    /// Before it ends by an error.
    void send_last_words();
    Result<void> turn();
    /// Until the next commit is due, or there is something to do.
    Result<void> wait(bool worked);
    /// It gets on: for who watches.
    void step() { steps_->fetch_add(1, std::memory_order_relaxed); }
    /// One round over all tasks, inside the gate.
    Result<void> work(bool& worked);
    Result<void> process(bool& worked);
    /// A turn of one task.
    Result<void> process_some(LiveTask& task, bool& worked);
    /// For who asks from other threads.
    void publish();
    Result<std::int64_t> end_of(const client::TopicPartition& where, bool committed_only);

    int index_;
    std::shared_ptr<ThreadWatch::Steps> steps_ = std::make_shared<ThreadWatch::Steps>(0);
    const ThreadEnvironment& environment_;
    const Settings& settings_;
    std::string name_;
    std::atomic<bool> stopping_ = false;
    std::shared_ptr<detail::CacheBudget> cache_;
    detail::QueryGate gate_;  ///< Held while tasks are touched.
    ThreadTasks tasks_;
    ThreadReport report_;
    ThreadClients clients_;
    ThreadOutput output_;
    TaskRestarts restarts_;
    Committer committer_;
    TaskManager manager_;
    std::int64_t records_ = 0;                ///< Of this round.
    std::chrono::nanoseconds punctuated_{0};  ///< As above.
    std::mutex waker_mutex_;
    std::condition_variable stopped_;
    client::PartitionReader* waker_ = nullptr;  ///< As long as there is a reader.
    rt::NamedThread thread_;
};

}  // namespace leat::streams
