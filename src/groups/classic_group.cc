// SPDX-License-Identifier: Apache-2.0
#include "groups/classic_group.h"

#include <algorithm>

#include "base/check.h"
#include "groups/group.h"
#include "groups/subscription.h"

namespace leat::groups {
namespace {}  // namespace

std::string_view name(GroupState state) {
    switch (state) {
        case GroupState::kEmpty:
            return "Empty";
        case GroupState::kPreparing:
            return "PreparingRebalance";
        case GroupState::kCompleting:
            return "CompletingRebalance";
        case GroupState::kStable:
            return "Stable";
    }
    LEAT_CHECK(false);
}

ClassicGroup::ClassicGroup(GroupHost& host, Group& group)
    : host_(host),
      group_(group),
      silence_([this](Member& member) { on_silence(member); }),
      join_timer_(host.timers(), [this] { on_join_timer(); }),
      sync_timer_(host.timers(), [this] { on_sync_timer(); }) {}

// Parked answers of a group that goes with its coordinator are dropped with their owners.
ClassicGroup::~ClassicGroup() = default;

void ClassicGroup::restore(const GroupValue& value) {
    while (!roster_.is_empty()) drop(*roster_.members().begin()->second, Errc::kUnknownMemberId);
    group_.is_recorded = true;
    generation_ = value.generation;
    protocol_type_.reset();
    if (!value.protocol_type.empty()) protocol_type_ = std::string{value.protocol_type};
    protocol_.reset();
    if (value.protocol) protocol_ = std::string{*value.protocol};
    // Members without a protocol had not got through their first rebalance: they know of no
    // generation, and will join anew. Kept, they would have no protocol in common with anybody.
    if (value.protocol && !host_.settings().faults.replay_forgets_members) {
        for (const MemberValue& from : value.members) {
            if (roster_.find(from.member_id) != nullptr) continue;
            if (from.instance_id && roster_.find_static(*from.instance_id) != nullptr) continue;
            auto member = std::make_unique<Member>(host_.timers(), host_.memory(), silence_);
            member->id = from.member_id;
            if (from.instance_id) member->instance_id = std::string{*from.instance_id};
            member->client_id = from.client_id;
            member->client_host = from.client_host;
            member->session_timeout = std::chrono::milliseconds{from.session_timeout_ms};
            member->rebalance_timeout = std::chrono::milliseconds{from.rebalance_timeout_ms};
            member->protocols.push_back({std::string{*value.protocol},
                                         {from.subscription.begin(), from.subscription.end()}});
            member->assignment.assign(from.assignment.begin(), from.assignment.end());
            roster_.add(std::move(member));
        }
    }
    if (value.leader && roster_.find(*value.leader) != nullptr) roster_.set_leader(*value.leader);
    state_ = roster_.is_empty() ? GroupState::kEmpty : GroupState::kStable;
    state_changed_at_ = value.state_changed_at;
    learn_subscriptions();
}

void ClassicGroup::reset() {
    pending_.clear();
    restore(GroupValue{});
    group_.is_recorded = false;
}

void ClassicGroup::dissolve() {
    join_timer_.cancel();
    sync_timer_.cancel();
    while (!roster_.is_empty())
        drop(*roster_.members().begin()->second, Errc::kRebalanceInProgress);
    reset();
}

void ClassicGroup::adopt(Adopted from) {
    auto member = std::make_unique<Member>(host_.timers(), host_.memory(), silence_);
    member->id = std::move(from.id);
    member->instance_id = std::move(from.instance_id);
    member->client_id = std::move(from.client_id);
    member->client_host = std::move(from.client_host);
    member->session_timeout = from.session_timeout;
    member->rebalance_timeout = from.rebalance_timeout;
    member->assignment = std::move(from.assignment);
    Member& added = roster_.add(std::move(member));
    roster_.set_protocols(added, std::move(from.protocols));
    restart_session(added);
}

RecordToWrite ClassicGroup::begin_adopted(std::int32_t generation) {
    generation_ = generation;
    protocol_type_ = kConsumerProtocol;
    protocol_ = roster_.vote();
    enter(GroupState::kStable);
    learn_subscriptions();
    return record(nullptr);
}

void ClassicGroup::finish_restore() {
    for (const auto& [order, member] : roster_.members()) restart_session(*member);
    if (roster_.size() > host_.settings().members_max) prepare_rebalance();
}

void ClassicGroup::sync(const Sync& request, Answer<SyncAnswer> answer) {
    const auto refuse = [&](Errc error) {
        host_.later([answer = std::move(answer), error]() mutable { answer({.error = error}); });
    };
    const auto differs = [](const auto& asked, const auto& has) {
        return asked && has && *asked != *has;
    };
    if (const Errc error = validate(request.member_id, request.instance_id); error != Errc::kNone)
        return refuse(error);
    if (request.generation != generation_) return refuse(Errc::kIllegalGeneration);
    if (differs(request.protocol_type, protocol_type_) || differs(request.protocol, protocol_))
        return refuse(Errc::kInconsistentGroupProtocol);
    if (state_ == GroupState::kEmpty) return refuse(Errc::kUnknownMemberId);
    if (state_ == GroupState::kPreparing) return refuse(Errc::kRebalanceInProgress);

    Member& member = *roster_.find(request.member_id);
    if (state_ == GroupState::kStable) {
        restart_session(member);
        host_.later([answer = std::move(answer), with = assignment_of(member)]() mutable {
            answer(std::move(with));
        });
        member_synced(member);
        return;
    }
    // An earlier request of the same member: its connection is most likely gone.
    if (member.parked_sync) {
        host_.later([old = std::exchange(member.parked_sync, nullptr)]() mutable {
            old({.error = Errc::kRebalanceInProgress});
        });
    }
    member.parked_sync = std::move(answer);
    member_synced(member);
    if (member.id != roster_.leader()) return;

    Assignments assignments;
    for (const auto& [order, each] : roster_.members()) assignments[each->id];
    for (const Assignment& given : request.assignments) {
        const auto at = assignments.find(given.member_id);
        if (at != assignments.end()) {
            at->second.assign(given.assignment.begin(), given.assignment.end());
        }
    }
    // What Kafka says of a record that is too large for its log.
    if (!are_small_enough(assignments))
        return stored_assignments(generation_, {}, Errc::kUnknownServerError);
    std::vector<RecordToWrite> records;
    records.push_back(record(&assignments));
    if (host_.settings().faults.answer_before_durable) {
        stored_assignments(generation_, assignments, Errc::kNone);
    }
    host_.append(group_, std::move(records),
                 [this, generation = generation_, assignments](Errc error) mutable {
                     stored_assignments(generation, std::move(assignments), error);
                 });
}

bool ClassicGroup::are_small_enough(const Assignments& assignments) const {
    const Settings& settings = host_.settings();
    std::size_t sum = 0;
    for (const auto& [member, assignment] : assignments) {
        if (assignment.size() > settings.member_bytes_max) return false;
        sum += assignment.size();
    }
    // The bound of all groups is not looked at: a group that is refused its assignments has to
    // rebalance, and would be refused again.
    return sum <= settings.group_bytes_max;
}

void ClassicGroup::stored_assignments(std::int32_t generation, Assignments assignments,
                                      Errc error) {
    // A member may have come or gone while the record was being written: then this assignment is
    // history, and the rebalance that began has answered those who waited.
    if (state_ != GroupState::kCompleting || generation != generation_) return;
    if (error != Errc::kNone) {
        end_syncs(error);
        return rebalance_or_complete();
    }
    for (const auto& [order, member] : roster_.members()) {
        const auto at = assignments.find(member->id);
        if (at != assignments.end()) Roster::set_assignment(*member, std::move(at->second));
    }
    enter(GroupState::kStable);
    end_syncs(Errc::kNone);
}

void ClassicGroup::end_syncs(Errc error) {
    for (const auto& [order, member] : roster_.members()) {
        if (error != Errc::kNone) Roster::set_assignment(*member, {});
        if (!member->parked_sync) continue;
        SyncAnswer with =
            error == Errc::kNone ? assignment_of(*member) : SyncAnswer{.error = error};
        host_.later([answer = std::exchange(member->parked_sync, nullptr),
                     with = std::move(with)]() mutable { answer(std::move(with)); });
        restart_session(*member);
    }
}

SyncAnswer ClassicGroup::assignment_of(const Member& member) const {
    return {
        .protocol_type = protocol_type_, .protocol = protocol_, .assignment = member.assignment};
}

void ClassicGroup::member_synced(Member& member) {
    if (member.synced) return;
    member.synced = true;
    if (--unsynced_ == 0) sync_timer_.cancel();
}

Errc ClassicGroup::heartbeat(const Heartbeat& request) {
    if (const Errc error = validate(request.member_id, request.instance_id); error != Errc::kNone)
        return error;
    if (request.generation != generation_) return Errc::kIllegalGeneration;
    if (state_ == GroupState::kEmpty) return Errc::kUnknownMemberId;
    Member& member = *roster_.find(request.member_id);
    if (!host_.settings().faults.keep_session_timer) restart_session(member);
    return state_ == GroupState::kPreparing ? Errc::kRebalanceInProgress : Errc::kNone;
}

std::vector<Errc> ClassicGroup::leave(std::span<const LeavingMember> members) {
    std::vector<Errc> errors;
    errors.reserve(members.size());
    bool is_anyone_gone = false;
    for (const LeavingMember& member : members) {
        errors.push_back(leave_one(member));
        is_anyone_gone = is_anyone_gone || errors.back() == Errc::kNone;
    }
    if (is_anyone_gone) react_to_loss();
    return errors;
}

Errc ClassicGroup::leave_one(const LeavingMember& leaving) {
    Member* member = nullptr;
    if (leaving.member_id.empty()) {
        // An administrator names a static member by its instance id alone.
        if (leaving.instance_id) member = roster_.find_static(*leaving.instance_id);
        if (member == nullptr) return Errc::kUnknownMemberId;
    } else if (const auto pending = pending_.find(leaving.member_id); pending != pending_.end()) {
        pending_.erase(pending);
        return Errc::kNone;
    } else {
        const Errc error = validate(leaving.member_id, leaving.instance_id);
        if (error != Errc::kNone) return error;
        member = roster_.find(leaving.member_id);
    }
    drop(*member, Errc::kUnknownMemberId);
    return Errc::kNone;
}

Errc ClassicGroup::admit_commit(const CommitOffsets& request) {
    const bool has_no_member =
        request.generation < 0 && request.member_id.empty() && !request.instance_id;
    if (request.generation < 0 && state_ == GroupState::kEmpty) return Errc::kNone;
    if (has_no_member) {
        // Older versions of TxnOffsetCommit say nothing of members.
        if (request.transaction) return Errc::kNone;
        // Only a consumer that manages its partitions by itself commits so, and it may not meddle
        // with a group that has members. (Empty was admitted above.)
        return Errc::kUnknownMemberId;
    }
    if (const Errc error = validate(request.member_id, request.instance_id); error != Errc::kNone)
        return error;
    const Settings& settings = host_.settings();
    if (request.generation != generation_ && !settings.faults.skip_generation_check)
        return Errc::kIllegalGeneration;
    // Producers send these, by what the member has told them; they are no sign of its life.
    if (request.transaction) return Errc::kNone;
    // The member knows its generation but not its partitions yet: let it come back.
    if (state_ == GroupState::kCompleting && !settings.faults.skip_generation_check)
        return Errc::kRebalanceInProgress;
    if (!settings.faults.keep_session_timer) restart_session(*roster_.find(request.member_id));
    return Errc::kNone;
}

Errc ClassicGroup::validate(std::string_view member_id,
                            const std::optional<std::string_view>& instance_id) const {
    if (instance_id) {
        const Member* holder = roster_.find_static(*instance_id);
        if (holder == nullptr) return Errc::kUnknownMemberId;
        if (holder->id != member_id) return Errc::kFencedInstanceId;
    }
    return roster_.find(member_id) == nullptr ? Errc::kUnknownMemberId : Errc::kNone;
}

void ClassicGroup::drop(Member& member, Errc join_error) {
    if (member.is_awaiting_join()) {
        end_join(roster_.take_join(member), refused(join_error, member.id));
    }
    if (member.parked_sync) {
        host_.later([answer = std::exchange(member.parked_sync, nullptr), join_error]() mutable {
            answer({.error = join_error});
        });
    }
    if (!member.synced) --unsynced_;
    roster_.remove(member);
}

void ClassicGroup::react_to_loss() {
    switch (state_) {
        case GroupState::kStable:
        case GroupState::kCompleting:
            return prepare_rebalance();
        case GroupState::kPreparing:
            return complete_if_all_joined();
        case GroupState::kEmpty:
            return;
    }
}

void ClassicGroup::on_silence(Member& member) {
    // One that waits for a rebalance to end cannot speak up meanwhile. A new one is dropped all the
    // same: its connection may be gone, and nobody would ever claim its place.
    if (!member.is_new && (member.is_awaiting_join() || member.parked_sync)) return;
    drop(member, Errc::kUnknownMemberId);
    react_to_loss();
}

void ClassicGroup::restart_session(Member& member) {
    member.session.set(host_.now().mono + member.session_timeout);
}

void ClassicGroup::admit_pending(std::string id, std::chrono::milliseconds session_timeout) {
    auto timer = std::make_unique<Timer>(host_.timers(), [this, id] {
        pending_.erase(id);
        if (state_ == GroupState::kPreparing) complete_if_all_joined();
    });
    timer->set(host_.now().mono + session_timeout);
    // The id is in the map and in the timer's action.
    const std::size_t bytes = sizeof(Timer) + 2 * kNodeBytes + 2 * id.size();
    pending_.emplace(std::move(id), Awaited{std::move(timer), HeldBytes{host_.memory(), bytes}});
}

void ClassicGroup::enter(GroupState state) {
    state_ = state;
    state_changed_at_ = host_.now().wall;
}

void ClassicGroup::learn_subscriptions() {
    subscribed_.reset();
    if (protocol_type_ != kConsumerProtocol || roster_.is_empty() || !protocol_) {
        if (roster_.is_empty()) subscribed_.emplace();
        return;
    }
    std::set<std::string, std::less<>> all;
    for (const auto& [order, member] : roster_.members()) {
        const auto topics = subscribed_topics(member->metadata(*protocol_));
        if (!topics) return;  // Then any topic might be meant.
        all.insert(topics->begin(), topics->end());
    }
    subscribed_ = std::move(all);
}

bool ClassicGroup::is_subscribed(std::string_view topic) const {
    if (subscribed_) return subscribed_->contains(topic);
    return protocol_type_ == kConsumerProtocol;
}

std::vector<std::pair<std::string, std::int32_t>> ClassicGroup::expired(
    const OffsetTable& offsets) const {
    std::vector<std::pair<std::string, std::int32_t>> out;
    // KIP-211: an idle group keeps its offsets for the retention from when it became idle, one that
    // was never a group from each commit, and a live one forgets only what nobody reads any more.
    const bool is_live = protocol_type_ && state_ != GroupState::kEmpty;
    if (is_live &&
        (protocol_type_ != kConsumerProtocol || !subscribed_ || state_ != GroupState::kStable)) {
        return out;
    }
    const bool counts_from_idle = protocol_type_ && !is_live && state_changed_at_.value >= 0;
    const Now now = host_.now();
    for (const auto& [topic, partitions] : offsets.topics()) {
        if (is_live && subscribed_->contains(topic)) continue;
        for (const auto& [partition, committed] : partitions) {
            const WallMs since = counts_from_idle ? state_changed_at_ : committed.committed_at;
            if (committed.is_expired(now.wall, since, host_.settings().offsets_retention))
                out.emplace_back(topic, partition);
        }
    }
    return out;
}

void ClassicGroup::write_empty() {
    std::vector<RecordToWrite> records;
    // As Kafka does: one who has joined already is in no generation before the leader's assignment
    // is in the log. Members here would come back after a crash, with no protocol that anybody has.
    records.push_back(record_with({}));
    // Not waited for: what is lost with it is only that the group was once used.
    host_.append(group_, std::move(records), [](Errc) {});
}

RecordToWrite ClassicGroup::record(const Assignments* assignments) {
    std::vector<MemberValue> members;
    for (const auto& [order, member] : roster_.members()) {
        MemberValue value{
            .member_id = member->id,
            .instance_id = member->instance_id,
            .client_id = member->client_id,
            .client_host = member->client_host,
            .rebalance_timeout_ms = static_cast<std::int32_t>(member->rebalance_timeout.count()),
            .session_timeout_ms = static_cast<std::int32_t>(member->session_timeout.count()),
            .subscription = member->metadata(protocol_.value_or("")),
            .assignment = member->assignment};
        if (assignments != nullptr) {
            const auto at = assignments->find(member->id);
            value.assignment = at == assignments->end() ? Bytes{} : Bytes{at->second};
        }
        members.push_back(value);
    }
    return record_with(members);
}

RecordToWrite ClassicGroup::record_with(std::span<MemberValue> members) {
    group_.is_recorded = true;
    GroupValue value{.protocol_type = protocol_type_ ? std::string_view{*protocol_type_} : "",
                     .generation = generation_,
                     .protocol = std::nullopt,
                     .leader = std::nullopt,
                     .state_changed_at = state_changed_at_,
                     .members = members};
    if (!members.empty()) {
        value.protocol = protocol_;
        value.leader = roster_.leader();
    }
    return {.key = encode_key(GroupKey{group_.id()}),
            .value = encode_value(value, kGroupValueVersion)};
}

DescribedGroup ClassicGroup::describe() const {
    const bool is_stable = state_ == GroupState::kStable;
    DescribedGroup out{.state = name(state_),
                       .protocol_type = protocol_type_.value_or(""),
                       .protocol = is_stable ? protocol_.value_or("") : "",
                       .members = {}};
    for (const auto& [order, member] : roster_.members()) {
        DescribedMember& described = out.members.emplace_back();
        described.member_id = member->id;
        described.instance_id = member->instance_id;
        described.client_id = member->client_id;
        described.client_host = member->client_host;
        described.assignment = member->assignment;
        if (!is_stable) continue;
        const Bytes metadata = member->metadata(protocol_.value_or(""));
        described.metadata.assign(metadata.begin(), metadata.end());
    }
    return out;
}

}  // namespace leat::groups
