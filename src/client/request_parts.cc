// SPDX-License-Identifier: Apache-2.0
#include "client/request_parts.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace leat::client {

Outcome outcome_of(std::string_view name, std::int16_t code,
                   std::optional<std::string_view> message) {
    return {.name = std::string{name},
            .code = errc_from_wire(code),
            .message = std::string{text_or_empty(message)}};
}

Error no_result(std::string_view about) {
    return Error{Errc::kUnknownServerError,
                 "the broker's answer has nothing on '" + std::string{about} + "'"};
}

Target target_of(const Resource& resource) {
    if (resource.type == ResourceType::kGroup) return Target::group(resource.name);
    const bool is_brokers =
        resource.type == ResourceType::kBroker || resource.type == ResourceType::kBrokerLogger;
    if (!is_brokers || resource.name.empty()) return Target::any();
    std::int32_t node = -1;
    std::from_chars(resource.name.data(), resource.name.data() + resource.name.size(), node);
    return Target::broker(node);
}

Result<LeaderMap> leaders_of(Admin& admin, std::span<const TopicPartition> where) {
    std::set<std::string> names;
    LeaderMap out;
    for (const TopicPartition& one : where) {
        names.insert(one.topic);
        out[one].code = Errc::kUnknownTopicOrPartition;
    }
    const std::vector<std::string> wanted{names.begin(), names.end()};
    LEAT_TRY(const ClusterInfo found, admin.describe_cluster(std::span<const std::string>{wanted}));
    for (const TopicInfo& topic : found.topics) {
        for (const PartitionInfo& partition : topic.partitions) {
            const auto entry = out.find({topic.name, partition.id});
            if (entry == out.end()) continue;
            entry->second = {partition.leader,
                             partition.leader < 0 ? Errc::kLeaderNotAvailable : Errc::kNone};
        }
    }
    return out;
}

std::map<std::int32_t, std::vector<std::size_t>> group_by_leader(
    const LeaderMap& leaders, std::vector<PartitionOffset>& out) {
    std::map<std::int32_t, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const Leader& leader = leaders.at(out[i].where);
        if (leader.code == Errc::kNone) {
            groups[leader.node].push_back(i);
        } else {
            out[i].code = leader.code;
            out[i].offset = -1;
        }
    }
    return groups;
}

void set_result(std::vector<PartitionOffset>& out, std::string_view topic, std::int32_t partition,
                std::int64_t offset, std::int16_t code) {
    for (PartitionOffset& one : out) {
        if (one.where.partition != partition || one.where.topic != topic) continue;
        one.offset = offset;
        one.code = errc_from_wire(code);
    }
}

}  // namespace leat::client
