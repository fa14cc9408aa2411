// SPDX-License-Identifier: Apache-2.0
//
// Transactions: what coordinators know, what logs have open, and how one of these is ended.
#include <algorithm>
#include <map>

#include "client/admin.h"
#include "client/request_parts.h"
#include "wire/messages/describe_producers_request.h"
#include "wire/messages/describe_producers_response.h"
#include "wire/messages/describe_transactions_request.h"
#include "wire/messages/describe_transactions_response.h"
#include "wire/messages/init_producer_id_request.h"
#include "wire/messages/init_producer_id_response.h"
#include "wire/messages/list_transactions_request.h"
#include "wire/messages/list_transactions_response.h"
#include "wire/messages/write_txn_markers_request.h"
#include "wire/messages/write_txn_markers_response.h"

namespace leat::client {
namespace {

using Asked = wire::DescribeProducersRequest::TopicRequest;

/// The first partition of all that could not be told about.
std::int16_t producers_verdict(const wire::DescribeProducersResponse& message) {
    for (const auto& topic : message.topics)
        for (const auto& partition : topic.partitions)
            if (partition.error_code != 0) return partition.error_code;
    return 0;
}

std::int16_t marked_verdict(const wire::WriteTxnMarkersResponse& message) {
    for (const auto& marker : message.markers)
        for (const auto& topic : marker.topics)
            for (const auto& partition : topic.partitions)
                if (partition.error_code != 0) return partition.error_code;
    return 0;
}

void add_open(const wire::DescribeProducersResponse& message, std::vector<OpenTransaction>& out) {
    for (const auto& topic : message.topics)
        for (const auto& partition : topic.partitions)
            for (const auto& producer : partition.active_producers)
                if (producer.current_txn_start_offset >= 0)
                    out.push_back({.where = {std::string{topic.name}, partition.partition_index},
                                   .producer_id = producer.producer_id,
                                   .epoch = static_cast<std::int16_t>(producer.producer_epoch),
                                   .coordinator_epoch = producer.coordinator_epoch,
                                   .start_offset = producer.current_txn_start_offset,
                                   .last_timestamp_ms = producer.last_timestamp});
}

}  // namespace

Result<std::vector<TransactionInfo>> Admin::list_transactions(const TransactionFilter& filter) {
    constexpr std::int16_t kFirstWithAge = 1;
    constexpr std::int16_t kFirstWithPattern = 2;
    const std::int16_t needed = !filter.pattern.empty()     ? kFirstWithPattern
                                : filter.older_than_ms >= 0 ? kFirstWithAge
                                                            : std::int16_t{0};
    std::vector<std::string_view> states{filter.states.begin(), filter.states.end()};
    std::vector<std::int64_t> producers = filter.producer_ids;
    wire::ListTransactionsRequest request{.state_filters = states,
                                          .producer_id_filters = producers,
                                          .duration_filter = filter.older_than_ms};
    if (!filter.pattern.empty()) request.transactional_id_pattern = filter.pattern;
    std::vector<TransactionInfo> out;
    const std::vector<Cluster::Broker> brokers = cluster_->brokers();
    for (const Cluster::Broker& broker : brokers) {
        LEAT_TRY(const auto answer,
                 cluster_->ask<wire::ListTransactionsResponse>(
                     Target::broker(broker.id), request,
                     [](const wire::ListTransactionsResponse& m) { return m.error_code; },
                     INT16_MAX, true, needed));
        if (answer.message.error_code != 0) return Error{errc_from_wire(answer.message.error_code)};
        for (const auto& each : answer.message.transaction_states)
            out.push_back({.id = std::string{each.transactional_id},
                           .producer_id = each.producer_id,
                           .state = std::string{each.transaction_state}});
    }
    std::ranges::sort(out, {}, &TransactionInfo::id);
    return out;
}

Result<TransactionDetails> Admin::describe_transaction(std::string_view id) {
    std::string_view ids[] = {id};
    const wire::DescribeTransactionsRequest request{.transactional_ids = ids};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::DescribeTransactionsResponse>(
                 Target::transaction(id), request,
                 [](const wire::DescribeTransactionsResponse& m) -> std::int16_t {
                     return m.transaction_states.empty() ? std::int16_t{0}
                                                         : m.transaction_states[0].error_code;
                 }));
    if (answer.message.transaction_states.empty())
        return Error{Errc::kMalformed, "the broker told of no transactional id"};
    const auto& from = answer.message.transaction_states[0];
    TransactionDetails out;
    out.code = errc_from_wire(from.error_code);
    out.info = {.id = std::string{id},
                .producer_id = from.producer_id,
                .state = std::string{from.transaction_state}};
    out.epoch = from.producer_epoch;
    out.timeout_ms = from.transaction_timeout_ms;
    out.started_ms = from.transaction_start_time_ms;
    for (const auto& topic : from.topics)
        for (const std::int32_t partition : topic.partitions)
            out.partitions.push_back({std::string{topic.topic}, partition});
    std::ranges::sort(out.partitions);
    return out;
}

