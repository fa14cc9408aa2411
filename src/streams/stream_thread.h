// SPDX-License-Identifier: Apache-2.0
//
// One thread that runs tasks: reads, processes, commits. Layer: streams (L6).
// Spec:  Kafka Streams' StreamThread and TaskManager.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/admin.h"
#include "client/group_offsets.h"
#include "client/partition_reader.h"
#include "leat/streams/handlers.h"
#include "leat/streams/metadata.h"
#include "rt/clock.h"
#include "rt/named_thread.h"
#include "streams/live_task.h"
#include "streams/metrics.h"
#include "streams/settings.h"
#include "streams/state_updater.h"
#include "streams/store_query.h"
#include "streams/task_board.h"
#include "streams/thread_environment.h"
#include "streams/thread_output.h"
#include "streams/trouble.h"

namespace leat::streams {

/// Threading: run by its own thread; stop() and the counters are thread-safe.
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
    [[nodiscard]] ThreadMetadata metadata() const;
    /// Where each of its stores stands in its changelog.
    [[nodiscard]] std::vector<StorePlace> store_places() const;
    /// Tasks that do not run yet.
    [[nodiscard]] bool is_busy_restoring() const noexcept { return restoring_; }

  private:
    enum class Committed : std::uint8_t { kDone, kLater, kMustReset };

    Result<void> run();
    /// Again while it may pass; false: stopped meanwhile.
    Result<bool> open_clients();
    Result<void> try_open_clients();
    Result<void> open_updater();
    ThreadOutput::Environment output_environment();
    /// Before it ends by an error.
    void send_last_words();
    Result<void> turn();
    /// It gets on: for who watches.
    void step() { steps_->fetch_add(1, std::memory_order_relaxed); }
    /// For who asks from other threads.
    void publish(Instant now);
    /// One round over all tasks, inside the gate.
    Result<void> work(bool& worked);
    // Tasks.
    Result<void> follow_orders();
    /// What runs is not ours any more.
    Result<void> lose_tasks();
    [[nodiscard]] std::vector<TaskId> unwanted_by(const TaskBoard::Orders& orders) const;
    void open_new(const TaskBoard::Orders& orders);
    TaskEnvironment task_environment();
    Result<std::int64_t> end_of(const client::TopicPartition& where, bool committed_only);
    /// What a task reads of what the group gave.
    [[nodiscard]] std::vector<client::TopicPartition> inputs_of(
        const TaskId& id, const TaskBoard::Orders& orders) const;
    Result<void> drop_tasks(const std::vector<TaskId>& ids);
    void close_tasks(const std::vector<TaskId>& ids);
    /// Those that have all of their state.
    Result<void> start_restored(bool& worked);
    Result<void> process(bool& worked);
    /// A turn of one task.
    Result<void> process_some(LiveTask& task, bool& worked);
    // Commits. None of them touches stores or tasks_ while it waits for the cluster.
    /// A task met damage, which a call ended with: it restores all of its state and does again what
    /// it did since its last commit. kMustReset: all of them do.
    /// Errors: what the call ended with, when that happens again and again.
    Result<Committed> heal(TaskId id, const Result<void>& call);
    Result<void> keep_states();  ///< Of all tasks, behind a commit.
    /// While nothing is to be processed, so that a commit has little left to write.
    Result<void> write_early();
    Result<Committed> commit();
    /// Waits for what was sent, outside of the gate.
    Result<void> flush_output();
    /// As that, for so long at most. True: all of it is acknowledged.
    bool deliver(milliseconds wait);
    Result<Committed> commit_positions(const std::vector<client::CommittedOffset>& positions);
    /// Without those of topics that are gone.
    Result<std::vector<client::CommittedOffset>> still_there(
        std::vector<client::CommittedOffset> positions);
    Result<Committed> commit_transaction(const std::vector<client::CommittedOffset>& positions);
    // Of the faults of failpoints.h.
    void commit_too_early();
    Result<void> flush_too_late();
    /// The first delivery that failed is known: what becomes of it.
    Result<Committed> judge(Error cause);
    Result<void> commit_or_reset();
    Result<void> commit_at_last();
    /// Deletes what is committed from repartition topics, now and then.
    void purge();
    /// What was processed since the last commit is dropped and done again.
    Result<void> reset_tasks();
    void tick_metrics();
    void note_round();  ///< All tasks had their turn.
    /// In milliseconds since `begin`, to a sensor of the thread.
    void note_time(SensorId sensor, Instant begin);
    /// Since `begin`, less what of it is told as something else.
    void note_share(SensorId sensor, Instant begin, std::chrono::nanoseconds other = {});
    enum class State : std::uint8_t;
    void note_state(State state);

    int index_;
    std::shared_ptr<ThreadWatch::Steps> steps_ = std::make_shared<ThreadWatch::Steps>(0);
    const ThreadEnvironment& environment_;
    const Settings& settings_;
    std::string name_;
    std::shared_ptr<detail::CacheBudget> cache_;
    MetricSet metrics_;
    static constexpr std::array kReadingSensors{SensorId::kConsumerLag};
    MetricSet reading_;  ///< The consumer's.
    ThreadOutput output_;
    detail::QueryGate gate_;                  ///< Held while tasks are touched.
    std::int64_t records_ = 0;                ///< Of this round.
    std::chrono::nanoseconds punctuated_{0};  ///< As above.
    std::unique_ptr<client::PartitionReader> reader_;
    std::unique_ptr<client::GroupOffsets> offsets_;
    std::unique_ptr<client::Admin> admin_;
    /// Those that run or are about to: active ones.
    std::map<TaskId, std::unique_ptr<LiveTask>> tasks_;
    struct Waiting {
        bool is_active = false;
        std::vector<client::TopicPartition> inputs;
    };
    std::map<TaskId, Waiting> waiting_;  ///< Those that the updater has.
    std::unique_ptr<StateUpdater> updater_;
    std::map<TaskId, int> damages_;  ///< Since the task's last commit.
    /// Closed ones, to whose marks deliveries may still point.
    std::vector<std::unique_ptr<LiveTask>> buried_;
    Patience commits_;  ///< Since the last one that worked.
    Patience resets_;   ///< As above.
    Patience restores_;
    bool commit_asked_ = false;
    bool writes_early_ = true;  ///< Acknowledgements were quick since the last commit.
    Instant next_commit_{};
    Instant next_purge_{};
    std::map<client::TopicPartition, std::int64_t> purged_;  ///< Up to there already.
    std::atomic<bool> stopping_ = false;
    std::atomic<bool> restoring_ = false;
    mutable std::mutex told_mutex_;
    ThreadMetadata told_;
    std::vector<StorePlace> told_places_;
    Instant tell_at_{};
    std::mutex waker_mutex_;
    std::condition_variable stopped_;
    client::PartitionReader* waker_ = nullptr;  ///< As long as there is a reader.
    rt::NamedThread thread_;
};

}  // namespace leat::streams
