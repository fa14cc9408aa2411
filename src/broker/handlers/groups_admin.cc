// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/groups_admin.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/access.h"
#include "broker/apis.h"
#include "broker/broker.h"
#include "broker/group_host.h"

namespace leat::broker {
namespace {

using groups::Coordinator;
using groups::Now;

constexpr std::int16_t kTellsMissing = 6;

using Described = wire::DescribeGroupsResponse::DescribedGroup;
using Member = wire::DescribeGroupsResponse::DescribedGroupMember;

std::span<Member> members_of(const std::vector<groups::DescribedMember>& members, Arena& arena) {
    const auto out = arena.array<Member>(members.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
        const groups::DescribedMember& from = members[i];
        out[i].member_id = arena.copy(std::string_view{from.member_id});
        if (from.instance_id)
            out[i].group_instance_id = arena.copy(std::string_view{*from.instance_id});
        out[i].client_id = arena.copy(std::string_view{from.client_id});
        out[i].client_host = arena.copy(std::string_view{from.client_host});
        out[i].member_metadata = arena.copy(Bytes{from.metadata});
        out[i].member_assignment = arena.copy(Bytes{from.assignment});
    }
    return out;
}

rt::Task<groups::DescribedGroup> describe(Request* request, std::string_view group_id) {
    const auto call = [group_id](Coordinator& coordinator, Now,
                                 Ticket<groups::DescribedGroup> answer) {
        answer(coordinator.describe(group_id));
    };
    co_return co_await ask_group<groups::DescribedGroup>(request, group_id, call);
}

/// Groups of one shard, or why some of them cannot be told.
struct Listed {
    Errc error = Errc::kNone;
    std::vector<groups::ListedGroup> groups;
};

void list_on(const Shard& shard, Listed& out) {
    const auto* host = static_cast<const GroupHost*>(shard.groups());
    if (host == nullptr) return;
    for (const auto& [id, hosted] : host->hosted()) {
        const Errc status = hosted->status();
        if (status == Errc::kNone) {
            hosted->run([&out](Coordinator& coordinator, Now) {
                std::ranges::move(coordinator.list(), std::back_inserter(out.groups));
            });
        } else if (status != Errc::kNotCoordinator) {
            out.error = status;
        }
    }
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
    return std::ranges::equal(a, b, {}, lower, lower);
}

bool passes(std::span<const std::string_view> filter, std::string_view value) {
    return filter.empty() || std::ranges::any_of(filter, [value](std::string_view wanted) {
               return equals_ignoring_case(wanted, value);
           });
}

rt::Task<void> delete_one(Request* request,
                          wire::DeleteGroupsResponse::DeletableGroupResult* result,
                          rt::Countdown* left) {
    const std::string_view group_id = result->group_id;
    if (!may_group(*request, auth::Operation::kDelete, group_id)) {
        result->error_code = wire_code(Errc::kGroupAuthorizationFailed);
        count_error(*request, result->error_code);
        left->arrive();
        co_return;
    }
    const auto call = [group_id](Coordinator& coordinator, Now now, Ticket<Errc> answer) {
        coordinator.delete_group(group_id, now, std::move(answer));
    };
    const Errc error = co_await ask_group<Errc>(request, group_id, call);
    result->error_code = wire_code(error);
    count_error(*request, result->error_code);
    left->arrive();
}

}  // namespace

rt::Task<wire::DescribeGroupsResponse> handle_describe_groups(
    Request* request, const wire::DescribeGroupsRequest* message) {
    Arena& arena = request->arena;
    wire::DescribeGroupsResponse out;
    out.groups = arena.array<Described>(message->groups.size());
    // As in Kafka a group is told as often as it is named; the answer is refused when that is much.
    for (std::size_t i = 0; i < out.groups.size() && !request->is_full(); ++i) {
        Described& told = out.groups[i];
        told.group_id = message->groups[i];
        if (!may_group(*request, auth::Operation::kDescribe, message->groups[i])) {
            told.error_code = wire_code(Errc::kGroupAuthorizationFailed);
            count_error(*request, told.error_code);
            continue;
        }
        const groups::DescribedGroup group = co_await describe(request, message->groups[i]);
        told.error_code = wire_code(group.error);
        if (group.error == Errc::kGroupIdNotFound) {
            if (request->version() < kTellsMissing) told.error_code = 0;
            told.error_message = arena.copy(std::string_view{group.message});
        }
        count_error(*request, told.error_code);
        told.group_state = group.state;
        told.protocol_type = arena.copy(std::string_view{group.protocol_type});
        told.protocol_data = arena.copy(std::string_view{group.protocol});
        told.members = members_of(group.members, arena);
        if (message->include_authorized_operations && told.error_code == 0)
            told.authorized_operations =
                authorized_operations(*request, auth::ResourceType::kGroup, message->groups[i]);
    }
    co_return out;
}

rt::Task<wire::ListGroupsResponse> handle_list_groups(Request* request,
                                                      const wire::ListGroupsRequest* message) {
    Broker& broker = request->shard->broker();
    Listed listed;
    for (std::size_t i = 0; i < broker.shard_count(); ++i) {
        co_await rt::hop(broker.shard(i).executor());
        list_on(broker.shard(i), listed);
    }
    co_await rt::hop(request->shard->executor());
    wire::ListGroupsResponse out;
    out.error_code = wire_code(listed.error);
    if (listed.error != Errc::kNone) co_return out;
    std::erase_if(listed.groups, [message](const groups::ListedGroup& group) {
        return !passes(message->states_filter, group.state) ||
               !passes(message->types_filter, group.type);
    });
    if (!may_see(*request, auth::Operation::kDescribe, auth::ResourceType::kCluster,
                 auth::kClusterName))
        std::erase_if(listed.groups, [request](const groups::ListedGroup& group) {
            return !may_see(*request, auth::Operation::kDescribe, auth::ResourceType::kGroup,
                            group.group_id);
        });
    out.groups = request->arena.array<wire::ListGroupsResponse::ListedGroup>(listed.groups.size());
    for (std::size_t i = 0; i < out.groups.size(); ++i) {
        out.groups[i].group_id = request->arena.copy(std::string_view{listed.groups[i].group_id});
        out.groups[i].protocol_type =
            request->arena.copy(std::string_view{listed.groups[i].protocol_type});
        out.groups[i].group_state = listed.groups[i].state;
        out.groups[i].group_type = listed.groups[i].type;
    }
    co_return out;
}

rt::Task<wire::DeleteGroupsResponse> handle_delete_groups(
    Request* request, const wire::DeleteGroupsRequest* message) {
    wire::DeleteGroupsResponse out;
    const std::set<std::string_view> names{message->groups_names.begin(),
                                           message->groups_names.end()};
    out.results =
        request->arena.array<wire::DeleteGroupsResponse::DeletableGroupResult>(names.size());
    if (out.results.empty()) co_return out;
    rt::Countdown left{out.results.size()};
    std::size_t next = 0;
    for (const std::string_view name : names) {
        out.results[next].group_id = name;
        rt::start(delete_one(request, &out.results[next++], &left));
    }
    co_await left;
    co_return out;
}

}  // namespace leat::broker
