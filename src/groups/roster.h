// SPDX-License-Identifier: Apache-2.0
//
// The members of a group: who they are, what they support, who leads. No rules of rebalancing.
// Layer: groups (L5).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "groups/group_memory.h"
#include "groups/timer_queue.h"
#include "groups/types.h"

namespace leat::groups {

/// Threading: not synchronised.
struct Member {
    struct OwnedProtocol {
        std::string name;
        std::vector<std::byte> metadata;
    };

    Member(TimerQueue& queue, GroupMemory& memory, const std::function<void(Member&)>& on_silence)
        : held(memory), session(queue, [this, on_silence] { on_silence(*this); }) {}

    std::uint64_t order = 0;  ///< Given by the roster: members stand in the order of joining.
    std::string id;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    std::chrono::milliseconds session_timeout{};
    std::chrono::milliseconds rebalance_timeout{};
    std::vector<OwnedProtocol> protocols;  ///< Best first; change with Roster::set_protocols().
    /// Change with Roster::set_assignment().
    std::vector<std::byte> assignment;
    bool is_new = false;             ///< Has not had its first answer, so cannot send heartbeats.
    bool synced = true;              ///< Has asked for its assignment of this generation.
    Answer<JoinAnswer> parked_join;  ///< Set and taken by the roster, which counts them.
    Answer<SyncAnswer> parked_sync;
    HeldBytes held;  ///< As bytes() has it; kept by the roster.
    Timer session;

    [[nodiscard]] bool is_awaiting_join() const noexcept { return parked_join != nullptr; }
    [[nodiscard]] bool is_static() const noexcept { return instance_id.has_value(); }
    /// What the member said with `protocol`; empty when it does not support it.
    [[nodiscard]] Bytes metadata(std::string_view protocol) const;
    [[nodiscard]] bool has_same_protocols(std::span<const Protocol> other) const;
    /// Of what it offers.
    [[nodiscard]] std::size_t protocol_bytes() const;
    /// What it takes in memory.
    [[nodiscard]] std::size_t bytes() const;
};

/// Invariant: the leader is a member, or the roster is empty; an instance id has one member.
/// Threading: not synchronised.
class Roster {
  public:
    using Members = std::map<std::uint64_t, std::unique_ptr<Member>>;

    /// The first member leads. Precondition: neither id nor instance id is here.
    Member& add(std::unique_ptr<Member> member);
    /// When it led, the oldest of the others leads. Precondition: nothing of it is parked.
    void remove(Member& member);
    /// The member goes by `id` from now on, and still leads if it led.
    void rename(Member& member, std::string id);
    void set_protocols(Member& member, std::span<const Protocol> protocols);
    void set_protocols(Member& member, std::vector<Member::OwnedProtocol> protocols);
    static void set_assignment(Member& member, std::vector<std::byte> assignment);

    /// Parks `answer`; what was parked before is returned for the caller to end.
    [[nodiscard]] Answer<JoinAnswer> park_join(Member& member, Answer<JoinAnswer> answer);
    [[nodiscard]] Answer<JoinAnswer> take_join(Member& member);

    /// Makes a member lead that waits for the rebalance to end; false when the leader does not and
    /// nobody else does either.
    bool elect_joined_leader();
    void set_leader(std::string_view id) { leader_ = id; }

    [[nodiscard]] Member* find(std::string_view id) const;
    [[nodiscard]] Member* find_static(std::string_view instance_id) const;
    [[nodiscard]] const Members& members() const noexcept { return members_; }
    [[nodiscard]] bool is_empty() const noexcept { return members_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
    [[nodiscard]] std::size_t awaiting_join() const noexcept { return awaiting_join_; }
    [[nodiscard]] std::size_t protocol_bytes() const noexcept { return protocol_bytes_; }
    [[nodiscard]] const std::string& leader() const noexcept { return leader_; }
    [[nodiscard]] std::chrono::milliseconds longest_rebalance_timeout() const;
    /// Whether each member supports at least one of `protocols`, and the same one.
    [[nodiscard]] bool supports_any(std::span<const Protocol> protocols) const;
    /// Each member votes for the first of its protocols that all support; ties go to the protocol
    /// that got its first vote first. Precondition: not empty.
    [[nodiscard]] std::string vote() const;

  private:
    void count_protocols(const Member& member, int by);

    Members members_;
    std::map<std::string, Member*, std::less<>> by_id_;
    std::map<std::string, Member*, std::less<>> by_instance_;
    std::map<std::string, std::size_t, std::less<>> supporters_;  ///< Of each protocol.
    std::string leader_;
    std::uint64_t order_ = 0;
    std::size_t awaiting_join_ = 0;
    std::size_t protocol_bytes_ = 0;
};

}  // namespace leat::groups
