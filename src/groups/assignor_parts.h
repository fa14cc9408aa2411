// SPDX-License-Identifier: Apache-2.0
//
// The three ways of assigning that assign() picks from. Layer: groups (L5). Private to
// assignor*.cc.
#pragma once

#include "groups/assignor.h"

namespace leat::groups {

/// Partitions in ranges, by the order of instance and member ids.
[[nodiscard]] std::vector<TopicPartitions> assign_ranges(const AssignorInput& input);
/// Balanced and sticky, when all members read the same topics.
[[nodiscard]] std::vector<TopicPartitions> assign_uniform(const AssignorInput& input);
/// Balanced and sticky, when they do not.
[[nodiscard]] std::vector<TopicPartitions> assign_uniform_mixed(const AssignorInput& input);

/// Indexes of the members in the order in which Kafka's map of them is walked.
[[nodiscard]] std::vector<std::uint32_t> walk_members(const AssignorInput& input);

}  // namespace leat::groups
