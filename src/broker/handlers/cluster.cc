// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/cluster.h"

#include "broker/access.h"
#include "broker/apis.h"
#include "broker/broker.h"

namespace leat::broker {
namespace {

/// Runs on: the controller's shard, while the request waits.
struct UpdateFeatures {
    Request* request;
    const wire::UpdateFeaturesRequest* message;
    wire::UpdateFeaturesResponse operator()(metadata::Controller& controller,
                                            std::vector<metadata::Delta>& deltas) const {
        auto change =
            admin::update_features(*message, request->version(),
                                   request->shard->broker().features(), controller, request->arena);
        deltas = std::move(change.deltas);
        return change.response;
    }
};

}  // namespace

wire::DescribeClusterResponse handle_describe_cluster(Request& request,
                                                      const wire::DescribeClusterRequest& message) {
    wire::DescribeClusterResponse out = admin::describe_cluster(
        message, request.shard->image(), request.connection->endpoint, request.arena);
    if (message.include_cluster_authorized_operations && out.error_code == 0)
        out.cluster_authorized_operations =
            may_see(request, auth::Operation::kDescribe, auth::ResourceType::kCluster,
                    auth::kClusterName)
                ? authorized_operations(request, auth::ResourceType::kCluster, auth::kClusterName)
                : 0;
    return out;
}

wire::DescribeTopicPartitionsResponse handle_describe_topic_partitions(
    Request& request, const wire::DescribeTopicPartitionsRequest& message) {
    const bool is_all = message.topics.empty();
    const auto rights = [&request, is_all](std::string_view topic) -> std::optional<std::int32_t> {
        const bool is_seen =
            is_all ? may_see(request, auth::Operation::kDescribe, auth::ResourceType::kTopic, topic)
                   : may_topic(request, auth::Operation::kDescribe, topic);
        if (!is_seen) return std::nullopt;
        return authorized_operations(request, auth::ResourceType::kTopic, topic);
    };
    const auto is_quarantined = [&request](const Uuid& topic, std::int32_t index) {
        return request.shard->storage().quarantined->contains({topic, index});
    };
    const wire::DescribeTopicPartitionsResponse out = admin::describe_topic_partitions(
        message, request.shard->image(), rights, request.arena, is_quarantined);
    for (const auto& topic : out.topics) count_error(request, topic.error_code);
    return out;
}

wire::DescribeQuorumResponse handle_describe_quorum(Request& request,
                                                    const wire::DescribeQuorumRequest& message) {
    if (!may_cluster(request, auth::Operation::kDescribe)) {
        wire::DescribeQuorumResponse refused;
        refused.error_code = wire_code(Errc::kClusterAuthorizationFailed);
        refused.error_message = kNotAuthorized;
        return refused;
    }
    const Shard& shard = *request.shard;
    return admin::describe_quorum(message, shard.image(), request.connection->endpoint,
                                  shard.executor().wall_now().value, request.arena);
}

rt::Task<wire::UpdateFeaturesResponse> handle_update_features(
    Request* request, const wire::UpdateFeaturesRequest* message) {
    if (!may_cluster(*request, auth::Operation::kAlter)) {
        wire::UpdateFeaturesResponse refused;
        refused.error_code = wire_code(Errc::kClusterAuthorizationFailed);
        refused.error_message = kNotAuthorized;
        co_return refused;
    }
    Shard& shard = *request->shard;
    UpdateFeatures make{.request = request, .message = message};
    auto changed = co_await shard.broker().authority().change(&shard.executor(), make);
    if (!changed.durable.has_value())
        changed.result.error_code = wire_code(changed.durable.error().code());
    co_return changed.result;
}

}  // namespace leat::broker
