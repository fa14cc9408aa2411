// SPDX-License-Identifier: Apache-2.0
//
// DescribeCluster, DescribeTopicPartitions, DescribeQuorum, UpdateFeatures. Layer: broker (L6).
// Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "broker/admin/change.h"
#include "metadata/controller.h"
#include "metadata/image.h"
#include "wire/messages/describe_cluster_request.h"
#include "wire/messages/describe_cluster_response.h"
#include "wire/messages/describe_quorum_request.h"
#include "wire/messages/describe_quorum_response.h"
#include "wire/messages/describe_topic_partitions_request.h"
#include "wire/messages/describe_topic_partitions_response.h"
#include "wire/messages/update_features_request.h"
#include "wire/messages/update_features_response.h"

namespace leat::broker::admin {

// All run on any shard, with its image. Views in an answer live as long as request, arena and the
// arguments given.

/// Where the client that asks is to connect: the listener it came in on.
struct Endpoint {
    std::string_view listener;
    std::string_view host;
    std::uint16_t port = 0;
};

/// A feature as ApiVersions tells it.
struct Feature {
    std::string_view name;
    std::int16_t min = 0;
    std::int16_t max = 0;
    std::int16_t finalized = 0;
    bool is_fixed = false;    ///< The finalized level is the program's.
    bool only_rises = false;  ///< No downgrade of any kind.
};

/// What may be done with a topic, as bits of Kafka's ids; nullopt when it may not be seen.
using TopicRights = std::function<std::optional<std::int32_t>(std::string_view)>;
/// Whether a partition is quarantined: it has no leader then. Empty: none is.
using PartitionTest = std::function<bool(const Uuid& topic, std::int32_t index)>;

wire::DescribeClusterResponse describe_cluster(const wire::DescribeClusterRequest& request,
                                               const metadata::Image& image,
                                               const Endpoint& endpoint, Arena& arena);

/// Pages through topics in name order.
wire::DescribeTopicPartitionsResponse describe_topic_partitions(
    const wire::DescribeTopicPartitionsRequest& request, const metadata::Image& image,
    const TopicRights& rights, Arena& arena, const PartitionTest& is_quarantined = {});

/// One voter, this node, which has everything; `now_ms` is its last fetch.
wire::DescribeQuorumResponse describe_quorum(const wire::DescribeQuorumRequest& request,
                                             const metadata::Image& image, const Endpoint& endpoint,
                                             std::int64_t now_ms, Arena& arena);

/// `features` with the levels that an administrator finalized.
std::vector<Feature> finalized_features(std::span<const Feature> features,
                                        const metadata::Image& image);
/// The level of one that has this name.
std::int16_t finalized_level(std::span<const Feature> features, const metadata::Image& image,
                             std::string_view name);

/// Runs on the controller's shard. One update that cannot be made refuses all, as in Kafka.
Change<wire::UpdateFeaturesResponse> update_features(const wire::UpdateFeaturesRequest& request,
                                                     std::int16_t version,
                                                     std::span<const Feature> features,
                                                     metadata::Controller& controller,
                                                     Arena& arena);

}  // namespace leat::broker::admin
