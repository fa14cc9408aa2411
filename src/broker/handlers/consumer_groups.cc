// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/consumer_groups.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/access.h"
#include "broker/admin/change.h"
#include "broker/admin/cluster.h"
#include "broker/apis.h"
#include "broker/broker.h"
#include "broker/group_host.h"

namespace leat::broker {
namespace {

using groups::Coordinator;
using groups::Now;
using HeartbeatAnswer = wire::ConsumerGroupHeartbeatResponse;
using DescribeAnswer = wire::ConsumerGroupDescribeResponse;

bool is_served(const Request& request) {
    const Shard& shard = *request.shard;
    const auto& protocols = shard.config().group_protocols;
    return std::ranges::find(protocols, "consumer") != protocols.end() &&
           admin::finalized_level(shard.broker().features(), shard.image(), "group.version") > 0;
}

HeartbeatAnswer refused(Errc error) {
    HeartbeatAnswer out;
    out.error_code = wire_code(error);
    return out;
}

HeartbeatAnswer told(const groups::ConsumerHeartbeatAnswer& answer, Arena& arena) {
    HeartbeatAnswer out;
    out.error_code = wire_code(answer.error);
    if (!answer.message.empty()) out.error_message = arena.copy(std::string_view{answer.message});
    if (answer.error != Errc::kNone) return out;
    out.member_id = arena.copy(std::string_view{answer.member_id});
    out.member_epoch = answer.member_epoch;
    out.heartbeat_interval_ms = answer.heartbeat_interval_ms;
    if (!answer.assignment) return out;
    out.assignment = &arena.array<HeartbeatAnswer::Assignment>(1).front();
    out.assignment->topic_partitions =
        arena.array<HeartbeatAnswer::TopicPartitions>(answer.assignment->size());
    std::size_t next = 0;
    for (const auto& [topic, partitions] : *answer.assignment) {
        HeartbeatAnswer::TopicPartitions& row = out.assignment->topic_partitions[next++];
        row.topic_id = topic;
        row.partitions = arena.array<std::int32_t>(partitions.size());
        std::ranges::copy(partitions, row.partitions.begin());
    }
    return out;
}

/// Tells the group which topics its patterns may stand for: rights are looked at here, since the
/// coordinator may run on another shard.
rt::Task<void> resolve_patterns(Request* request, std::string_view group_id) {
    std::set<std::string, std::less<>> visible;
    for (const auto& [name, topic] : request->shard->image().topics())
        if (may_see(*request, auth::Operation::kDescribe, auth::ResourceType::kTopic, name))
            visible.emplace(name);
    const auto call = [&](Coordinator& coordinator, Now now, Ticket<Errc> answer) {
        const auto may_describe = [&visible](std::string_view topic) {
            return visible.contains(topic);
        };
        coordinator.resolve_patterns(group_id, may_describe, now);
        answer(Errc::kNone);
    };
    ignore(co_await ask_group<Errc>(request, group_id, call),
           "one that cannot be reached is asked again with the next heartbeat");
}

DescribeAnswer::Assignment assignment_of(const std::vector<groups::DescribedPartitions>& from,
                                         Arena& arena) {
    DescribeAnswer::Assignment out;
    out.topic_partitions = arena.array<DescribeAnswer::TopicPartitions>(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) {
        DescribeAnswer::TopicPartitions& row = out.topic_partitions[i];
        row.topic_id = from[i].topic_id;
        row.topic_name = arena.copy(std::string_view{from[i].topic});
        row.partitions = arena.array<std::int32_t>(from[i].partitions.size());
        std::ranges::copy(from[i].partitions, row.partitions.begin());
    }
    return out;
}

DescribeAnswer::Member member_of(const groups::DescribedConsumer& from, Arena& arena) {
    DescribeAnswer::Member out;
    out.member_id = arena.copy(std::string_view{from.member_id});
    out.instance_id = admin::copied(from.instance_id, arena);
    out.rack_id = admin::copied(from.rack_id, arena);
    out.member_epoch = from.member_epoch;
    out.client_id = arena.copy(std::string_view{from.client_id});
    out.client_host = arena.copy(std::string_view{from.client_host});
    out.subscribed_topic_names = arena.array<std::string_view>(from.topics.size());
    for (std::size_t i = 0; i < from.topics.size(); ++i)
        out.subscribed_topic_names[i] = arena.copy(std::string_view{from.topics[i]});
    out.subscribed_topic_regex = arena.copy(std::string_view{from.regex});
    out.assignment = assignment_of(from.assigned, arena);
    out.target_assignment = assignment_of(from.target, arena);
    out.member_type = from.is_classic ? 0 : 1;
    return out;
}

/// Whether the sender may know of all topics that the members read.
bool may_know_topics(Request& request, const groups::DescribedConsumerGroup& group) {
    for (const groups::DescribedConsumer& member : group.members)
        for (const auto* partitions : {&member.assigned, &member.target})
            for (const groups::DescribedPartitions& each : *partitions)
                if (!may_topic(request, auth::Operation::kDescribe, each.topic)) return false;
    return true;
}

void tell(Request& request, const groups::DescribedConsumerGroup& group,
          DescribeAnswer::DescribedGroup& out) {
    Arena& arena = request.arena;
    out.error_code = wire_code(group.error);
    if (!group.message.empty()) out.error_message = arena.copy(std::string_view{group.message});
    if (group.error != Errc::kNone) return;
    if (!may_know_topics(request, group)) {
        out.error_code = wire_code(Errc::kTopicAuthorizationFailed);
        out.error_message =
            "The group has described topic(s) that the client is not authorized to describe.";
        return;
    }
    out.group_state = group.state;
    out.group_epoch = group.epoch;
    out.assignment_epoch = group.assignment_epoch;
    out.assignor_name = group.assignor;
    out.members = arena.array<DescribeAnswer::Member>(group.members.size());
    for (std::size_t i = 0; i < out.members.size(); ++i)
        out.members[i] = member_of(group.members[i], arena);
}

}  // namespace

rt::Task<wire::ConsumerGroupHeartbeatResponse> handle_consumer_group_heartbeat(
    Request* request, const wire::ConsumerGroupHeartbeatRequest* message) {
    if (!is_served(*request)) co_return refused(Errc::kUnsupportedVersion);
    if (!may_group(*request, auth::Operation::kRead, message->group_id))
        co_return refused(Errc::kGroupAuthorizationFailed);
    for (const std::string_view topic :
         message->subscribed_topic_names.value_or(std::span<std::string_view>{}))
        if (!may_topic(*request, auth::Operation::kDescribe, topic))
            co_return refused(Errc::kTopicAuthorizationFailed);
    std::vector<groups::OwnedTopic> owned;
    if (message->topic_partitions)
        for (const auto& topic : *message->topic_partitions)
            owned.push_back({.topic_id = topic.topic_id, .partitions = topic.partitions});
    const std::string host = "/" + request->connection->peer_host;
    groups::ConsumerHeartbeat heartbeat{.group_id = message->group_id,
                                        .member_id = message->member_id,
                                        .member_epoch = message->member_epoch,
                                        .instance_id = message->instance_id,
                                        .rack_id = message->rack_id,
                                        .rebalance_timeout_ms = message->rebalance_timeout_ms,
                                        .regex = message->subscribed_topic_regex,
                                        .assignor = message->server_assignor,
                                        .client_id = request->client_id(),
                                        .client_host = host,
                                        .makes_own_id = request->version() >= 1};
    if (message->subscribed_topic_names) heartbeat.topics = *message->subscribed_topic_names;
    if (message->topic_partitions) heartbeat.owned = owned;
    heartbeat.has_rights = request->shard->broker().policy() != nullptr;
    const auto call = [&heartbeat](Coordinator& coordinator, Now now,
                                   Ticket<groups::ConsumerHeartbeatAnswer> answer) {
        coordinator.consumer_heartbeat(heartbeat, now, std::move(answer));
    };
    const groups::ConsumerHeartbeatAnswer answer =
        co_await ask_group<groups::ConsumerHeartbeatAnswer>(request, message->group_id, call);
    if (answer.wants_patterns) co_await resolve_patterns(request, message->group_id);
    co_return told(answer, request->arena);
}

rt::Task<wire::ConsumerGroupDescribeResponse> handle_consumer_group_describe(
    Request* request, const wire::ConsumerGroupDescribeRequest* message) {
    DescribeAnswer out;
    out.groups = request->arena.array<DescribeAnswer::DescribedGroup>(message->group_ids.size());
    for (std::size_t i = 0; i < out.groups.size() && !request->is_full(); ++i) {
        DescribeAnswer::DescribedGroup& row = out.groups[i];
        const std::string_view group_id = message->group_ids[i];
        row.group_id = group_id;
        if (!is_served(*request)) {
            row.error_code = wire_code(Errc::kUnsupportedVersion);
        } else if (!may_group(*request, auth::Operation::kDescribe, group_id)) {
            row.error_code = wire_code(Errc::kGroupAuthorizationFailed);
        } else {
            const auto call = [group_id](Coordinator& coordinator, Now now,
                                         Ticket<groups::DescribedConsumerGroup> answer) {
                coordinator.describe_consumer(group_id, now, std::move(answer));
            };
            const groups::DescribedConsumerGroup group =
                co_await ask_group<groups::DescribedConsumerGroup>(request, group_id, call);
            tell(*request, group, row);
            if (message->include_authorized_operations && row.error_code == 0)
                row.authorized_operations =
                    authorized_operations(*request, auth::ResourceType::kGroup, group_id);
        }
        count_error(*request, row.error_code);
    }
    co_return out;
}

}  // namespace leat::broker
