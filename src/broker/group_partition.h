// SPDX-License-Identifier: Apache-2.0
//
// The coordinator of one partition of __consumer_offsets, between its log and its callers.
// Layer: broker (L6).
// Spec:  groups/coordinator.h; docs/reference/formats/consumer-offsets.md for the records.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/shard.h"
#include "groups/coordinator.h"
#include "obs/metrics.h"
#include "rt/executor.h"
#include "rt/task.h"
#include "storage/partition.h"

namespace leat::broker {

/// A shard's metadata as groups see it.
/// Threading: shard-local.
class ShardClusterView final : public groups::ClusterView {
  public:
    explicit ShardClusterView(const Shard& shard) : shard_(shard) {}
    [[nodiscard]] std::optional<groups::TopicInfo> find(std::string_view topic) const override;
    [[nodiscard]] std::optional<groups::TopicInfo> find(const Uuid& id) const override;
    void for_each_topic(const std::function<void(std::string_view)>& visit) const override;
    [[nodiscard]] std::int64_t version() const override;
    [[nodiscard]] groups::GroupOverrides overrides(std::string_view group_id) const override;

  private:
    static std::optional<groups::TopicInfo> info_of(const metadata::Topic* topic);
    const Shard& shard_;
};

/// Reads the partition into a coordinator, appends what that one writes, in order, tells it what
/// became of it, and calls it when time has passed.
///
/// Threading: shard-local.
/// Memory:    shared: appends on their way keep it alive.
/// Failure:   a log that cannot be read, or that goes offline, leaves status() an error: clients
///            look for another coordinator until this one is back after a restart.
class GroupPartition final : public std::enable_shared_from_this<GroupPartition> {
  public:
    GroupPartition(Shard& shard, PartitionPtr partition, const groups::Faults& faults = {});
    ~GroupPartition();
    GroupPartition(const GroupPartition&) = delete;
    GroupPartition& operator=(const GroupPartition&) = delete;

    /// Begins to read the partition.
    void start();
    /// Ends it for good. Whoever still waits for an answer is told kNotCoordinator by its Ticket.
    void stop();

    /// kNone when calls may be made; kCoordinatorLoadInProgress, kCoordinatorNotAvailable (failed),
    /// kNotCoordinator (stopped).
    [[nodiscard]] Errc status() const;

    /// `call(coordinator, now)`, and what follows from it. Precondition: status() is kNone.
    template <class Call>
    void run(Call call) {
        const Entry entry{*this};
        call(*coordinator_, now());
    }

    /// Offsets that groups have committed, for /metrics. Nothing while it is not ready.
    void add_samples(std::vector<obs::Sample>& out) const;

    /// Also while it loads: then it is made up for.
    void on_topic_deleted(const std::string& topic);
    /// The marker of a producer's transaction is durably in the partition.
    void on_marker(std::int64_t producer_id, bool committed);
    /// One that came, or grew.
    void on_topic_changed(const std::string& topic, bool is_new);
    void set_settings(const groups::Settings& settings);

  private:
    enum class State : std::uint8_t { kLoading, kReady, kFailed, kStopped };

    /// One call into the coordinator: afterwards its writes are appended and its timer set. Answers
    /// may call back in, and stop() may come from one of them.
    class Entry {
      public:
        explicit Entry(GroupPartition& owner);
        ~Entry();
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;

      private:
        std::shared_ptr<GroupPartition> owner_;
    };

    [[nodiscard]] groups::Now now() const;
    static rt::Task<void> load(std::shared_ptr<GroupPartition> self);
    /// Up to the high watermark; the offset behind what was read. Errors: those of reading.
    rt::Task<Result<void>> replay();
    /// The offset behind the last batch. Errors: kCorruptMessage and those of compression.
    Result<Offset> replay_batches(Bytes batches, Offset from);
    void loaded(const Result<void>& result);
    void append_writes();
    static rt::Task<void> append(std::shared_ptr<GroupPartition> self, groups::Write write);
    void written(std::uint64_t token, Errc outcome);
    void set_timer();

    Shard& shard_;
    PartitionPtr partition_;
    groups::Faults faults_;
    ShardClusterView cluster_;
    State state_ = State::kLoading;
    std::unique_ptr<groups::Coordinator> coordinator_;
    std::size_t entries_ = 0;  ///< Calls into the coordinator that have not returned.
    std::deque<groups::Write> writes_;
    bool is_appending_ = false;
    rt::TimerId timer_;
    std::optional<Instant> timer_at_;
    std::vector<std::string> deleted_while_loading_;
};

/// What an operator sets about groups.
[[nodiscard]] groups::Settings group_settings(const config::BrokerConfig& config);

}  // namespace leat::broker
