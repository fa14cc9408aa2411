// SPDX-License-Identifier: Apache-2.0
//
// Groups: who is in them, what they read, where they stand.
#include <algorithm>
#include <map>

#include "base/endian.h"
#include "client/admin.h"
#include "client/member_assignment.h"
#include "client/request_parts.h"
#include "wire/messages/consumer_group_describe_request.h"
#include "wire/messages/consumer_group_describe_response.h"
#include "wire/messages/delete_groups_request.h"
#include "wire/messages/delete_groups_response.h"
#include "wire/messages/describe_groups_request.h"
#include "wire/messages/describe_groups_response.h"
#include "wire/messages/leave_group_request.h"
#include "wire/messages/leave_group_response.h"
#include "wire/messages/list_groups_request.h"
#include "wire/messages/list_groups_response.h"
#include "wire/messages/offset_commit_request.h"
#include "wire/messages/offset_commit_response.h"
#include "wire/messages/offset_delete_request.h"
#include "wire/messages/offset_delete_response.h"
#include "wire/messages/offset_fetch_request.h"
#include "wire/messages/offset_fetch_response.h"

namespace leat::client {
namespace {

/// From version 10 on topics go by id; names are what a person gave.
constexpr std::int16_t kLastVersionByName = 9;

std::int16_t fetch_verdict(const wire::OffsetFetchResponse& message) {
    return message.groups.empty() ? message.error_code : message.groups[0].error_code;
}

template <class Topics>
void add_committed(const Topics& topics, std::vector<PartitionOffset>& out) {
    for (const auto& topic : topics)
        for (const auto& partition : topic.partitions)
            out.push_back({.where = {std::string{topic.name}, partition.partition_index},
                           .offset = partition.committed_offset,
                           .code = errc_from_wire(partition.error_code)});
}

std::vector<std::byte> copy_of(Bytes bytes) {
    return {bytes.begin(), bytes.end()};
}

/// Of what the broker has not told about yet.
Outcome no_outcome(const TopicPartition& where) {
    return {.name = where.topic + "-" + std::to_string(where.partition),
            .code = Errc::kUnknownServerError,
            .message = {}};
}

GroupDetails details_of(const wire::DescribeGroupsResponse::DescribedGroup& from) {
    GroupDetails out{.outcome = outcome_of(from.group_id, from.error_code, from.error_message),
                     .info = {.id = std::string{from.group_id},
                              .protocol_type = std::string{from.protocol_type},
                              .state = std::string{from.group_state},
                              .type = "classic"},
                     .assignor = std::string{from.protocol_data},
                     .members = {}};
    for (const auto& member : from.members)
        out.members.push_back({.id = std::string{member.member_id},
                               .instance_id = std::string{text_or_empty(member.group_instance_id)},
                               .client_id = std::string{member.client_id},
                               .host = std::string{member.client_host},
                               .assigned = parse_member_assignment(member.member_assignment),
                               .metadata = copy_of(member.member_metadata),
                               .assignment = copy_of(member.member_assignment)});
    // Brokers before DescribeGroups 6 answer an unknown group as an empty one in state Dead.
    if (out.outcome.code == Errc::kNone && out.info.state == "Dead" && out.members.empty())
        out.outcome.code = Errc::kGroupIdNotFound;
    return out;
}

}  // namespace

Result<std::vector<GroupInfo>> Admin::list_groups(const GroupFilter& filter) {
    constexpr std::int16_t kFirstWithStates = 4;
    constexpr std::int16_t kFirstWithTypes = 5;
    const std::int16_t needed = !filter.types.empty()    ? kFirstWithTypes
                                : !filter.states.empty() ? kFirstWithStates
                                                         : std::int16_t{0};
    std::vector<std::string_view> states{filter.states.begin(), filter.states.end()};
    std::vector<std::string_view> types{filter.types.begin(), filter.types.end()};
    const wire::ListGroupsRequest request{.states_filter = states, .types_filter = types};
    std::vector<GroupInfo> out;
    const std::vector<Cluster::Broker> brokers = cluster_->brokers();
    for (const Cluster::Broker& broker : brokers) {
        LEAT_TRY(const auto answer,
                 cluster_->ask<wire::ListGroupsResponse>(
                     Target::broker(broker.id), request,
                     [](const wire::ListGroupsResponse& m) { return m.error_code; }, INT16_MAX,
                     true, needed));
        if (answer.message.error_code != 0) return Error{errc_from_wire(answer.message.error_code)};
        for (const auto& group : answer.message.groups)
            out.push_back({.id = std::string{group.group_id},
                           .protocol_type = std::string{group.protocol_type},
                           .state = std::string{group.group_state},
                           .type = std::string{group.group_type}});
    }
    std::ranges::sort(out, {}, &GroupInfo::id);
    return out;
}

Result<GroupDetails> Admin::describe_group(std::string_view group) {
    std::string_view names[] = {group};
    const wire::DescribeGroupsRequest request{.groups = names,
                                              .include_authorized_operations = false};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::DescribeGroupsResponse>(
                 Target::group(group), request,
                 [](const wire::DescribeGroupsResponse& m) { return first_retriable(m.groups); }));
    if (answer.message.groups.size() != 1) return no_result(group);
    GroupDetails out = details_of(answer.message.groups[0]);
    if (out.outcome.code == Errc::kGroupIdNotFound) {
        // A group of the newer protocol (KIP-848) is none to DescribeGroups.
        Result<GroupDetails> newer = describe_new_group(group);
        if (newer && newer->outcome.code == Errc::kNone) return newer;
    }
    return out;
}

