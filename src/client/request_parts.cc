// SPDX-License-Identifier: Apache-2.0
#include "client/request_parts.h"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <numeric>
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

static bool is_away(Errc code) {
    return code == Errc::kNetworkException || code == Errc::kTimedOut || code == Errc::kClosed ||
           code == Errc::kBrokerNotAvailable;
}

Result<void> ask_leaders(const FindLeaders& find, std::vector<PartitionOffset>& out,
                         const AskLeader& ask) {
    constexpr int kMovesMax = 5;
    std::vector<std::size_t> left(out.size());
    std::iota(left.begin(), left.end(), std::size_t{0});
    for (int moves = 0; !left.empty(); ++moves) {
        std::vector<TopicPartition> where;
        where.reserve(left.size());
        for (const std::size_t at : left) where.push_back(out[at].where);
        LEAT_TRY(const LeaderMap leaders, find(where));
        std::map<std::int32_t, std::vector<std::size_t>> by_leader;
        std::vector<std::size_t> moved;
        for (const std::size_t at : left) {
            const Leader& leader = leaders.at(out[at].where);
            if (leader.code == Errc::kNone) {
                by_leader[leader.node].push_back(at);
            } else {
                out[at].code = leader.code;
                out[at].offset = -1;
                if (moves > 0) moved.push_back(at);  // One is being chosen.
            }
        }
        for (const auto& [leader, positions] : by_leader) {
            const Result<void> done = ask(leader, positions);
            // One that is gone leads nothing in a moment.
            if (!done && (moves > 0 || !is_away(done.error().code())))
                return Error{done.error().code(), done.error().detail()};
            for (const std::size_t at : positions)
                if (!done || says_leader_is_elsewhere(out[at].code)) moved.push_back(at);
        }
        left = std::move(moved);
        if (moves == kMovesMax) break;
        if (!left.empty()) ::poll(nullptr, 0, 100 << moves);
    }
    return {};
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
