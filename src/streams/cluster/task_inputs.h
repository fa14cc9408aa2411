// SPDX-License-Identifier: Apache-2.0
//
// The partitions that a task reads: where it is in each, and what comes next. Layer: streams (L6).
// Spec:  Kafka Streams' PartitionGroup and RecordQueue; KIP-1106 for by_duration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/admin.h"
#include "client/group_offsets.h"
#include "client/partition_reader.h"
#include "leat/streams/detail/node.h"
#include "streams/cluster/task_environment.h"
#include "streams/task_meters.h"

namespace leat::streams {

struct TaskInput {
    client::TopicPartition where;
    std::string topic;  ///< As the nodes call it: without the application's prefix.
    detail::SourceNode* source = nullptr;  ///< Of the task's nodes.
    client::PartitionReader::Lane* lane = nullptr;
    client::HeldRecord head{};  ///< If has_head.
    std::int64_t head_time = -1;
    std::int64_t position = 0;  ///< Next offset that was not processed.
    std::int64_t committed = -1;
    std::int64_t partition_time = -1;
    bool has_head = false, at_end = false;
    std::int64_t seen_end = -1;  ///< When it was last read to its end.
    std::int64_t lag = -1;       ///< A second old at most; -1: not known.
    TopicMeter meter{};
    Sensor* lags = nullptr;  ///< If the lag is known.
};

/// Threading: belongs to its task.
class TaskInputs {
  public:
    /// Numbers that lie with committed positions, by the names of who keeps them.
    using Remembered = std::map<std::string, std::int64_t, std::less<>>;

    /// `environment` is the task's, and stays with it.
    explicit TaskInputs(const TaskEnvironment& environment) : environment_(environment) {}

    /// One of each partition, at its committed position or where its offset reset says. May be
    /// called again. Returns what was remembered with these positions, of each the largest.
    /// Errors: kOffsetOutOfRange (no position, and no reset), of the cluster.
    Result<Remembered> open(std::span<const client::TopicPartition> partitions,
                            std::span<const client::CommittedOffset> committed);
    /// Has them read from there on.
    Result<void> start();
    void stop();

    /// The next record, into `head`; has_head is the caller's to set. False: none has come yet.
    /// Goes on by the offset reset where the position is not in the partition any more.
    Result<bool> fetch(TaskInput& input);

    /// What is processed and not committed. `at_least_one`: that of one of them, if none has moved.
    [[nodiscard]] std::vector<client::CommittedOffset> positions(const Remembered& with,
                                                                 bool at_least_one) const;
    /// All positions are committed.
    void note_committed();
    /// Up to where repartition topics are not needed any more.
    [[nodiscard]] std::vector<client::PartitionOffset> purgeable() const;
    /// To their sensors, as far as the reader knows them.
    void note_lags(TaskMeters& meters);
    [[nodiscard]] std::int64_t lag() const;      ///< Of the one furthest behind; -1: not known.
    [[nodiscard]] std::size_t buffered() const;  ///< Records that wait.

    /// Null: not one of them.
    [[nodiscard]] const TaskInput* find(const client::TopicPartition& where) const;
    [[nodiscard]] std::size_t size() const noexcept { return inputs_.size(); }
    [[nodiscard]] TaskInput& operator[](std::size_t at) { return inputs_[at]; }
    [[nodiscard]] auto begin() noexcept { return inputs_.begin(); }
    [[nodiscard]] auto end() noexcept { return inputs_.end(); }
    [[nodiscard]] auto begin() const noexcept { return inputs_.begin(); }
    [[nodiscard]] auto end() const noexcept { return inputs_.end(); }

    /// A topic as the nodes call it.
    [[nodiscard]] std::string node_topic(const std::string& cluster_topic) const;

  private:
    Result<std::int64_t> start_of(const client::TopicPartition& where) const;
    Result<void> go_on_after_gap(TaskInput& input);

    const TaskEnvironment& environment_;
    std::vector<TaskInput> inputs_;
};

}  // namespace leat::streams
