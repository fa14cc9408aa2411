// SPDX-License-Identifier: Apache-2.0
//
// Connecting, topics and settings; groups are in admin_groups.cc.
#include "client/admin.h"

#include <algorithm>
#include <map>

#include "client/request_parts.h"
#include "wire/messages/create_partitions_request.h"
#include "wire/messages/create_partitions_response.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/messages/delete_records_request.h"
#include "wire/messages/delete_records_response.h"
#include "wire/messages/delete_topics_request.h"
#include "wire/messages/delete_topics_response.h"
#include "wire/messages/describe_configs_request.h"
#include "wire/messages/describe_configs_response.h"
#include "wire/messages/describe_log_dirs_request.h"
#include "wire/messages/describe_log_dirs_response.h"
#include "wire/messages/incremental_alter_configs_request.h"
#include "wire/messages/incremental_alter_configs_response.h"
#include "wire/messages/list_config_resources_request.h"
#include "wire/messages/list_config_resources_response.h"
#include "wire/messages/list_offsets_request.h"
#include "wire/messages/list_offsets_response.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"

namespace leat::client {
namespace {

constexpr std::int32_t kServerTimeoutMs = 30'000;

std::vector<std::int32_t> to_vector(std::span<const std::int32_t> ids) {
    return {ids.begin(), ids.end()};
}

TopicInfo topic_of(const wire::MetadataResponse::MetadataResponseTopic& from) {
    TopicInfo out{.name = std::string{text_or_empty(from.name)},
                  .id = from.topic_id,
                  .code = errc_from_wire(from.error_code),
                  .is_internal = from.is_internal,
                  .partitions = {}};
    for (const auto& partition : from.partitions)
        out.partitions.push_back({.id = partition.partition_index,
                                  .code = errc_from_wire(partition.error_code),
                                  .leader = partition.leader_id,
                                  .leader_epoch = partition.leader_epoch,
                                  .replicas = to_vector(partition.replica_nodes),
                                  .in_sync = to_vector(partition.isr_nodes),
                                  .offline = to_vector(partition.offline_replicas)});
    std::ranges::sort(out.partitions, {}, &PartitionInfo::id);
    return out;
}

}  // namespace

Result<std::unique_ptr<Admin>> Admin::connect(const std::vector<Property>& properties,
                                              LoginHelpers helpers) {
    LEAT_TRY(ClusterOptions options, cluster_options_of(properties, std::move(helpers)));
    LEAT_TRY(std::unique_ptr<Cluster> cluster, Cluster::connect(std::move(options)));
    return std::unique_ptr<Admin>{new Admin{std::move(cluster)}};
}

Result<ClusterInfo> Admin::describe_cluster(std::optional<std::span<const std::string>> topics) {
    std::vector<wire::MetadataRequest::MetadataRequestTopic> wanted;
    for (const std::string& name : topics.value_or(std::span<const std::string>{}))
        wanted.push_back({.topic_id = {}, .name = name});
    wire::MetadataRequest request;
    request.topics = std::nullopt;
    if (topics) request.topics = wanted;
    request.allow_auto_topic_creation = false;
    LEAT_TRY(const auto answer, cluster_->ask<wire::MetadataResponse>(
                                    Target::any(), request,
                                    [](const wire::MetadataResponse& m) { return m.error_code; }));
    const wire::MetadataResponse& message = answer.message;
    if (message.error_code != 0) return Error{errc_from_wire(message.error_code)};
    ClusterInfo out;
    out.id = std::string{text_or_empty(message.cluster_id)};
    out.controller = message.controller_id;
    for (const auto& broker : message.brokers) {
        BrokerInfo one{
            .id = broker.node_id,
            .endpoint = {std::string{broker.host}, static_cast<std::uint16_t>(broker.port)},
            .rack = std::nullopt};
        if (broker.rack) one.rack = std::string{*broker.rack};
        out.brokers.push_back(std::move(one));
    }
    for (const auto& topic : message.topics) out.topics.push_back(topic_of(topic));
    std::ranges::sort(out.brokers, {}, &BrokerInfo::id);
    std::ranges::sort(out.topics, {}, &TopicInfo::name);
    return out;
}

Result<std::vector<CreatedTopic>> Admin::create_topics(std::span<const NewTopic> topics,
                                                       bool validate_only) {
    using Request = wire::CreateTopicsRequest;
    std::vector<Request::CreatableTopic> wanted;
    std::vector<std::vector<Request::CreatableTopicConfig>> configs(topics.size());
    for (std::size_t i = 0; i < topics.size(); ++i) {
        for (const ConfigChange& config : topics[i].configs)
            configs[i].push_back({.name = config.name, .value = config.value});
        wanted.push_back({.name = topics[i].name,
                          .num_partitions = topics[i].partitions,
                          .replication_factor = topics[i].replication_factor,
                          .assignments = {},
                          .configs = configs[i]});
    }
    const Request request{
        .topics = wanted, .timeout_ms = kServerTimeoutMs, .validate_only = validate_only};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::CreateTopicsResponse>(
                 Target::controller(), request,
                 [](const wire::CreateTopicsResponse& m) { return retriable_as_a_whole(m.topics); },
                 INT16_MAX, false));
    std::vector<CreatedTopic> out;
    out.reserve(answer.message.topics.size());
    for (const auto& topic : answer.message.topics)
        out.push_back({.outcome = outcome_of(topic.name, topic.error_code, topic.error_message),
                       .id = topic.topic_id,
                       .partitions = topic.num_partitions,
                       .replication_factor = topic.replication_factor});
    return out;
}

