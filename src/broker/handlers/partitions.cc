// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/partitions.h"

#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/access.h"
#include "broker/handlers/partition_work.h"

namespace leat::broker {
namespace {

using wire::DeleteRecordsRequest;
using wire::DeleteRecordsResponse;
using wire::DescribeProducersRequest;
using wire::DescribeProducersResponse;

constexpr std::int64_t kNoWatermark = -1;
constexpr std::int64_t kHighWatermark = -1;  ///< As an offset to delete before.
constexpr std::string_view kAdminClient = "__admin_client";

using DeleteTarget = Target<DeleteRecordsRequest::DeleteRecordsPartition,
                            DeleteRecordsResponse::DeleteRecordsPartitionResult>;

/// Runs on: the partition's shard.
rt::Task<void> delete_one(storage::Partition* partition, DeleteTarget* target) {
    if (target->in->offset < kHighWatermark) {
        target->out->error_code = wire_code(Errc::kOffsetOutOfRange);
        co_return;
    }
    const Offset before{target->in->offset};
    const Result<Offset> start = co_await partition->delete_records(before);
    if (start.has_value())
        target->out->low_watermark = start->value;
    else
        target->out->error_code = wire_code(start.error().code());
}

/// Why records of this partition may not be deleted; the id when they may.
Result<storage::PartitionId> deletable(Request& request, std::string_view topic,
                                       std::int32_t index) {
    if (!may_topic(request, auth::Operation::kDelete, topic))
        return Error{Errc::kTopicAuthorizationFailed};
    const metadata::Topic* found = request.shard->image().find(topic);
    if (found != nullptr && found->is_internal() && request.client_id() != kAdminClient)
        return Error{Errc::kInvalidTopicException};
    const auto id = partition_named(request.shard->image(), topic, index);
    if (!id) return Error{Errc::kUnknownTopicOrPartition};
    return *id;
}

using ProducersTarget = Target<std::int32_t, DescribeProducersResponse::PartitionResponse,
                               std::vector<storage::ActiveProducer>>;

/// Runs on: the partition's shard.
rt::Task<void> describe_one(storage::Partition* partition, ProducersTarget* target) {
    target->extra = partition->producers();
    co_return;
}

std::span<DescribeProducersResponse::ProducerState> states_of(
    const std::vector<storage::ActiveProducer>& producers, Arena& arena) {
    const auto out = arena.array<DescribeProducersResponse::ProducerState>(producers.size());
    for (std::size_t i = 0; i < producers.size(); ++i) {
        const storage::ActiveProducer& from = producers[i];
        out[i] = {.producer_id = from.producer_id,
                  .producer_epoch = from.epoch,
                  .last_sequence = from.last_sequence,
                  .last_timestamp = from.last_timestamp.value,
                  .coordinator_epoch = from.coordinator_epoch,
                  .current_txn_start_offset = from.transaction_start.value};
    }
    return out;
}

}  // namespace

rt::Task<DeleteRecordsResponse> handle_delete_records(Request* request,
                                                      const DeleteRecordsRequest* message) {
    DeleteRecordsResponse response;
    const auto topics = request->arena.array<DeleteRecordsResponse::DeleteRecordsTopicResult>(
        message->topics.size());
    response.topics = topics;
    std::vector<DeleteTarget> targets;
    for (std::size_t i = 0; i < topics.size(); ++i) {
        const auto& from = message->topics[i];
        topics[i].name = from.name;
        topics[i].partitions =
            request->arena.array<DeleteRecordsResponse::DeleteRecordsPartitionResult>(
                from.partitions.size());
        for (std::size_t j = 0; j < from.partitions.size(); ++j) {
            auto& out = topics[i].partitions[j];
            out.partition_index = from.partitions[j].partition_index;
            out.low_watermark = kNoWatermark;
            const auto id = deletable(*request, from.name, out.partition_index);
            if (id.has_value()) {
                targets.push_back({.id = *id, .in = &from.partitions[j], .out = &out, .extra = {}});
                continue;
            }
            out.error_code = wire_code(id.error().code());
            count_error(*request, out.error_code);
        }
    }
    co_await ask_partitions<delete_one>(request, &targets);
    co_return response;
}

rt::Task<DescribeProducersResponse> handle_describe_producers(
    Request* request, const DescribeProducersRequest* message) {
    DescribeProducersResponse response;
    const auto topics =
        request->arena.array<DescribeProducersResponse::TopicResponse>(message->topics.size());
    response.topics = topics;
    std::vector<ProducersTarget> targets;
    // As in Kafka a partition is told as often as it is named; it is asked, and its producers are
    // kept, once.
    std::unordered_map<storage::PartitionId, std::size_t, PartitionIdHash> known;
    std::vector<std::pair<std::size_t, DescribeProducersResponse::PartitionResponse*>> repeats;
    for (std::size_t i = 0; i < topics.size(); ++i) {
        const auto& from = message->topics[i];
        topics[i].name = from.name;
        topics[i].partitions = request->arena.array<DescribeProducersResponse::PartitionResponse>(
            from.partition_indexes.size());
        const bool is_allowed = may_topic(*request, auth::Operation::kRead, from.name);
        for (std::size_t j = 0; j < from.partition_indexes.size(); ++j) {
            auto& out = topics[i].partitions[j];
            out.partition_index = from.partition_indexes[j];
            const auto id =
                partition_named(request->shard->image(), from.name, out.partition_index);
            if (!is_allowed) {
                out.error_code = wire_code(Errc::kTopicAuthorizationFailed);
                count_error(*request, out.error_code);
                continue;
            }
            if (id) {
                const auto [at, is_new] = known.try_emplace(*id, targets.size());
                if (is_new)
                    targets.push_back(
                        {.id = *id, .in = &from.partition_indexes[j], .out = &out, .extra = {}});
                else
                    repeats.emplace_back(at->second, &out);
                continue;
            }
            out.error_code = wire_code(Errc::kUnknownTopicOrPartition);
            count_error(*request, out.error_code);
            if (request->shard->image().find(from.name) == nullptr)
                out.error_message = "This server does not host this topic-partition.";
        }
    }
    co_await ask_partitions<describe_one>(request, &targets);
    for (const ProducersTarget& target : targets)
        target.out->active_producers = states_of(target.extra, request->arena);
    for (const auto& [first, out] : repeats) {
        *out = *targets[first].out;
        count_error(*request, out->error_code);
    }
    co_return response;
}

}  // namespace leat::broker
