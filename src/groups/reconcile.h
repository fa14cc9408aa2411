// SPDX-License-Identifier: Apache-2.0
//
// One step of a member on its way to its target assignment. Layer: groups (L5). Pure.
// Spec:  KIP-848, "Assignment process": what has to go is given up before anything new comes, and a
//        partition comes only once its last owner has let it go.
//
//            target moved, nothing to give up        all free
//   Stable -------------------------------> Unreleased ----> Stable
//     |  ^                                      ^
//     |  '---- owns none of them any more ------'
//     '------> Unrevoked -----------------------'
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "base/result.h"
#include "groups/consumer_member.h"
#include "groups/consumer_types.h"

namespace leat::groups {

struct ReconcileInput {
    const CurrentAssignment& current;
    std::int32_t target_epoch = 0;
    const TopicPartitions& target;
    bool has_subscription_changed = false;
    /// What the member says it owns; none when it says nothing of it.
    std::optional<std::span<const OwnedTopic>> owned = {};
    std::function<bool(const Uuid&)> is_subscribed = {};  ///< And the topic exists.
    /// Whether any member owns it, or has still to give it up.
    std::function<bool(const Uuid&, std::int32_t)> is_owned = {};
    bool assign_before_revoke = false;  ///< A fault: see Faults.
};

/// Where the member stands now; the same as before when nothing moves.
/// Errors: kFencedMemberEpoch: a newer broker left it in a state that is not known here.
[[nodiscard]] Result<CurrentAssignment> reconcile(const ReconcileInput& input);

/// Whether all of `owned` is in `assigned`; false when nothing was said.
[[nodiscard]] bool is_subset(const std::optional<std::span<const OwnedTopic>>& owned,
                             const OwnedPartitions& assigned);

}  // namespace leat::groups
