// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/cluster.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "broker/admin/change.h"
#include "metadata/controller.h"

namespace leat::broker::admin {
namespace {

constexpr std::int8_t kBrokers = 1;
constexpr std::int8_t kControllers = 2;
constexpr std::string_view kMetadataTopic = "__cluster_metadata";

using PagedTopic = wire::DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponseTopic;
using PagedPartition =
    wire::DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponsePartition;

std::span<std::int32_t> only(std::int32_t node, Arena& arena) {
    const auto nodes = arena.array<std::int32_t>(1);
    nodes[0] = node;
    return nodes;
}

std::span<PagedPartition> partitions_of(const metadata::Topic& topic, std::int32_t first,
                                        std::int32_t count, const metadata::Image& image,
                                        const PartitionTest& is_quarantined, Arena& arena) {
    const auto nodes = only(image.broker().node_id, arena);
    const auto partitions = arena.array<PagedPartition>(static_cast<std::size_t>(count));
    for (std::int32_t i = 0; i < count; ++i) {
        PagedPartition& partition = partitions[static_cast<std::size_t>(i)];
        partition.partition_index = first + i;
        partition.leader_id = image.broker().node_id;
        partition.leader_epoch = image.leader_epoch(topic);
        partition.replica_nodes = nodes;
        partition.isr_nodes = nodes;
        partition.eligible_leader_replicas.emplace();
        partition.last_known_elr.emplace();
        if (!is_quarantined || !is_quarantined(topic.id, first + i)) continue;
        // Not an error of the partition here, unlike in Metadata.
        partition.leader_id = -1;
        partition.isr_nodes = {};
        partition.eligible_leader_replicas = nodes;
        partition.last_known_elr = nodes;
        partition.offline_replicas = nodes;
    }
    return partitions;
}

/// Fills an answer up to the limit; what does not fit is left to the next request.
struct Page {
    const metadata::Image& image;
    Arena& arena;
    const TopicRights& rights;
    const PartitionTest& is_quarantined;
    bool hides;  ///< What may not be seen is left out.
    std::int32_t left;
    std::vector<PagedTopic> topics;
    wire::DescribeTopicPartitionsResponse::Cursor* next = nullptr;

