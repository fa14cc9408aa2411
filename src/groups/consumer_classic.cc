// SPDX-License-Identifier: Apache-2.0
//
// The part of ConsumerGroup that serves members of the classic protocol, and commits of either.
#include <algorithm>

#include "base/arena.h"
#include "groups/consumer_group.h"
#include "groups/group.h"
#include "groups/subscription.h"

namespace leat::groups {
namespace {

using std::chrono::milliseconds;

milliseconds rebalance_timeout(const ConsumerMember& member) {
    const std::int32_t asked = member.metadata.rebalance_timeout_ms;
    return milliseconds{asked < 0 ? member.metadata.classic->session_timeout_ms : asked};
}

MemberMetadata updated(MemberMetadata metadata, const Join& request,
                       const ConsumerSubscription& subscription) {
    if (request.instance_id) metadata.instance_id = std::string{*request.instance_id};
    if (!subscription.rack_id.empty()) metadata.rack_id = subscription.rack_id;
    if (request.rebalance_timeout_ms != -1)
        metadata.rebalance_timeout_ms = request.rebalance_timeout_ms;
    metadata.topics = {subscription.topics.begin(), subscription.topics.end()};
    metadata.regex.clear();
    metadata.client_id = std::string{request.client_id};
    metadata.client_host = std::string{request.client_host};
    metadata.classic.emplace();
    metadata.classic->session_timeout_ms = request.session_timeout_ms;
    for (const Protocol& protocol : request.protocols)
        metadata.classic->protocols.push_back(
            {std::string{protocol.name}, {protocol.metadata.begin(), protocol.metadata.end()}});
    return metadata;
}

/// Whether the member has had this partition since that epoch, or since before.
bool had_partition(const ConsumerMember& member, std::int32_t epoch, const OffsetToCommit& offset,
                   const ClusterView& cluster) {
    const auto topic = cluster.find(offset.topic);
    if (!topic) return false;
    for (const OwnedPartitions* owned : {&member.current.assigned, &member.current.revoking}) {
        const auto at = owned->find(topic->id);
        if (at == owned->end()) continue;
        const auto since = at->second.find(offset.partition);
        if (since != at->second.end()) return epoch >= since->second;
    }
    return false;
}

}  // namespace

bool ConsumerGroup::supports_classic(const Join& request) const {
    if (request.protocol_type != kConsumerProtocol) return false;
    return std::ranges::any_of(request.protocols, [this](const Protocol& protocol) {
        const auto at = classic_protocols_.find(protocol.name);
        const int supporters = at == classic_protocols_.end() ? 0 : at->second;
        return static_cast<std::size_t>(supporters) == classic_members_;
    });
}

void ConsumerGroup::join(const Join& request, Answer<JoinAnswer> answer) {
    const auto refuse = [&](Errc error, std::string id) {
        host_.later([answer = std::move(answer), error, id = std::move(id)]() mutable {
            answer({.error = error, .member_id = std::move(id)});
        });
    };
    const bool is_unknown = request.member_id.empty();
    const std::string id = is_unknown ? host_.random_id() : std::string{request.member_id};
    if (host_.settings().migration == MigrationPolicy::kDisabled)
        return refuse(Errc::kInconsistentGroupProtocol, std::string{request.member_id});
    if (!has_room_for(request.member_id)) return refuse(Errc::kGroupMaxSizeReached, "");
    if (!supports_classic(request))
        return refuse(Errc::kInconsistentGroupProtocol, std::string{request.member_id});
    const std::size_t bytes = kMemberBytes + protocol_bytes(request);
    const bool is_too_wide = request.protocols.size() > host_.settings().protocols_max;
    ConsumerMember* holder = request.instance_id ? find_static(*request.instance_id) : nullptr;
    const ConsumerMember* known = request.instance_id ? holder : find(request.member_id);
    if (const Errc error =
            is_too_wide ? Errc::kPolicyViolation : check_bytes(host_, bytes, sizes_before(known));
        error != Errc::kNone)
        return refuse(error, std::string{request.member_id});
    if (is_unknown && !request.instance_id && request.member_id_required)
        return refuse(Errc::kMemberIdRequired, id);
    const Result<ConsumerSubscription> subscription =
        parse_subscription(request.protocols.front().metadata);
    if (!subscription)
        return refuse(Errc::kInconsistentGroupProtocol, std::string{request.member_id});
    if (request.instance_id && !is_unknown) {
        if (holder == nullptr) return refuse(Errc::kUnknownMemberId, id);
        if (holder->id != id) return refuse(Errc::kFencedInstanceId, id);
    }
    const bool downgrades = holder != nullptr && group_.may_downgrade_replacing(*holder);
    const bool comes_back = holder != nullptr && is_unknown;
    ConsumerMember& member = comes_back          ? replace(*holder, id)
                             : holder != nullptr ? *holder
                                                 : find_or_add(id);
    const Subscription changed =
        update_metadata(member, updated(member.metadata, request, *subscription));
    raise_epoch_if(changed.changed());
    const bool must_rebalance = downgrades && assignment_epoch_ < epoch_;
    if (!downgrades) update_target();
    if (!must_rebalance) {
        Arena arena;
        const std::span<OwnedTopic> owned = owned_topics(*subscription, host_.cluster(), arena);
        if (!step(member, changed.changed(), owned)) {
            // A newer broker left it where it cannot go on from: it starts over.
            change(CurrentAssignmentRecord{id, CurrentAssignment{}});
        }
    }
    JoinAnswer with{.generation = member.current.epoch,
                    .protocol_type = std::string{kConsumerProtocol},
                    .protocol = member.metadata.classic->protocols.front().name,
                    .member_id = id};
    member.rebalance.cancel();
    if (downgrades) {
        Group& group = group_;
        GroupHost& host = host_;
        group.to_classic({}, must_rebalance);
        return host.when_written(
            group, [answer = std::move(answer), with = std::move(with)](Errc outcome) mutable {
                if (outcome != Errc::kNone) with = {.error = outcome, .member_id = with.member_id};
                answer(std::move(with));
            });
    }
    restart_session(member);
    member.sync.set(host_.now().mono + rebalance_timeout(member));
    flush([answer = std::move(answer), with = std::move(with)](Errc outcome) mutable {
        if (outcome != Errc::kNone) with = {.error = outcome, .member_id = with.member_id};
        answer(std::move(with));
    });
}

Errc ConsumerGroup::validate_classic(std::string_view member_id,
                                     const std::optional<std::string_view>& instance_id,
                                     std::int32_t generation, ConsumerMember*& member) const {
    member = instance_id ? find_static(*instance_id) : find(member_id);
    if (member == nullptr) return Errc::kUnknownMemberId;
    if (member->id != member_id) return Errc::kFencedInstanceId;
    if (!member->is_classic()) return Errc::kUnknownMemberId;
    return member->current.epoch == generation ? Errc::kNone : Errc::kIllegalGeneration;
}

void ConsumerGroup::write_new_target() {
    // In a group of classic members only, no other call comes before they join again, which they
    // do only when they are told that there is a new target.
    update_target();
    if (!unwritten_.empty()) flush([](Errc) {});
}

void ConsumerGroup::sync(const Sync& request, Answer<SyncAnswer> answer) {
    ConsumerMember* member = nullptr;
    Errc error =
        validate_classic(request.member_id, request.instance_id, request.generation, member);
    if (error == Errc::kNone) {
        const bool is_other_type =
            request.protocol_type && *request.protocol_type != kConsumerProtocol;
        const bool is_other_name =
            request.protocol &&
            *request.protocol != member->metadata.classic->protocols.front().name;
        if (is_other_type || is_other_name) error = Errc::kInconsistentGroupProtocol;
    }
    if (error == Errc::kNone) write_new_target();
    if (error == Errc::kNone && assignment_epoch_ > member->current.epoch &&
        member->current.state != MemberState::kUnrevoked) {
        if (!member->rebalance.is_set())
            member->rebalance.set(host_.now().mono + rebalance_timeout(*member));
        error = Errc::kRebalanceInProgress;
    }
    if (error != Errc::kNone) {
        return host_.later(
            [answer = std::move(answer), error]() mutable { answer({.error = error}); });
    }
    member->sync.cancel();
    restart_session(*member);
    SyncAnswer with{.assignment = classic_assignment(*member)};
    if (request.protocol_type) with.protocol_type = std::string{*request.protocol_type};
    if (request.protocol) with.protocol = std::string{*request.protocol};
    flush([answer = std::move(answer), with = std::move(with)](Errc outcome) mutable {
        if (outcome != Errc::kNone) return answer({.error = outcome});
        answer(std::move(with));
    });
}

bool ConsumerGroup::waits_for_others(const ConsumerMember& member) const {
    if (!member.target) return false;
    for (const auto& [topic, partitions] : *member.target) {
        const auto owned = owners_.find(topic);
        if (owned == owners_.end()) continue;
        const auto assigned = member.current.assigned.find(topic);
        for (const std::int32_t partition : partitions) {
            const bool has_it =
                assigned != member.current.assigned.end() && assigned->second.contains(partition);
            if (!has_it && owned->second.contains(partition)) return true;
        }
    }
    return false;
}

Errc ConsumerGroup::heartbeat(const Heartbeat& request) {
    ConsumerMember* member = nullptr;
    const Errc error =
        validate_classic(request.member_id, request.instance_id, request.generation, member);
    if (error != Errc::kNone) return error;
    restart_session(*member);
    write_new_target();
    const CurrentAssignment& current = member->current;
    const bool must_join =
        current.epoch < assignment_epoch_ || current.state == MemberState::kUnrevoked ||
        (current.state == MemberState::kUnreleased && !waits_for_others(*member));
    if (!must_join) return Errc::kNone;
    if (!member->rebalance.is_set())
        member->rebalance.set(host_.now().mono + rebalance_timeout(*member));
    return Errc::kRebalanceInProgress;
}

std::vector<Errc> ConsumerGroup::leave(std::span<const LeavingMember> members) {
    std::vector<Errc> errors;
    std::vector<ConsumerMember*> gone;
    for (const LeavingMember& leaving : members) {
        ConsumerMember* member =
            leaving.instance_id ? find_static(*leaving.instance_id) : find(leaving.member_id);
        Errc error = Errc::kNone;
        if (member == nullptr)
            error = Errc::kUnknownMemberId;
        else if (leaving.instance_id && !leaving.member_id.empty() &&
                 member->id != leaving.member_id)
            error = Errc::kFencedInstanceId;
        else if (std::ranges::find(gone, member) == gone.end())
            gone.push_back(member);
        errors.push_back(error);
    }
    if (!gone.empty() && fence(gone)) flush([](Errc) {});
    return errors;
}

std::vector<std::byte> ConsumerGroup::classic_assignment(const ConsumerMember& member) const {
    TopicPartitions assigned;
    for (const auto& [topic, partitions] : member.current.assigned)
        for (const auto& [partition, epoch] : partitions) assigned[topic].push_back(partition);
    return encode_assignment(assigned, host_.cluster(),
                             member.metadata.classic->protocols.front().metadata);
}

// Offsets.

Errc ConsumerGroup::admit_commit(const CommitOffsets& request) const {
    if (request.generation < 0 && members_.empty()) return Errc::kNone;
    // Older versions of TxnOffsetCommit say nothing of members.
    if (request.transaction && request.generation < 0 && request.member_id.empty() &&
        !request.instance_id)
        return Errc::kNone;
    const ConsumerMember* member = find(request.member_id);
    if (member == nullptr) return Errc::kUnknownMemberId;
    if (!member->is_classic() && !request.knows_member_epoch) return Errc::kUnsupportedVersion;
    const std::int32_t epoch = member->current.epoch;
    if (request.generation == epoch || host_.settings().faults.skip_epoch_check) return Errc::kNone;
    const bool had_all =
        request.generation < epoch &&
        std::ranges::all_of(
            request.offsets,
            [&](const OffsetToCommit& offset) {
                // One that is refused for itself is not looked at, as in Kafka.
                return offset.metadata.size() > host_.settings().offset_metadata_bytes_max ||
                       had_partition(*member, request.generation, offset, host_.cluster());
            });
    if (had_all) return Errc::kNone;
    // Producers know no other word for it, in either protocol: one that they do not know ends them.
    return member->is_classic() || request.transaction ? Errc::kIllegalGeneration
                                                       : Errc::kStaleMemberEpoch;
}

Errc ConsumerGroup::admit_fetch(const std::optional<std::string_view>& member_id,
                                std::int32_t member_epoch) const {
    if (!member_id && member_epoch < 0) return Errc::kNone;
    const ConsumerMember* member = find(member_id.value_or(""));
    if (member == nullptr) return Errc::kUnknownMemberId;
    if (member_epoch == member->current.epoch) return Errc::kNone;
    return member->is_classic() ? Errc::kIllegalGeneration : Errc::kStaleMemberEpoch;
}

}  // namespace leat::groups
