// SPDX-License-Identifier: Apache-2.0
//
// How a thread makes its work durable: output and changelogs first, then positions; or all of it in
// one transaction. Layer: streams (L6).
// Spec:  Kafka Streams' TaskExecutor and its commit.interval.ms; KIP-447 for exactly once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "streams/cluster/task_restarts.h"
#include "streams/cluster/thread_clients.h"
#include "streams/cluster/thread_environment.h"
#include "streams/cluster/thread_output.h"
#include "streams/cluster/thread_report.h"
#include "streams/cluster/thread_tasks.h"
#include "streams/cluster/trouble.h"
#include "streams/state/query_gate.h"

namespace leat::streams {

/// Of all tasks of a thread at once. A commit that was cut off leaves work to be done again (at
/// least once) or a transaction that nobody sees (exactly once), and never a position without what
/// came of its records.
/// Threading: belongs to the thread, inside its gate; outside of it while it waits for the cluster,
///            and then it touches neither stores nor the thread's tasks.
/// Failure:   errors are what neither waiting, for task.timeout.ms, nor starting again mends.
class Committer {
  public:
    struct Environment {
        const ThreadEnvironment* shared = nullptr;
        int thread = 0;
        detail::QueryGate* gate = nullptr;
        ThreadClients* clients = nullptr;  ///< Its `admin` is open before the first commit.
        ThreadTasks* tasks = nullptr;
        ThreadOutput* output = nullptr;
        TaskRestarts* restarts = nullptr;
        ThreadReport* report = nullptr;
        const std::atomic<bool>* is_stopping = nullptr;
        /// Of the group, at least once.
        std::function<Result<void>(const client::GroupIdentity& as,
                                   const std::vector<client::CommittedOffset>& positions)>
            commit_offsets;
        std::function<void()> on_step;  ///< A wait gets on.
    };
    explicit Committer(Environment environment);

    /// Intervals count from now on.
    void start();
    /// Not first at the end of the interval.
    void ask() noexcept { is_asked_ = true; }
    [[nodiscard]] bool is_due(Instant now) const noexcept {
        return now >= (is_asked_ ? not_before_ : next_);
    }
    [[nodiscard]] Instant next() const noexcept { return next_; }  ///< If nobody asks.
    /// The last one could not be made yet.
    [[nodiscard]] bool is_waiting() const noexcept { return is_waiting_; }

    /// All tasks. Tries again a little later while the group rebalances or the cluster is away;
    /// has all tasks start again where that is what helps. Deletes what is committed from
    /// repartition topics, now and then.
    Result<void> commit();
    /// Before tasks are given up: waits until it is done, or cannot be done any more.
    Result<void> commit_at_last();
    /// While nothing is to be processed, so that a commit has little left to write.
    Result<void> write_early();
    /// What was sent is acknowledged within so long, and nothing failed.
    [[nodiscard]] bool deliver(milliseconds wait);

  private:
    enum class Outcome : std::uint8_t { kDone, kLater, kMustRestart };

    Result<Outcome> try_commit();
    /// What caches hold goes to the producer. kDone: of all tasks.
    Result<Outcome> flush_tasks();
    [[nodiscard]] std::vector<client::CommittedOffset> positions() const;
    Result<Outcome> commit_positions(const std::vector<client::CommittedOffset>& positions);
    /// Until nothing that was put off, no letter and no output is left.
    Result<void> deliver_all();
    Result<Outcome> commit_transaction(const std::vector<client::CommittedOffset>& positions);
    /// Without those of topics that are gone.
    Result<std::vector<client::CommittedOffset>> still_there(
        std::vector<client::CommittedOffset> positions);
    /// Of what is sent, outside of the gate.
    Result<void> flush_output();
    /// The first delivery that failed is known: what becomes of the transaction.
    Result<Outcome> judge(Error cause);
    /// A task is damaged, which a call ended with.
    Result<Outcome> restart(const TaskId& id, const Result<void>& call);
    Result<void> keep_states();  ///< Of all tasks, behind a commit.
    void purge();
    // The faults of failpoints.h.
    void commit_too_early();
    Result<void> flush_too_late();

    [[nodiscard]] Instant now() const { return environment_.shared->clock->now(); }
    /// False once a trouble has lasted for task.timeout.ms.
    [[nodiscard]] bool lasts(Patience& patience) {
        return patience.lasts(now(), settings_.task_timeout);
    }

    Environment environment_;
    const Settings& settings_;
    ThreadTasks& tasks_;
    ThreadOutput& output_;
    Patience commits_;     ///< Since the last one that worked.
    Patience restarting_;  ///< As above.
    bool is_asked_ = false;
    bool is_waiting_ = false;
    bool writes_early_ = true;  ///< Acknowledgements were quick since the last commit.
    Instant next_{};
    Instant not_before_{};  ///< Whoever asks: the last one had to wait.
    Instant next_purge_{};
    std::map<client::TopicPartition, std::int64_t> purged_;  ///< Up to there already.
};

}  // namespace leat::streams
