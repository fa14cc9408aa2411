// SPDX-License-Identifier: Apache-2.0
#include "groups/reconcile.h"

#include <algorithm>
#include <set>

namespace leat::groups {
namespace {

bool contains(const OwnedPartitions& partitions, const Uuid& topic, std::int32_t partition) {
    const auto at = partitions.find(topic);
    return at != partitions.end() && at->second.contains(partition);
}

/// Whether the member may still read some of `revoking`. One that says nothing may.
bool owns_any(const ReconcileInput& input, const OwnedPartitions& revoking) {
    if (!input.owned) return true;
    return std::ranges::any_of(*input.owned, [&revoking](const OwnedTopic& topic) {
        return std::ranges::any_of(topic.partitions, [&](std::int32_t partition) {
            return contains(revoking, topic.topic_id, partition);
        });
    });
}

CurrentAssignment moved_to(const CurrentAssignment& from, std::int32_t epoch) {
    CurrentAssignment out = from;
    out.previous_epoch = from.epoch;
    out.epoch = epoch;
    return out;
}

/// The subscription lost topics: theirs have to go, though the target is the same.
CurrentAssignment drop_unsubscribed(const ReconcileInput& input) {
    OwnedPartitions kept;
    OwnedPartitions revoking = input.current.revoking;
    for (const auto& [topic, partitions] : input.current.assigned) {
        if (input.is_subscribed(topic))
            kept.emplace(topic, partitions);
        else
            revoking[topic].insert(partitions.begin(), partitions.end());
    }
    if (kept.size() == input.current.assigned.size()) return input.current;
    CurrentAssignment out = moved_to(input.current, input.current.epoch);
    out.assigned = std::move(kept);
    if (owns_any(input, revoking)) {
        out.state = MemberState::kUnrevoked;
        out.revoking = std::move(revoking);
    }
    return out;
}

struct Plan {
    OwnedPartitions kept;
    OwnedPartitions revoking;
    OwnedPartitions added;
    bool waits = false;  ///< For partitions that others own.
};

void plan_topic(const ReconcileInput& input, const Uuid& topic, Plan& plan) {
    static const std::vector<std::int32_t> nothing;
    const auto target_at = input.target.find(topic);
    const bool is_wanted = target_at != input.target.end() && input.is_subscribed(topic);
    const std::vector<std::int32_t>& target = is_wanted ? target_at->second : nothing;
    const auto assigned_at = input.current.assigned.find(topic);
    if (assigned_at != input.current.assigned.end()) {
        for (const auto& [partition, epoch] : assigned_at->second) {
            OwnedPartitions& into =
                std::ranges::binary_search(target, partition) ? plan.kept : plan.revoking;
            into[topic].emplace(partition, epoch);
        }
    }
    for (const std::int32_t partition : target) {
        if (contains(plan.kept, topic, partition)) continue;
        const bool is_free =
            !input.is_owned(topic, partition) || contains(input.current.revoking, topic, partition);
        if (is_free || input.assign_before_revoke)
            plan.added[topic].emplace(partition, input.target_epoch);
        else
            plan.waits = true;
    }
}

/// `epoch` is the one the member keeps while it has to give something up.
CurrentAssignment next(const ReconcileInput& input, std::int32_t epoch) {
    std::set<Uuid> topics;
    for (const auto& [topic, partitions] : input.target) topics.insert(topic);
    for (const auto& [topic, partitions] : input.current.assigned) topics.insert(topic);
    Plan plan;
    for (const Uuid& topic : topics) plan_topic(input, topic, plan);
    if (!plan.revoking.empty() && owns_any(input, plan.revoking) && !input.assign_before_revoke) {
        CurrentAssignment out = moved_to(input.current, epoch);
        out.state = MemberState::kUnrevoked;
        out.assigned = std::move(plan.kept);
        out.revoking = std::move(plan.revoking);
        return out;
    }
    CurrentAssignment out = moved_to(input.current, input.target_epoch);
    out.state = plan.waits ? MemberState::kUnreleased : MemberState::kStable;
    out.assigned = std::move(plan.kept);
    out.revoking.clear();
    for (auto& [topic, partitions] : plan.added)
        out.assigned[topic].insert(partitions.begin(), partitions.end());
    return out;
}

}  // namespace

Result<CurrentAssignment> reconcile(const ReconcileInput& input) {
    const CurrentAssignment& current = input.current;
    switch (current.state) {
        case MemberState::kStable:
            if (current.epoch != input.target_epoch) return next(input, current.epoch);
            return input.has_subscription_changed ? drop_unsubscribed(input) : current;
        case MemberState::kUnrevoked:
            if (!owns_any(input, current.revoking)) return next(input, current.epoch);
            return input.has_subscription_changed ? drop_unsubscribed(input) : current;
        case MemberState::kUnreleased:
            return next(input, current.epoch);
        case MemberState::kUnknown:
            if (input.owned && input.owned->empty()) return next(input, input.target_epoch);
            return Error{Errc::kFencedMemberEpoch};
    }
    return current;
}

bool is_subset(const std::optional<std::span<const OwnedTopic>>& owned,
               const OwnedPartitions& assigned) {
    return owned && std::ranges::all_of(*owned, [&assigned](const OwnedTopic& topic) {
               return assigned.contains(topic.topic_id) &&
                      std::ranges::all_of(topic.partitions, [&](std::int32_t partition) {
                          return contains(assigned, topic.topic_id, partition);
                      });
           });
}

}  // namespace leat::groups
