// SPDX-License-Identifier: Apache-2.0
//
// The part of ConsumerGroup that serves ConsumerGroupHeartbeat: joining, moving on, leaving.
#include <algorithm>

#include "base/check.h"
#include "groups/consumer_group.h"
#include "groups/group.h"
#include "groups/reconcile.h"
#include "groups/topic_pattern.h"

namespace leat::groups {
namespace {

using std::chrono::milliseconds;

/// What a member adds to the time after which a member of an unsettled group comes back.
constexpr milliseconds kUnsettledPerMember{1};

/// Takes what the member said; what it left out stays.
MemberMetadata updated(MemberMetadata metadata, const ConsumerHeartbeat& request) {
    if (request.instance_id) metadata.instance_id = std::string{*request.instance_id};
    if (request.rack_id) metadata.rack_id = std::string{*request.rack_id};
    if (request.rebalance_timeout_ms != -1)
        metadata.rebalance_timeout_ms = request.rebalance_timeout_ms;
    if (request.assignor) metadata.assignor = std::string{*request.assignor};
    if (request.topics) metadata.topics = {request.topics->begin(), request.topics->end()};
    if (request.regex) metadata.regex = std::string{*request.regex};
    metadata.client_id = std::string{request.client_id};
    metadata.client_host = std::string{request.client_host};
    metadata.classic.reset();
    return metadata;
}

/// As `has`, whether or not it is said at all.
bool is_said(const std::optional<std::string>& has, const std::optional<std::string_view>& said) {
    return !said || (has && *has == *said);
}

bool are_said(const std::set<std::string>& has, std::span<const std::string_view> said) {
    if (has.size() == said.size() && std::ranges::equal(has, said)) return true;
    std::vector<std::string_view> sorted{said.begin(), said.end()};
    std::ranges::sort(sorted);
    const auto rest = std::ranges::unique(sorted);
    sorted.erase(rest.begin(), rest.end());
    return std::ranges::equal(has, sorted);
}

/// Whether updated() would change anything: most heartbeats say nothing new, and a subscription
/// may name thousands of topics.
bool is_known(const MemberMetadata& metadata, const ConsumerHeartbeat& request) {
    return is_said(metadata.instance_id, request.instance_id) &&
           is_said(metadata.rack_id, request.rack_id) &&
           is_said(metadata.assignor, request.assignor) &&
           (request.rebalance_timeout_ms == -1 ||
            request.rebalance_timeout_ms == metadata.rebalance_timeout_ms) &&
           (!request.regex || *request.regex == metadata.regex) &&
           metadata.client_id == request.client_id && metadata.client_host == request.client_host &&
           !metadata.classic && (!request.topics || are_said(metadata.topics, *request.topics));
}

std::string not_a_member(const ConsumerHeartbeat& request, std::string_view group) {
    return "Member " + std::string{request.member_id} + " is not a member of group " +
           std::string{group} + ".";
}

std::string unknown_instance(const ConsumerHeartbeat& request) {
    return "Instance id " + std::string{*request.instance_id} + " is unknown.";
}

std::string fenced_by(const ConsumerHeartbeat& request, std::string_view holder) {
    return "Static member " + std::string{request.member_id} + " with instance id " +
           std::string{*request.instance_id} + " was fenced by member " + std::string{holder} + ".";
}

std::string epoch_text(std::string_view relation, std::int32_t received, std::int32_t known) {
    return "The consumer group member has a " + std::string{relation} + " member epoch (" +
           std::to_string(received) + ") than the one known by the group coordinator (" +
           std::to_string(known) + "). The member must abandon all its partitions and rejoin.";
}

}  // namespace

// Who speaks.

bool ConsumerGroup::has_room_for(std::string_view member_id) const {
    return members_.size() < host_.settings().consumer_members_max || find(member_id) != nullptr;
}

SizesBefore ConsumerGroup::sizes_before(const ConsumerMember* member) const {
    const bool is_known = member != nullptr && member->is_named;
    return {.all = member_bytes_, .own = is_known ? bytes_of(*member) : 0, .is_known = is_known};
}

ConsumerGroup::Refusal ConsumerGroup::check_epoch(const ConsumerMember& member,
                                                  const ConsumerHeartbeat& request) const {
    const std::int32_t received = request.member_epoch;
    if (received == kJoinEpoch || host_.settings().faults.skip_epoch_check) return {};
    const CurrentAssignment& current = member.current;
    if (received > current.epoch)
        return {Errc::kFencedMemberEpoch, epoch_text("greater", received, current.epoch)};
    // The answer that told of the new epoch may have been lost: then the member has no more than
    // it was given.
    const bool missed_answer =
        received == current.previous_epoch && is_subset(request.owned, current.assigned);
    if (received < current.epoch && !missed_answer)
        return {Errc::kFencedMemberEpoch, epoch_text("smaller", received, current.epoch)};
    if (current.state == MemberState::kUnknown)
        return {
            Errc::kFencedMemberEpoch,
            "The member is in an unknown state. It must abandon all its partitions and rejoin."};
    return {};
}

ConsumerGroup::Refusal ConsumerGroup::check_static(const ConsumerMember* holder,
                                                   const ConsumerHeartbeat& request) const {
    const std::string instance{*request.instance_id};
    if (request.member_epoch == kJoinEpoch) {
        const bool is_held = holder != nullptr && !holder->is_classic() &&
                             holder->current.epoch != kLeaveForAWhileEpoch;
        if (!is_held) return {};
        return {Errc::kUnreleasedInstanceId,
                "Static member " + std::string{request.member_id} + " with instance id " +
                    instance + " cannot join the group because the instance id is owned by " +
                    holder->id + " member."};
    }
    if (holder == nullptr) return {Errc::kUnknownMemberId, unknown_instance(request)};
    if (holder->id != request.member_id)
        return {Errc::kFencedInstanceId, fenced_by(request, holder->id)};
    return {};
}

ConsumerGroup::Refusal ConsumerGroup::check(const ConsumerHeartbeat& request) const {
    const bool joins = request.member_epoch == kJoinEpoch;
    if (!has_room_for(request.member_id))
        return {Errc::kGroupMaxSizeReached,
                "The consumer group has reached its maximum capacity of " +
                    std::to_string(host_.settings().consumer_members_max) + " members."};
    const ConsumerMember* member = find(request.member_id);
    if (request.instance_id) {
        const ConsumerMember* holder = find_static(*request.instance_id);
        if (Refusal refusal = check_static(holder, request); refusal.error != Errc::kNone)
            return refusal;
        if (holder != nullptr) member = holder;
    }
    if (member == nullptr && !joins)
        return {Errc::kUnknownMemberId, not_a_member(request, group_.id())};
    if (member != nullptr)
        if (Refusal refusal = check_epoch(*member, request); refusal.error != Errc::kNone)
            return refusal;
    if (joins || request.topics || request.regex) {
        const Result<void> fits = check_size(host_, request, sizes_before(member));
        if (!fits) return {fits.error().code(), std::string{fits.error().detail()}};
    }
    const bool is_new_regex =
        request.regex && !request.regex->empty() && !regexes_.contains(*request.regex);
    if (!is_new_regex) return {};
    std::string fault = pattern_fault(*request.regex);
    if (fault.empty()) return {};
    return {Errc::kInvalidRegularExpression, std::move(fault)};
}

ConsumerMember& ConsumerGroup::replace(ConsumerMember& old, const std::string& member_id) {
    MemberMetadata metadata = old.metadata;
    CurrentAssignment current = old.current;
    TopicPartitions target = old.target.value_or(TopicPartitions{});
    current.epoch = kJoinEpoch;
    current.previous_epoch = kJoinEpoch;
    remove(old);
    change(MemberMetadataRecord{member_id, std::move(metadata)});
    change(TargetMemberRecord{member_id, std::move(target)});
    change(CurrentAssignmentRecord{member_id, std::move(current)});
    return *find(member_id);
}

void ConsumerGroup::remove(ConsumerMember& member) {
    const std::string id = member.id;
    change(CurrentAssignmentRecord{id, {}});
    change(TargetMemberRecord{id, {}});
    change(MemberMetadataRecord{id, {}});
}

// A heartbeat.

ConsumerMember& ConsumerGroup::speaker(const ConsumerHeartbeat& request) {
    const bool joins = request.member_epoch == kJoinEpoch;
    ConsumerMember* holder = request.instance_id ? find_static(*request.instance_id) : nullptr;
    if (holder != nullptr && !joins) return *holder;
    if (holder == nullptr)
        if (ConsumerMember* known = find(request.member_id)) return *known;
    const std::string id =
        request.member_id.empty() ? host_.random_id() : std::string{request.member_id};
    return holder != nullptr ? replace(*holder, id) : find_or_add(id);
}

void ConsumerGroup::heartbeat(const ConsumerHeartbeat& request,
                              Answer<ConsumerHeartbeatAnswer> answer) {
    if (Refusal refusal = check(request); refusal.error != Errc::kNone) {
        return host_.later([answer = std::move(answer), refusal = std::move(refusal)]() mutable {
            answer({.error = refusal.error, .message = std::move(refusal.message)});
        });
    }
    ConsumerMember& member = speaker(request);
    if (member.is_classic()) {
        // It goes on by this protocol: what it had to do by the other is void.
        member.sync.cancel();
        member.rebalance.cancel();
    }
    const std::uint64_t before = member.assigned_version;
    Subscription subscription;
    if (!member.is_named || !is_known(member.metadata, request))
        subscription = update_metadata(member, updated(member.metadata, request));
    raise_epoch_if(subscription.topics_changed || subscription.is_resolved);
    update_target();
    LEAT_CHECK(step(member, subscription.changed(), request.owned).has_value());
    restart_session(member);
    const bool is_full =
        request.rebalance_timeout_ms != -1 && (request.topics || request.regex) && request.owned;
    const bool must_tell =
        request.member_epoch == kJoinEpoch || is_full || before != member.assigned_version;
    answer_heartbeat(request, member, must_tell, std::move(answer));
    if (!request.has_rights) resolve_regexes({});
}

void ConsumerGroup::answer_heartbeat(const ConsumerHeartbeat& request, const ConsumerMember& member,
                                     bool must_tell, Answer<ConsumerHeartbeatAnswer> answer) {
    ConsumerHeartbeatAnswer with{
        .member_id = member.id,
        .member_epoch = member.current.epoch,
        .heartbeat_interval_ms = static_cast<std::int32_t>(heartbeat_interval(member).count())};
    with.wants_patterns = request.has_rights && has_unresolved();
    if (must_tell) {
        with.assignment.emplace();
        for (const auto& [topic, partitions] : member.current.assigned) {
            auto& told = with.assignment->emplace_back(topic, std::vector<std::int32_t>{});
            for (const auto& [partition, epoch] : partitions) told.second.push_back(partition);
        }
    }
    flush([answer = std::move(answer), with = std::move(with)](Errc outcome) mutable {
        if (outcome != Errc::kNone) return answer({.error = outcome});
        answer(std::move(with));
    });
}

ConsumerGroup::Subscription ConsumerGroup::update_metadata(ConsumerMember& member,
                                                           MemberMetadata metadata) {
    if (member.is_named && metadata == member.metadata) return {};
    const std::string old_regex = member.metadata.regex;
    const std::string new_regex = metadata.regex;
    const auto readers = [this](const std::string& regex) {
        const auto at = regexes_.find(regex);
        return at == regexes_.end() ? 0 : at->second;
    };
    const bool was_last = !old_regex.empty() && readers(old_regex) == 1;
    Subscription out{.topics_changed = metadata.topics != member.metadata.topics,
                     .regex_changed = old_regex != new_regex,
                     .is_resolved = false};
    change(MemberMetadataRecord{member.id, std::move(metadata)});
    if (!out.regex_changed) return out;
    if (was_last) change(RegexRecord{old_regex, {}});
    out.is_resolved = new_regex.empty() || resolved_.contains(new_regex);
    return out;
}

void ConsumerGroup::raise_epoch_if(bool must) {
    if (!must && !must_refresh_) return;
    must_refresh_ = false;
    const std::int64_t hash = topics_hash();
    if (must || hash != metadata_hash_) {
        const std::int32_t raised = host_.settings().faults.keep_group_epoch ? 0 : 1;
        change(GroupEpochRecord{GroupEpochRecord::Value{epoch_ + raised, hash}});
    }
    if (has_partition_metadata_) change(PartitionMetadataRecord{});
}

// The target.

void ConsumerGroup::update_target() {
    if (assignment_epoch_ >= epoch_) return;
    const milliseconds interval =
        host_.cluster()
            .overrides(group_.id())
            .assignment_interval.value_or(host_.settings().consumer_assignment_interval);
    const std::int64_t now = host_.now().wall.value;
    // A clock that was set back must not hold up the group for long.
    const bool is_early =
        assigned_at_ != 0 && now >= assigned_at_ && now < assigned_at_ + interval.count();
    if (!is_early) assign();
}

void ConsumerGroup::assign() {
    const bool is_homogeneous = this->is_homogeneous();
    std::vector<std::vector<Uuid>> topics;
    std::vector<AssignedMember> all;
    std::vector<ConsumerMember*> members;
    std::map<Uuid, std::vector<bool>> taken;
    std::vector<TopicPartitions> targets(members_.size());
    topics.reserve(members_.size());
    for (const auto& [id, member] : members_) {
        if (topics.empty() || !is_homogeneous) topics.push_back(topic_ids(member->metadata));
        AssignedMember& one = all.emplace_back();
        one.id = member->id;
        if (member->metadata.instance_id) one.instance_id = *member->metadata.instance_id;
        one.topics = topics.back();
        // What a log says need not fit the topics as they are, nor be anybody's alone.
        TopicPartitions& target = targets[members.size()];
        for (const auto& [topic, partitions] : member->target.value_or(TopicPartitions{})) {
            const auto found = host_.cluster().find(topic);
            if (!found) continue;
            std::vector<bool>& seen = taken[topic];
            seen.resize(static_cast<std::size_t>(found->partition_count));
            for (const std::int32_t partition : partitions) {
                const auto at = static_cast<std::size_t>(partition);
                if (partition < 0 || at >= seen.size() || seen[at]) continue;
                seen[at] = true;
                target[topic].push_back(partition);
            }
        }
        one.target = &target;
        members.push_back(member.get());
    }
    std::vector<TopicPartitions> result =
        groups::assign(preferred_assignor(), {.members = all,
                                              .is_homogeneous = is_homogeneous,
                                              .partition_count = [this](const Uuid& id) {
                                                  return host_.cluster().find(id)->partition_count;
                                              }});
    for (std::size_t i = 0; i < members.size(); ++i)
        if (!members[i]->target || *members[i]->target != result[i])
            change(TargetMemberRecord{members[i]->id, std::move(result[i])});
    change(TargetEpochRecord{TargetEpochRecord::Value{epoch_, host_.now().wall.value}});
}

Result<void> ConsumerGroup::step(ConsumerMember& member, bool subscription_changed,
                                 const std::optional<std::span<const OwnedTopic>>& owned) {
    if (!subscription_changed && member.current.is_reconciled_to(assignment_epoch_)) return {};
    static const TopicPartitions nothing;
    LEAT_TRY(CurrentAssignment next,
             reconcile({.current = member.current,
                        .target_epoch = assignment_epoch_,
                        .target = member.target ? *member.target : nothing,
                        .has_subscription_changed = subscription_changed,
                        .owned = owned,
                        .is_subscribed =
                            [&](const Uuid& topic) { return is_reading(member.metadata, topic); },
                        .is_owned =
                            [&](const Uuid& topic, std::int32_t partition) {
                                const auto at = owners_.find(topic);
                                return at != owners_.end() && at->second.contains(partition);
                            },
                        .assign_before_revoke = host_.settings().faults.assign_before_revoke}));
    if (next == member.current) return {};
    change(CurrentAssignmentRecord{member.id, std::move(next)});
    if (member.is_classic()) return {};
    if (member.current.state == MemberState::kUnrevoked)
        member.rebalance.set(host_.now().mono +
                             milliseconds{std::max(member.metadata.rebalance_timeout_ms, 0)});
    else
        member.rebalance.cancel();
    return {};
}

milliseconds ConsumerGroup::heartbeat_interval(const ConsumerMember& member) const {
    const Settings& settings = host_.settings();
    const milliseconds usual =
        host_.cluster()
            .overrides(group_.id())
            .heartbeat_interval.value_or(settings.consumer_heartbeat_interval);
    const bool is_settled =
        member.current.is_reconciled_to(epoch_) &&
        (member.metadata.regex.empty() || resolved_.contains(member.metadata.regex));
    if (is_settled) return usual;
    // The next step waits for others: come back soon, but not all of a large group at once.
    const milliseconds soon = settings.unsettled_heartbeat_interval +
                              kUnsettledPerMember * static_cast<std::int64_t>(members_.size());
    return std::min(usual, soon);
}

void ConsumerGroup::restart_session(ConsumerMember& member) {
    milliseconds timeout = host_.cluster()
                               .overrides(group_.id())
                               .session_timeout.value_or(host_.settings().consumer_session_timeout);
    if (member.is_classic()) timeout = milliseconds{member.metadata.classic->session_timeout_ms};
    member.session.set(host_.now().mono + timeout);
}

// Leaving.

void ConsumerGroup::leave(const ConsumerHeartbeat& request,
                          Answer<ConsumerHeartbeatAnswer> answer) {
    const auto refuse = [&](Errc error, std::string message) {
        host_.later([answer = std::move(answer), error, message = std::move(message)]() mutable {
            answer({.error = error, .message = std::move(message)});
        });
    };
    ConsumerMember* member =
        request.instance_id ? find_static(*request.instance_id) : find(request.member_id);
    if (member == nullptr)
        return refuse(Errc::kUnknownMemberId, request.instance_id
                                                  ? unknown_instance(request)
                                                  : not_a_member(request, group_.id()));
    if (member->id != request.member_id)
        return refuse(Errc::kFencedInstanceId, fenced_by(request, member->id));
    ConsumerHeartbeatAnswer with{.member_id = member->id, .member_epoch = request.member_epoch};
    Group& group = group_;
    GroupHost& host = host_;
    if (request.instance_id && request.member_epoch == kLeaveForAWhileEpoch) {
        CurrentAssignment away = member->current;
        away.epoch = kLeaveForAWhileEpoch;
        away.revoking.clear();
        for (auto& [topic, partitions] : away.assigned)
            for (auto& [partition, epoch] : partitions) epoch = 0;
        change(CurrentAssignmentRecord{member->id, std::move(away)});
        member->rebalance.cancel();  // It has nothing to give up any more.
        flush([](Errc) {});
    } else if (fence({member})) {
        flush([](Errc) {});
    }
    // This may be gone now.
    host.when_written(group,
                      [answer = std::move(answer), with = std::move(with)](Errc outcome) mutable {
                          if (outcome != Errc::kNone) return answer({.error = outcome});
                          answer(std::move(with));
                      });
}

bool ConsumerGroup::fence(const std::vector<ConsumerMember*>& members) {
    if (members.empty()) return true;
    if (group_.may_downgrade_without(members)) {
        group_.to_classic(members, true);
        return false;
    }
    std::set<std::string> patterns;
    for (ConsumerMember* member : members) {
        if (!member->metadata.regex.empty()) patterns.insert(member->metadata.regex);
        remove(*member);
    }
    for (const std::string& regex : patterns)
        if (!regexes_.contains(regex)) change(RegexRecord{regex, {}});
    raise_epoch_if(true);
    return true;
}

void ConsumerGroup::on_lost(ConsumerMember& member) {
    if (host_.settings().faults.keep_stale_owner) return;
    if (fence({&member})) flush([](Errc) {});
}

}  // namespace leat::groups