Result<GroupDetails> Admin::describe_new_group(std::string_view group) {
    std::string_view names[] = {group};
    const wire::ConsumerGroupDescribeRequest request{.group_ids = names,
                                                     .include_authorized_operations = false};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::ConsumerGroupDescribeResponse>(
                 Target::group(group), request, [](const wire::ConsumerGroupDescribeResponse& m) {
                     return first_retriable(m.groups);
                 }));
    if (answer.message.groups.size() != 1) return no_result(group);
    const auto& from = answer.message.groups[0];
    GroupDetails out{.outcome = outcome_of(group, from.error_code, from.error_message),
                     .info = {.id = std::string{group},
                              .protocol_type = "consumer",
                              .state = std::string{from.group_state},
                              .type = "consumer"},
                     .assignor = std::string{from.assignor_name},
                     .members = {}};
    for (const auto& member : from.members) {
        MemberInfo one{.id = std::string{member.member_id},
                       .instance_id = std::string{text_or_empty(member.instance_id)},
                       .client_id = std::string{member.client_id},
                       .host = std::string{member.client_host},
                       .assigned = {},
                       .metadata = {},
                       .assignment = {}};
        for (const auto& topic : member.assignment.topic_partitions)
            for (const std::int32_t partition : topic.partitions)
                one.assigned.push_back({std::string{topic.topic_name}, partition});
        out.members.push_back(std::move(one));
    }
    return out;
}

Result<std::vector<PartitionOffset>> Admin::committed_offsets(std::string_view group) {
    wire::OffsetFetchRequest::OffsetFetchRequestGroup one{.group_id = group,
                                                          .topics = std::nullopt};
    const wire::OffsetFetchRequest request{
        .group_id = group, .topics = std::nullopt, .groups = {&one, 1}, .require_stable = false};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::OffsetFetchResponse>(Target::group(group), request, fetch_verdict,
                                                      kLastVersionByName));
    const wire::OffsetFetchResponse& message = answer.message;
    if (const std::int16_t code = fetch_verdict(message); code != 0)
        return Error{errc_from_wire(code)};
    std::vector<PartitionOffset> out;
    add_committed(message.topics, out);
    for (const auto& found : message.groups) add_committed(found.topics, out);
    std::ranges::sort(out, {}, &PartitionOffset::where);
    return out;
}