Result<std::vector<Outcome>> Admin::delete_topics(std::span<const std::string> names) {
    std::vector<std::string_view> by_name{names.begin(), names.end()};
    std::vector<wire::DeleteTopicsRequest::DeleteTopicState> states;
    states.reserve(names.size());
    for (const std::string& name : names) states.push_back({.name = name, .topic_id = {}});
    const wire::DeleteTopicsRequest request{
        .topics = states, .topic_names = by_name, .timeout_ms = kServerTimeoutMs};
    LEAT_TRY(const auto answer, cluster_->ask<wire::DeleteTopicsResponse>(
                                    Target::controller(), request,
                                    [](const wire::DeleteTopicsResponse& m) {
                                        return retriable_as_a_whole(m.responses);
                                    },
                                    INT16_MAX, false));
    std::vector<Outcome> out;
    out.reserve(answer.message.responses.size());
    for (const auto& topic : answer.message.responses)
        out.push_back(outcome_of(text_or_empty(topic.name), topic.error_code, topic.error_message));
    return out;
}

Result<Outcome> Admin::create_partitions(std::string_view topic, std::int32_t total,
                                         bool validate_only) {
    wire::CreatePartitionsRequest::CreatePartitionsTopic one{
        .name = topic, .count = total, .assignments = std::nullopt};
    const wire::CreatePartitionsRequest request{
        .topics = {&one, 1}, .timeout_ms = kServerTimeoutMs, .validate_only = validate_only};
    LEAT_TRY(const auto answer, cluster_->ask<wire::CreatePartitionsResponse>(
                                    Target::controller(), request,
                                    [](const wire::CreatePartitionsResponse& m) {
                                        return retriable_as_a_whole(m.results);
                                    },
                                    INT16_MAX, false));
    if (answer.message.results.size() != 1) return no_result(topic);
    const auto& result = answer.message.results[0];
    return outcome_of(topic, result.error_code, result.error_message);
}

