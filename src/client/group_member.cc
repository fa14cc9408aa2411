// SPDX-License-Identifier: Apache-2.0
#include "client/group_member.h"

#include "wire/messages/heartbeat_request.h"
#include "wire/messages/heartbeat_response.h"
#include "wire/messages/join_group_request.h"
#include "wire/messages/join_group_response.h"
#include "wire/messages/leave_group_request.h"
#include "wire/messages/leave_group_response.h"
#include "wire/messages/sync_group_request.h"
#include "wire/messages/sync_group_response.h"

namespace leat::client {
namespace {

constexpr std::string_view kProtocolType = "consumer";
/// What a coordinator may take beyond the time its members have.
constexpr std::chrono::milliseconds kAnswerSlack{5'000};

std::optional<std::string_view> name_of(const std::string& instance) {
    if (instance.empty()) return std::nullopt;
    return instance;
}

std::vector<std::byte> copy_of(Bytes bytes) {
    return {bytes.begin(), bytes.end()};
}

template <class Response>
std::int16_t code_of(const Response& message) {
    return message.error_code;
}

}  // namespace

GroupMember::GroupMember(std::unique_ptr<Cluster> cluster, GroupMemberOptions options,
                         std::chrono::milliseconds request_timeout)
    : cluster_(std::move(cluster)),
      options_(std::move(options)),
      request_timeout_(request_timeout) {
    identity_.group = options_.group;
    identity_.instance_id = options_.instance_id;
}

Result<std::unique_ptr<GroupMember>> GroupMember::connect(const std::vector<Property>& properties,
                                                          GroupMemberOptions options) {
    LEAT_TRY(ClusterOptions cluster_options, cluster_options_of(properties));
    const std::chrono::milliseconds usual = cluster_options.connection.request_timeout;
    LEAT_TRY(std::unique_ptr<Cluster> cluster, Cluster::connect(std::move(cluster_options)));
    return std::unique_ptr<GroupMember>{
        new GroupMember{std::move(cluster), std::move(options), usual}};
}

// Answered when the slowest member is back; nothing else may keep a member that long.
Result<GroupMember::Joined> GroupMember::join(Bytes metadata) {
    cluster_->set_request_timeout(
        std::max(request_timeout_, options_.rebalance_timeout + kAnswerSlack));
    Result<Joined> joined = try_join(metadata);
    cluster_->set_request_timeout(request_timeout_);
    return joined;
}

Result<GroupMember::Joined> GroupMember::try_join(Bytes metadata) {
    wire::JoinGroupRequest::JoinGroupRequestProtocol protocol{.name = options_.protocol,
                                                              .metadata = metadata};
    for (;;) {
        const wire::JoinGroupRequest request{
            .group_id = identity_.group,
            .session_timeout_ms = static_cast<std::int32_t>(options_.session_timeout.count()),
            .rebalance_timeout_ms = static_cast<std::int32_t>(options_.rebalance_timeout.count()),
            .member_id = identity_.member_id,
            .group_instance_id = name_of(identity_.instance_id),
            .protocol_type = kProtocolType,
            .protocols = {&protocol, 1},
            .reason = std::nullopt};
        LEAT_TRY(const auto answer,
                 cluster_->ask<wire::JoinGroupResponse>(Target::group(identity_.group), request,
                                                        code_of<wire::JoinGroupResponse>));
        const wire::JoinGroupResponse& message = answer.message;
        const Errc code = errc_from_wire(message.error_code);
        if (code == Errc::kMemberIdRequired) {
            identity_.member_id = message.member_id;
            continue;
        }
        if (code == Errc::kUnknownMemberId && !identity_.member_id.empty()) {
            forget();
            continue;
        }
        if (code != Errc::kNone) return Error{code, "joining group '" + identity_.group + "'"};
        identity_.member_id = message.member_id;
        identity_.generation = message.generation_id;
        protocol_ = message.protocol_name.value_or(std::string_view{options_.protocol});
        Joined out{.leads = message.leader == message.member_id && !message.skip_assignment,
                   .members = {}};
        if (message.leader == message.member_id)
            for (const auto& member : message.members)
                out.members.push_back(
                    {.id = std::string{member.member_id},
                     .instance_id = std::string{member.group_instance_id.value_or("")},
                     .metadata = copy_of(member.metadata)});
        return out;
    }
}

Result<std::vector<std::byte>> GroupMember::sync(const std::vector<MemberShare>& shares) {
    std::vector<wire::SyncGroupRequest::SyncGroupRequestAssignment> assignments;
    assignments.reserve(shares.size());
    for (const MemberShare& share : shares)
        assignments.push_back({.member_id = share.member_id, .assignment = share.assignment});
    const wire::SyncGroupRequest request{.group_id = identity_.group,
                                         .generation_id = identity_.generation,
                                         .member_id = identity_.member_id,
                                         .group_instance_id = name_of(identity_.instance_id),
                                         .protocol_type = kProtocolType,
                                         .protocol_name = protocol_,
                                         .assignments = assignments};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::SyncGroupResponse>(Target::group(identity_.group), request,
                                                    code_of<wire::SyncGroupResponse>));
    if (answer.message.error_code != 0)
        return Error{errc_from_wire(answer.message.error_code),
                     "assignment of group '" + identity_.group + "'"};
    return copy_of(answer.message.assignment);
}

Result<void> GroupMember::heartbeat() {
    const wire::HeartbeatRequest request{.group_id = identity_.group,
                                         .generation_id = identity_.generation,
                                         .member_id = identity_.member_id,
                                         .group_instance_id = name_of(identity_.instance_id)};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::HeartbeatResponse>(Target::group(identity_.group), request,
                                                    code_of<wire::HeartbeatResponse>));
    if (answer.message.error_code != 0) return Error{errc_from_wire(answer.message.error_code)};
    return {};
}

Result<void> GroupMember::leave() {
    if (identity_.member_id.empty()) return {};
    wire::LeaveGroupRequest::MemberIdentity me{.member_id = identity_.member_id,
                                               .group_instance_id = name_of(identity_.instance_id),
                                               .reason = std::nullopt};
    const wire::LeaveGroupRequest request{
        .group_id = identity_.group, .member_id = identity_.member_id, .members = {&me, 1}};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::LeaveGroupResponse>(Target::group(identity_.group), request,
                                                     code_of<wire::LeaveGroupResponse>));
    forget();
    if (answer.message.error_code != 0) return Error{errc_from_wire(answer.message.error_code)};
    return {};
}

void GroupMember::forget() {
    identity_.member_id.clear();
    identity_.generation = -1;
}

}  // namespace leat::client
