// SPDX-License-Identifier: Apache-2.0
//
// The server-side assignors: which member shall read which partition. Layer: groups (L5). Pure.
// Spec:  KIP-848; results are those of Kafka 4.3.1's "range" and "uniform".
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/uuid.h"

namespace leat::groups {

/// Partitions of topics, ascending, none twice; no topic without any.
using TopicPartitions = std::map<Uuid, std::vector<std::int32_t>>;

enum class AssignorKind : std::uint8_t { kUniform, kRange };

/// "uniform" and "range"; nullopt for anything else.
[[nodiscard]] std::optional<AssignorKind> assignor_named(std::string_view name);
[[nodiscard]] std::string_view name(AssignorKind kind);

/// A member as an assignor sees it.
struct AssignedMember {
    std::string_view id = {};
    std::optional<std::string_view> instance_id = {};
    std::span<const Uuid> topics = {};        ///< That it reads and that exist, each once.
    const TopicPartitions* target = nullptr;  ///< What it was given last; null for nothing.
};

struct AssignorInput {
    std::span<const AssignedMember> members = {};  ///< In the order in which they are kept.
    /// All members read the same topics.
    bool is_homogeneous = false;
    /// Of a topic that some member reads. Precondition of assign(): above 0.
    std::function<std::int32_t(const Uuid&)> partition_count = {};
};

/// What each member shall have from now on, in the order of `input.members`. Every partition of
/// every topic that is read gets exactly one member; what a member had it keeps where the balance
/// lets it (uniform). Precondition: targets name each partition once, none beyond its topic's.
[[nodiscard]] std::vector<TopicPartitions> assign(AssignorKind kind, const AssignorInput& input);

}  // namespace leat::groups
