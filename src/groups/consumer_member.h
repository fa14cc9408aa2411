// SPDX-License-Identifier: Apache-2.0
//
// A member of a group of the consumer protocol, as its records have it. Layer: groups (L5).
// Spec:  KIP-848; records ConsumerGroupMemberMetadata, -CurrentMemberAssignment.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "groups/assignor.h"
#include "groups/group_memory.h"
#include "groups/timer_queue.h"

namespace leat::groups {

/// Partitions with the epoch at which the member got each.
using PartitionEpochs = std::map<std::int32_t, std::int32_t>;
using OwnedPartitions = std::map<Uuid, PartitionEpochs>;

inline constexpr std::int32_t kJoinEpoch = 0;
inline constexpr std::int32_t kLeaveEpoch = -1;
/// A static member that means to come back.
inline constexpr std::int32_t kLeaveForAWhileEpoch = -2;

/// Numbers are those of the record.
enum class MemberState : std::int8_t {
    kStable = 0,
    kUnrevoked = 1,   ///< Has to give partitions up before it gets on.
    kUnreleased = 2,  ///< Waits for partitions that others have not given up.
    kUnknown = 127,
};

/// What a member of the classic protocol brought along.
struct ClassicMetadata {
    struct Protocol {
        std::string name;
        std::vector<std::byte> metadata;
        friend bool operator==(const Protocol&, const Protocol&) = default;
    };
    std::int32_t session_timeout_ms = 0;
    std::vector<Protocol> protocols;  ///< Best first; never empty.
    friend bool operator==(const ClassicMetadata&, const ClassicMetadata&) = default;
};

/// What a member says of itself.
struct MemberMetadata {
    std::optional<std::string> instance_id;
    std::optional<std::string> rack_id;
    std::string client_id;
    std::string client_host;
    std::set<std::string> topics;
    std::string regex;  ///< Empty: none.
    std::int32_t rebalance_timeout_ms = -1;
    std::optional<std::string> assignor;
    std::optional<ClassicMetadata> classic;  ///< Uses the classic protocol.
    friend bool operator==(const MemberMetadata&, const MemberMetadata&) = default;
};

/// Where a member is on its way to its target.
struct CurrentAssignment {
    std::int32_t epoch = kJoinEpoch;
    std::int32_t previous_epoch = -1;
    MemberState state = MemberState::kStable;
    OwnedPartitions assigned;
    OwnedPartitions revoking;  ///< To be given up; still its own.

    [[nodiscard]] bool is_reconciled_to(std::int32_t target_epoch) const noexcept {
        return state == MemberState::kStable && epoch == target_epoch;
    }
    friend bool operator==(const CurrentAssignment&, const CurrentAssignment&) = default;
};

/// Threading: not synchronised. Memory: does not move.
struct ConsumerMember {
    ConsumerMember(TimerQueue& queue, GroupMemory& memory, std::string member_id,
                   const std::function<void(ConsumerMember&)>& on_lost)
        : id(std::move(member_id)),
          held(memory),
          session(queue, [this, on_lost] { on_lost(*this); }),
          rebalance(queue, [this, on_lost] { on_lost(*this); }),
          sync(queue, [this, on_lost] { on_lost(*this); }) {}

    const std::string id;
    MemberMetadata metadata;
    CurrentAssignment current;
    std::uint64_t assigned_version = 0;     ///< Rises when `current.assigned` changes.
    std::optional<TopicPartitions> target;  ///< None: no record says so.
    bool is_named = false;                  ///< A metadata record speaks of it.
    HeldBytes held;                         ///< What it said and what it was given.
    Timer session;
    Timer rebalance;  ///< To revoke what it has to; of a classic member, to join again.
    Timer sync;       ///< Of a classic member that has joined.

    [[nodiscard]] bool is_classic() const noexcept { return metadata.classic.has_value(); }
};

/// What a member has at least, beside what it said.
inline constexpr std::size_t kMemberBytes = 256;
/// What a name in a list takes beside its text.
inline constexpr std::size_t kNameBytes = 64;

/// What the member makes us hold by what it said of itself.
[[nodiscard]] std::size_t bytes_of(const ConsumerMember& member);
[[nodiscard]] std::size_t bytes_of(std::string_view member_id, const MemberMetadata& said);

}  // namespace leat::groups
