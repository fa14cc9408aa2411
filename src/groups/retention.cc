// SPDX-License-Identifier: Apache-2.0
//
// The part of Coordinator that forgets: deletions, and offsets whose time is over (KIP-211).
#include <algorithm>

#include "groups/coordinator.h"

namespace leat::groups {
namespace {

using Partitions = std::vector<std::pair<std::string, std::int32_t>>;

/// Groups that one step of expiry looks at, so that a shard is not held up.
constexpr int kGroupsPerStep = 1'000;
constexpr std::chrono::milliseconds kStepPause{10};

/// Tombstones go in batches well below the smallest max.message.bytes in use.
constexpr std::size_t kBatchBytesMax = 262'144;

struct Batch {
    std::vector<RecordToWrite> records;
    Partitions partitions;
};

std::vector<Batch> tombstones(const Group& group, Partitions partitions, bool with_group) {
    std::vector<Batch> out(1);
    std::size_t size = 0;
    const auto add = [&](std::vector<std::byte> key) {
        if (size + key.size() > kBatchBytesMax && !out.back().records.empty()) {
            out.emplace_back();
            size = 0;
        }
        size += key.size() + 16;  // What a record takes beside its key, at most.
        out.back().records.push_back({std::move(key), std::nullopt});
    };
    for (auto& [topic, partition] : partitions) {
        add(encode_key(OffsetKey{group.id(), topic, partition}));
        out.back().partitions.emplace_back(std::move(topic), partition);
    }
    if (with_group)
        for (RecordToWrite& record : group.tombstones()) add(std::move(record.key));
    return out;
}

}  // namespace

void Coordinator::delete_offsets(std::string_view group_id,
                                 std::span<const TopicPartition> partitions, Now now,
                                 Answer<DeleteOffsetsAnswer> answer) {
    now_ = now;
    if (group_id.empty()) return answer({.error = Errc::kInvalidGroupId, .partitions = {}});
    Group* group = find(group_id);
    if (group == nullptr) return answer({.error = Errc::kGroupIdNotFound, .partitions = {}});
    if (group->has_members() && group->protocol_type() != "consumer")
        return answer({.error = Errc::kNonEmptyGroup, .partitions = {}});
    DeleteOffsetsAnswer with;
    std::vector<std::pair<std::string, std::int32_t>> gone;
    for (const auto& [topic, partition] : partitions) {
        const bool is_read = group->is_subscribed(topic);
        with.partitions.push_back(is_read ? Errc::kGroupSubscribedToTopic : Errc::kNone);
        if (!is_read && group->has_offset(topic, partition)) gone.emplace_back(topic, partition);
    }
    forget(*group, std::move(gone), false,
           [this, answer = std::move(answer), with = std::move(with)](Errc outcome) mutable {
               for (Errc& error : with.partitions) {
                   if (error == Errc::kNone) error = outcome;
               }
               later([answer = std::move(answer), with = std::move(with)]() mutable {
                   answer(std::move(with));
               });
           });
    settle();
}

void Coordinator::delete_group(std::string_view group_id, Now now, Answer<Errc> answer) {
    now_ = now;
    Group* group = find(group_id);
    if (group == nullptr) return answer(Errc::kGroupIdNotFound);
    if (group->has_members()) return answer(Errc::kNonEmptyGroup);
    if (group->ledger.has_missing()) append_kept(*group, {}, [](Errc) {});
    forget(*group, group->all_offsets(), true,
           [this, answer = std::move(answer)](Errc outcome) mutable {
               later([answer = std::move(answer), outcome]() mutable { answer(outcome); });
           });
    settle();
}

void Coordinator::forget(Group& group, Partitions partitions, bool with_group, Done done) {
    std::vector<Batch> batches = tombstones(group, std::move(partitions), with_group);
    if (batches.front().records.empty()) return done(Errc::kNone);
    auto first_error = std::make_shared<Errc>(Errc::kNone);
    for (std::size_t i = 0; i + 1 < batches.size(); ++i) {
        append(group, std::move(batches[i].records),
               [this, &group, first_error, gone = std::move(batches[i].partitions)](Errc outcome) {
                   if (outcome == Errc::kNone) return forgotten(group, gone);
                   if (*first_error == Errc::kNone) *first_error = outcome;
               });
    }
    append(group, std::move(batches.back().records),
           [this, &group, first_error, with_group, gone = std::move(batches.back().partitions),
            done = std::move(done)](Errc outcome) mutable {
               if (outcome == Errc::kNone) forgotten(group, gone);
               // Whoever joined meanwhile keeps the group; so does a later record on its way. An id
               // that was only given out does not: its owner asks for another.
               if (outcome == Errc::kNone && with_group && !group.has_members() &&
                   group.writes_in_flight == 0 && !group.ledger.has_missing())
                   group.forget_members();
               done(outcome == Errc::kNone ? *first_error : outcome);
           });
}

void Coordinator::forgotten(Group& group, const Partitions& batch) {
    for (const auto& [topic, partition] : batch) {
        group.offsets.erase(topic, partition);
        group.pending.erase(topic, partition);
    }
}

void Coordinator::on_topic_deleted(std::string_view topic, Now now) {
    now_ = now;
    for (const auto& [id, group] : groups_) {
        if (group->consumer) group->consumer->on_topic_changed(topic);
        Partitions gone = group->all_offsets(topic);
        if (!gone.empty()) forget(*group, std::move(gone), false, [](Errc) {});
    }
    settle();
}

void Coordinator::on_topic_changed(std::string_view topic, bool is_new) {
    for (const auto& [id, group] : groups_) {
        if (!group->consumer) continue;
        group->consumer->on_topic_changed(topic);
        if (is_new) group->consumer->on_topic_created();
    }
}

void Coordinator::expire_some() {
    auto at = groups_.upper_bound(expired_up_to_);
    if (expired_up_to_.empty()) at = groups_.begin();
    for (int i = 0; i < kGroupsPerStep && at != groups_.end(); ++i) {
        Group& group = *at->second;
        expired_up_to_ = at->first;
        ++at;  // The group may go.
        // What is being written is looked at next time.
        if (group.writes_in_flight > 0) continue;
        // What was lost, say on a full disk, does not wait for a member to come back.
        if (group.ledger.has_missing()) {
            append_kept(group, {}, [](Errc) {});
            continue;
        }
        Partitions expired = group.expired_offsets();
        const bool goes =
            group.is_idle() && group.pending.is_empty() && expired.size() == group.offsets.size();
        const bool is_known = group.is_recorded || !group.offsets.is_empty();
        if (!expired.empty() || (goes && is_known))
            forget(group, std::move(expired), goes, [](Errc) {});
        else
            remove_if_unused(group);
    }
    const bool is_done = at == groups_.end();
    if (is_done) expired_up_to_.clear();
    expiry_timer_.set(now_.mono + (is_done ? settings_.retention_check_interval : kStepPause));
}

}  // namespace leat::groups
