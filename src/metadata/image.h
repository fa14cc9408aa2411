// SPDX-License-Identifier: Apache-2.0
//
// One shard's copy of the metadata: topics by name and id, settings, counters.
// Layer: metadata (L4). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/acl_table.h"
#include "auth/quota.h"
#include "base/result.h"
#include "base/uuid.h"
#include "metadata/delta.h"

namespace leat::metadata {

/// Invariant: each topic is in all three tables; every topic's config is resolved against broker().
/// Threading: shard-local; every shard applies the same deltas in the same order.
/// Memory:    topics are shared between the shards' images, tables are not.
class Image {
  public:
    /// `static_layers` has file and command line; the state's dynamic settings are added.
    /// Errors: kInvalidSetting, as config::resolve().
    static Result<Image> make(const State& state, const config::Layers& static_layers);

    Image(Image&&) = default;
    Image& operator=(Image&&) = default;
    Image(const Image&) = delete;
    Image& operator=(const Image&) = delete;
    ~Image() = default;
    /// For another shard, or to start over from; the topics are shared.
    [[nodiscard]] Image clone() const;

    void apply(const Delta& delta);

    /// nullptr when there is none. Valid until the next apply(); a coroutine that suspends keeps
    /// the TopicPtr of share() instead.
    [[nodiscard]] const Topic* find(std::string_view name) const;
    [[nodiscard]] const Topic* find(const Uuid& id) const;
    [[nodiscard]] TopicPtr share(std::string_view name) const;
    [[nodiscard]] TopicPtr share(const Uuid& id) const;

    /// All topics in name order (Metadata, paging of DescribeTopicPartitions by lower_bound()).
    using Topics = std::map<std::string_view, TopicPtr>;
    [[nodiscard]] const Topics& topics() const noexcept { return topics_; }
    [[nodiscard]] std::int64_t partition_total() const noexcept { return partition_total_; }

    /// Leader epoch of all partitions of `topic`: grows by one at each unclean start.
    [[nodiscard]] std::int32_t leader_epoch(const Topic& topic) const noexcept {
        return unclean_starts_ - topic.created_epoch;
    }
    [[nodiscard]] std::int32_t unclean_starts() const noexcept { return unclean_starts_; }
    [[nodiscard]] std::int64_t next_producer_id() const noexcept { return next_producer_id_; }
    [[nodiscard]] const std::string& cluster_id() const noexcept { return cluster_id_; }
    [[nodiscard]] const config::BrokerConfig& broker() const noexcept { return *broker_; }
    [[nodiscard]] std::shared_ptr<const config::BrokerConfig> share_broker() const {
        return broker_;
    }
    [[nodiscard]] const config::Layers& layers() const noexcept { return *layers_; }
    [[nodiscard]] const auth::AclTable& acls() const noexcept { return acls_; }
    [[nodiscard]] const auth::QuotaTable& quotas() const noexcept { return quotas_; }
    using ClientMetrics = std::map<std::string, config::Values>;
    /// Subscriptions to clients' metrics, by name.
    [[nodiscard]] const ClientMetrics& client_metrics() const noexcept { return client_metrics_; }
    using GroupConfigs = std::map<std::string, config::Values>;
    /// Groups that have settings of their own, by id.
    [[nodiscard]] const GroupConfigs& group_configs() const noexcept { return group_configs_; }
    [[nodiscard]] const Credentials& credentials() const noexcept { return credentials_; }
    using FeatureLevels = std::map<std::string, std::int16_t>;
    /// Finalized levels that an administrator set.
    [[nodiscard]] const FeatureLevels& feature_levels() const noexcept { return feature_levels_; }
    [[nodiscard]] std::int64_t feature_changes() const noexcept { return feature_changes_; }
    /// Number of deltas applied since the state was loaded.
    [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

  private:
    Image() = default;
    void insert(TopicPtr topic);
    void erase(const Topic& topic);
    void replace(const TopicPtr& topic);
    void resolve_all();

    Topics topics_;  ///< Keys are views of the topics' own names.
    std::unordered_map<std::string_view, const TopicPtr*> by_name_;
    std::unordered_map<Uuid, const TopicPtr*> by_id_;
    std::shared_ptr<const config::Layers> layers_;
    std::shared_ptr<const config::BrokerConfig> broker_;
    std::string cluster_id_;
    auth::AclTable acls_;
    auth::QuotaTable quotas_;
    ClientMetrics client_metrics_;
    GroupConfigs group_configs_;
    Credentials credentials_;
    FeatureLevels feature_levels_;
    std::int64_t feature_changes_ = 0;
    std::int64_t next_producer_id_ = 0;
    std::int64_t partition_total_ = 0;
    std::int32_t unclean_starts_ = 0;
    std::uint64_t version_ = 0;
};

}  // namespace leat::metadata
