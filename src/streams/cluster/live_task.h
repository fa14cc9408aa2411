// SPDX-License-Identifier: Apache-2.0
//
// A task on a cluster: input partitions, a part of the topology, its stores. Layer: streams (L6).
// Spec:  Kafka Streams' StreamTask and StandbyTask.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "client/admin.h"
#include "client/group_offsets.h"
#include "client/partition_reader.h"
#include "leat/streams/detail/task.h"
#include "leat/streams/handlers.h"
#include "leat/streams/metadata.h"
#include "streams/cluster/changelog_reader.h"
#include "streams/cluster/global_state.h"
#include "streams/cluster/layout.h"
#include "streams/cluster/record_choice.h"
#include "streams/cluster/task_environment.h"
#include "streams/cluster/task_inputs.h"
#include "streams/error_judge.h"
#include "streams/state/database_meter.h"
#include "streams/state/record_cache.h"
#include "streams/state/state_home.h"
#include "streams/state/store_meter.h"
#include "streams/store_query.h"
#include "streams/task_graph.h"
#include "streams/task_id.h"
#include "streams/task_meters.h"

namespace leat::streams {

/// Threading: belongs to one thread at a time: a StateUpdater's until it is restored, then the one
/// that runs it.
class LiveTask final : public detail::Task {
  public:
    LiveTask(TaskId id, std::vector<client::TopicPartition> inputs, TaskEnvironment environment);
    ~LiveTask() override;

    /// Opens the stores and begins to read their changelogs. After close() again, if it never ran.
    /// Errors: what opening ends with.
    Result<void> open();
    /// From a follower to the one that runs: `committed` are the positions of its inputs.
    Result<void> activate(std::vector<client::CommittedOffset> committed);
    /// Takes in what came for its stores. True: an active task has all there was, reads its
    /// changelogs no more and can start(). Errors: kUnknownTopicOrPartition, what ends the task.
    Result<bool> restore();
    Result<void> start();  ///< Runs from now on. May be called again after an error.
    /// Makes the calls that are due by the clock, then processes one record if there is one and it
    /// may. Errors: what ends the task.
    Result<bool> process();
    Result<void> flush();  ///< Caches down. Before positions() are committed.
    /// What changed since the last committed(). Under exactly-once at least one when anything was
    /// done: a transaction without positions is committed whoever sends it.
    [[nodiscard]] std::vector<client::CommittedOffset> positions() const;
    /// Up to where repartition topics are not needed any more.
    [[nodiscard]] std::vector<client::PartitionOffset> purgeable() const;
    [[nodiscard]] TaskMetadata metadata() const;
    [[nodiscard]] std::int64_t lag() const;  ///< Of the input furthest behind; -1: not known.
    /// Output of it that was refused later on is left out.
    void count_dropped();
    [[nodiscard]] TaskMeters& meters() noexcept { return *meters_; }  ///< Of an open one.
    /// They are durable, and so is all that was sent before: now the state is kept too.
    Result<void> committed();
    [[nodiscard]] bool is_full() const noexcept { return open_state_.state->is_full(); }
    Result<bool> relieve();  ///< Between records, now and then. True: a commit is due.
    /// Between records: rows into the database, before a commit, if all that was sent before is
    /// acknowledged within so long. False: nothing was written.
    Result<bool> write_early(milliseconds wait);
    /// Stops reading and lets go of the state; what was not committed is gone.
    void close();

    [[nodiscard]] const TaskId& id() const noexcept { return id_; }
    [[nodiscard]] const std::vector<client::TopicPartition>& inputs() const noexcept {
        return partitions_;
    }
    [[nodiscard]] bool is_active() const noexcept { return is_active_; }
    [[nodiscard]] bool is_running() const noexcept { return is_running_; }
    /// Its state on disk is damaged: whatever a call ended with, the task is to be closed without a
    /// commit; opened again it restores all of it.
    [[nodiscard]] bool is_damaged() const noexcept {
        return has_lost_globals_ ||
               (open_state_.state != nullptr && open_state_.state->is_damaged());
    }
    /// Because a call met damage of a global store, or needed one that is being restored.
    [[nodiscard]] bool has_lost_globals() const noexcept { return has_lost_globals_; }
    /// Something was processed since the last committed().
    [[nodiscard]] bool needs_commit() const noexcept { return needs_commit_; }
    [[nodiscard]] ChangelogReader& changelogs() noexcept { return changelogs_; }
    [[nodiscard]] const ChangelogReader& changelogs() const noexcept { return changelogs_; }
    /// Of a follower: what the group has committed of its topics, where changelogs ended then.
    void follow(const std::vector<client::PartitionOffset>& committed,
                const std::map<client::TopicPartition, std::int64_t>& ends);
    [[nodiscard]] detail::TaskView view() const;  ///< For queries; between records.
    [[nodiscard]] detail::TaskState& state() noexcept { return *open_state_.state; }  ///< As above.

