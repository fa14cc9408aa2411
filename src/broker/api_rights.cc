// SPDX-License-Identifier: Apache-2.0
#include "broker/api_rights.h"

#include <algorithm>
#include <array>

#include "broker/apis.h"

namespace leat::broker {
namespace {

using enum auth::Operation;
using T = auth::ResourceType;
using wire::ApiKey;

// By key. Rows of one API stand together.
constexpr auto kRows = std::to_array<Right>({
    {ApiKey::kProduce, {kWrite, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kProduce,
     {kWrite, T::kTransactionalId, "the batch is transactional",
      "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"}},
    {ApiKey::kFetch, {kRead, T::kTopic, "it comes from a client", "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kFetch,
     {kClusterAction, T::kCluster, "it comes from a replica", "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kListOffsets, {kDescribe, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kMetadata,
     {kDescribe, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED; all topics: left out"}},
    {ApiKey::kMetadata,
     {kCreate, T::kCluster, "the topic would be created", "CREATE on the topic is asked for"}},
    {ApiKey::kMetadata,
     {kCreate, T::kTopic, "the topic would be created", "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kMetadata,
     {kDescribe, T::kCluster, "it asks for the cluster's operations", "0 operations"}},
    {ApiKey::kOffsetCommit, {kRead, T::kGroup, {}, "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kOffsetCommit, {kRead, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kOffsetFetch, {kDescribe, T::kGroup, {}, "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kOffsetFetch, {kDescribe, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED; all: left out"}},
    {ApiKey::kFindCoordinator,
     {kDescribe, T::kGroup, "it asks for a group", "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kFindCoordinator,
     {kDescribe, T::kTransactionalId, "it asks for a transactional id",
      "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"}},
    {ApiKey::kJoinGroup, {kRead, T::kGroup, {}, "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kHeartbeat, {kRead, T::kGroup, {}, "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kLeaveGroup, {kRead, T::kGroup, {}, "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kSyncGroup, {kRead, T::kGroup, {}, "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kDescribeGroups, {kDescribe, T::kGroup, {}, "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kListGroups, {kDescribe, T::kCluster, {}, "DESCRIBE on each group is asked for"}},
    {ApiKey::kListGroups, {kDescribe, T::kGroup, {}, "left out"}},
    {ApiKey::kCreateTopics, {kCreate, T::kCluster, {}, "CREATE on the topic is asked for"}},
    {ApiKey::kCreateTopics, {kCreate, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kCreateTopics,
     {kDescribeConfigs, T::kTopic, {}, "topic_config_error_code, no settings", 5}},
    {ApiKey::kDeleteTopics, {kDelete, T::kCluster, {}, "DELETE on the topic is asked for"}},
    {ApiKey::kDeleteTopics,
     {kDescribe, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED; by id: no name"}},
    {ApiKey::kDeleteTopics, {kDelete, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kDeleteRecords, {kDelete, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kInitProducerId,
     {kWrite, T::kTransactionalId, "it has a transactional id",
      "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"}},
    {ApiKey::kInitProducerId,
     {kIdempotentWrite, T::kCluster, "it has no transactional id",
      "WRITE on a topic is asked for"}},
    {ApiKey::kInitProducerId,
     {kWrite, T::kTopic, "it has no transactional id", "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kOffsetForLeaderEpoch,
     {kClusterAction, T::kCluster, {}, "DESCRIBE on each topic is asked for"}},
    {ApiKey::kOffsetForLeaderEpoch, {kDescribe, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kAddPartitionsToTxn,
     {kWrite, T::kTransactionalId, {}, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", 0, 3}},
    {ApiKey::kAddPartitionsToTxn, {kWrite, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED", 0, 3}},
    {ApiKey::kAddPartitionsToTxn,
     {kClusterAction, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED", 4}},
    {ApiKey::kAddOffsetsToTxn,
     {kWrite, T::kTransactionalId, {}, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"}},
    {ApiKey::kAddOffsetsToTxn, {kRead, T::kGroup, {}, "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kEndTxn, {kWrite, T::kTransactionalId, {}, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"}},
    {ApiKey::kWriteTxnMarkers,
     {kAlter, T::kCluster, {}, "CLUSTER_ACTION on the cluster is asked for"}},
    {ApiKey::kWriteTxnMarkers, {kClusterAction, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kTxnOffsetCommit,
     {kWrite, T::kTransactionalId, {}, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"}},
    {ApiKey::kTxnOffsetCommit, {kRead, T::kGroup, {}, "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kTxnOffsetCommit, {kRead, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kDescribeAcls, {kDescribe, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kCreateAcls, {kAlter, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kDeleteAcls, {kAlter, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kDescribeConfigs,
     {kDescribeConfigs, T::kTopic, "the resource is a topic", "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kDescribeConfigs,
     {kDescribeConfigs, T::kCluster, "the resource is a broker, its logger or client metrics",
      "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kDescribeConfigs,
     {kDescribeConfigs, T::kGroup, "the resource is a group", "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kAlterConfigs,
     {kAlterConfigs, T::kTopic, "the resource is a topic", "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kAlterConfigs,
     {kAlterConfigs, T::kCluster, "the resource is a broker, its logger or client metrics",
      "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kAlterConfigs,
     {kAlterConfigs, T::kGroup, "the resource is a group", "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kAlterReplicaLogDirs, {kAlter, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kDescribeLogDirs,
     {kDescribe, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED; before version 3: empty"}},
    {ApiKey::kCreatePartitions, {kAlter, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kCreateDelegationToken,
     {kCreateTokens, T::kUser, "the owner is another user",
      "DELEGATION_TOKEN_AUTHORIZATION_FAILED"}},
    {ApiKey::kDescribeDelegationToken,
     {kDescribe, T::kDelegationToken, "the owner is another user", "left out"}},
    {ApiKey::kDescribeDelegationToken,
     {kDescribeTokens, T::kUser, "the owner is another user", "left out"}},
    {ApiKey::kDeleteGroups, {kDelete, T::kGroup, {}, "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kElectLeaders, {kAlter, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kIncrementalAlterConfigs,
     {kAlterConfigs, T::kTopic, "the resource is a topic", "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kIncrementalAlterConfigs,
     {kAlterConfigs, T::kCluster, "the resource is a broker, its logger or client metrics",
      "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kIncrementalAlterConfigs,
     {kAlterConfigs, T::kGroup, "the resource is a group", "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kAlterPartitionReassignments,
     {kAlter, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kListPartitionReassignments,
     {kDescribe, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kOffsetDelete, {kDelete, T::kGroup, {}, "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kOffsetDelete, {kRead, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kDescribeClientQuotas,
     {kDescribeConfigs, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kAlterClientQuotas, {kAlterConfigs, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kDescribeUserScramCredentials,
     {kDescribe, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kAlterUserScramCredentials, {kAlter, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kDescribeQuorum, {kDescribe, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kUpdateFeatures, {kAlter, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kDescribeCluster,
     {kDescribe, T::kCluster, "it asks for the cluster's operations", "0 operations"}},
    {ApiKey::kDescribeProducers, {kRead, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kDescribeTransactions,
     {kDescribe, T::kTransactionalId, {}, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"}},
    {ApiKey::kDescribeTransactions, {kDescribe, T::kTopic, {}, "left out of the transaction"}},
    {ApiKey::kListTransactions, {kDescribe, T::kTransactionalId, {}, "left out"}},
    {ApiKey::kConsumerGroupHeartbeat, {kRead, T::kGroup, {}, "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kConsumerGroupHeartbeat,
     {kDescribe, T::kTopic, "it subscribes to the topic", "TOPIC_AUTHORIZATION_FAILED"}},
    {ApiKey::kConsumerGroupDescribe, {kDescribe, T::kGroup, {}, "GROUP_AUTHORIZATION_FAILED"}},
    {ApiKey::kConsumerGroupDescribe,
     {kDescribe, T::kTopic, "a member has the topic", "TOPIC_AUTHORIZATION_FAILED of the group"}},
    {ApiKey::kListConfigResources,
     {kDescribeConfigs, T::kCluster, {}, "CLUSTER_AUTHORIZATION_FAILED"}},
    {ApiKey::kDescribeTopicPartitions,
     {kDescribe, T::kTopic, {}, "TOPIC_AUTHORIZATION_FAILED; all: left out"}},
});

static_assert(std::ranges::is_sorted(kRows, {}, &Right::api));

/// The last version that `right` is about.
std::int16_t last_version(const Right& right) {
    return std::min(right.need.to, wire::api_info(right.api).max);
}

}  // namespace

std::span<const Right> rights() noexcept {
    return kRows;
}

std::span<const Right> rights_of(wire::ApiKey key) noexcept {
    const auto rows = std::ranges::equal_range(kRows, key, {}, &Right::api);
    return {rows.begin(), rows.end()};
}

bool declares(wire::ApiKey key, auth::Operation operation, auth::ResourceType type) noexcept {
    return std::ranges::any_of(rights_of(key), [&](const Right& right) {
        return right.need.operation == operation && right.need.type == type;
    });
}

std::string rights_as_page() {
    std::string out =
        "# Rights of each request\n\nPrinted by `leat reference --print rights` from "
        "`src/broker/api_rights.cc`. A row without condition holds always.\n\n"
        "| API | versions | operation | on | when | who lacks it gets "
        "|\n|---|---|---|---|---|---|\n";
    for (const Right& right : kRows) {
        const wire::ApiInfo& info = wire::api_info(right.api);
        if (find_served(right.api) == nullptr) continue;
        out.append("| ").append(info.name).append(" | ");
        out += std::to_string(std::max(right.need.from, info.min)) + "-" +
               std::to_string(last_version(right));
        out.append(" | ").append(auth::name_of(right.need.operation)).append(" | ");
        out.append(auth::name_of(right.need.type)).append(" | ").append(right.need.when);
        out.append(" | ").append(right.need.without).append(" |\n");
    }
    return out;
}

}  // namespace leat::broker
