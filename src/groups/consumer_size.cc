// SPDX-License-Identifier: Apache-2.0
#include "groups/consumer_size.h"

#include <string>

#include "groups/consumer_member.h"

namespace leat::groups {
namespace {

/// What the request says of the member, at least.
std::size_t bytes_said(const ConsumerHeartbeat& request) {
    std::size_t sum = kMemberBytes + request.member_id.size() + request.client_id.size() +
                      request.client_host.size();
    for (const auto& said : {request.instance_id, request.rack_id, request.assignor, request.regex})
        sum += said ? said->size() : 0;
    if (request.topics)
        for (const std::string_view topic : *request.topics) sum += kNameBytes + topic.size();
    return sum;
}

Errc told(Errc error) {
    if (error == Errc::kPolicyViolation) return Errc::kInvalidRequest;
    return error == Errc::kCoordinatorNotAvailable ? kNodeIsFull : error;
}

std::string too_many_bytes(Errc error, const Settings& settings) {
    if (error == Errc::kGroupMaxSizeReached)
        return "The consumer group has reached its maximum capacity of " +
               std::to_string(settings.group_bytes_max) + " bytes.";
    if (error == Errc::kCoordinatorNotAvailable)
        return "The groups of this broker have reached their maximum of " +
               std::to_string(settings.all_groups_bytes_max) + " bytes.";
    return "The member's subscription is larger than the maximum of " +
           std::to_string(settings.member_bytes_max) + " bytes.";
}

}  // namespace

std::size_t bytes_of(std::string_view member_id, const MemberMetadata& said) {
    std::size_t sum = kMemberBytes + member_id.size() + said.client_id.size() +
                      said.client_host.size() + said.regex.size();
    for (const auto* one : {&said.instance_id, &said.rack_id, &said.assignor})
        sum += *one ? (*one)->size() : 0;
    for (const std::string& topic : said.topics) sum += kNameBytes + topic.size();
    if (said.classic)
        for (const ClassicMetadata::Protocol& protocol : said.classic->protocols)
            sum += protocol.name.size() + protocol.metadata.size();
    return sum;
}

std::size_t bytes_of(const ConsumerMember& member) {
    return bytes_of(member.id, member.metadata);
}

Errc check_bytes(GroupHost& host, std::size_t bytes, const SizesBefore& before) {
    const Settings& settings = host.settings();
    if (bytes > settings.member_bytes_max) return Errc::kPolicyViolation;
    // One that grows not is not the one that makes the group too large.
    if (bytes <= before.own) return Errc::kNone;
    if (before.all - before.own + bytes > settings.group_bytes_max)
        return Errc::kGroupMaxSizeReached;
    // Who fills the node stops newcomers, not those who are at work.
    if (before.is_known) return Errc::kNone;
    // The group may have room; it is the node that has none, until others leave.
    return host.has_memory_for(bytes) ? Errc::kNone : Errc::kCoordinatorNotAvailable;
}

Result<void> check_size(GroupHost& host, const ConsumerHeartbeat& request,
                        const SizesBefore& before) {
    const Errc error = check_bytes(host, bytes_said(request), before);
    if (error == Errc::kNone) return {};
    return Error{told(error), too_many_bytes(error, host.settings())};
}

}  // namespace leat::groups
