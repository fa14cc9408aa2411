// SPDX-License-Identifier: Apache-2.0
//
// The global stores of a process and the nodes that feed them. Layer: streams (L6).
// Spec:  Kafka Streams' GlobalStateUpdateTask: every record of the topics goes through the
//        store's processor, while it is restored too.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "client/consumer.h"
#include "leat/streams/detail/parts.h"
#include "leat/streams/detail/raw_query.h"
#include "leat/streams/detail/task.h"
#include "leat/streams/handlers.h"
#include "rt/clock.h"
#include "streams/cluster/state_guard.h"
#include "streams/error_judge.h"
#include "streams/sensor_listing.h"
#include "streams/state/state_home.h"
#include "streams/task_graph.h"

namespace leat::streams {

/// Threading: apply() by one thread; who reads stores() holds guard() for reading.
class GlobalState final : public detail::Task {
  public:
    GlobalState(const detail::Parts& parts, std::string application_id, ErrorHandlers handlers,
                const rt::Clock& clock);

    /// None: there is nothing to be read.
    [[nodiscard]] bool is_empty() const noexcept { return topics_.empty(); }
    /// Sorted.
    [[nodiscard]] const std::vector<std::string>& topics() const noexcept { return topics_; }
    /// Sorted; of each topic there is one, of each store too.
    [[nodiscard]] std::vector<std::string> store_names() const;
    [[nodiscard]] const std::string& store_of(const std::string& topic) const {
        return store_of_.at(topic);
    }
    /// Out of a store, with all its partitions in one answer; takes guard(). Threading: by anyone.
    [[nodiscard]] detail::RawAnswer ask(std::string_view store, const detail::RawQuery& query,
                                        const QueryOptions& options) const;
    /// Behind open().
    [[nodiscard]] const std::vector<detail::StateStore*>& stores() const noexcept {
        return stores_;
    }
    [[nodiscard]] StateGuard& guard() const noexcept { return guard_; }
    /// Damage was met on disk, by any reader. Threading: by anyone.
    [[nodiscard]] bool is_damaged() const noexcept {
        return open_state_.state != nullptr && open_state_.state->is_damaged();
    }
    /// They may be read: what is being restored after damage is not all there. Threading: by
    /// anyone.
    [[nodiscard]] bool is_whole() const noexcept { return is_whole_ && !is_damaged(); }
    void call_whole() noexcept { is_whole_ = true; }

    /// Processors count on that thread; before open(). `room`: outlives the calls below.
    void meter(MetricRoom& room, std::string thread) { own_.emplace(&room, std::move(thread)); }
    /// By the thread of apply(), from time to time.
    void tell_time();

    /// Before the calls below. `states`: where stores that are to be on disk are, until close();
    /// null: all are in memory. Errors: what opening stores and processors ends with.
    Result<void> open(detail::StateHome* states = nullptr);
    /// When nobody reads the stores any more. What was not kept is gone.
    void close();

    // Precondition of these: the caller holds guard() for writing, or nobody reads yet.
    /// Notes out of which topic the store behind it is; rows that are out of another one go.
    /// `topic_id`: empty when it is not known. Errors: kIoError.
    Result<void> bind(const std::string& topic, std::string_view topic_id);
    /// What the state has of a partition ends before this; absent: it has nothing.
    [[nodiscard]] std::optional<std::int64_t> next_offset(
        const client::TopicPartition& where) const;
    /// The state has what lies before this.
    void note_place(const client::TopicPartition& where, std::int64_t next);
    /// Empties the store behind a topic. Errors: kIoError.
    Result<void> wipe(const std::string& topic);
    /// Errors: what processing ends with, and bytes that do not decode unless the handler goes on.
    Result<void> apply(const client::ReceivedRecord& record);
    /// Of stores that are damaged: all of them start empty, and are not whole until it is said.
    /// Errors: kIoError, kNoSpace, kMalformed (the new ones are damaged as well).
    Result<void> start_anew();
    /// Enough was applied to be kept.
    [[nodiscard]] bool is_full() const;
    /// Makes what was applied durable together with where it ends. Errors: kIoError, kNoSpace,
    /// kMalformed (damaged: start_anew(), or the next open() starts empty).
    Result<void> keep(const std::map<client::TopicPartition, std::int64_t>& next);
    /// What was kept is in files, as damage of a disk finds it; for tests. Errors: kIoError.
    Result<void> flush_files() { return open_state_.state->flush_files(); }

    // detail::Task
    detail::StateStore& store(std::string_view name) override { return graph_->store(name); }
    Result<void> send(const detail::Outgoing& record) override;
    Result<void> log_change(const detail::Outgoing& record) override;
    [[nodiscard]] std::int64_t stream_time() const override { return stream_time_; }
    [[nodiscard]] std::int64_t wall_time() const override;
    Result<std::shared_ptr<detail::SensorListing>> list_sensor(
        const detail::SensorOrder& order) override;
    [[nodiscard]] const detail::Origin& origin() const override { return origin_; }
    detail::Origin exchange_origin(const detail::Origin& next) override {
        return std::exchange(origin_, next);
    }
    void drop(const detail::Node& node, std::string_view reason) override {
        detail::log_dropped(*this, node, reason);
    }
    Result<void> survive(const detail::Node& node, const detail::Flow& flow, Error error) override;
    [[nodiscard]] bool failed() const override { return failed_; }

  private:
    Result<void> judge(const detail::SourceNode& source, const detail::SourceNode::Bytes& bytes,
                       Result<void> done);

    const detail::Parts& parts_;
    const rt::Clock* clock_;
    detail::ErrorJudge judge_;
    detail::StateHome* states_ = nullptr;
    detail::OpenState open_state_;
    std::optional<detail::ListedSensors> own_;  ///< Absent: nothing is counted.
    std::unique_ptr<detail::TaskGraph> graph_;
    std::vector<std::string> nodes_;
    std::vector<std::string> topics_;
    std::map<std::string, std::string> store_of_;  ///< By topic.
    bool keeps_on_disk_ = false;                   ///< Some store is to be on disk.
    std::vector<detail::StateStore*> stores_;
    mutable StateGuard guard_;
    std::map<client::TopicPartition, std::int64_t> partition_times_;
    Position position_;
    detail::Origin origin_;
    Headers headers_;
    std::int64_t stream_time_ = -1;
    std::atomic<bool> is_whole_ = true;
    bool failed_ = false;
};

}  // namespace leat::streams