    // detail::Task
    detail::StateStore& store(std::string_view name) override { return graph_->store(name); }
    Result<void> send(const detail::Outgoing& record) override;
    Result<std::int32_t> partitions_of(std::string_view topic) override;
    Result<void> log_change(const detail::Outgoing& record) override;
    [[nodiscard]] std::int64_t stream_time() const override { return stream_time_; }
    [[nodiscard]] std::int64_t wall_time() const override;
    [[nodiscard]] const detail::Origin& origin() const override { return origin_; }
    [[nodiscard]] bool keeps_source_bytes() const override { return judge_.asks_about_source(); }
    detail::Origin exchange_origin(const detail::Origin& next) override {
        return std::exchange(origin_, next);
    }
    [[nodiscard]] std::optional<std::int64_t> remembered(std::string_view name) const override;
    void remember(std::string_view name, std::int64_t value) override;
    Result<std::shared_ptr<detail::SensorListing>> list_sensor(
        const detail::SensorOrder& order) override;
    void drop(const detail::Node& node, std::string_view reason) override;
    Result<void> survive(const detail::Node& node, const detail::Flow& flow, Error error) override;
    Result<void> survive_unsent(const detail::Flow& flow, const detail::Outgoing& record,
                                Error error) override;
    [[nodiscard]] bool failed() const override { return failed_; }

  private:
    [[nodiscard]] const Subtopology& subtopology() const;
    [[nodiscard]] Position position_of(std::string_view store) const;  ///< Of what came for it.
    void tell_time();                                                  ///< To meters.
    Result<void> start_reading();
    /// Until there is a head with its time, or nothing comes.
    Result<void> fill(TaskInput& input);
    Result<void> stamp(TaskInput& input);
    Result<void> take(TaskInput& input);
    /// `call` of nodes, which may read global stores: these must be whole, and do not change.
    template <class Call>
    std::invoke_result_t<Call> with_globals(Call call);
    Result<bool> process_next();
    /// Asks the handler. Errors: the task ends, and nobody else is asked about it.
    Result<void> judge(const detail::ErrorJudge::Failure& failure, Error error);
    /// What a source ended with, after the handler of what cannot be decoded.
    Result<void> step_over(const detail::SourceNode& source, const detail::SourceNode::Bytes& bytes,
                           Error error);
    Result<void> punctuate(detail::PunctuationQueue& queue, std::int64_t now);
    [[nodiscard]] Error at(const TaskInput& input, std::int64_t offset, const Error& error) const;
    [[nodiscard]] std::string_view cluster_name(std::string_view topic) const;
    using Changelog = std::pair<std::string, ChangelogMark*>;  ///< With its topic on the cluster.
    const Changelog& changelog_named(std::string_view topic);  ///< As the store names it.
    Result<void> emit(std::string_view topic, std::optional<std::int32_t> partition,
                      const detail::Outgoing& record, std::uint64_t tag);

    TaskId id_;
    std::vector<client::TopicPartition> partitions_;
    TaskEnvironment environment_;
    detail::OpenState open_state_;
    /// Its part of the thread's, nothing until it runs. Absent: nothing is held back.
    std::shared_ptr<detail::CacheBudget> cache_;
    // Before nodes and stores, which count there.
    std::unique_ptr<TaskMeters> meters_;
    std::unique_ptr<detail::StoreMeters> store_meters_;
    std::unique_ptr<detail::DatabaseMeter> database_meter_;
    std::unique_ptr<detail::TaskGraph> graph_;
    ChangelogReader changelogs_;
    TaskInputs inputs_;
    std::vector<Head> heads_;
    std::vector<client::CommittedOffset> start_at_;
    RecordChoice choice_;
    detail::ErrorJudge judge_;
    detail::Origin origin_;
    Headers headers_;
    std::map<std::string, std::string, std::less<>> internal_names_;  ///< To those on the cluster.
    std::map<std::string, Changelog, std::less<>> written_changelogs_;
    std::vector<client::Header> out_headers_;
    TaskInputs::Remembered remembered_;
    std::int64_t stream_time_ = -1;
    bool is_active_ = false, is_running_ = false, is_open_ = false;
    bool needs_commit_ = false, has_lost_globals_ = false, failed_ = false;
};

}  // namespace leat::streams