Result<std::vector<PartitionOffset>> Admin::commit_offsets(
    std::string_view group, std::span<const PartitionOffset> offsets) {
    using Request = wire::OffsetCommitRequest;
    PartitionsByTopic<Request::OffsetCommitRequestPartition> parts;
    std::vector<PartitionOffset> out{offsets.begin(), offsets.end()};
    for (PartitionOffset& one : out) {
        one.code = Errc::kUnknownServerError;
        parts[one.where.topic].push_back({.partition_index = one.where.partition,
                                          .committed_offset = one.offset,
                                          .committed_leader_epoch = -1,
                                          .committed_metadata = ""});
    }
    std::vector<Request::OffsetCommitRequestTopic> topics;
    topics.reserve(parts.size());
    for (auto& [name, partitions] : parts)
        topics.push_back({.name = name, .topic_id = {}, .partitions = partitions});
    // Generation -1 and no member: a commit from outside, allowed while the group is empty.
    const Request request{.group_id = group, .member_id = {}, .topics = topics};
    LEAT_TRY(const auto answer, cluster_->ask<wire::OffsetCommitResponse>(
                                    Target::group(group), request,
                                    [](const wire::OffsetCommitResponse& m) {
                                        return first_retriable_of_partitions(m.topics);
                                    },
                                    kLastVersionByName));
    for (const auto& topic : answer.message.topics) {
        for (const auto& partition : topic.partitions) {
            const auto entry = std::ranges::find(
                out, TopicPartition{std::string{topic.name}, partition.partition_index},
                &PartitionOffset::where);
            if (entry != out.end()) entry->code = errc_from_wire(partition.error_code);
        }
    }
    return out;
}

Result<std::vector<Outcome>> Admin::delete_offsets(std::string_view group,
                                                   std::span<const TopicPartition> where) {
    using Request = wire::OffsetDeleteRequest;
    PartitionsByTopic<Request::OffsetDeleteRequestPartition> parts;
    std::vector<Outcome> out;
    for (const TopicPartition& one : where) {
        parts[one.topic].push_back({.partition_index = one.partition});
        out.push_back(no_outcome(one));
    }
    std::vector<Request::OffsetDeleteRequestTopic> topics;
    topics.reserve(parts.size());
    for (auto& [name, partitions] : parts)
        topics.push_back({.name = name, .partitions = partitions});
    const Request request{.group_id = group, .topics = topics};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::OffsetDeleteResponse>(
                 Target::group(group), request,
                 [](const wire::OffsetDeleteResponse& m) { return m.error_code; }));
    if (answer.message.error_code != 0) return Error{errc_from_wire(answer.message.error_code)};
    for (const auto& topic : answer.message.topics)
        for (const auto& partition : topic.partitions) {
            const std::string name =
                std::string{topic.name} + "-" + std::to_string(partition.partition_index);
            const auto entry = std::ranges::find(out, name, &Outcome::name);
            if (entry != out.end()) entry->code = errc_from_wire(partition.error_code);
        }
    return out;
}

Result<std::vector<Outcome>> Admin::delete_groups(std::span<const std::string> groups) {
    std::vector<Outcome> out;
    // Each has a coordinator of its own.
    for (const std::string& group : groups) {
        std::string_view names[] = {group};
        LEAT_TRY(const auto answer,
                 cluster_->ask<wire::DeleteGroupsResponse>(
                     Target::group(group), wire::DeleteGroupsRequest{.groups_names = names},
                     [](const wire::DeleteGroupsResponse& m) { return first_retriable(m.results); },
                     INT16_MAX, false));
        if (answer.message.results.size() != 1) return no_result(group);
        out.push_back(outcome_of(group, answer.message.results[0].error_code, std::nullopt));
    }
    return out;
}

Result<std::vector<Outcome>> Admin::remove_members(std::string_view group,
                                                   std::span<const MemberInfo> members,
                                                   std::string_view why) {
    using Request = wire::LeaveGroupRequest;
    std::vector<Request::MemberIdentity> all;
    for (const MemberInfo& one : members) {
        Request::MemberIdentity identity{
            .member_id = one.id, .group_instance_id = std::nullopt, .reason = why};
        if (!one.instance_id.empty()) identity.group_instance_id = one.instance_id;
        all.push_back(identity);
    }
    const Request request{.group_id = group, .member_id = {}, .members = all};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::LeaveGroupResponse>(
                 Target::group(group), request,
                 [](const wire::LeaveGroupResponse& m) { return m.error_code; }));
    if (answer.message.error_code != 0) return Error{errc_from_wire(answer.message.error_code)};
    std::vector<Outcome> out;
    out.reserve(answer.message.members.size());
    for (const auto& one : answer.message.members)
        out.push_back(
            outcome_of(one.member_id.empty() ? text_or_empty(one.group_instance_id) : one.member_id,
                       one.error_code, std::nullopt));
    return out;
}

}  // namespace leat::client
