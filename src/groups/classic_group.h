// SPDX-License-Identifier: Apache-2.0
//
// One classic consumer group: the rules of joining, synchronising and leaving. Layer: groups (L5).
// Spec:  Kafka's classic group protocol; KIP-345 (static members), KIP-394 (member id required),
//        KIP-429 (cooperative: nothing here knows of it), KIP-814 (skipped assignment).
//
//            first join                 all joined, or time is up
//   Empty ------------> PreparingRebalance ---------------------> CompletingRebalance
//     ^                   ^       ^   |  (nobody is left)            |  leader's assignment
//     '-------------------|-------|---'                              v  is durable
//                         |       '-- join, leave, silence -------- Stable
//                         '---------- the same ----------------- CompletingRebalance
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "groups/host.h"
#include "groups/offset_table.h"
#include "groups/roster.h"

namespace leat::groups {

enum class GroupState : std::uint8_t { kEmpty, kPreparing, kCompleting, kStable };

/// As Kafka spells it.
[[nodiscard]] std::string_view name(GroupState state);

/// Of what the member offers.
[[nodiscard]] std::size_t protocol_bytes(const Join& request);

/// Threading: not synchronised. Memory: does not move; its host and its group outlive it.
class ClassicGroup {
  public:
    ClassicGroup(GroupHost& host, Group& group);
    ClassicGroup(const ClassicGroup&) = delete;
    ClassicGroup& operator=(const ClassicGroup&) = delete;
    ~ClassicGroup();

    /// The group as its last record has it. Malformed doubles are left out.
    void restore(const GroupValue& value);
    /// As after a tombstone.
    void reset();
    /// After the whole log was read: members get a fresh session, and one too many a rebalance.
    void finish_restore();

    void join(const Join& request, Answer<JoinAnswer> answer);
    void sync(const Sync& request, Answer<SyncAnswer> answer);
    Errc heartbeat(const Heartbeat& request);
    std::vector<Errc> leave(std::span<const LeavingMember> members);
    /// Whether this member may commit now; a member that may has shown that it lives.
    Errc admit_commit(const CommitOffsets& request);

    // A change of the protocol; see conversion.cc.
    struct Adopted {
        std::string id;
        std::optional<std::string> instance_id;
        std::string client_id;
        std::string client_host;
        std::chrono::milliseconds session_timeout;
        std::chrono::milliseconds rebalance_timeout;
        std::vector<Member::OwnedProtocol> protocols;
        std::vector<std::byte> assignment;
    };
    /// Everybody is gone; whoever waits is told to join again.
    void dissolve();
    /// Takes a member over. Precondition: the group is empty but for others that were adopted.
    void adopt(Adopted member);
    /// Those that were adopted are a stable group of `generation`; its record.
    [[nodiscard]] RecordToWrite begin_adopted(std::int32_t generation);
    void rebalance_adopted() { prepare_rebalance(); }
    [[nodiscard]] const std::optional<std::string>& protocol() const { return protocol_; }

    /// Writes the group without members, so that the log knows of it.
    void write_empty();
    [[nodiscard]] DescribedGroup describe() const;
    /// Whether a live consumer reads `topic`; true when that cannot be known.
    [[nodiscard]] bool is_subscribed(std::string_view topic) const;
    /// Those of `offsets` that are to be forgotten now.
    [[nodiscard]] std::vector<std::pair<std::string, std::int32_t>> expired(
        const OffsetTable& offsets) const;

    [[nodiscard]] GroupState state() const noexcept { return state_; }
    [[nodiscard]] std::int32_t generation() const noexcept { return generation_; }
    [[nodiscard]] const std::optional<std::string>& protocol_type() const { return protocol_type_; }
    [[nodiscard]] std::size_t pending_members() const noexcept { return pending_.size(); }
    [[nodiscard]] const Roster& roster() const noexcept { return roster_; }

  private:
    using Assignments = std::map<std::string, std::vector<std::byte>, std::less<>>;
    struct Awaited {
        std::unique_ptr<Timer> timer;
        HeldBytes held;
    };

    // Joining.
    [[nodiscard]] bool has_room_for(std::string_view member_id) const;
    [[nodiscard]] Errc check_join(const Join& request) const;
    [[nodiscard]] bool supports(const Join& request) const;
    /// Whether who asks is in the group, by instance id or by member id.
    [[nodiscard]] bool is_member(const Join& request) const;
    void join_new(const Join& request, Answer<JoinAnswer> answer);
    void join_known(const Join& request, Answer<JoinAnswer> answer);
    void add_member(const Join& request, std::string member_id, Answer<JoinAnswer> answer);
    void update_member(Member& member, const Join& request, Answer<JoinAnswer> answer);
    void replace_static(Member& member, const Join& request, Answer<JoinAnswer> answer);
    void persist_replaced(Member& member, std::string old_id,
                          std::vector<Member::OwnedProtocol> old_protocols, bool can_skip);
    [[nodiscard]] JoinAnswer current_answer(const Member& member, bool with_members) const;
    [[nodiscard]] std::vector<JoinedMember> joined_members() const;
    void end_join(Answer<JoinAnswer> answer, JoinAnswer with);
    static JoinAnswer refused(Errc error, std::string_view member_id);

    // Rebalancing.
    void rebalance_or_complete();
    void prepare_rebalance();
    void on_join_timer();
    void complete_if_all_joined();
    void complete_join();
    void on_sync_timer();
    [[nodiscard]] bool are_small_enough(const Assignments& assignments) const;
    void stored_assignments(std::int32_t generation, Assignments assignments, Errc error);
    void end_syncs(Errc error);
    void member_synced(Member& member);
    [[nodiscard]] SyncAnswer assignment_of(const Member& member) const;

    // Members.
    [[nodiscard]] Errc validate(std::string_view member_id,
                                const std::optional<std::string_view>& instance_id) const;
    Errc leave_one(const LeavingMember& leaving);
    void drop(Member& member, Errc join_error);
    void react_to_loss();
    void on_silence(Member& member);
    void restart_session(Member& member);
    void admit_pending(std::string id, std::chrono::milliseconds session_timeout);

    void enter(GroupState state);
    void learn_subscriptions();
    [[nodiscard]] RecordToWrite record(const Assignments* assignments);
    [[nodiscard]] RecordToWrite record_with(std::span<MemberValue> members);

    GroupHost& host_;
    Group& group_;
    GroupState state_ = GroupState::kEmpty;
    WallMs state_changed_at_{-1};
    std::int32_t generation_ = 0;
    std::optional<std::string> protocol_type_;
    std::optional<std::string> protocol_;
    Roster roster_;
    /// Ids that were given out with MEMBER_ID_REQUIRED and have not come back.
    std::map<std::string, Awaited, std::less<>> pending_;
    /// Topics of all members; none when they cannot be known.
    std::optional<std::set<std::string, std::less<>>> subscribed_;
    std::size_t unsynced_ = 0;         ///< Members with `synced` false.
    bool is_first_rebalance_ = false;  ///< Preparing, out of Empty: more members are waited for.
    bool saw_new_member_ = false;      ///< Since the delay was last set.
    std::chrono::milliseconds delay_{};
    std::chrono::milliseconds delay_left_{};
    std::function<void(Member&)> silence_;
    Timer join_timer_;
    Timer sync_timer_;
};

}  // namespace leat::groups
