// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/replicas.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "broker/admin/change.h"

namespace leat::broker::admin {
namespace {

bool has_partition(const metadata::Image& image, std::string_view topic, std::int32_t partition) {
    const metadata::Topic* known = image.find(topic);
    return known != nullptr && partition >= 0 && partition < known->partition_count;
}

Error reassign_error(std::string_view topic, std::int32_t partition,
                     const std::optional<std::span<std::int32_t>>& replicas,
                     const metadata::Image& image) {
    const std::string name{topic};
    if (image.find(topic) == nullptr)
        return Error{Errc::kUnknownTopicOrPartition, "Unable to find a topic named " + name + "."};
    if (!has_partition(image, topic, partition))
        return Error{Errc::kUnknownTopicOrPartition,
                     "Unable to find partition " + name + ":" + std::to_string(partition) + "."};
    if (!replicas) return Error{Errc::kNoReassignmentInProgress};
    if (replicas->empty())
        return Error{Errc::kInvalidReplicaAssignment,
                     "The manual partition assignment includes an empty replica list."};
    std::set<std::int32_t> seen;
    for (const std::int32_t broker : *replicas) {
        const std::string number = std::to_string(broker);
        if (!seen.insert(broker).second)
            return Error{Errc::kInvalidReplicaAssignment,
                         "The manual partition assignment includes the broker " + number +
                             " more than once."};
        if (broker != image.broker().node_id)
            return Error{Errc::kInvalidReplicaAssignment,
                         "The manual partition assignment includes broker " + number +
                             ", but no such broker is registered."};
    }
    return Error{Errc::kNone};
}

using Elected = wire::ElectLeadersResponse::PartitionResult;

constexpr std::int8_t kPreferred = 0;
constexpr std::int8_t kUnclean = 1;

bool is_known_election(std::int8_t type) {
    return type == kPreferred || type == kUnclean;
}

Elected not_needed(std::int32_t partition) {
    return {.partition_id = partition,
            .error_code = code(Errc::kElectionNotNeeded),
            .error_message = "Leader election not needed for topic partition."};
}

/// Of what is quarantined: the only replica is offline, and has no leader to be elected.
Elected nobody_there(std::int32_t partition, std::int8_t type) {
    if (type == kUnclean)
        return {.partition_id = partition,
                .error_code = code(Errc::kEligibleLeadersNotAvailable),
                .error_message = "Eligible topic partition leaders are not available."};
    return {.partition_id = partition,
            .error_code = code(Errc::kPreferredLeaderNotAvailable),
            .error_message = "The preferred leader was not available."};
}

/// Asked about all partitions, Kafka lists all topics, but of the partitions only those that have
/// not the leader they should have.
wire::ElectLeadersResponse elect_all(const wire::ElectLeadersRequest& request,
                                     const metadata::Image& image, Arena& arena,
                                     const PartitionTest& is_quarantined) {
    using Response = wire::ElectLeadersResponse;
    Response response;
    response.replica_election_results =
        arena.array<Response::ReplicaElectionResult>(image.topics().size());
    std::size_t next = 0;
    for (const auto& [name, topic] : image.topics()) {
        auto& told = response.replica_election_results[next++];
        told.topic = arena.copy(name);
        if (!is_quarantined || !is_known_election(request.election_type)) continue;
        std::vector<Elected> failed;
        for (std::int32_t p = 0; p < topic->partition_count; ++p)
            if (is_quarantined(topic->id, p))
                failed.push_back(nobody_there(p, request.election_type));
        if (failed.empty()) continue;
        told.partition_result = arena.array<Elected>(failed.size());
        std::ranges::copy(failed, told.partition_result.begin());
    }
    return response;
}

}  // namespace

wire::ElectLeadersResponse elect_leaders(const wire::ElectLeadersRequest& request,
                                         const metadata::Image& image, Arena& arena,
                                         const PartitionTest& is_quarantined,
                                         std::size_t arena_bytes_max) {
    if (!request.topic_partitions) return elect_all(request, image, arena, is_quarantined);
    using Response = wire::ElectLeadersResponse;
    Response response;
    const bool is_known_type = is_known_election(request.election_type);
    if (!is_known_type) response.error_code = code(Errc::kInvalidRequest);
    const auto& topics = *request.topic_partitions;
    response.replica_election_results = arena.array<Response::ReplicaElectionResult>(topics.size());
    for (std::size_t t = 0; t < topics.size(); ++t) {
        auto& told = response.replica_election_results[t];
        told.topic = topics[t].topic;
        told.partition_result = arena.array<Response::PartitionResult>(topics[t].partitions.size());
        for (std::size_t p = 0; p < topics[t].partitions.size(); ++p) {
            const std::int32_t partition = topics[t].partitions[p];
            auto& result = told.partition_result[p];
            result.partition_id = partition;
            result.error_message.reset();
            if (!is_known_type) {
                result.error_code = code(Errc::kInvalidRequest);
                result.error_message =
                    arena.copy("Unknown election type " + std::to_string(request.election_type));
                continue;
            }
            const std::string topic{topics[t].topic};
            if (has_partition(image, topic, partition)) {
                const bool is_led =
                    !is_quarantined || !is_quarantined(image.find(topic)->id, partition);
                result =
                    is_led ? not_needed(partition) : nobody_there(partition, request.election_type);
                continue;
            }
            // The name of a topic is told with each of its partitions.
            if (arena.capacity_bytes() > arena_bytes_max) return response;
            result.error_code = code(Errc::kUnknownTopicOrPartition);
            result.error_message =
                arena.copy(image.find(topic) == nullptr
                               ? "No such topic as " + topic
                               : "No such partition as " + topic + "-" + std::to_string(partition));
        }
    }
    return response;
}

wire::AlterPartitionReassignmentsResponse alter_partition_reassignments(
    const wire::AlterPartitionReassignmentsRequest& request, const metadata::Image& image,
    Arena& arena, std::size_t arena_bytes_max) {
    using Response = wire::AlterPartitionReassignmentsResponse;
    Response response;
    response.allow_replication_factor_change = request.allow_replication_factor_change;
    response.error_message.reset();
    response.responses = arena.array<Response::ReassignableTopicResponse>(request.topics.size());
    for (std::size_t t = 0; t < request.topics.size(); ++t) {
        const auto& topic = request.topics[t];
        auto& told = response.responses[t];
        told.name = topic.name;
        told.partitions =
            arena.array<Response::ReassignablePartitionResponse>(topic.partitions.size());
        for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
            const auto& asked = topic.partitions[p];
            const Error error =
                reassign_error(topic.name, asked.partition_index, asked.replicas, image);
            if (arena.capacity_bytes() > arena_bytes_max) return response;
            told.partitions[p].partition_index = asked.partition_index;
            told.partitions[p].error_code = code(error.code());
            told.partitions[p].error_message = message(error.detail(), arena);
        }
    }
    return response;
}