Result<std::vector<ConfigEntry>> Admin::describe_configs(const Resource& resource) {
    wire::DescribeConfigsRequest::DescribeConfigsResource one{
        .resource_type = static_cast<std::int8_t>(resource.type),
        .resource_name = resource.name,
        .configuration_keys = std::nullopt};
    const wire::DescribeConfigsRequest request{
        .resources = {&one, 1}, .include_synonyms = false, .include_documentation = true};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::DescribeConfigsResponse>(
                 target_of(resource), request, [](const wire::DescribeConfigsResponse& m) {
                     return first_retriable(m.results);
                 }));
    if (answer.message.results.size() != 1) return no_result(resource.name);
    const auto& result = answer.message.results[0];
    if (result.error_code != 0)
        return Error{errc_from_wire(result.error_code), text_or_empty(result.error_message)};
    std::vector<ConfigEntry> out;
    for (const auto& config : result.configs) {
        ConfigEntry entry{.name = std::string{config.name},
                          .value = std::nullopt,
                          .is_read_only = config.read_only,
                          .is_sensitive = config.is_sensitive,
                          .source = config.config_source,
                          .documentation = std::string{text_or_empty(config.documentation)}};
        if (config.value) entry.value = std::string{*config.value};
        if (answer.version == 0) entry.source = config.is_default ? 5 : 1;
        out.push_back(std::move(entry));
    }
    std::ranges::sort(out, {}, &ConfigEntry::name);
    return out;
}

Result<Outcome> Admin::alter_configs(const Resource& resource,
                                     std::span<const ConfigChange> changes, bool validate_only) {
    using Request = wire::IncrementalAlterConfigsRequest;
    std::vector<Request::AlterableConfig> configs;
    for (const ConfigChange& change : changes) {
        Request::AlterableConfig one{.name = change.name,
                                     .config_operation = static_cast<std::int8_t>(change.kind),
                                     .value = std::nullopt};
        if (change.kind != ConfigChange::Kind::kDelete) one.value = change.value;
        configs.push_back(one);
    }
    Request::AlterConfigsResource one{.resource_type = static_cast<std::int8_t>(resource.type),
                                      .resource_name = resource.name,
                                      .configs = configs};
    const Request request{.resources = {&one, 1}, .validate_only = validate_only};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::IncrementalAlterConfigsResponse>(
                 target_of(resource), request, [](const wire::IncrementalAlterConfigsResponse& m) {
                     return first_retriable(m.responses);
                 }));
    if (answer.message.responses.size() != 1) return no_result(resource.name);
    const auto& result = answer.message.responses[0];
    return outcome_of(resource.name, result.error_code, result.error_message);
}

Result<std::vector<std::string>> Admin::list_config_resources(ResourceType type) {
    constexpr std::int16_t kFirstWithAll = 1;  // Before, client metrics only.
    std::int8_t types[] = {static_cast<std::int8_t>(type)};
    const wire::ListConfigResourcesRequest request{.resource_types = types};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::ListConfigResourcesResponse>(
                 Target::any(), request,
                 [](const wire::ListConfigResourcesResponse& m) { return m.error_code; }, INT16_MAX,
                 true, type == ResourceType::kClientMetrics ? std::int16_t{0} : kFirstWithAll));
    if (answer.message.error_code != 0) return Error{errc_from_wire(answer.message.error_code)};
    std::vector<std::string> out;
    for (const auto& one : answer.message.config_resources) out.emplace_back(one.resource_name);
    std::ranges::sort(out);
    return out;
}

