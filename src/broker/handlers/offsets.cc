// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/offsets.h"

#include <algorithm>
#include <set>

#include "broker/access.h"
#include "broker/handlers/partition_work.h"

namespace leat::broker {
namespace {

using wire::ListOffsetsRequest;
using wire::ListOffsetsResponse;
using wire::OffsetForLeaderEpochRequest;
using wire::OffsetForLeaderEpochResponse;

// Timestamps that are none.
constexpr std::int64_t kLatest = -1;
constexpr std::int64_t kEarliest = -2;
constexpr std::int64_t kMaxTimestamp = -3;
constexpr std::int64_t kEarliestLocal = -4;
constexpr std::int64_t kLatestTiered = -5;
constexpr std::int64_t kEarliestPendingUpload = -6;

bool is_supported(std::int64_t timestamp, std::int16_t version) {
    switch (timestamp) {
        case kMaxTimestamp:
            return version >= 7;
        case kEarliestLocal:
            return version >= 8;
        case kLatestTiered:
            return version >= 9;
        case kEarliestPendingUpload:
            return version >= 11;
        default:
            return timestamp >= kEarliest;
    }
}

using ListTarget = Target<ListOffsetsRequest::ListOffsetsPartition,
                          ListOffsetsResponse::ListOffsetsPartitionResponse, storage::Isolation>;

rt::Task<Result<storage::TimestampedOffset>> look_up(storage::Partition* partition,
                                                     std::int64_t timestamp,
                                                     storage::Isolation isolation) {
    storage::TimestampedOffset out;
    switch (timestamp) {
        case kLatest:
            out.offset = isolation == storage::Isolation::kReadCommitted
                             ? partition->last_stable()
                             : partition->high_watermark();
            out.leader_epoch = partition->spec().leader_epoch;
            break;
        case kEarliest:
        case kEarliestLocal:
            out.offset = partition->log_start();
            out.leader_epoch = partition->first_epoch();
            break;
        case kMaxTimestamp:
            co_return co_await partition->find_max_timestamp(isolation);
        case kLatestTiered:
        case kEarliestPendingUpload:
            break;  // Nothing is kept elsewhere.
        default: {
            const WallMs at{timestamp};
            co_return co_await partition->find_by_time(at, isolation);
        }
    }
    co_return out;
}

/// Runs on: the partition's shard.
rt::Task<void> list_one(storage::Partition* partition, ListTarget* target) {
    const Errc fenced = partition->check_leader_epoch(target->in->current_leader_epoch);
    if (fenced != Errc::kNone) {
        target->out->error_code = wire_code(fenced);
        co_return;
    }
    const Result<storage::TimestampedOffset> found =
        co_await look_up(partition, target->in->timestamp, target->extra);
    if (!found.has_value()) {
        target->out->error_code = wire_code(found.error().code());
        co_return;
    }
    target->out->offset = found->offset.value;
    target->out->timestamp = found->timestamp.value;
    target->out->leader_epoch = found->leader_epoch;
}

using Names = std::set<std::pair<std::string_view, std::int32_t>>;

/// Partitions that are in the request more than once: Kafka answers INVALID_REQUEST for them, once.
Names repeated(const ListOffsetsRequest& message) {
    Names seen;
    Names twice;
    for (const auto& topic : message.topics)
        for (const auto& partition : topic.partitions)
            if (!seen.emplace(topic.name, partition.partition_index).second)
                twice.emplace(topic.name, partition.partition_index);
    return twice;
}

using EpochTarget = Target<OffsetForLeaderEpochRequest::OffsetForLeaderPartition,
                           OffsetForLeaderEpochResponse::EpochEndOffset>;

/// Runs on: the partition's shard.
rt::Task<void> end_one(storage::Partition* partition, EpochTarget* target) {
    const Errc fenced = partition->check_leader_epoch(target->in->current_leader_epoch);
    if (fenced != Errc::kNone) {
        target->out->error_code = wire_code(fenced);
        co_return;
    }
    const storage::Partition::EpochEnd end = partition->end_of_epoch(target->in->leader_epoch);
    target->out->leader_epoch = end.epoch;
    target->out->end_offset = end.end.value;
}

void refuse(const Request& request, std::int16_t& error_code, Errc error) {
    error_code = wire_code(error);
    count_error(request, error_code);
}

}  // namespace

rt::Task<ListOffsetsResponse> handle_list_offsets(Request* request,
                                                  const ListOffsetsRequest* message) {
    ListOffsetsResponse response;
    const auto topics =
        request->arena.array<ListOffsetsResponse::ListOffsetsTopicResponse>(message->topics.size());
    response.topics = topics;
    const Names twice = repeated(*message);
    Names refused;
    const auto isolation = message->isolation_level == 1 ? storage::Isolation::kReadCommitted
                                                         : storage::Isolation::kReadUncommitted;
    std::vector<ListTarget> targets;
    for (std::size_t i = 0; i < topics.size(); ++i) {
        const auto& from = message->topics[i];
        topics[i].name = from.name;
        topics[i].partitions =
            request->arena.array<ListOffsetsResponse::ListOffsetsPartitionResponse>(
                from.partitions.size());
        std::size_t answered = 0;
        const bool is_allowed = may_topic(*request, auth::Operation::kDescribe, from.name);
        for (const auto& asked : from.partitions) {
            const bool is_repeated = twice.contains({from.name, asked.partition_index});
            if (is_repeated && !refused.emplace(from.name, asked.partition_index).second) continue;
            auto& out = topics[i].partitions[answered++];
            out.partition_index = asked.partition_index;
            const auto id =
                partition_named(request->shard->image(), from.name, asked.partition_index);
            if (!is_allowed)
                refuse(*request, out.error_code, Errc::kTopicAuthorizationFailed);
            else if (is_repeated)
                refuse(*request, out.error_code, Errc::kInvalidRequest);
            else if (!is_supported(asked.timestamp, request->version()))
                refuse(*request, out.error_code, Errc::kUnsupportedVersion);
            else if (!id)
                refuse(*request, out.error_code, Errc::kUnknownTopicOrPartition);
            else
                targets.push_back({.id = *id, .in = &asked, .out = &out, .extra = isolation});
        }
        topics[i].partitions = topics[i].partitions.first(answered);
    }
    co_await ask_partitions<list_one>(request, &targets);
    co_return response;
}

rt::Task<OffsetForLeaderEpochResponse> handle_offset_for_leader_epoch(
    Request* request, const OffsetForLeaderEpochRequest* message) {
    OffsetForLeaderEpochResponse response;
    const auto topics =
        request->arena.array<OffsetForLeaderEpochResponse::OffsetForLeaderTopicResult>(
            message->topics.size());
    response.topics = topics;
    std::vector<EpochTarget> targets;
    // Who may do what brokers do needs no right on the topics.
    const bool is_broker = may_see(*request, auth::Operation::kClusterAction,
                                   auth::ResourceType::kCluster, auth::kClusterName);
    for (std::size_t i = 0; i < topics.size(); ++i) {
        const auto& from = message->topics[i];
        topics[i].topic = from.topic;
        topics[i].partitions = request->arena.array<OffsetForLeaderEpochResponse::EpochEndOffset>(
            from.partitions.size());
        const bool is_allowed =
            is_broker || may_topic(*request, auth::Operation::kDescribe, from.topic);
        for (std::size_t j = 0; j < from.partitions.size(); ++j) {
            auto& out = topics[i].partitions[j];
            out.partition = from.partitions[j].partition;
            const auto id = partition_named(request->shard->image(), from.topic, out.partition);
            if (!is_allowed)
                refuse(*request, out.error_code, Errc::kTopicAuthorizationFailed);
            else if (id)
                targets.push_back({.id = *id, .in = &from.partitions[j], .out = &out, .extra = {}});
            else
                refuse(*request, out.error_code, Errc::kUnknownTopicOrPartition);
        }
    }
    co_await ask_partitions<end_one>(request, &targets);
    co_return response;
}

}  // namespace leat::broker
