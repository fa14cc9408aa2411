// SPDX-License-Identifier: Apache-2.0
#include "groups/consumer_group.h"

#include <algorithm>

#include "base/check.h"
#include "groups/group.h"
#include "groups/hash_order.h"
#include "groups/partition_of_group.h"

namespace leat::groups {
namespace {

/// FNV-1a over what an assignment depends on. Kafka takes another hash; both only compare it with
/// one of their own, and a foreign one costs an epoch.
class TopicHash {
  public:
    void add(std::string_view text) {
        for (const char c : text) add_byte(static_cast<std::uint8_t>(c));
        add_byte(0);
    }
    void add(const Uuid& id) {
        for (const std::uint8_t byte : id.bytes) add_byte(byte);
    }
    void add(std::int32_t number) {
        for (unsigned shift = 0; shift < 32; shift += 8)
            add_byte(static_cast<std::uint8_t>(static_cast<std::uint32_t>(number) >> shift));
    }
    [[nodiscard]] std::int64_t value() const { return static_cast<std::int64_t>(hash_); }

  private:
    void add_byte(std::uint8_t byte) { hash_ = (hash_ ^ byte) * 0x100000001B3U; }
    std::uint64_t hash_ = 0xCBF29CE484222325U;
};

void count_in(std::map<std::string, int, std::less<>>& counts, const std::string& key, int by) {
    const auto at = counts.try_emplace(key, 0).first;
    at->second += by;
    if (at->second <= 0) counts.erase(at);
}

/// Of partitions that a member owns, which the group keeps by partition, too.
std::size_t bytes_of(const OwnedPartitions& owned) {
    std::size_t sum = 0;
    for (const auto& [topic, partitions] : owned) sum += 2 * kNodeBytes * (1 + partitions.size());
    return sum;
}

std::size_t bytes_of(const TopicPartitions& target) {
    std::size_t sum = 0;
    for (const auto& [topic, partitions] : target)
        sum += 2 * kNodeBytes + partitions.size() * sizeof(std::int32_t);
    return sum;
}

std::size_t bytes_of(const ResolvedRegex& resolved) {
    std::size_t sum = kMemberBytes;
    for (const std::string& topic : resolved.topics) sum += kNameBytes + topic.size();
    return sum;
}

void count_held(ConsumerMember& member) {
    member.held.set(groups::bytes_of(member) + bytes_of(member.current.assigned) +
                    bytes_of(member.current.revoking) +
                    (member.target ? bytes_of(*member.target) : 0));
}

/// Of a member whose record is gone.
CurrentAssignment nobody() {
    CurrentAssignment out;
    out.epoch = -1;
    return out;
}

}  // namespace

ConsumerGroup::ConsumerGroup(GroupHost& host, Group& group)
    : host_(host),
      group_(group),
      held_(host.memory(), sizeof(ConsumerGroup)),
      lost_([this](ConsumerMember& member) { on_lost(member); }) {}

ConsumerGroup::~ConsumerGroup() = default;

// State, by record.

void ConsumerGroup::apply(ConsumerRecord record) {
    std::visit([this](auto& one) { apply_one(one); }, record);
}

void ConsumerGroup::apply_one(const GroupEpochRecord& record) {
    if (!record.value) return;  // The group goes as a whole; its owner sees to it.
    epoch_ = record.value->epoch;
    metadata_hash_ = record.value->metadata_hash;
}

void ConsumerGroup::apply_one(const PartitionMetadataRecord& record) {
    has_partition_metadata_ = record.has_value;
}

void ConsumerGroup::apply_one(const TargetEpochRecord& record) {
    assignment_epoch_ = record.value ? record.value->epoch : -1;
    assigned_at_ = record.value ? record.value->timestamp : 0;
}

ConsumerMember& ConsumerGroup::find_or_add(const std::string& member_id) {
    auto& place = members_[member_id];
    if (!place)
        place = std::make_unique<ConsumerMember>(host_.timers(), host_.memory(), member_id, lost_);
    return *place;
}

void ConsumerGroup::apply_one(MemberMetadataRecord& record) {
    if (record.value) {
        ConsumerMember& member = find_or_add(record.member_id);
        if (member.is_named) {
            count(member, -1);
            if (member.metadata.instance_id) statics_.erase(*member.metadata.instance_id);
        }
        member.metadata = std::move(*record.value);
        member.is_named = true;
        count(member, 1);
        count_held(member);
        if (member.metadata.instance_id) statics_[*member.metadata.instance_id] = &member;
        return;
    }
    const auto at = members_.find(record.member_id);
    if (at == members_.end()) return;
    ConsumerMember& member = *at->second;
    disown(member.current.assigned, member.current.epoch);
    disown(member.current.revoking, member.current.epoch);
    if (member.is_named) {
        count(member, -1);
        const auto held = member.metadata.instance_id ? statics_.find(*member.metadata.instance_id)
                                                      : statics_.end();
        if (held != statics_.end() && held->second == &member) statics_.erase(held);
    }
    members_.erase(at);
}

void ConsumerGroup::apply_one(TargetMemberRecord& record) {
    ConsumerMember* member = record.value ? &find_or_add(record.member_id) : find(record.member_id);
    if (member == nullptr) return;
    member->target = std::move(record.value);
    count_held(*member);
}

void ConsumerGroup::apply_one(CurrentAssignmentRecord& record) {
    ConsumerMember* member = record.value ? &find_or_add(record.member_id) : find(record.member_id);
    if (member == nullptr) return;
    disown(member->current.assigned, member->current.epoch);
    disown(member->current.revoking, member->current.epoch);
    CurrentAssignment next = record.value ? std::move(*record.value) : nobody();
    if (next.assigned != member->current.assigned) ++member->assigned_version;
    member->current = std::move(next);
    own(member->current.assigned, member->current.epoch);
    own(member->current.revoking, member->current.epoch);
    count_held(*member);
}

void ConsumerGroup::apply_one(RegexRecord& record) {
    if (const auto at = resolved_.find(record.regex); at != resolved_.end()) {
        for (const std::string& topic : at->second.topics) count_topic(topic, 0, -1);
        held_.remove(bytes_of(at->second));
        resolved_.erase(at);
    }
    if (!record.value) return;
    for (const std::string& topic : record.value->topics) count_topic(topic, 0, 1);
    held_.add(bytes_of(*record.value));
    resolved_.emplace(record.regex, std::move(*record.value));
}

void ConsumerGroup::count(const ConsumerMember& member, int by) {
    const MemberMetadata& metadata = member.metadata;
    const std::size_t size = bytes_of(member);
    member_bytes_ = by > 0 ? member_bytes_ + size : member_bytes_ - size;
    for (const std::string& topic : metadata.topics) count_topic(topic, by, 0);
    if (!metadata.regex.empty()) count_in(regexes_, metadata.regex, by);
    if (metadata.assignor) count_in(assignors_, *metadata.assignor, by);
    if (!metadata.classic) return;
    classic_members_ = by > 0 ? classic_members_ + 1 : classic_members_ - 1;
    for (const ClassicMetadata::Protocol& protocol : metadata.classic->protocols)
        count_in(classic_protocols_, protocol.name, by);
}

void ConsumerGroup::count_topic(const std::string& topic, int by_name, int by_regex) {
    Readers& readers = topics_[topic];
    readers.by_name += by_name;
    readers.by_regex += by_regex;
    if (readers.by_name <= 0 && readers.by_regex <= 0) topics_.erase(topic);
}

void ConsumerGroup::own(const OwnedPartitions& partitions, std::int32_t epoch) {
    for (const auto& [topic, numbers] : partitions)
        for (const auto& [partition, since] : numbers) {
            const auto [at, is_new] = owners_[topic].try_emplace(partition, epoch);
            // On the way from a log a newer owner may come before the older has gone.
            if (!is_new) at->second = std::max(at->second, epoch);
        }
}

void ConsumerGroup::disown(const OwnedPartitions& partitions, std::int32_t epoch) {
    for (const auto& [topic, numbers] : partitions) {
        const auto owned = owners_.find(topic);
        if (owned == owners_.end()) continue;
        for (const auto& [partition, since] : numbers) {
            const auto at = owned->second.find(partition);
            if (at != owned->second.end() && at->second == epoch) owned->second.erase(at);
        }
        if (owned->second.empty()) owners_.erase(owned);
    }
}

void ConsumerGroup::change(ConsumerRecord record) {
    unwritten_.push_back(encode(group_.id(), record));
    group_.is_recorded = true;
    apply(std::move(record));
}

void ConsumerGroup::flush(GroupHost::Done done) {
    if (unwritten_.empty() && !group_.ledger.has_missing())
        return host_.when_written(group_, std::move(done));
    host_.append_kept(group_, std::exchange(unwritten_, {}), std::move(done));
}

void ConsumerGroup::finish_load() {
    std::vector<std::string> unnamed;
    for (const auto& [id, member] : members_) {
        if (!member->is_named) {
            unnamed.push_back(id);
            continue;
        }
        restart_session(*member);
        if (member->current.state == MemberState::kUnrevoked && !member->is_classic())
            member->rebalance.set(host_.now().mono +
                                  std::chrono::milliseconds{member->metadata.rebalance_timeout_ms});
    }
    for (const std::string& id : unnamed) {
        MemberMetadataRecord gone{.member_id = id, .value = {}};
        apply_one(gone);
    }
    must_refresh_ = true;
}

void ConsumerGroup::retire() {
    for (const auto& [id, member] : members_) {
        member->session.cancel();
        member->rebalance.cancel();
        member->sync.cancel();
    }
}

std::vector<RecordToWrite> ConsumerGroup::tombstones() const {
    std::vector<RecordToWrite> out;
    const auto add = [&](const ConsumerRecord& record) {
        out.push_back(encode(group_.id(), record));
    };
    for (const auto& [id, member] : members_) {
        add(CurrentAssignmentRecord{id, {}});
        add(TargetMemberRecord{id, {}});
    }
    add(TargetEpochRecord{});
    for (const auto& [id, member] : members_) add(MemberMetadataRecord{id, {}});
    for (const auto& [regex, resolved] : resolved_) add(RegexRecord{regex, {}});
    add(PartitionMetadataRecord{});
    add(GroupEpochRecord{});
    return out;
}

// Looking.

ConsumerMember* ConsumerGroup::find(std::string_view member_id) const {
    const auto at = members_.find(member_id);
    return at == members_.end() ? nullptr : at->second.get();
}

ConsumerMember* ConsumerGroup::find_static(std::string_view instance_id) const {
    const auto at = statics_.find(instance_id);
    return at == statics_.end() ? nullptr : at->second;
}

std::string_view ConsumerGroup::state_name() const {
    if (members_.empty()) return "Empty";
    if (epoch_ > assignment_epoch_) return "Assigning";
    for (const auto& [id, member] : members_)
        if (!member->current.is_reconciled_to(assignment_epoch_)) return "Reconciling";
    return "Stable";
}

bool ConsumerGroup::is_subscribed(std::string_view topic) const {
    return topics_.contains(topic);
}

bool ConsumerGroup::is_homogeneous() const {
    const auto count = static_cast<int>(members_.size());
    if (regexes_.empty())
        return std::ranges::all_of(
            topics_, [count](const auto& topic) { return topic.second.by_name == count; });
    return regexes_.begin()->second == count && std::ranges::all_of(topics_, [](const auto& topic) {
               return topic.second.by_regex == 1 && topic.second.by_name == 0;
           });
}

std::vector<Uuid> ConsumerGroup::topic_ids(const MemberMetadata& metadata) const {
    std::vector<Uuid> out;
    const auto add = [&](const std::string& topic) {
        if (const auto found = host_.cluster().find(topic)) out.push_back(found->id);
    };
    for (const std::string& topic : metadata.topics) add(topic);
    if (const auto at = resolved_.find(metadata.regex); at != resolved_.end())
        for (const std::string& topic : at->second.topics)
            if (!metadata.topics.contains(topic)) add(topic);
    return out;
}

bool ConsumerGroup::is_reading(const MemberMetadata& metadata, const Uuid& topic) const {
    const auto found = host_.cluster().find(topic);
    if (!found) return false;
    const std::string name{found->name};
    if (metadata.topics.contains(name)) return true;
    const auto at = resolved_.find(metadata.regex);
    return at != resolved_.end() && at->second.topics.contains(name);
}

AssignorKind ConsumerGroup::preferred_assignor() const {
    // The most votes; ties go to the one that Kafka's map gives first.
    std::vector<std::string_view> names;
    std::vector<std::int32_t> hashes;
    for (const auto& [name, votes] : assignors_) {
        names.push_back(name);
        hashes.push_back(java_string_hash(name));
    }
    std::optional<AssignorKind> best;
    int most = 0;
    for (const std::uint32_t index : hash_order(hashes)) {
        const std::optional<AssignorKind> kind = assignor_named(names[index]);
        const int votes = assignors_.find(names[index])->second;
        if (!kind || votes <= most) continue;
        best = kind;
        most = votes;
    }
    const auto& known = host_.settings().consumer_assignors;
    if (best && std::ranges::find(known, *best) != known.end()) return *best;
    return known.empty() ? AssignorKind::kUniform : known.front();
}

std::int64_t ConsumerGroup::topics_hash() const {
    TopicHash hash;
    bool is_any = false;
    for (const auto& [topic, readers] : topics_) {
        const auto found = host_.cluster().find(topic);
        if (!found) continue;
        hash.add(topic);
        hash.add(found->id);
        hash.add(found->partition_count);
        is_any = true;
    }
    return is_any ? hash.value() : 0;
}

void ConsumerGroup::on_topic_changed(std::string_view topic) {
    if (topics_.contains(topic)) must_refresh_ = true;
}

std::vector<std::pair<std::string, std::int32_t>> ConsumerGroup::expired(
    const OffsetTable& offsets) const {
    std::vector<std::pair<std::string, std::int32_t>> out;
    for (const auto& [topic, partitions] : offsets.topics()) {
        if (is_subscribed(topic)) continue;
        for (const auto& [partition, committed] : partitions)
            if (committed.is_expired(host_.now().wall, committed.committed_at,
                                     host_.settings().offsets_retention))
                out.emplace_back(topic, partition);
    }
    return out;
}

// Describing.

void ConsumerGroup::describe(Answer<DescribedConsumerGroup> answer) {
    // What is shown must be durable first.
    host_.when_written(group_,
                       [told = describe_now(), answer = std::move(answer)](Errc outcome) mutable {
                           if (outcome != Errc::kNone) return answer({.error = outcome});
                           answer(std::move(told));
                       });
}

DescribedConsumerGroup ConsumerGroup::describe_now() const {
    DescribedConsumerGroup out{.state = state_name(),
                               .epoch = epoch_,
                               .assignment_epoch = assignment_epoch_,
                               .assignor = name(preferred_assignor())};
    const auto row = [this](const Uuid& id) -> std::optional<DescribedPartitions> {
        const auto found = host_.cluster().find(id);
        if (!found) return std::nullopt;
        return DescribedPartitions{.topic_id = id, .topic = std::string{found->name}};
    };
    for (const auto& [id, member] : members_) {
        DescribedConsumer& told = out.members.emplace_back();
        told.member_id = id;
        told.instance_id = member->metadata.instance_id;
        told.rack_id = member->metadata.rack_id;
        told.member_epoch = member->current.epoch;
        told.client_id = member->metadata.client_id;
        told.client_host = member->metadata.client_host;
        told.topics = {member->metadata.topics.begin(), member->metadata.topics.end()};
        told.regex = member->metadata.regex;
        told.is_classic = member->is_classic();
        OwnedPartitions has = member->current.assigned;
        for (const auto& [topic, partitions] : member->current.revoking)
            has[topic].insert(partitions.begin(), partitions.end());
        for (const auto& [topic, partitions] : has) {
            auto one = row(topic);
            if (!one) continue;
            for (const auto& [partition, epoch] : partitions) one->partitions.push_back(partition);
            told.assigned.push_back(std::move(*one));
        }
        if (!member->target) continue;
        for (const auto& [topic, partitions] : *member->target) {
            auto one = row(topic);
            if (!one) continue;
            one->partitions = partitions;
            told.target.push_back(std::move(*one));
        }
    }
    return out;
}

}  // namespace leat::groups
