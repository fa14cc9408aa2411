// SPDX-License-Identifier: Apache-2.0
#include "broker/apis.h"

#include <algorithm>
#include <array>

#include "broker/broker.h"
#include "broker/handlers/acls.h"
#include "broker/handlers/api_versions.h"
#include "broker/handlers/client_quotas.h"
#include "broker/handlers/cluster.h"
#include "broker/handlers/configs.h"
#include "broker/handlers/consumer_groups.h"
#include "broker/handlers/fetch.h"
#include "broker/handlers/find_coordinator.h"
#include "broker/handlers/group_members.h"
#include "broker/handlers/groups_admin.h"
#include "broker/handlers/metadata.h"
#include "broker/handlers/offset_commit.h"
#include "broker/handlers/offset_fetch.h"
#include "broker/handlers/offsets.h"
#include "broker/handlers/partitions.h"
#include "broker/handlers/produce.h"
#include "broker/handlers/producer_ids.h"
#include "broker/handlers/replicas.h"
#include "broker/handlers/sasl.h"
#include "broker/handlers/scram_users.h"
#include "broker/handlers/telemetry.h"
#include "broker/handlers/tokens.h"
#include "broker/handlers/topics.h"
#include "broker/handlers/transactions.h"
#include "broker/handlers/transactions_admin.h"
#include "broker/handlers/txn_offset_commit.h"
#include "broker/metrics.h"
#include "obs/log.h"

