// SPDX-License-Identifier: Apache-2.0
#include "groups_sim_model.h"

#include <algorithm>
#include <utility>

#include "groups/offset_records.h"

namespace leat::groups::sim {

void Model::violated(std::string what) {
    violations_.push_back(std::move(what));
}

void Model::commit_acknowledged(std::int32_t partition, std::int64_t number) {
    ++commits_;
    Partition& p = partitions_[partition];
    p.acknowledged = std::max(p.acknowledged, number);
    p.may_be_gone = false;
}

void Model::delete_sent(std::int32_t partition) {
    ++partitions_[partition].deleting;
}

void Model::delete_answered(std::int32_t partition, bool is_done) {
    Partition& p = partitions_[partition];
    --p.deleting;
    // Until a later commit is acknowledged. Refused ones may have been written all the same.
    if (is_done) p.seen = -1;
    p.may_be_gone = true;
}

void Model::read(std::int32_t partition, std::int64_t offset) {
    Partition& p = partitions_[partition];
    const std::string at = " of partition " + std::to_string(partition);
    if (offset < 0) {
        if (!p.may_be_gone) violated("durable: an acknowledged offset" + at + " is gone");
        if (p.seen >= 0) violated("durable: an offset" + at + " that was read is gone");
        return;
    }
    if (!sent_[partition].contains(offset))
        violated("durable: an offset" + at + " that nobody committed");
    if (offset < p.acknowledged && !p.may_be_gone)
        violated("durable: offset " + std::to_string(offset) + at + " after " +
                 std::to_string(p.acknowledged) + " was acknowledged");
    if (offset < p.seen)
        violated("durable: offset " + std::to_string(offset) + at + " after " +
                 std::to_string(p.seen) + " was read");
    p.seen = std::max(p.seen, offset);
}

void Model::joined(const JoinAnswer& answer) {
    if (answer.error != Errc::kNone) return;
    newest_ = std::max(newest_, answer.generation);
    if (answer.members.empty()) return;
    std::set<std::string> members;
    for (const JoinedMember& member : answer.members)
        members.insert(member.instance_id.value_or(member.member_id));
    const auto [at, is_new] = members_of_.emplace(answer.generation, members);
    if (!is_new && at->second != members)
        violated("unique: generation " + std::to_string(answer.generation) +
                 " has two sets of members");
}

void Model::assigned(const std::string& member, std::int32_t generation,
                     const std::vector<std::int32_t>& partitions) {
    for (const std::int32_t partition : partitions) {
        const auto [at, is_new] = owners_[generation].emplace(partition, member);
        if (!is_new && at->second != member)
            violated("unique: partition " + std::to_string(partition) + " has two owners in " +
                     std::to_string(generation));
    }
}

void Model::commit_admitted(std::int32_t generation, std::int32_t newest_when_called) {
    if (generation < newest_when_called)
        violated("fenced: a commit of generation " + std::to_string(generation) +
                 " was taken in generation " + std::to_string(newest_when_called));
}

void Model::beat(const std::string& member, bool is_active, Errc error, Instant now,
                 std::chrono::milliseconds session) {
    if (error == Errc::kUnknownMemberId) {
        const auto at = heard_.find(member);
        if (is_active && at != heard_.end() && now - at->second < session)
            violated("alive: " + member + " was removed though it was heard");
        heard_.erase(member);
        return;
    }
    if (error == Errc::kNone && is_active)
        heard_[member] = now;
    else
        heard_.erase(member);
}

namespace {

/// What a log says, read record by record, later ones winning.
struct Replayed {
    std::map<std::int32_t, std::int64_t> offsets;
    std::set<std::string> members;
};

Replayed replay(const std::vector<RecordToWrite>& log, std::string_view group,
                std::string_view topic) {
    Replayed out;
    for (const RecordToWrite& record : log) {
        const Result<Key> key = decode_key(record.key);
        if (!key.has_value()) continue;
        if (const auto* offset = std::get_if<OffsetKey>(&*key)) {
            if (offset->group_id != group || offset->topic != topic) continue;
            if (record.value)
                out.offsets[offset->partition] = decode_offset_value(*record.value)->offset;
            else
                out.offsets.erase(offset->partition);
        } else if (const auto* of_group = std::get_if<GroupKey>(&*key)) {
            if (of_group->group_id != group) continue;
            out.members.clear();
            Arena arena;
            if (!record.value) continue;
            const Result<GroupValue> value = decode_group_value(*record.value, arena);
            for (const MemberValue& member : value->members)
                out.members.insert(std::string{member.member_id});
        }
    }
    return out;
}

}  // namespace

void Model::restarted(const std::vector<RecordToWrite>& log, const Coordinator& coordinator,
                      std::string_view group, std::string_view topic) {
    newest_ = -1;
    members_of_.clear();
    owners_.clear();
    heard_.clear();
    // Of deletions that nobody was told of, some were written.
    for (auto& [partition, p] : partitions_) {
        if (std::exchange(p.deleting, 0) == 0) continue;
        p.may_be_gone = true;
        p.seen = -1;
    }
    const Replayed want = replay(log, group, topic);
    std::map<std::int32_t, std::int64_t> offsets;
    for (const FetchedPartition& one : coordinator.fetch_all_offsets(group))
        offsets[one.partition] = one.committed.offset;
    if (offsets != want.offsets) violated("replayed: offsets are not those of the log");
    std::set<std::string> members;
    for (const DescribedMember& member : coordinator.describe(group).members)
        members.insert(member.member_id);
    if (members != want.members) violated("replayed: members are not those of the log");
}

}  // namespace leat::groups::sim
