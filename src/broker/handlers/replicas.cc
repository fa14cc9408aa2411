// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/replicas.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "broker/admin/replicas.h"
#include "broker/apis.h"
#include "broker/blocking.h"
#include "broker/broker.h"

namespace leat::broker {
namespace {

/// One partition of a shard, with a name of its own: it crosses shards.
struct Size {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t bytes = 0;
};

void sizes_on(const Shard& shard, const wire::DescribeLogDirsRequest& message,
              std::vector<Size>& out) {
    for (const auto& [id, partition] : shard.partitions()) {
        const std::string& topic = partition->spec().topic;
        if (admin::wants(message, topic, id.index))
            out.push_back({topic, id.index, partition->size_bytes()});
    }
}

template <class Topics>
void count_errors(const Request& request, const Topics& topics) {
    for (const auto& topic : topics)
        for (const auto& partition : topic.partitions) count_error(request, partition.error_code);
}

}  // namespace

rt::Task<wire::DescribeLogDirsResponse> handle_describe_log_dirs(
    Request& request, const wire::DescribeLogDirsRequest& message) {
    Broker& broker = request.shard->broker();
    std::vector<Size> sizes;
    for (std::size_t i = 0; i < broker.shard_count(); ++i) {
        co_await rt::hop(broker.shard(i).executor());
        sizes_on(broker.shard(i), message, sizes);
    }
    co_await rt::hop(request.shard->executor());
    const auto space = co_await on_pool(broker.pool(), request.shard->executor(), [&broker] {
        return broker.disk().space(broker.data_directory());
    });
    std::ranges::sort(sizes, {},
                      [](const Size& size) { return std::tie(size.topic, size.partition); });
    std::vector<admin::PartitionSize> told;
    for (const Size& size : sizes)
        told.push_back({.topic = request.arena.copy(std::string_view{size.topic}),
                        .partition = size.partition,
                        .bytes = size.bytes});
    admin::LogDirState state{.path = broker.data_directory()};
    if (space.has_value()) {
        state.total_bytes = space->total_bytes;
        state.usable_bytes = space->usable_bytes;
    } else {
        state.error = Errc::kKafkaStorageError;
    }
    co_return admin::describe_log_dirs(state, told, request.arena);
}

wire::AlterReplicaLogDirsResponse handle_alter_replica_log_dirs(
    Request& request, const wire::AlterReplicaLogDirsRequest& message) {
    const Shard& shard = *request.shard;
    const auto out = admin::alter_replica_log_dirs(message, shard.broker().data_directory(),
                                                   shard.image(), request.arena);
    count_errors(request, out.results);
    return out;
}

wire::ElectLeadersResponse handle_elect_leaders(Request& request,
                                                const wire::ElectLeadersRequest& message) {
    const auto out = admin::elect_leaders(message, request.shard->image(), request.arena);
    for (const auto& topic : out.replica_election_results)
        for (const auto& partition : topic.partition_result)
            count_error(request, partition.error_code);
    return out;
}

wire::AlterPartitionReassignmentsResponse handle_alter_partition_reassignments(
    Request& request, const wire::AlterPartitionReassignmentsRequest& message) {
    const auto out =
        admin::alter_partition_reassignments(message, request.shard->image(), request.arena);
    count_errors(request, out.responses);
    return out;
}

wire::ListPartitionReassignmentsResponse handle_list_partition_reassignments(
    Request& /*request*/, const wire::ListPartitionReassignmentsRequest& /*message*/) {
    return admin::list_partition_reassignments();
}

}  // namespace leat::broker
