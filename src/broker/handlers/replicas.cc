// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/replicas.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "broker/access.h"
#include "broker/admin/replicas.h"
#include "broker/apis.h"
#include "broker/broker.h"
#include "rt/on_pool.h"

namespace leat::broker {
namespace {

/// One partition of a shard, with a name of its own: it crosses shards.
struct Size {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t bytes = 0;
};

void sizes_on(const Shard& shard, const admin::AskedPartitions& asked, std::vector<Size>& out) {
    for (const auto& [id, partition] : shard.partitions()) {
        if (partition->is_quarantined()) continue;
        const std::string& topic = partition->spec().topic;
        if (asked.has(topic, id.index)) out.push_back({topic, id.index, partition->size_bytes()});
    }
}

constexpr std::int16_t kDenied = static_cast<std::int16_t>(Errc::kClusterAuthorizationFailed);

wire::AlterReplicaLogDirsResponse refuse(const wire::AlterReplicaLogDirsRequest& message,
                                         Arena& arena) {
    using Response = wire::AlterReplicaLogDirsResponse;
    // Each topic is told once, whatever number of directories name it.
    std::map<std::string_view, std::set<std::int32_t>> asked;
    for (const auto& directory : message.dirs)
        for (const auto& topic : directory.topics)
            asked[topic.name].insert(topic.partitions.begin(), topic.partitions.end());
    Response out;
    out.results = arena.array<Response::AlterReplicaLogDirTopicResult>(asked.size());
    std::size_t next = 0;
    for (const auto& [name, partitions] : asked) {
        auto& told = out.results[next++];
        told.topic_name = name;
        told.partitions =
            arena.array<Response::AlterReplicaLogDirPartitionResult>(partitions.size());
        std::ranges::transform(partitions, told.partitions.begin(), [](std::int32_t partition) {
            return Response::AlterReplicaLogDirPartitionResult{.partition_index = partition,
                                                               .error_code = kDenied};
        });
    }
    return out;
}

wire::ElectLeadersResponse refuse(const wire::ElectLeadersRequest& message, Arena& arena) {
    using Response = wire::ElectLeadersResponse;
    Response out;
    out.error_code = kDenied;
    if (!message.topic_partitions) return out;
    const auto& topics = *message.topic_partitions;
    out.replica_election_results = arena.array<Response::ReplicaElectionResult>(topics.size());
    for (std::size_t t = 0; t < topics.size(); ++t) {
        auto& told = out.replica_election_results[t];
        told.topic = topics[t].topic;
        told.partition_result = arena.array<Response::PartitionResult>(topics[t].partitions.size());
        for (std::size_t p = 0; p < told.partition_result.size(); ++p) {
            told.partition_result[p].partition_id = topics[t].partitions[p];
            told.partition_result[p].error_code = kDenied;
            told.partition_result[p].error_message = kNotAuthorized;
        }
    }
    return out;
}

wire::AlterPartitionReassignmentsResponse refuse(
    const wire::AlterPartitionReassignmentsRequest& message, Arena& arena) {
    using Response = wire::AlterPartitionReassignmentsResponse;
    Response out;
    out.error_code = kDenied;
    out.error_message = kNotAuthorized;
    out.responses = arena.array<Response::ReassignableTopicResponse>(message.topics.size());
    for (std::size_t t = 0; t < message.topics.size(); ++t) {
        auto& told = out.responses[t];
        told.name = message.topics[t].name;
        told.partitions = arena.array<Response::ReassignablePartitionResponse>(
            message.topics[t].partitions.size());
        for (std::size_t p = 0; p < told.partitions.size(); ++p) {
            told.partitions[p].partition_index = message.topics[t].partitions[p].partition_index;
            told.partitions[p].error_code = kDenied;
            told.partitions[p].error_message = kNotAuthorized;
        }
    }
    return out;
}

wire::ListPartitionReassignmentsResponse refuse(
    const wire::ListPartitionReassignmentsRequest& message, Arena& arena) {
    using Response = wire::ListPartitionReassignmentsResponse;
    Response out;
    out.error_code = kDenied;
    out.error_message = kNotAuthorized;
    if (!message.topics) return out;
    // As in Kafka: what was asked for, with nothing in it.
    out.topics = arena.array<Response::OngoingTopicReassignment>(message.topics->size());
    for (std::size_t t = 0; t < message.topics->size(); ++t) {
        const auto& asked = (*message.topics)[t];
        out.topics[t].name = asked.name;
        out.topics[t].partitions =
            arena.array<Response::OngoingPartitionReassignment>(asked.partition_indexes.size());
        for (std::size_t p = 0; p < asked.partition_indexes.size(); ++p)
            out.topics[t].partitions[p].partition_index = asked.partition_indexes[p];
    }
    return out;
}

template <class Topics>
void count_errors(const Request& request, const Topics& topics) {
    for (const auto& topic : topics)
        for (const auto& partition : topic.partitions) count_error(request, partition.error_code);
}

}  // namespace

rt::Task<wire::DescribeLogDirsResponse> handle_describe_log_dirs(
    Request* request, const wire::DescribeLogDirsRequest* message) {
    if (!may_cluster(*request, auth::Operation::kDescribe)) {
        wire::DescribeLogDirsResponse refused;
        refused.error_code = kDenied;
        co_return refused;
    }
    Broker& broker = request->shard->broker();
    const admin::AskedPartitions asked{*message, request->shard->image()};
    std::vector<Size> sizes;
    for (std::size_t i = 0; i < broker.shard_count(); ++i) {
        co_await rt::hop(broker.shard(i).executor());
        sizes_on(broker.shard(i), asked, sizes);
    }
    co_await rt::hop(request->shard->executor());
    const auto space = co_await rt::on_pool(broker.pool(), request->shard->executor(), [&broker] {
        return broker.disk().space(broker.data_directory());
    });
    std::ranges::sort(sizes, {},
                      [](const Size& size) { return std::tie(size.topic, size.partition); });
    std::vector<admin::PartitionSize> told;
    told.reserve(sizes.size());
    for (const Size& size : sizes)
        told.push_back({.topic = request->arena.copy(std::string_view{size.topic}),
                        .partition = size.partition,
                        .bytes = size.bytes});
    admin::LogDirState state{.path = broker.data_directory()};
    if (space.has_value()) {
        state.total_bytes = space->total_bytes;
        state.usable_bytes = space->usable_bytes;
    } else {
        state.error = Errc::kKafkaStorageError;
    }
    co_return admin::describe_log_dirs(state, told, request->arena);
}

wire::AlterReplicaLogDirsResponse handle_alter_replica_log_dirs(
    Request& request, const wire::AlterReplicaLogDirsRequest& message) {
    const Shard& shard = *request.shard;
    if (!may_cluster(request, auth::Operation::kAlter)) return refuse(message, request.arena);
    const auto out = admin::alter_replica_log_dirs(message, shard.broker().data_directory(),
                                                   shard.image(), request.arena);
    count_errors(request, out.results);
    return out;
}

wire::ElectLeadersResponse handle_elect_leaders(Request& request,
                                                const wire::ElectLeadersRequest& message) {
    if (!may_cluster(request, auth::Operation::kAlter)) return refuse(message, request.arena);
    const auto is_quarantined = [&request](const Uuid& topic, std::int32_t index) {
        return request.shard->storage().quarantined->contains({topic, index});
    };
    const auto out = admin::elect_leaders(message, request.shard->image(), request.arena,
                                          is_quarantined, request.arena_bytes_max);
    for (const auto& topic : out.replica_election_results)
        for (const auto& partition : topic.partition_result)
            count_error(request, partition.error_code);
    return out;
}

wire::AlterPartitionReassignmentsResponse handle_alter_partition_reassignments(
    Request& request, const wire::AlterPartitionReassignmentsRequest& message) {
    if (!may_cluster(request, auth::Operation::kAlter)) return refuse(message, request.arena);
    const auto out = admin::alter_partition_reassignments(message, request.shard->image(),
                                                          request.arena, request.arena_bytes_max);
    count_errors(request, out.responses);
    return out;
}

wire::ListPartitionReassignmentsResponse handle_list_partition_reassignments(
    Request& request, const wire::ListPartitionReassignmentsRequest& message) {
    if (!may_cluster(request, auth::Operation::kDescribe)) return refuse(message, request.arena);
    return admin::list_partition_reassignments();
}

}  // namespace leat::broker
