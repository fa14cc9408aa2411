// SPDX-License-Identifier: Apache-2.0
//
// The coordinator of one partition of __consumer_offsets, and the cluster around it.
// Layer: broker (L6).
// Spec:  groups/coordinator.h; docs/reference/formats/consumer-offsets.md for the records.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/log_backed_coordinator.h"
#include "broker/shard.h"
#include "groups/coordinator.h"
#include "obs/metrics.h"

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

/// With its topics, its metrics and what becomes of its offsets from outside.
///
/// Threading: shard-local.
class GroupPartition final : public LogBackedCoordinator<GroupPartition, groups::Coordinator> {
  public:
    GroupPartition(Shard& shard, PartitionPtr partition, const groups::Faults& faults = {});
    ~GroupPartition();
    GroupPartition(const GroupPartition&) = delete;
    GroupPartition& operator=(const GroupPartition&) = delete;

    /// Offsets that groups have committed, for /metrics. Nothing while it is not ready.
    void add_samples(std::vector<obs::Sample>& out) const;

    /// Also while it loads: then it is made up for.
    void on_topic_deleted(const std::string& topic);
    /// The marker of a producer's transaction is durably in the partition.
    void on_marker(std::int64_t producer_id, bool committed);
    /// One that came, or grew. Also while it loads, as above.
    void on_topic_changed(const std::string& topic, bool is_new);
    void set_settings(const groups::Settings& settings);

  private:
    friend LogBackedCoordinator;
    static constexpr CoordinatorLog kLog{
        .logger = obs::Logger{"groups"},
        .not_loaded = "groups not loaded",
        .unreadable = "records of groups left alone that cannot be read"};

    [[nodiscard]] Replay replay();
    void on_loaded();
    void follow_up() {}

    groups::Faults faults_;
    ShardClusterView cluster_;
    /// Deleted or made while it loads: offsets that it reads are of no topic that there is.
    std::vector<std::string> stale_topics_;
};
extern template class LogBackedCoordinator<GroupPartition, groups::Coordinator>;

/// What an operator sets about groups.
[[nodiscard]] groups::Settings group_settings(const config::BrokerConfig& config);

}  // namespace leat::broker
