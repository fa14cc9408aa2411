// SPDX-License-Identifier: Apache-2.0
//
// What lives under one group id: committed offsets, and members by one of the two protocols.
// Layer: groups (L5).
// Spec:  KIP-848, "Migration": a group changes its protocol while its members come and go.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "groups/classic_group.h"
#include "groups/consumer_group.h"
#include "groups/ledger.h"
#include "groups/offset_table.h"
#include "groups/offsets_in_flight.h"
#include "groups/pending_offsets.h"

namespace leat::groups {

/// Offsets are shared by both protocols and know nothing of them.
///
/// Invariant: with `consumer` set, nobody is in `classic`.
/// Threading: not synchronised. Memory: does not move; its host outlives it.
class Group {
  public:
    Group(GroupHost& host, std::string id)
        : host_(host),
          id_(std::move(id)),
          held_(host.memory(), bytes_of(id_)),
          offsets(host.memory()),
          pending(host.memory()),
          classic(host, *this) {}
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;
    ~Group() = default;

    [[nodiscard]] const std::string& id() const noexcept { return id_; }
    /// What a group holds for itself, with nothing in it.
    [[nodiscard]] static std::size_t bytes_of(std::string_view id) noexcept {
        return sizeof(Group) + kNodeBytes + 2 * id.size();
    }

  private:
    GroupHost& host_;
    const std::string id_;
    HeldBytes held_;

  public:
    OffsetTable offsets;
    PendingOffsets pending;  ///< Of transactions; in none of the answers.
    /// A record of the log, or one on its way, speaks of the group itself.
    bool is_recorded = false;
    OffsetsInFlight offsets_in_flight;
    std::size_t writes_in_flight = 0;  ///< Kept by the host.
    std::uint64_t last_write = 0;      ///< Its token; kept by the host.
    Ledger ledger;
    ClassicGroup classic;
    std::unique_ptr<ConsumerGroup> consumer;  ///< Set: the group is of the consumer protocol.

    [[nodiscard]] bool has_members() const;
    /// Nobody is in it, nor about to come, and nothing of it is being written.
    [[nodiscard]] bool is_idle() const;
    [[nodiscard]] std::string_view state_name() const;
    [[nodiscard]] std::string_view protocol_type() const;
    [[nodiscard]] std::vector<std::pair<std::string, std::int32_t>> expired_offsets() const;
    /// All that the log has or is about to have, committed or not, each once.
    [[nodiscard]] std::vector<std::pair<std::string, std::int32_t>> all_offsets(
        std::string_view topic = {}) const;
    /// Whether it is one of those.
    [[nodiscard]] bool has_offset(std::string_view topic, std::int32_t partition) const;
    [[nodiscard]] bool is_subscribed(std::string_view topic) const;
    /// Tombstones of what is said about the group itself.
    [[nodiscard]] std::vector<RecordToWrite> tombstones() const;
    /// As after those.
    void forget_members();

    // conversion.cc

    /// Makes it one of the consumer protocol, with whoever is in it, for `joining` to come in.
    /// Errors: kGroupIdNotFound, with the reason: this group may not or cannot change; those of
    ///         check_size(). Then nothing has changed.
    Result<void> to_consumer(const ConsumerHeartbeat& joining);
    /// A group of the consumer protocol without members becomes one that can be joined either way.
    void drop_empty_consumer();
    /// Whether it becomes a classic group when these leave.
    [[nodiscard]] bool may_downgrade_without(const std::vector<ConsumerMember*>& leaving) const;
    /// Whether it does when a member of the classic protocol takes the place of `old`.
    [[nodiscard]] bool may_downgrade_replacing(const ConsumerMember& old) const;
    /// Makes it a classic one with its members but `leaving`; all are of the classic protocol.
    void to_classic(const std::vector<ConsumerMember*>& leaving, bool must_rebalance);

  private:
    /// `size` counts one that joins, too; whether it suits `members` is for its join to say.
    [[nodiscard]] bool may_downgrade_to(const std::vector<const ConsumerMember*>& members,
                                        std::size_t size) const;
    [[nodiscard]] RecordToWrite tombstone_of_classic() const;
};

}  // namespace leat::groups