wire::ListPartitionReassignmentsResponse list_partition_reassignments() {
    wire::ListPartitionReassignmentsResponse response;
    response.error_message.reset();
    return response;
}

wire::AlterReplicaLogDirsResponse alter_replica_log_dirs(
    const wire::AlterReplicaLogDirsRequest& request, std::string_view data_directory,
    const metadata::Image& image, Arena& arena) {
    using Response = wire::AlterReplicaLogDirsResponse;
    std::vector<Response::AlterReplicaLogDirTopicResult> results;
    for (const auto& directory : request.dirs) {
        const bool is_ours = directory.path == data_directory;
        for (const auto& topic : directory.topics) {
            auto& told = results.emplace_back();
            told.topic_name = topic.name;
            told.partitions =
                arena.array<Response::AlterReplicaLogDirPartitionResult>(topic.partitions.size());
            for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
                told.partitions[p].partition_index = topic.partitions[p];
                const bool is_known = has_partition(image, topic.name, topic.partitions[p]);
                told.partitions[p].error_code = code(!is_ours    ? Errc::kLogDirNotFound
                                                     : !is_known ? Errc::kUnknownTopicOrPartition
                                                                 : Errc::kNone);
            }
        }
    }
    Response response;
    response.results = arena.array<Response::AlterReplicaLogDirTopicResult>(results.size());
    std::ranges::copy(results, response.results.begin());
    return response;
}

AskedPartitions::AskedPartitions(const wire::DescribeLogDirsRequest& request,
                                 const metadata::Image& image)
    : are_all_(!request.topics) {
    if (are_all_) return;
    for (const auto& topic : *request.topics) {
        const metadata::Topic* known = image.find(topic.topic);
        if (known == nullptr) continue;
        std::vector<bool>& asked = by_topic_[topic.topic];
        asked.resize(static_cast<std::size_t>(known->partition_count));
        for (const std::int32_t partition : topic.partitions)
            if (partition >= 0 && partition < known->partition_count)
                asked[static_cast<std::size_t>(partition)] = true;
    }
}

bool AskedPartitions::has(std::string_view topic, std::int32_t partition) const {
    if (are_all_) return true;
    const auto at = by_topic_.find(topic);
    if (at == by_topic_.end() || partition < 0) return false;
    const auto index = static_cast<std::size_t>(partition);
    return index < at->second.size() && at->second[index];
}

wire::DescribeLogDirsResponse describe_log_dirs(const LogDirState& directory,
                                                std::span<const PartitionSize> sizes,
                                                Arena& arena) {
    using Response = wire::DescribeLogDirsResponse;
    Response response;
    response.results = arena.array<Response::DescribeLogDirsResult>(1);
    auto& result = response.results[0];
    result.error_code = code(directory.error);
    result.log_dir = directory.path;
    result.total_bytes = directory.total_bytes;
    result.usable_bytes = directory.usable_bytes;
    const auto differs = [](const PartitionSize& a, const PartitionSize& b) {
        return a.topic != b.topic;
    };
    std::vector<Response::DescribeLogDirsTopic> topics;
    for (std::size_t first = 0; first < sizes.size();) {
        std::size_t end = first + 1;
        while (end < sizes.size() && !differs(sizes[first], sizes[end])) ++end;
        auto& topic = topics.emplace_back();
        topic.name = sizes[first].topic;
        topic.partitions = arena.array<Response::DescribeLogDirsPartition>(end - first);
        for (std::size_t i = first; i < end; ++i) {
            topic.partitions[i - first].partition_index = sizes[i].partition;
            topic.partitions[i - first].partition_size = sizes[i].bytes;
        }
        first = end;
    }
    result.topics = arena.array<Response::DescribeLogDirsTopic>(topics.size());
    std::ranges::copy(topics, result.topics.begin());
    return response;
}

}  // namespace leat::broker::admin
