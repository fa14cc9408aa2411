// SPDX-License-Identifier: Apache-2.0
//
// What changes in the metadata, one variant per kind; made by the controller, committed by the
// store, applied to every shard's image. Layer: metadata (L4).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "auth/acl.h"
#include "auth/quota.h"
#include "base/uuid.h"
#include "config/layers.h"
#include "metadata/credentials.h"

namespace leat::metadata {

/// One topic as it is after a change.
/// Threading: immutable, shared between shards.
struct Topic {
    Uuid id;
    std::string name;
    std::int32_t partition_count = 1;
    /// Number of unclean starts before the topic was made: its leader epochs count from there.
    std::int32_t created_epoch = 0;
    config::Values overrides;
    std::shared_ptr<const config::TopicConfig> config;

    /// Kafka's own topics: "__consumer_offsets", "__transaction_state".
    [[nodiscard]] bool is_internal() const noexcept;
};
using TopicPtr = std::shared_ptr<const Topic>;

struct TopicCreated {
    TopicPtr topic;
};
struct TopicDeleted {
    TopicPtr topic;
};
struct PartitionsAdded {
    TopicPtr topic;
    std::int32_t count_before = 0;
};
struct TopicConfigChanged {
    TopicPtr topic;
};
/// Dynamic settings of the broker or of all brokers; topics' effective settings follow.
struct BrokerConfigChanged {
    std::shared_ptr<const config::Layers> layers;
    std::shared_ptr<const config::BrokerConfig> config;
};
/// Producer ids below `next` are taken.
struct ProducerIdsAllocated {
    std::int64_t next = 0;
};
struct LeaderEpochsBumped {
    std::int32_t unclean_starts = 0;
};

/// Access rules. Those of `removed` were there, those of `added` were not.
struct AclsChanged {
    std::shared_ptr<const std::vector<auth::Acl>> added;
    std::shared_ptr<const std::vector<auth::Acl>> removed;
};

/// All limits of one entity; none: it has none any more.
struct QuotasChanged {
    auth::QuotaEntity entity;
    auth::QuotaValues values;
};

/// Numbers are those of DescribeConfigs.
enum class ResourceType : std::int8_t {
    kTopic = 2,
    kBroker = 4,
    kBrokerLogger = 8,
    kClientMetrics = 16,
    kGroup = 32,
};

/// All own settings of a subscription to clients' metrics, or of a group; none: it has none any
/// more.
struct ResourceConfigChanged {
    ResourceType type = ResourceType::kClientMetrics;
    std::string name;
    config::Values values;
};

/// All levels that an administrator set; `changes` counts these deltas.
struct FeatureLevelsChanged {
    std::map<std::string, std::int16_t> levels;
    std::int64_t changes = 0;
};

using Delta = std::variant<TopicCreated, TopicDeleted, PartitionsAdded, TopicConfigChanged,
                           BrokerConfigChanged, ProducerIdsAllocated, LeaderEpochsBumped,
                           AclsChanged, QuotasChanged, ResourceConfigChanged, ScramChanged,
                           TokenChanged, SuperUserChanged, FeatureLevelsChanged>;

/// What a store keeps.
struct StoredTopic {
    Uuid id;
    std::string name;
    std::int32_t partition_count = 1;
    std::int32_t created_epoch = 0;
    config::Values overrides;
};
struct State {
    std::string cluster_id;  ///< 22 characters of base64url; the store makes it once.
    std::int64_t next_producer_id = 0;
    std::int32_t unclean_starts = 0;
    config::Values dynamic_default;
    config::Values dynamic_broker;
    std::vector<StoredTopic> topics;
    std::vector<auth::Acl> acls;
    auth::QuotaTable::All quotas;
    std::map<std::string, config::Values> client_metrics;
    std::map<std::string, config::Values> group_configs;
    Credentials credentials;
    std::map<std::string, std::int16_t> feature_levels;
    std::int64_t feature_changes = 0;
};

}  // namespace leat::metadata