Result<std::vector<PartitionOffset>> Admin::list_offsets(std::span<const TopicPartition> where,
                                                         std::int64_t timestamp,
                                                         bool committed_only) {
    using Request = wire::ListOffsetsRequest;
    std::vector<PartitionOffset> out;
    out.reserve(where.size());
    for (const TopicPartition& one : where)
        out.push_back({.where = one, .offset = -1, .code = Errc::kLeaderNotAvailable});
    const auto ask = [&](std::int32_t leader,
                         std::span<const std::size_t> positions) -> Result<void> {
        PartitionsByTopic<Request::ListOffsetsPartition> parts;
        for (const std::size_t at : positions)
            parts[where[at].topic].push_back({.partition_index = where[at].partition,
                                              .current_leader_epoch = -1,
                                              .timestamp = timestamp});
        std::vector<Request::ListOffsetsTopic> topics;
        topics.reserve(parts.size());
        for (auto& [name, partitions] : parts)
            topics.push_back({.name = name, .partitions = partitions});
        const Request request{.replica_id = -1,
                              .isolation_level = static_cast<std::int8_t>(committed_only),
                              .topics = topics,
                              .timeout_ms = kServerTimeoutMs};
        LEAT_TRY(const auto answer,
                 cluster_->ask<wire::ListOffsetsResponse>(
                     Target::broker(leader), request, [](const wire::ListOffsetsResponse& m) {
                         return first_retriable_of_leader(m.topics);
                     }));
        for (const auto& topic : answer.message.topics)
            for (const auto& partition : topic.partitions)
                set_result(out, topic.name, partition.partition_index, partition.offset,
                           partition.error_code);
        return {};
    };
    const auto find = [this](std::span<const TopicPartition> of) { return leaders_of(*this, of); };
    LEAT_TRY_VOID(ask_leaders(find, out, ask));
    return out;
}

Result<std::vector<PartitionOffset>> Admin::delete_records(
    std::span<const PartitionOffset> before) {
    using Request = wire::DeleteRecordsRequest;
    std::vector<PartitionOffset> out{before.begin(), before.end()};
    for (PartitionOffset& one : out) one.code = Errc::kLeaderNotAvailable;
    const auto ask = [&](std::int32_t leader,
                         std::span<const std::size_t> positions) -> Result<void> {
        PartitionsByTopic<Request::DeleteRecordsPartition> parts;
        for (const std::size_t at : positions)
            parts[before[at].where.topic].push_back(
                {.partition_index = before[at].where.partition, .offset = before[at].offset});
        std::vector<Request::DeleteRecordsTopic> topics;
        topics.reserve(parts.size());
        for (auto& [name, partitions] : parts)
            topics.push_back({.name = name, .partitions = partitions});
        const Request request{.topics = topics, .timeout_ms = kServerTimeoutMs};
        LEAT_TRY(const auto answer,
                 cluster_->ask<wire::DeleteRecordsResponse>(
                     Target::broker(leader), request, [](const wire::DeleteRecordsResponse& m) {
                         return first_retriable_of_leader(m.topics);
                     }));
        for (const auto& topic : answer.message.topics)
            for (const auto& partition : topic.partitions)
                set_result(out, topic.name, partition.partition_index, partition.low_watermark,
                           partition.error_code);
        return {};
    };
    const auto find = [this](std::span<const TopicPartition> of) { return leaders_of(*this, of); };
    LEAT_TRY_VOID(ask_leaders(find, out, ask));
    return out;
}

Result<std::vector<LogDirInfo>> Admin::log_dirs() {
    wire::DescribeLogDirsRequest request;
    request.topics = std::nullopt;
    std::vector<LogDirInfo> out;
    const std::vector<Cluster::Broker> brokers = cluster_->brokers();
    for (const Cluster::Broker& broker : brokers) {
        const auto answer = cluster_->ask<wire::DescribeLogDirsResponse>(
            Target::broker(broker.id), request,
            [](const wire::DescribeLogDirsResponse& m) { return m.error_code; });
        if (!answer) {
            out.push_back({.broker = broker.id, .path = {}, .code = answer.error().code()});
            continue;
        }
        for (const auto& directory : answer->message.results) {
            LogDirInfo one{.broker = broker.id,
                           .path = std::string{directory.log_dir},
                           .code = errc_from_wire(directory.error_code),
                           .size_bytes = 0,
                           .total_bytes = directory.total_bytes,
                           .usable_bytes = directory.usable_bytes};
            for (const auto& topic : directory.topics)
                for (const auto& partition : topic.partitions) {
                    one.size_bytes += partition.partition_size;
                    ++one.partitions;
                }
            out.push_back(std::move(one));
        }
    }
    return out;
}

}  // namespace leat::client
