// SPDX-License-Identifier: Apache-2.0
//
// The part of ClassicGroup that lets members in and leads them from one generation to the next.
#include <algorithm>
#include <limits>

#include "base/check.h"
#include "groups/group.h"

namespace leat::groups {
namespace {

std::chrono::milliseconds rebalance_timeout(const Join& request) {
    // A timeout of nothing would make the group spin.
    const std::int32_t asked = request.rebalance_timeout_ms < 0 ? request.session_timeout_ms
                                                                : request.rebalance_timeout_ms;
    return std::chrono::milliseconds{std::max(asked, 1)};
}

}  // namespace

std::size_t protocol_bytes(const Join& request) {
    std::size_t sum = 0;
    for (const Protocol& protocol : request.protocols) {
        sum += protocol.name.size() + protocol.metadata.size();
    }
    return sum;
}

void ClassicGroup::join(const Join& request, Answer<JoinAnswer> answer) {
    if (!has_room_for(request.member_id)) {
        if (Member* member = roster_.find(request.member_id)) {
            drop(*member, Errc::kGroupMaxSizeReached);
            react_to_loss();
        }
        if (const auto at = pending_.find(request.member_id); at != pending_.end()) {
            pending_.erase(at);
            react_to_loss();
        }
        return end_join(std::move(answer), refused(Errc::kGroupMaxSizeReached, ""));
    }
    if (const Errc error = check_join(request); error != Errc::kNone) {
        return end_join(std::move(answer), refused(error, request.member_id));
    }
    if (request.member_id.empty())
        join_new(request, std::move(answer));
    else
        join_known(request, std::move(answer));
}

bool ClassicGroup::has_room_for(std::string_view member_id) const {
    const std::size_t max = host_.settings().members_max;
    const Member* member = roster_.find(member_id);
    switch (state_) {
        case GroupState::kEmpty:
            return true;
        case GroupState::kPreparing:
            // Counted are those that came back, so that a lowered bound drops the last to come.
            return (member != nullptr && member->is_awaiting_join()) ||
                   roster_.awaiting_join() < max;
        case GroupState::kCompleting:
        case GroupState::kStable:
            return member != nullptr || roster_.size() < max;
    }
    LEAT_CHECK(false);
}

Errc ClassicGroup::check_join(const Join& request) const {
    const Settings& settings = host_.settings();
    const std::size_t size = protocol_bytes(request);
    if (request.protocols.size() > settings.protocols_max || size > settings.member_bytes_max)
        return Errc::kPolicyViolation;
    if (roster_.protocol_bytes() + size > settings.group_bytes_max)
        return Errc::kGroupMaxSizeReached;
    if (!supports(request)) return Errc::kInconsistentGroupProtocol;
    // Members that come back may say more, as of partitions that they own by now. Were they
    // refused, whoever fills the node would stop groups that are at work.
    if (is_member(request)) return Errc::kNone;
    // The group may have room; it is the node that has none, until others leave.
    const std::size_t bytes = sizeof(Member) + request.client_id.size() + size;
    return host_.has_memory_for(bytes) ? Errc::kNone : Errc::kCoordinatorNotAvailable;
}

bool ClassicGroup::is_member(const Join& request) const {
    const Member* known = request.instance_id ? roster_.find_static(*request.instance_id)
                                              : roster_.find(request.member_id);
    return known != nullptr;
}

bool ClassicGroup::supports(const Join& request) const {
    if (request.protocol_type.empty() || request.protocols.empty()) return false;
    if (state_ == GroupState::kEmpty) return true;
    // A group whose last member has just gone, and that nobody has joined, takes any protocol.
    if (roster_.is_empty()) return true;
    return protocol_type_ == request.protocol_type && roster_.supports_any(request.protocols);
}

void ClassicGroup::join_new(const Join& request, Answer<JoinAnswer> answer) {
    std::string prefix{request.instance_id.value_or(request.client_id)};
    std::string member_id = std::move(prefix) + "-" + host_.random_id();
    if (request.instance_id) {
        if (Member* member = roster_.find_static(*request.instance_id)) {
            return replace_static(*member, request, std::move(answer));
        }
        return add_member(request, std::move(member_id), std::move(answer));
    }
    if (!request.member_id_required) {
        return add_member(request, std::move(member_id), std::move(answer));
    }
    if (pending_.size() >= host_.settings().pending_members_max) {
        return end_join(std::move(answer), refused(Errc::kGroupMaxSizeReached, ""));
    }
    end_join(std::move(answer), refused(Errc::kMemberIdRequired, member_id));
    admit_pending(std::move(member_id), std::chrono::milliseconds{request.session_timeout_ms});
}

void ClassicGroup::join_known(const Join& request, Answer<JoinAnswer> answer) {
    if (const auto pending = pending_.find(request.member_id); pending != pending_.end()) {
        if (request.instance_id) {
            // Such an id was given to a dynamic member; a static one never needs it.
            return end_join(std::move(answer), refused(Errc::kUnknownMemberId, request.member_id));
        }
        pending_.erase(pending);
        return add_member(request, std::string{request.member_id}, std::move(answer));
    }
    const Errc error = validate(request.member_id, request.instance_id);
    if (error != Errc::kNone) {
        return end_join(std::move(answer), refused(error, request.member_id));
    }
    Member& member = *roster_.find(request.member_id);
    const bool is_leader = member.id == roster_.leader();
    const bool is_same = member.has_same_protocols(request.protocols);
    switch (state_) {
        case GroupState::kPreparing:
            return update_member(member, request, std::move(answer));
        case GroupState::kCompleting:
            // The same again: most likely the answer was lost on its way.
            if (is_same) return end_join(std::move(answer), current_answer(member, is_leader));
            return update_member(member, request, std::move(answer));
        case GroupState::kStable:
            // The leader may have seen changes that its own protocols do not show.
            if (is_same && !is_leader) {
                return end_join(std::move(answer), current_answer(member, false));
            }
            return update_member(member, request, std::move(answer));
        case GroupState::kEmpty:
            return end_join(std::move(answer), refused(Errc::kUnknownMemberId, request.member_id));
    }
}

void ClassicGroup::add_member(const Join& request, std::string member_id,
                              Answer<JoinAnswer> answer) {
    auto member = std::make_unique<Member>(host_.timers(), host_.memory(), silence_);
    member->id = std::move(member_id);
    if (request.instance_id) member->instance_id = std::string{*request.instance_id};
    member->client_id = request.client_id;
    member->client_host = request.client_host;
    member->session_timeout = std::chrono::milliseconds{request.session_timeout_ms};
    member->rebalance_timeout = rebalance_timeout(request);
    member->is_new = true;
    if (roster_.is_empty()) protocol_type_ = std::string{request.protocol_type};
    if (state_ == GroupState::kPreparing && is_first_rebalance_) saw_new_member_ = true;
    Member& added = roster_.add(std::move(member));
    roster_.set_protocols(added, request.protocols);
    end_join(roster_.park_join(added, std::move(answer)), {});
    added.session.set(host_.now().mono + host_.settings().new_member_join_timeout);
    rebalance_or_complete();
}

void ClassicGroup::update_member(Member& member, const Join& request, Answer<JoinAnswer> answer) {
    roster_.set_protocols(member, request.protocols);
    member.session_timeout = std::chrono::milliseconds{request.session_timeout_ms};
    member.rebalance_timeout = rebalance_timeout(request);
    end_join(roster_.park_join(member, std::move(answer)),
             refused(Errc::kRebalanceInProgress, member.id));
    rebalance_or_complete();
}

void ClassicGroup::replace_static(Member& member, const Join& request, Answer<JoinAnswer> answer) {
    // Whoever held the instance id before is answered that it does no longer.
    if (member.is_awaiting_join()) {
        end_join(roster_.take_join(member), refused(Errc::kFencedInstanceId, member.id));
    }
    if (member.parked_sync) {
        host_.later([old = std::exchange(member.parked_sync, nullptr)]() mutable {
            old({.error = Errc::kFencedInstanceId});
        });
    }
    std::string old_id = member.id;
    std::vector<Member::OwnedProtocol> old_protocols = member.protocols;
    roster_.rename(member, std::string{*request.instance_id} + "-" + host_.random_id());
    roster_.set_protocols(member, request.protocols);
    member.session_timeout = std::chrono::milliseconds{request.session_timeout_ms};
    member.rebalance_timeout = rebalance_timeout(request);
    // Its instance id claims its place again: it may wait for longer than its session, as in Kafka.
    member.is_new = false;
    restart_session(member);
    end_join(roster_.park_join(member, std::move(answer)), {});
    if (state_ == GroupState::kStable && roster_.vote() == protocol_) {
        return persist_replaced(member, std::move(old_id), std::move(old_protocols),
                                request.can_skip_assignment);
    }
    // In CompletingRebalance the leader may be assigning to the old member id just now.
    rebalance_or_complete();
}

void ClassicGroup::persist_replaced(Member& member, std::string old_id,
                                    std::vector<Member::OwnedProtocol> old_protocols,
                                    bool can_skip) {
    std::vector<RecordToWrite> records;
    records.push_back(record(nullptr));
    // Who leads is only said to one that knows how to lead without assigning (KIP-814): an older
    // one would compute an assignment that nobody waits for.
    std::string seen_leader = roster_.leader();
    if (!can_skip && seen_leader == member.id) seen_leader = old_id;
    host_.append(
        group_, std::move(records),
        [this, id = member.id, old_id = std::move(old_id), old_protocols = std::move(old_protocols),
         can_skip, seen_leader = std::move(seen_leader),
         generation = generation_](Errc error) mutable {
            Member* replaced = roster_.find(id);
            if (replaced == nullptr || !replaced->is_awaiting_join()) return;
            // A rebalance has begun meanwhile, and its end answers.
            if (state_ != GroupState::kStable || generation_ != generation) return;
            if (error != Errc::kNone) {
                end_join(roster_.take_join(*replaced), refused(error, ""));
                roster_.rename(*replaced, std::move(old_id));
                roster_.set_protocols(*replaced, std::move(old_protocols));
                return restart_session(*replaced);
            }
            const bool skips = can_skip && id == roster_.leader();
            JoinAnswer with = current_answer(*replaced, skips);
            with.skip_assignment = skips;
            with.leader = std::move(seen_leader);
            end_join(roster_.take_join(*replaced), std::move(with));
            restart_session(*replaced);
        });
}

JoinAnswer ClassicGroup::current_answer(const Member& member, bool with_members) const {
    return {.generation = generation_,
            .protocol_type = protocol_type_,
            .protocol = protocol_,
            .leader = roster_.leader(),
            .member_id = member.id,
            .members = with_members ? joined_members() : std::vector<JoinedMember>{}};
}

std::vector<JoinedMember> ClassicGroup::joined_members() const {
    std::vector<JoinedMember> out;
    out.reserve(roster_.size());
    for (const auto& [order, member] : roster_.members()) {
        const Bytes metadata = member->metadata(protocol_.value_or(""));
        out.push_back({member->id, member->instance_id, {metadata.begin(), metadata.end()}});
    }
    return out;
}

void ClassicGroup::end_join(Answer<JoinAnswer> answer, JoinAnswer with) {
    if (!answer) return;
    host_.later([answer = std::move(answer), with = std::move(with)]() mutable {
        answer(std::move(with));
    });
}

JoinAnswer ClassicGroup::refused(Errc error, std::string_view member_id) {
    return {.error = error, .member_id = std::string{member_id}};
}

void ClassicGroup::rebalance_or_complete() {
    if (state_ == GroupState::kPreparing)
        complete_if_all_joined();
    else
        prepare_rebalance();
}

void ClassicGroup::prepare_rebalance() {
    if (state_ == GroupState::kCompleting) end_syncs(Errc::kRebalanceInProgress);
    sync_timer_.cancel();
    is_first_rebalance_ = state_ == GroupState::kEmpty;
    enter(GroupState::kPreparing);
    if (is_first_rebalance_) {
        // More members are likely on their way: wait, and longer while they come.
        saw_new_member_ = false;
        delay_ = host_.settings().initial_rebalance_delay;
        const auto longest = roster_.longest_rebalance_timeout();
        delay_left_ = std::max(longest - delay_, std::chrono::milliseconds{0});
        return join_timer_.set(host_.now().mono + delay_);
    }
    if (roster_.size() == roster_.awaiting_join() && pending_.empty()) return complete_join();
    join_timer_.set(host_.now().mono + roster_.longest_rebalance_timeout());
}

void ClassicGroup::on_join_timer() {
    if (!is_first_rebalance_ || !saw_new_member_ || delay_left_.count() == 0) {
        return complete_join();
    }
    saw_new_member_ = false;
    const auto next = std::min(host_.settings().initial_rebalance_delay, delay_left_);
    delay_left_ = std::max(delay_left_ - delay_, std::chrono::milliseconds{0});
    delay_ = next;
    join_timer_.set(host_.now().mono + delay_);
}

void ClassicGroup::complete_if_all_joined() {
    // The first rebalance waits for its delay in any case.
    if (is_first_rebalance_) return;
    if (roster_.size() != roster_.awaiting_join() || !pending_.empty()) return;
    complete_join();
}

void ClassicGroup::complete_join() {
    join_timer_.cancel();
    std::vector<Member*> lost;
    for (const auto& [order, member] : roster_.members()) {
        if (!member->is_awaiting_join() && !member->is_static()) lost.push_back(member.get());
    }
    for (Member* member : lost) drop(*member, Errc::kUnknownMemberId);
    if (!roster_.elect_joined_leader() && !roster_.is_empty()) {
        // Only static members that are away: their sessions decide.
        return join_timer_.set(host_.now().mono + roster_.longest_rebalance_timeout());
    }
    is_first_rebalance_ = false;
    if (!host_.settings().faults.keep_generation) {
        generation_ = generation_ == std::numeric_limits<std::int32_t>::max() ? 1 : generation_ + 1;
    }
    if (roster_.is_empty()) {
        protocol_.reset();
        enter(GroupState::kEmpty);
        learn_subscriptions();
        return write_empty();
    }
    protocol_ = roster_.vote();
    enter(GroupState::kCompleting);
    learn_subscriptions();
    for (const auto& [order, member] : roster_.members()) {
        if (member->is_awaiting_join()) {
            end_join(roster_.take_join(*member),
                     current_answer(*member, member->id == roster_.leader()));
        }
        member->is_new = false;
        if (member->synced) ++unsynced_;
        member->synced = false;
        restart_session(*member);
    }
    sync_timer_.set(host_.now().mono + roster_.longest_rebalance_timeout());
}

void ClassicGroup::on_sync_timer() {
    if (state_ != GroupState::kCompleting && state_ != GroupState::kStable) return;
    std::vector<Member*> silent;
    for (const auto& [order, member] : roster_.members()) {
        if (!member->synced) silent.push_back(member.get());
    }
    if (silent.empty()) return;
    for (Member* member : silent) drop(*member, Errc::kUnknownMemberId);
    prepare_rebalance();
}

}  // namespace leat::groups
