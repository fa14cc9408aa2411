// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/cluster.h"

#include "broker/apis.h"
#include "broker/broker.h"

namespace leat::broker {

wire::DescribeClusterResponse handle_describe_cluster(Request& request,
                                                      const wire::DescribeClusterRequest& message) {
    return admin::describe_cluster(message, request.shard->image(), request.connection->endpoint,
                                   request.arena);
}

wire::DescribeTopicPartitionsResponse handle_describe_topic_partitions(
    Request& request, const wire::DescribeTopicPartitionsRequest& message) {
    const wire::DescribeTopicPartitionsResponse out =
        admin::describe_topic_partitions(message, request.shard->image(), request.arena);
    for (const auto& topic : out.topics) count_error(request, topic.error_code);
    return out;
}

wire::DescribeQuorumResponse handle_describe_quorum(Request& request,
                                                    const wire::DescribeQuorumRequest& message) {
    const Shard& shard = *request.shard;
    return admin::describe_quorum(message, shard.image(), request.connection->endpoint,
                                  shard.executor().wall_now().value, request.arena);
}

wire::UpdateFeaturesResponse handle_update_features(Request& request,
                                                    const wire::UpdateFeaturesRequest& message) {
    const Broker& broker = request.shard->broker();
    return admin::update_features(message, request.version(), broker.node_id(), broker.features(),
                                  request.arena);
}

}  // namespace leat::broker
