// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/group_members.h"

#include <string>
#include <utility>
#include <vector>

#include "broker/access.h"
#include "broker/admin/change.h"
#include "broker/apis.h"
#include "broker/group_host.h"

namespace leat::broker {
namespace {

using groups::Coordinator;
using groups::Now;

/// Members need this right, whatever they do.
bool may_take_part(Request& request, std::string_view group) {
    return may_group(request, auth::Operation::kRead, group);
}

}  // namespace

rt::Task<wire::JoinGroupResponse> handle_join_group(Request* request,
                                                    const wire::JoinGroupRequest* message) {
    if (!may_take_part(*request, message->group_id)) {
        wire::JoinGroupResponse refused;
        refused.error_code = wire_code(Errc::kGroupAuthorizationFailed);
        refused.generation_id = -1;
        refused.protocol_name.reset();
        if (request->version() < 7) refused.protocol_name = "";
        co_return refused;
    }
    std::vector<groups::Protocol> protocols;
    protocols.reserve(message->protocols.size());
    for (const auto& protocol : message->protocols)
        protocols.push_back({.name = protocol.name, .metadata = protocol.metadata});
    // Kafka notes the address as Java prints it.
    const std::string host = "/" + request->connection->peer_host;
    const groups::Join join{.group_id = message->group_id,
                            .member_id = message->member_id,
                            .instance_id = message->group_instance_id,
                            .client_id = request->client_id(),
                            .client_host = host,
                            .protocol_type = message->protocol_type,
                            .protocols = protocols,
                            .session_timeout_ms = message->session_timeout_ms,
                            .rebalance_timeout_ms = message->rebalance_timeout_ms,
                            .member_id_required = request->version() >= 4,
                            .can_skip_assignment = request->version() >= 9};
    const auto call = [&join](Coordinator& coordinator, Now now,
                              Ticket<groups::JoinAnswer> answer) {
        coordinator.join(join, now, std::move(answer));
    };
    const groups::JoinAnswer answer =
        co_await wait_for_group<groups::JoinAnswer>(request, message->group_id, call);
    Arena& arena = request->arena;
    wire::JoinGroupResponse out;
    out.error_code = wire_code(answer.error);
    out.generation_id = answer.generation;
    out.protocol_type = admin::copied(answer.protocol_type, arena);
    out.protocol_name = admin::copied(answer.protocol, arena);
    if (!out.protocol_name && request->version() < 7) out.protocol_name = "";
    out.leader = arena.copy(std::string_view{answer.leader});
    out.skip_assignment = answer.skip_assignment;
    out.member_id = arena.copy(std::string_view{answer.member_id});
    // The coordinator does not know the member that it was never asked about.
    if (answer.error == Errc::kNotCoordinator || answer.error == Errc::kCoordinatorLoadInProgress ||
        answer.error == Errc::kCoordinatorNotAvailable)
        out.member_id = message->member_id;
    out.members =
        arena.array<wire::JoinGroupResponse::JoinGroupResponseMember>(answer.members.size());
    for (std::size_t i = 0; i < out.members.size(); ++i) {
        out.members[i].member_id = arena.copy(std::string_view{answer.members[i].member_id});
        out.members[i].group_instance_id = admin::copied(answer.members[i].instance_id, arena);
        out.members[i].metadata = arena.copy(Bytes{answer.members[i].metadata});
    }
    co_return out;
}

rt::Task<wire::SyncGroupResponse> handle_sync_group(Request* request,
                                                    const wire::SyncGroupRequest* message) {
    wire::SyncGroupResponse out;
    if (request->version() >= 5 && (!message->protocol_type || !message->protocol_name)) {
        out.error_code = wire_code(Errc::kInconsistentGroupProtocol);
        co_return out;
    }
    if (!may_take_part(*request, message->group_id)) {
        out.error_code = wire_code(Errc::kGroupAuthorizationFailed);
        co_return out;
    }
    std::vector<groups::Assignment> assignments;
    assignments.reserve(message->assignments.size());
    for (const auto& one : message->assignments)
        assignments.push_back({.member_id = one.member_id, .assignment = one.assignment});
    const groups::Sync sync{.group_id = message->group_id,
                            .member_id = message->member_id,
                            .instance_id = message->group_instance_id,
                            .generation = message->generation_id,
                            .protocol_type = message->protocol_type,
                            .protocol = message->protocol_name,
                            .assignments = assignments};
    const auto call = [&sync](Coordinator& coordinator, Now now,
                              Ticket<groups::SyncAnswer> answer) {
        coordinator.sync(sync, now, std::move(answer));
    };
    const groups::SyncAnswer answer =
        co_await wait_for_group<groups::SyncAnswer>(request, message->group_id, call);
    out.error_code = wire_code(answer.error);
    out.protocol_type = admin::copied(answer.protocol_type, request->arena);
    out.protocol_name = admin::copied(answer.protocol, request->arena);
    out.assignment = request->arena.copy(Bytes{answer.assignment});
    co_return out;
}

rt::Task<wire::HeartbeatResponse> handle_heartbeat(Request* request,
                                                   const wire::HeartbeatRequest* message) {
    if (!may_take_part(*request, message->group_id)) {
        wire::HeartbeatResponse refused;
        refused.error_code = wire_code(Errc::kGroupAuthorizationFailed);
        co_return refused;
    }
    const groups::Heartbeat heartbeat{.group_id = message->group_id,
                                      .member_id = message->member_id,
                                      .instance_id = message->group_instance_id,
                                      .generation = message->generation_id};
    const auto call = [&heartbeat](Coordinator& coordinator, Now now, Ticket<Errc> answer) {
        answer(coordinator.heartbeat(heartbeat, now));
    };
    Errc error = co_await ask_group<Errc>(request, message->group_id, call);
    // A member that waits for the coordinator to load is alive all the same.
    if (error == Errc::kCoordinatorLoadInProgress) error = Errc::kNone;
    wire::HeartbeatResponse out;
    out.error_code = wire_code(error);
    co_return out;
}

rt::Task<wire::LeaveGroupResponse> handle_leave_group(Request* request,
                                                      const wire::LeaveGroupRequest* message) {
    if (!may_take_part(*request, message->group_id)) {
        wire::LeaveGroupResponse refused;
        refused.error_code = wire_code(Errc::kGroupAuthorizationFailed);
        co_return refused;
    }
    const bool has_one = request->version() < 3;
    std::vector<groups::LeavingMember> members;
    if (has_one) members.push_back({.member_id = message->member_id, .instance_id = {}});
    for (const auto& member : message->members)
        members.push_back({.member_id = member.member_id, .instance_id = member.group_instance_id});
    const groups::Leave leave{.group_id = message->group_id, .members = members};
    const auto call = [&leave](Coordinator& coordinator, Now now,
                               Ticket<groups::LeaveAnswer> answer) {
        answer(coordinator.leave(leave, now));
    };
    const groups::LeaveAnswer answer =
        co_await ask_group<groups::LeaveAnswer>(request, message->group_id, call);
    wire::LeaveGroupResponse out;
    // Nobody is a member of a group that is not there.
    const bool is_missing = answer.error == Errc::kUnknownMemberId;
    if (answer.error != Errc::kNone && (has_one || !is_missing)) {
        out.error_code = wire_code(answer.error);
        co_return out;
    }
    if (has_one) {
        out.error_code = wire_code(answer.members.front());
        co_return out;
    }
    out.members =
        request->arena.array<wire::LeaveGroupResponse::MemberResponse>(message->members.size());
    for (std::size_t i = 0; i < out.members.size(); ++i) {
        out.members[i].member_id = message->members[i].member_id;
        out.members[i].group_instance_id = message->members[i].group_instance_id;
        out.members[i].error_code = wire_code(is_missing ? answer.error : answer.members[i]);
        count_error(*request, out.members[i].error_code);
    }
    co_return out;
}

}  // namespace leat::broker
