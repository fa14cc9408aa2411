// SPDX-License-Identifier: Apache-2.0
#include "client/group_offsets.h"

#include <map>

#include "client/request_parts.h"
#include "wire/messages/offset_commit_request.h"
#include "wire/messages/offset_commit_response.h"
#include "wire/messages/offset_fetch_request.h"
#include "wire/messages/offset_fetch_response.h"

namespace leat::client {
namespace {

/// From version 10 on topics go by id.
constexpr std::int16_t kLastVersionByName = 9;

template <class Topics>
void note(const Topics& topics, std::map<TopicPartition, CommittedOffset>& out, Errc& worst) {
    for (const auto& topic : topics)
        for (const auto& partition : topic.partitions) {
            if (partition.error_code != 0) worst = errc_from_wire(partition.error_code);
            TopicPartition where{std::string{topic.name}, partition.partition_index};
            out[where] = {.where = where,
                          .offset = partition.committed_offset,
                          .metadata = std::string{partition.metadata.value_or("")}};
        }
}

std::int16_t fetch_verdict(const wire::OffsetFetchResponse& message) {
    const auto of = [](std::int16_t code, const auto& topics) {
        if (code != 0) return code;
        for (const auto& topic : topics)
            for (const auto& partition : topic.partitions)
                if (info(errc_from_wire(partition.error_code)).retriable)
                    return partition.error_code;
        return std::int16_t{0};
    };
    if (message.groups.empty()) return of(message.error_code, message.topics);
    return of(message.groups[0].error_code, message.groups[0].topics);
}

}  // namespace

Result<std::unique_ptr<GroupOffsets>> GroupOffsets::connect(const std::vector<Property>& properties,
                                                            std::optional<int> retries_max) {
    LEAT_TRY(ClusterOptions options, cluster_options_of(properties));
    options.retries_max = retries_max.value_or(options.retries_max);
    LEAT_TRY(std::unique_ptr<Cluster> cluster, Cluster::connect(std::move(options)));
    return std::unique_ptr<GroupOffsets>{new GroupOffsets{std::move(cluster)}};
}

Result<void> GroupOffsets::commit(const GroupIdentity& as,
                                  std::span<const CommittedOffset> offsets) {
    PartitionsByTopic<wire::OffsetCommitRequest::OffsetCommitRequestPartition> by_topic;
    for (const CommittedOffset& one : offsets)
        by_topic[one.where.topic].push_back({.partition_index = one.where.partition,
                                             .committed_offset = one.offset,
                                             .committed_metadata = one.metadata});
    std::vector<wire::OffsetCommitRequest::OffsetCommitRequestTopic> topics;
    topics.reserve(by_topic.size());
    for (auto& [name, partitions] : by_topic)
        topics.push_back({.name = name, .topic_id = {}, .partitions = partitions});
    const wire::OffsetCommitRequest request{
        .group_id = as.group,
        .generation_id_or_member_epoch = as.generation,
        .member_id = as.member_id,
        .group_instance_id =
            as.instance_id.empty() ? std::nullopt : std::optional<std::string_view>{as.instance_id},
        .topics = topics};
    LEAT_TRY(const auto answer, cluster_->ask<wire::OffsetCommitResponse>(
                                    Target::group(as.group), request,
                                    [](const wire::OffsetCommitResponse& m) {
                                        return first_retriable_of_partitions(m.topics);
                                    },
                                    kLastVersionByName));
    for (const auto& topic : answer.message.topics)
        for (const auto& partition : topic.partitions)
            if (partition.error_code != 0)
                return Error{errc_from_wire(partition.error_code),
                             "commit of group '" + as.group + "' for " + std::string{topic.name}};
    return {};
}

Result<std::vector<CommittedOffset>> GroupOffsets::committed(
    std::string_view group, std::span<const TopicPartition> where) {
    PartitionsByTopic<std::int32_t> by_topic;
    for (const TopicPartition& one : where) by_topic[one.topic].push_back(one.partition);
    std::vector<wire::OffsetFetchRequest::OffsetFetchRequestTopics> topics;
    std::vector<wire::OffsetFetchRequest::OffsetFetchRequestTopic> old_topics;
    for (auto& [name, partitions] : by_topic) {
        topics.push_back({.name = name, .topic_id = {}, .partition_indexes = partitions});
        old_topics.push_back({.name = name, .partition_indexes = partitions});
    }
    wire::OffsetFetchRequest::OffsetFetchRequestGroup one{.group_id = group, .topics = topics};
    const wire::OffsetFetchRequest request{
        .group_id = group, .topics = old_topics, .groups = {&one, 1}, .require_stable = true};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::OffsetFetchResponse>(Target::group(group), request, fetch_verdict,
                                                      kLastVersionByName));
    std::map<TopicPartition, CommittedOffset> found;
    Errc worst = Errc::kNone;
    if (answer.message.groups.empty()) {
        worst = errc_from_wire(answer.message.error_code);
        note(answer.message.topics, found, worst);
    } else {
        worst = errc_from_wire(answer.message.groups[0].error_code);
        note(answer.message.groups[0].topics, found, worst);
    }
    if (worst != Errc::kNone)
        return Error{worst, "committed offsets of group '" + std::string{group} + "'"};
    std::vector<CommittedOffset> out;
    for (const TopicPartition& each : where) {
        const auto at = found.find(each);
        out.push_back(at == found.end() ? CommittedOffset{.where = each} : at->second);
    }
    return out;
}

}  // namespace leat::client