    /// False once the page is full.
    bool add(std::string_view name, std::int32_t first_partition) {
        const std::optional<std::int32_t> operations = rights(name);
        if (!operations) {
            if (hides) return true;
            PagedTopic& denied = topics.emplace_back();
            denied.name = name;
            denied.error_code = code(Errc::kTopicAuthorizationFailed);
            return true;
        }
        const metadata::Topic* topic = image.find(name);
        if (topic == nullptr) {
            PagedTopic& unknown = topics.emplace_back();
            unknown.name = name;
            const bool is_valid = metadata::topic_name_error(name).empty();
            unknown.error_code =
                code(is_valid ? Errc::kUnknownTopicOrPartition : Errc::kInvalidTopicException);
            unknown.topic_authorized_operations = *operations;
            return true;
        }
        const std::int32_t first = std::min(first_partition, topic->partition_count);
        const std::int32_t count = std::min(left, topic->partition_count - first);
        if (count > 0 || first == topic->partition_count) {
            PagedTopic& told = topics.emplace_back();
            told.name = arena.copy(name);
            told.topic_id = topic->id;
            told.is_internal = topic->is_internal();
            told.topic_authorized_operations = *operations;
            told.partitions = partitions_of(*topic, first, count, image, is_quarantined, arena);
        }
        left -= count;
        if (first + count == topic->partition_count) return true;
        next = arena.array<wire::DescribeTopicPartitionsResponse::Cursor>(1).data();
        next->topic_name = arena.copy(name);
        next->partition_index = first + count;
        return false;
    }
};

/// `is_downgrade`: the update was asked for as one.
std::optional<std::string> feature_error(const Feature* known, std::int16_t wanted,
                                         bool is_downgrade, std::string_view name,
                                         std::int32_t node) {
    const std::string who = "Local controller " + std::to_string(node);
    const std::string what = "Invalid update version " + std::to_string(wanted) + " for feature " +
                             std::string{name} + ". ";
    if (known == nullptr) return what + who + " does not support this feature.";
    if (wanted < known->min || wanted > known->max)
        return what + who + " only supports versions " + std::to_string(known->min) + "-" +
               std::to_string(known->max);
    if (wanted == known->finalized) return std::nullopt;
    if (wanted > known->finalized && is_downgrade)
        return what + "Can't downgrade to a newer version.";
    if (wanted < known->finalized && known->only_rises && is_downgrade)
        return what + "Can't downgrade the version of this feature.";
    if (wanted < known->finalized && !is_downgrade)
        return what +
               "Can't downgrade the version of this feature without setting the upgrade type "
               "to either safe or unsafe downgrade.";
    if (!known->is_fixed) return std::nullopt;
    return what + "The level of this broker is fixed at " + std::to_string(known->finalized) + ".";
}

std::int16_t level_of(const Feature& feature, const metadata::Image& image) {
    if (feature.is_fixed || image.feature_levels().empty()) return feature.finalized;
    const auto set = image.feature_levels().find(std::string{feature.name});
    // A level that this program does not know any more is as good as none.
    const bool is_known = set != image.feature_levels().end() && set->second >= feature.min &&
                          set->second <= feature.max;
    return is_known ? set->second : feature.finalized;
}

}  // namespace

wire::DescribeClusterResponse describe_cluster(const wire::DescribeClusterRequest& request,
                                               const metadata::Image& image,
                                               const Endpoint& endpoint, Arena& arena) {
    wire::DescribeClusterResponse response;
    if (request.endpoint_type != kBrokers) {
        const bool is_known = request.endpoint_type == kControllers;
        response.error_code =
            code(is_known ? Errc::kMismatchedEndpointType : Errc::kUnsupportedEndpointType);
        response.error_message =
            is_known
                ? "The request was sent to an endpoint of type BROKER, but we wanted an "
                  "endpoint of type CONTROLLER"
                : arena.copy("Unsupported endpoint type " + std::to_string(request.endpoint_type));
        return response;
    }
    response.cluster_id = image.cluster_id();
    const config::BrokerConfig& broker = image.broker();
    response.controller_id = broker.node_id;
    response.brokers = arena.array<wire::DescribeClusterResponse::DescribeClusterBroker>(1);
    response.brokers[0].broker_id = broker.node_id;
    response.brokers[0].host = endpoint.host;
    response.brokers[0].port = endpoint.port;
    if (broker.rack) response.brokers[0].rack = arena.copy(std::string_view{*broker.rack});
    return response;
}

wire::DescribeTopicPartitionsResponse describe_topic_partitions(
    const wire::DescribeTopicPartitionsRequest& request, const metadata::Image& image,
    const TopicRights& rights, Arena& arena, const PartitionTest& is_quarantined) {
    const std::int32_t limit =
        std::min(request.response_partition_limit, image.broker().max_request_partitions);
    Page page{.image = image,
              .arena = arena,
              .rights = rights,
              .is_quarantined = is_quarantined,
              .hides = request.topics.empty(),
              .left = std::max(limit, 1),
              .topics = {}};
    const std::string_view from = request.cursor != nullptr ? request.cursor->topic_name : "";
    const std::int32_t from_partition =
        request.cursor != nullptr ? std::max(request.cursor->partition_index, 0) : 0;
    const auto first_of = [&](std::string_view name) { return name == from ? from_partition : 0; };
    if (request.topics.empty()) {
        const auto& all = image.topics();
        for (auto topic = all.lower_bound(from); topic != all.end(); ++topic)
            if (!page.add(topic->first, first_of(topic->first))) break;
    } else {
        std::set<std::string_view> names;
        for (const auto& topic : request.topics)
            if (topic.name >= from) names.insert(topic.name);
        for (const std::string_view name : names)
            if (!page.add(name, first_of(name))) break;
    }
    wire::DescribeTopicPartitionsResponse response;
    response.topics = arena.array<PagedTopic>(page.topics.size());
    std::ranges::copy(page.topics, response.topics.begin());
    response.next_cursor = page.next;
    return response;
}

wire::DescribeQuorumResponse describe_quorum(const wire::DescribeQuorumRequest& request,
                                             const metadata::Image& image, const Endpoint& endpoint,
                                             std::int64_t now_ms, Arena& arena) {
    using Response = wire::DescribeQuorumResponse;
    const std::int32_t node = image.broker().node_id;
    const auto offset = static_cast<std::int64_t>(image.version());
    // Who asks for anything beside it is told of nothing.
    const bool is_known = request.topics.size() == 1 &&
                          request.topics[0].topic_name == kMetadataTopic &&
                          request.topics[0].partitions.size() == 1 &&
                          request.topics[0].partitions[0].partition_index == 0;
    Response response;
    response.error_message = "";
    response.topics = arena.array<Response::TopicData>(request.topics.size());
    for (std::size_t t = 0; t < request.topics.size(); ++t) {
        const auto& asked = request.topics[t];
        response.topics[t].topic_name = asked.topic_name;
        response.topics[t].partitions =
            arena.array<Response::PartitionData>(asked.partitions.size());
        for (std::size_t p = 0; p < asked.partitions.size(); ++p) {
            auto& told = response.topics[t].partitions[p];
            told.partition_index = asked.partitions[p].partition_index;
            told.error_message = "";
            if (!is_known) {
                told.error_code = code(Errc::kUnknownTopicOrPartition);
                told.error_message = "This server does not host this topic-partition.";
                continue;
            }
            told.leader_id = node;
            told.leader_epoch = image.unclean_starts();
            told.high_watermark = offset;
            told.current_voters = arena.array<Response::ReplicaState>(1);
            told.current_voters[0].replica_id = node;
            told.current_voters[0].log_end_offset = offset;
            told.current_voters[0].last_fetch_timestamp = now_ms;
            told.current_voters[0].last_caught_up_timestamp = now_ms;
        }
    }
    if (!is_known) return response;
    response.nodes = arena.array<Response::Node>(1);
    response.nodes[0].node_id = node;
    response.nodes[0].listeners = arena.array<Response::Listener>(1);
    response.nodes[0].listeners[0].name = endpoint.listener;
    response.nodes[0].listeners[0].host = endpoint.host;
    response.nodes[0].listeners[0].port = endpoint.port;
    return response;
}

std::vector<Feature> finalized_features(std::span<const Feature> features,
                                        const metadata::Image& image) {
    std::vector<Feature> out{features.begin(), features.end()};
    for (Feature& feature : out) feature.finalized = level_of(feature, image);
    return out;
}

std::int16_t finalized_level(std::span<const Feature> features, const metadata::Image& image,
                             std::string_view name) {
    const auto known = std::ranges::find(features, name, &Feature::name);
    LEAT_CHECK(known != features.end());
    return level_of(*known, image);
}

Change<wire::UpdateFeaturesResponse> update_features(const wire::UpdateFeaturesRequest& request,
                                                     std::int16_t version,
                                                     std::span<const Feature> features,
                                                     metadata::Controller& controller,
                                                     Arena& arena) {
    using Answer = wire::UpdateFeaturesResponse::UpdatableFeatureResult;
    Change<wire::UpdateFeaturesResponse> change;
    wire::UpdateFeaturesResponse& response = change.response;
    response.error_message.reset();
    const std::vector<Feature> now = finalized_features(features, controller.image());
    const std::int32_t node_id = controller.image().broker().node_id;
    std::map<std::string, std::int16_t> levels;
    for (const auto& update : request.feature_updates) {
        const auto known = std::ranges::find(now, update.feature, &Feature::name);
        const bool is_downgrade = version == 0 ? update.allow_downgrade : update.upgrade_type != 1;
        const auto error =
            feature_error(known != now.end() ? &*known : nullptr, update.max_version_level,
                          is_downgrade, update.feature, node_id);
        if (!error) {
            // Where it stands already, nothing changes, as in Kafka.
            if (update.max_version_level != known->finalized)
                levels[std::string{update.feature}] = update.max_version_level;
            continue;
        }
        response.error_code = code(Errc::kInvalidUpdateVersion);
        response.error_message = arena.copy(
            "The update failed for all features since the following feature had an error: " +
            *error);
        return change;
    }
    if (!request.validate_only && !levels.empty())
        controller.set_feature_levels(levels, change.deltas);
    if (version > 1) return change;
    response.results = arena.array<Answer>(request.feature_updates.size());
    for (std::size_t i = 0; i < response.results.size(); ++i) {
        response.results[i].feature = request.feature_updates[i].feature;
        response.results[i].error_message = "NONE";  // So does Kafka.
    }
    return change;
}

}  // namespace leat::broker::admin