namespace leat::broker {
namespace {

using enum wire::ApiKey;

constexpr obs::Logger kLog{"requests"};

// By key. Versions: schemas/.
constexpr auto kTable = std::to_array<Api>({
    {.key = kProduce,
     .handle = call<handle_produce>,
     .quota = QuotaClass::kProduce,
     .runs_ahead = true},
    {.key = kFetch, .handle = call<handle_fetch>, .quota = QuotaClass::kFetch},
    {.key = kListOffsets, .handle = call<handle_list_offsets>},
    {.key = kMetadata, .handle = call<handle_metadata>},
    {.key = kOffsetCommit, .handle = call<handle_offset_commit>},
    {.key = kOffsetFetch, .handle = call<handle_offset_fetch>},
    {.key = kFindCoordinator, .handle = call<handle_find_coordinator>},
    {.key = kJoinGroup, .handle = call<handle_join_group>},
    {.key = kHeartbeat, .handle = call<handle_heartbeat>},
    {.key = kLeaveGroup, .handle = call<handle_leave_group>},
    {.key = kSyncGroup, .handle = call<handle_sync_group>},
    {.key = kDescribeGroups, .handle = call<handle_describe_groups>},
    {.key = kListGroups, .handle = call<handle_list_groups>},
    {.key = kSaslHandshake,
     .handle = call<handle_sasl_handshake>,
     .rights = Rights::kNone,
     .quota = QuotaClass::kExempt},
    {.key = kApiVersions, .handle = call<handle_api_versions>, .rights = Rights::kNone},
    {.key = kCreateTopics, .handle = call<handle_create_topics>, .quota = QuotaClass::kMutation},
    {.key = kDeleteTopics, .handle = call<handle_delete_topics>, .quota = QuotaClass::kMutation},
    {.key = kDeleteRecords, .handle = call<handle_delete_records>},
    {.key = kInitProducerId, .handle = call<handle_init_producer_id>},
    {.key = kOffsetForLeaderEpoch, .handle = call<handle_offset_for_leader_epoch>},
    {.key = kAddPartitionsToTxn,
     .handle = call<handle_add_partitions_to_txn>,
     .asks_for_the_end = true},
    {.key = kAddOffsetsToTxn, .handle = call<handle_add_offsets_to_txn>, .asks_for_the_end = true},
    {.key = kEndTxn, .handle = call<handle_end_txn>, .asks_for_the_end = true},
    {.key = kWriteTxnMarkers, .handle = call<handle_write_txn_markers>, .rights = Rights::kCluster},
    {.key = kTxnOffsetCommit, .handle = call<handle_txn_offset_commit>},
    {.key = kDescribeAcls, .handle = call<handle_describe_acls>},
    {.key = kCreateAcls, .handle = call<handle_create_acls>},
    {.key = kDeleteAcls, .handle = call<handle_delete_acls>},
    {.key = kDescribeConfigs, .handle = call<handle_describe_configs>},
    {.key = kAlterConfigs, .handle = call<handle_alter_configs>},
    {.key = kAlterReplicaLogDirs,
     .handle = call<handle_alter_replica_log_dirs>,
     .rights = Rights::kCluster},
    {.key = kDescribeLogDirs, .handle = call<handle_describe_log_dirs>, .rights = Rights::kCluster},
    {.key = kSaslAuthenticate,
     .handle = call<handle_sasl_authenticate>,
     .rights = Rights::kNone,
     .quota = QuotaClass::kExempt},
    {.key = kCreatePartitions,
     .handle = call<handle_create_partitions>,
     .quota = QuotaClass::kMutation},
    {.key = kCreateDelegationToken, .handle = call<handle_create_token>},
    {.key = kRenewDelegationToken, .handle = call<handle_renew_token>},
    {.key = kExpireDelegationToken, .handle = call<handle_expire_token>},
    {.key = kDescribeDelegationToken, .handle = call<handle_describe_tokens>},
    {.key = kDeleteGroups, .handle = call<handle_delete_groups>},
    {.key = kElectLeaders, .handle = call<handle_elect_leaders>, .rights = Rights::kCluster},
    {.key = kIncrementalAlterConfigs, .handle = call<handle_incremental_alter_configs>},
    {.key = kAlterPartitionReassignments,
     .handle = call<handle_alter_partition_reassignments>,
     .rights = Rights::kCluster},
    {.key = kListPartitionReassignments,
     .handle = call<handle_list_partition_reassignments>,
     .rights = Rights::kCluster},
    {.key = kOffsetDelete, .handle = call<handle_offset_delete>},
    {.key = kDescribeClientQuotas, .handle = call<handle_describe_client_quotas>},
    {.key = kAlterClientQuotas, .handle = call<handle_alter_client_quotas>},
    {.key = kDescribeUserScramCredentials,
     .handle = call<handle_describe_scram_users>,
     .rights = Rights::kCluster},
    {.key = kAlterUserScramCredentials,
     .handle = call<handle_alter_scram_users>,
     .rights = Rights::kCluster},
    {.key = kDescribeQuorum, .handle = call<handle_describe_quorum>, .rights = Rights::kCluster},
    {.key = kUpdateFeatures, .handle = call<handle_update_features>, .rights = Rights::kCluster},
    {.key = kDescribeCluster, .handle = call<handle_describe_cluster>},
    {.key = kDescribeProducers, .handle = call<handle_describe_producers>},
    {.key = kDescribeTransactions, .handle = call<handle_describe_transactions>},
    {.key = kListTransactions, .handle = call<handle_list_transactions>},
    {.key = kConsumerGroupHeartbeat, .handle = call<handle_consumer_group_heartbeat>},
    {.key = kConsumerGroupDescribe, .handle = call<handle_consumer_group_describe>},
    {.key = kGetTelemetrySubscriptions, .handle = call<handle_get_telemetry_subscriptions>},
    {.key = kPushTelemetry, .handle = call<handle_push_telemetry>},
    {.key = kListConfigResources,
     .handle = call<handle_list_config_resources>,
     .rights = Rights::kCluster},
    {.key = kDescribeTopicPartitions, .handle = call<handle_describe_topic_partitions>},
});

static_assert(std::ranges::is_sorted(kTable, {}, &Api::key));

}  // namespace

std::span<const Api> apis() noexcept {
    return kTable;
}

const Api* find_served(wire::ApiKey key) noexcept {
    const auto at = std::ranges::lower_bound(kTable, key, {}, &Api::key);
    return at == kTable.end() || at->key != key ? nullptr : &*at;
}

void count_error(const Request& request, std::int16_t code) {
    if (code != 0) request.shard->broker().metrics().count_error(code);
}

void limit_answer(Request& request) {
    request.arena_bytes_max = request.arena.capacity_bytes() +
                              static_cast<std::size_t>(request.shard->config().response_bytes_max);
    request.arena_share.grow_to(request.arena.capacity_bytes());
}

bool may_answer(const Request& request, wire::EncodedSize size) {
    const auto bytes_max = static_cast<std::size_t>(request.shard->config().response_bytes_max);
    return size.total() <= INT32_MAX && size.inline_bytes <= bytes_max &&
           request.arena_share.can_hold(size.inline_bytes);
}

Answer refuse_answer(const Request& request) {
    request.shard->broker().metrics().of(request.header.api->key).refused_answers.add();
    kLog.warn("answer too large for leat.response.max.bytes or leat.response.memory.max.bytes",
              {{"api", request.header.api->name},
               {"peer", request.connection->peer},
               {"client_id", request.client_id()},
               {"request_bytes", request.frame_bytes}});
    return Answer::close("answer_too_large");
}

}  // namespace leat::broker