Result<std::vector<OpenTransaction>> Admin::open_transactions(
    std::span<const TopicPartition> where) {
    std::vector<OpenTransaction> out;
    LEAT_TRY(const ClusterInfo cluster, describe_cluster(std::nullopt));
    std::map<TopicPartition, std::int32_t> leaders;
    for (const TopicInfo& topic : cluster.topics)
        for (const PartitionInfo& partition : topic.partitions)
            leaders[{topic.name, partition.id}] = partition.leader;
    std::map<std::int32_t, std::map<std::string_view, std::vector<std::int32_t>>> by_leader;
    for (const TopicPartition& each : where)
        if (const auto at = leaders.find(each); at != leaders.end())
            by_leader[at->second][each.topic].push_back(each.partition);
    for (auto& [leader, topics] : by_leader) {
        std::vector<Asked> asked;
        asked.reserve(topics.size());
        for (auto& [topic, partitions] : topics)
            asked.push_back({.name = topic, .partition_indexes = partitions});
        const wire::DescribeProducersRequest request{.topics = asked};
        LEAT_TRY(const auto answer, cluster_->ask<wire::DescribeProducersResponse>(
                                        Target::broker(leader), request, producers_verdict));
        if (const std::int16_t code = producers_verdict(answer.message); code != 0)
            return Error{errc_from_wire(code), "asking for the producers of a partition"};
        add_open(answer.message, out);
    }
    return out;
}

Result<TransactionInfo> Admin::force_terminate_transaction(std::string_view id,
                                                           std::int32_t timeout_ms) {
    const wire::InitProducerIdRequest request{.transactional_id = id,
                                              .transaction_timeout_ms = timeout_ms};
    // The first answer is CONCURRENT_TRANSACTIONS while the abort goes through; that is retriable.
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::InitProducerIdResponse>(
                 Target::transaction(id), request,
                 [](const wire::InitProducerIdResponse& m) { return m.error_code; }));
    if (answer.message.error_code != 0) return Error{errc_from_wire(answer.message.error_code)};
    LEAT_TRY(TransactionDetails now, describe_transaction(id));
    if (now.code != Errc::kNone) return Error{now.code};
    return now.info;
}

Result<Outcome> Admin::abort_transaction(const OpenTransaction& open) {
    const std::string topics[] = {open.where.topic};
    LEAT_TRY(const ClusterInfo cluster, describe_cluster(topics));
    std::int32_t leader = -1;
    for (const TopicInfo& topic : cluster.topics)
        for (const PartitionInfo& partition : topic.partitions)
            if (topic.name == open.where.topic && partition.id == open.where.partition)
                leader = partition.leader;
    if (leader < 0) return Error{Errc::kUnknownTopicOrPartition, open.where.topic};
    std::int32_t partitions[] = {open.where.partition};
    wire::WriteTxnMarkersRequest::WritableTxnMarkerTopic topic{.name = open.where.topic,
                                                               .partition_indexes = partitions};
    wire::WriteTxnMarkersRequest::WritableTxnMarker marker{
        .producer_id = open.producer_id,
        .producer_epoch = open.epoch,
        .transaction_result = false,
        .topics = {&topic, 1},
        // As Kafka's own tool has it: the epoch of who wrote there last.
        .coordinator_epoch = std::max(0, open.coordinator_epoch)};
    const wire::WriteTxnMarkersRequest request{.markers = {&marker, 1}};
    LEAT_TRY(const auto answer, cluster_->ask<wire::WriteTxnMarkersResponse>(
                                    Target::broker(leader), request, marked_verdict));
    return Outcome{.name = open.where.topic + "-" + std::to_string(open.where.partition),
                   .code = errc_from_wire(marked_verdict(answer.message)),
                   .message = {}};
}

}  // namespace leat::client
