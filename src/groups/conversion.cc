// SPDX-License-Identifier: Apache-2.0
//
// How a group changes its protocol, and what it is by either.
#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "groups/group.h"
#include "groups/subscription.h"

namespace leat::groups {
namespace {

/// A member as the consumer protocol has it.
struct Converted {
    std::string id;
    MemberMetadata metadata;
    TopicPartitions assigned;
};

Result<Converted> converted(const Member& member, std::string_view protocol,
                            const ClusterView& cluster) {
    LEAT_TRY(ConsumerSubscription subscription, parse_subscription(member.metadata(protocol)));
    LEAT_TRY(TopicPartitions assigned, parse_assignment(member.assignment, cluster));
    Converted out{.id = member.id, .metadata = {}, .assigned = std::move(assigned)};
    out.metadata.instance_id = member.instance_id;
    if (!subscription.rack_id.empty()) out.metadata.rack_id = subscription.rack_id;
    out.metadata.client_id = member.client_id;
    out.metadata.client_host = member.client_host;
    out.metadata.topics = {subscription.topics.begin(), subscription.topics.end()};
    out.metadata.rebalance_timeout_ms = static_cast<std::int32_t>(member.rebalance_timeout.count());
    out.metadata.classic.emplace();
    out.metadata.classic->session_timeout_ms =
        static_cast<std::int32_t>(member.session_timeout.count());
    for (const Member::OwnedProtocol& each : member.protocols)
        out.metadata.classic->protocols.push_back({each.name, each.metadata});
    return out;
}

/// As ConsumerGroup has it once these are its members. A group must not have changed for one that
/// is refused: nothing of the change would be written.
SizesBefore sizes_before(const std::vector<Converted>& members, const ConsumerHeartbeat& joining) {
    SizesBefore out;
    const Converted* speaker = nullptr;
    for (const Converted& member : members) {
        out.all += bytes_of(member.id, member.metadata);
        if (speaker == nullptr && member.id == joining.member_id) speaker = &member;
    }
    for (const Converted& member : members)
        if (joining.instance_id && member.metadata.instance_id == joining.instance_id)
            speaker = &member;
    out.is_known = speaker != nullptr;
    if (speaker != nullptr) out.own = bytes_of(speaker->id, speaker->metadata);
    return out;
}

/// Classic members agree on a protocol when they join; those of a foreign log need not.
bool have_protocol_in_common(const std::vector<const ConsumerMember*>& members) {
    if (members.empty()) return true;
    std::map<std::string_view, std::set<const ConsumerMember*>> supporters;
    for (const ConsumerMember* member : members)
        for (const ClassicMetadata::Protocol& protocol : member->metadata.classic->protocols)
            supporters[protocol.name].insert(member);
    return std::ranges::any_of(supporters, [&members](const auto& protocol) {
        return protocol.second.size() == members.size();
    });
}

OwnedPartitions owned_since(const TopicPartitions& assigned, std::int32_t epoch) {
    OwnedPartitions out;
    for (const auto& [topic, partitions] : assigned)
        for (const std::int32_t partition : partitions) out[topic].emplace(partition, epoch);
    return out;
}

}  // namespace

bool Group::has_members() const {
    return consumer ? !consumer->is_empty() : classic.state() != GroupState::kEmpty;
}

bool Group::is_idle() const {
    return !has_members() && writes_in_flight == 0 && classic.pending_members() == 0 &&
           !ledger.has_missing();
}

std::string_view Group::state_name() const {
    return consumer ? consumer->state_name() : name(classic.state());
}

std::string_view Group::protocol_type() const {
    if (consumer) return kConsumerProtocol;
    return classic.protocol_type() ? std::string_view{*classic.protocol_type()} : "";
}

std::vector<std::pair<std::string, std::int32_t>> Group::expired_offsets() const {
    auto out = consumer ? consumer->expired(offsets) : classic.expired(offsets);
    // Those of an open transaction are about to get another value.
    std::erase_if(out, [this](const auto& at) { return pending.contains(at.first, at.second); });
    return out;
}

bool Group::is_subscribed(std::string_view topic) const {
    return consumer ? consumer->is_subscribed(topic) : classic.is_subscribed(topic);
}

std::vector<RecordToWrite> Group::tombstones() const {
    if (consumer) return consumer->tombstones();
    std::vector<RecordToWrite> out;
    out.push_back({encode_key(GroupKey{id_}), std::nullopt});
    return out;
}

void Group::forget_members() {
    consumer.reset();
    classic.reset();
    is_recorded = false;
}

Result<void> Group::to_consumer(const ConsumerHeartbeat& joining) {
    const auto refuse = [this](std::string_view why) {
        return Error{Errc::kGroupIdNotFound, "Cannot upgrade classic group " + id_ +
                                                 " to consumer group because " + std::string{why}};
    };
    const MigrationPolicy policy = host_.settings().migration;
    const Roster& roster = classic.roster();
    if (!has_members()) {
        // Nothing to take over; the log forgets the classic one.
        LEAT_TRY_VOID(check_size(host_, joining, {}));
        consumer = std::make_unique<ConsumerGroup>(host_, *this);
        if (is_recorded) consumer->keep(tombstone_of_classic());
        classic.dissolve();
        return {};
    }
    if (policy != MigrationPolicy::kUpgrade && policy != MigrationPolicy::kBidirectional)
        return refuse("online upgrade is disabled.");
    if (classic.protocol_type() != kConsumerProtocol)
        return refuse("the group does not use the consumer embedded protocol.");
    if (roster.size() > host_.settings().consumer_members_max)
        return refuse("the group size exceeds the consumer group maximum size.");
    std::vector<Converted> members;
    const std::string protocol =
        roster.is_empty() ? std::string{} : classic.protocol().value_or(roster.vote());
    for (const auto& [order, member] : roster.members()) {
        Result<Converted> one = converted(*member, protocol, host_.cluster());
        if (!one)
            return refuse(one.error().code() == Errc::kUnsupportedVersion
                              ? "an unsupported custom assignor is in use."
                              : "the embedded consumer protocol is malformed.");
        members.push_back(std::move(*one));
    }
    LEAT_TRY_VOID(check_size(host_, joining, sizes_before(members, joining)));
    const std::int32_t epoch = classic.generation();
    consumer = std::make_unique<ConsumerGroup>(host_, *this);
    consumer->keep(tombstone_of_classic());
    classic.dissolve();
    for (Converted& member : members)
        consumer->change(MemberMetadataRecord{member.id, std::move(member.metadata)});
    consumer->change(GroupEpochRecord{GroupEpochRecord::Value{epoch, consumer->topics_hash()}});
    for (const Converted& member : members)
        consumer->change(TargetMemberRecord{member.id, member.assigned});
    consumer->change(TargetEpochRecord{TargetEpochRecord::Value{epoch, 0}});
    for (const Converted& member : members)
        consumer->change(CurrentAssignmentRecord{
            member.id, CurrentAssignment{.epoch = epoch,
                                         .previous_epoch = epoch,
                                         .state = MemberState::kStable,
                                         .assigned = owned_since(member.assigned, epoch),
                                         .revoking = {}}});
    for (const auto& [id, member] : consumer->members()) consumer->restart_session(*member);
    return {};
}

RecordToWrite Group::tombstone_of_classic() const {
    return {encode_key(GroupKey{id_}), std::nullopt};
}

void Group::drop_empty_consumer() {
    LEAT_CHECK(consumer && consumer->is_empty());
    std::vector<RecordToWrite> records = consumer->take_unwritten();
    for (RecordToWrite& record : consumer->tombstones()) records.push_back(std::move(record));
    consumer.reset();
    is_recorded = false;
    host_.append_kept(*this, std::move(records), [](Errc) {});
}

bool Group::may_downgrade_to(const std::vector<const ConsumerMember*>& members,
                             std::size_t size) const {
    const Settings& settings = host_.settings();
    return (settings.migration == MigrationPolicy::kDowngrade ||
            settings.migration == MigrationPolicy::kBidirectional) &&
           size <= settings.members_max && have_protocol_in_common(members);
}

bool Group::may_downgrade_without(const std::vector<ConsumerMember*>& leaving) const {
    std::vector<const ConsumerMember*> left;
    if (consumer->members().size() == leaving.size()) return false;
    for (const auto& [id, member] : consumer->members()) {
        if (std::ranges::find(leaving, member.get()) != leaving.end()) continue;
        if (!member->is_classic()) return false;
        left.push_back(member.get());
    }
    return may_downgrade_to(left, left.size());
}

bool Group::may_downgrade_replacing(const ConsumerMember& old) const {
    if (old.is_classic()) return false;
    std::vector<const ConsumerMember*> left;
    for (const auto& [id, member] : consumer->members()) {
        if (member.get() == &old) continue;
        if (!member->is_classic()) return false;
        left.push_back(member.get());
    }
    // Kafka counts the one that comes, and asks for the policy also when nobody else is left.
    return may_downgrade_to(left, left.size() + 1);
}

void Group::to_classic(const std::vector<ConsumerMember*>& leaving, bool must_rebalance) {
    std::vector<RecordToWrite> records = consumer->take_unwritten();
    for (RecordToWrite& record : consumer->tombstones()) records.push_back(std::move(record));
    std::unique_ptr<ConsumerGroup> old = std::exchange(consumer, nullptr);
    old->retire();
    for (const auto& [id, member] : old->members()) {
        if (std::ranges::find(leaving, member.get()) != leaving.end()) continue;
        static const TopicPartitions nothing;
        const ClassicMetadata& from = *member->metadata.classic;
        const std::chrono::milliseconds session{from.session_timeout_ms};
        const bool has_timeout = member->metadata.rebalance_timeout_ms >= 0;
        ClassicGroup::Adopted adopted{.id = id,
                                      .instance_id = member->metadata.instance_id,
                                      .client_id = member->metadata.client_id,
                                      .client_host = member->metadata.client_host,
                                      .session_timeout = session,
                                      .rebalance_timeout = session,
                                      .protocols = {},
                                      .assignment = {}};
        if (has_timeout)
            adopted.rebalance_timeout =
                std::chrono::milliseconds{member->metadata.rebalance_timeout_ms};
        for (const ClassicMetadata::Protocol& protocol : from.protocols)
            adopted.protocols.push_back({protocol.name, protocol.metadata});
        adopted.assignment = encode_assignment(member->target ? *member->target : nothing,
                                               host_.cluster(), from.protocols.front().metadata);
        classic.adopt(std::move(adopted));
    }
    records.push_back(classic.begin_adopted(old->epoch()));
    host_.append_kept(*this, std::move(records), [](Errc) {});
    if (must_rebalance) classic.rebalance_adopted();
    // It may be one of its own calls that ends here.
    host_.later([old = std::move(old)]() {});
}

}  // namespace leat::groups
