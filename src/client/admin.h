// SPDX-License-Identifier: Apache-2.0
//
// Administration of a cluster: topics, settings, groups, brokers. Layer: client (L3), on wire.
// Every call gives one result for each thing asked about; `code` and `message` are the broker's
// words.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "client/client_properties.h"
#include "client/cluster.h"
#include "client/consumer.h"
#include "client/group_info.h"
#include "client/transaction_info.h"

namespace leat::client {

struct BrokerInfo {
    std::int32_t id = 0;
    Endpoint endpoint;
    std::optional<std::string> rack;
};

struct PartitionInfo {
    std::int32_t id = 0;
    Errc code = Errc::kNone;
    std::int32_t leader = -1;
    std::int32_t leader_epoch = -1;
    std::vector<std::int32_t> replicas;
    std::vector<std::int32_t> in_sync;
    std::vector<std::int32_t> offline;
};

struct TopicInfo {
    std::string name;
    Uuid id;  ///< Zero from brokers older than 2.8.
    Errc code = Errc::kNone;
    bool is_internal = false;
    std::vector<PartitionInfo> partitions;  ///< By id.
};

struct ClusterInfo {
    std::string id;
    std::int32_t controller = -1;
    std::vector<BrokerInfo> brokers;  ///< By id.
    std::vector<TopicInfo> topics;    ///< By name.
};

struct ConfigChange {
    enum class Kind : std::int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };
    std::string name;
    Kind kind = Kind::kSet;
    std::string value;
};

struct NewTopic {
    std::string name;
    std::int32_t partitions = -1;          ///< -1: the broker's default.
    std::int16_t replication_factor = -1;  ///< -1: the broker's default.
    std::vector<ConfigChange> configs;     ///< kSet only.
};

struct CreatedTopic {
    Outcome outcome;
    Uuid id;
    std::int32_t partitions = -1;
    std::int16_t replication_factor = -1;
};

/// Numbers are the protocol's.
enum class ResourceType : std::int8_t {
    kTopic = 2,
    kBroker = 4,
    kBrokerLogger = 8,
    kClientMetrics = 16,
    kGroup = 32
};

struct Resource {
    ResourceType type = ResourceType::kTopic;
    std::string name;  ///< Empty: the default of all brokers.
};

struct ConfigEntry {
    std::string name;
    std::optional<std::string> value;  ///< None when null, and when sensitive.
    bool is_read_only = false;
    bool is_sensitive = false;
    std::int8_t source = 0;  ///< As in DescribeConfigs: 1 topic, 2 broker, 3 default of brokers, 4
                             ///< static, 5 default.
    std::string documentation;
};

/// Timestamps that stand for places, in list_offsets().
inline constexpr std::int64_t kEarliest = -2;
inline constexpr std::int64_t kLatest = -1;

struct PartitionOffset {
    TopicPartition where;
    std::int64_t offset = -1;  ///< -1: none (no record so late, nothing committed).
    Errc code = Errc::kNone;
};

struct LogDirInfo {
    std::int32_t broker = -1;
    std::string path;
    Errc code = Errc::kNone;
    std::int64_t size_bytes = 0;    ///< Of all partitions.
    std::int64_t total_bytes = -1;  ///< Of the file system; -1: not told.
    std::int64_t usable_bytes = -1;
    std::int64_t partitions = 0;
};

/// Threading: not synchronised.
class Admin {
  public:
    /// Reads bootstrap.servers, client.id, request.timeout.ms and what security.h reads.
    /// Errors: those of Cluster::connect(); kInvalidSetting.
    static Result<std::unique_ptr<Admin>> connect(const std::vector<Property>& properties,
                                                  LoginHelpers helpers = {});

    /// All topics, or `topics`. Errors: of the connection only; each topic has its code.
    Result<ClusterInfo> describe_cluster(std::optional<std::span<const std::string>> topics);

    Result<std::vector<CreatedTopic>> create_topics(std::span<const NewTopic> topics,
                                                    bool validate_only);
    Result<std::vector<Outcome>> delete_topics(std::span<const std::string> names);
    Result<Outcome> create_partitions(std::string_view topic, std::int32_t total,
                                      bool validate_only);
    /// Moves each partition's first offset up to `offset` (-1: its end); gives the new first
    /// offsets.
    Result<std::vector<PartitionOffset>> delete_records(std::span<const PartitionOffset> before);

    /// Errors: also what the broker says about the resource.
    Result<std::vector<ConfigEntry>> describe_configs(const Resource& resource);
    Result<Outcome> alter_configs(const Resource& resource, std::span<const ConfigChange> changes,
                                  bool validate_only);
    /// Names of the resources of this type that can have settings, in order.
    Result<std::vector<std::string>> list_config_resources(ResourceType type);

    /// One timestamp (or kEarliest, kLatest) for all of `where`; results in the same order.
    /// `committed_only`: kLatest is behind the last record that no open transaction can take back.
    Result<std::vector<PartitionOffset>> list_offsets(std::span<const TopicPartition> where,
                                                      std::int64_t timestamp,
                                                      bool committed_only = false);

    /// `filter`: Errors: kUnsupportedVersion (brokers before 2.6 know no states, before 3.8 no
    /// types).
    Result<std::vector<GroupInfo>> list_groups(const GroupFilter& filter = {});
    Result<GroupDetails> describe_group(std::string_view group);
    /// Every committed offset of the group.
    Result<std::vector<PartitionOffset>> committed_offsets(std::string_view group);
    Result<std::vector<PartitionOffset>> commit_offsets(std::string_view group,
                                                        std::span<const PartitionOffset> offsets);
    /// One outcome for each of `where`, in order. Errors: also the broker's about the group.
    Result<std::vector<Outcome>> delete_offsets(std::string_view group,
                                                std::span<const TopicPartition> where);
    Result<std::vector<Outcome>> delete_groups(std::span<const std::string> groups);
    /// Takes members out of a classic group, as if they had left; `why` is for the broker's log.
    /// A static member may be named by its instance id alone.
    Result<std::vector<Outcome>> remove_members(std::string_view group,
                                                std::span<const MemberInfo> members,
                                                std::string_view why);

    /// Errors: also kUnsupportedVersion (brokers before 3.8 know no age, before 4.1 no pattern),
    /// kInvalidRegularExpression.
    Result<std::vector<TransactionInfo>> list_transactions(const TransactionFilter& filter = {});
    Result<TransactionDetails> describe_transaction(std::string_view id);
    /// What is open in these partitions.
    Result<std::vector<OpenTransaction>> open_transactions(std::span<const TopicPartition> where);
    /// Aborts what the id has open and fences its producer, by taking its place for a moment.
    /// `timeout_ms` is noted for the id until its next producer. Errors: also the broker's.
    Result<TransactionInfo> force_terminate_transaction(std::string_view id,
                                                        std::int32_t timeout_ms);
    /// Ends one without its coordinator, by an abort marker.
    Result<Outcome> abort_transaction(const OpenTransaction& open);

    /// Of every broker. A broker that cannot be reached has an entry with its code.
    Result<std::vector<LogDirInfo>> log_dirs();

    [[nodiscard]] Cluster& cluster() { return *cluster_; }

  private:
    explicit Admin(std::unique_ptr<Cluster> cluster) : cluster_(std::move(cluster)) {}
    Result<GroupDetails> describe_new_group(std::string_view group);
    std::unique_ptr<Cluster> cluster_;
};

}  // namespace leat::client
