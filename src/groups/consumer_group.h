// SPDX-License-Identifier: Apache-2.0
//
// One group of the consumer protocol: its members, what each shall have and what each has.
// Layer: groups (L5).
// Spec:  KIP-848 as Kafka 4.3 does it; members of the classic protocol may be in it too.
//
//   heartbeat ─ who is it, may it speak ─ what it says of itself ─ group epoch ─ target assignment
//             ─ one step of this member towards it (reconcile.h) ─ answer, once all is durable
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "groups/consumer_records.h"
#include "groups/consumer_size.h"
#include "groups/host.h"
#include "groups/offset_table.h"

namespace leat::groups {

/// All state is what its records say: a change is a record, applied and written.
///
/// Invariant: a partition is owned by one member at most, until the owner lets it go.
/// Threading: not synchronised. Memory: does not move; host and group outlive it.
/// Failure:   a record that is not written: see Ledger.
class ConsumerGroup {
  public:
    using Members = std::map<std::string, std::unique_ptr<ConsumerMember>, std::less<>>;

    ConsumerGroup(GroupHost& host, Group& group);
    ConsumerGroup(const ConsumerGroup&) = delete;
    ConsumerGroup& operator=(const ConsumerGroup&) = delete;
    ~ConsumerGroup();

    void load(ConsumerRecord record) { apply(std::move(record)); }  ///< One of the log.
    /// After the whole log: timers start afresh; what no record names as a member goes.
    void finish_load();

    void heartbeat(const ConsumerHeartbeat& request, Answer<ConsumerHeartbeatAnswer> answer);
    /// Epochs below 0. May turn the group into a classic one.
    void leave(const ConsumerHeartbeat& request, Answer<ConsumerHeartbeatAnswer> answer);

    /// Looks which topics the patterns stand for that have not been looked at, or not lately.
    void resolve_regexes(const std::function<bool(std::string_view)>& may_describe);

    // Members of the classic protocol.
    void join(const Join& request, Answer<JoinAnswer> answer);
    void sync(const Sync& request, Answer<SyncAnswer> answer);
    Errc heartbeat(const Heartbeat& request);
    std::vector<Errc> leave(std::span<const LeavingMember> members);

    // Offsets.
    /// One whose epoch is behind may still commit what it had then, if that is all it commits.
    [[nodiscard]] Errc admit_commit(const CommitOffsets& request) const;
    [[nodiscard]] Errc admit_fetch(const std::optional<std::string_view>& member_id,
                                   std::int32_t member_epoch) const;
    [[nodiscard]] bool is_subscribed(std::string_view topic) const;
    [[nodiscard]] std::vector<std::pair<std::string, std::int32_t>> expired(
        const OffsetTable& offsets) const;

    /// A topic of this name came, went or grew.
    void on_topic_changed(std::string_view topic);
    void on_topic_created() { must_resolve_ = true; }  ///< No pattern has been tried on it.

    void describe(Answer<DescribedConsumerGroup> answer);
    [[nodiscard]] std::string_view state_name() const;
    [[nodiscard]] bool is_empty() const noexcept { return members_.empty(); }
    [[nodiscard]] const Members& members() const noexcept { return members_; }
    [[nodiscard]] std::int32_t epoch() const noexcept { return epoch_; }

    // Conversion; see conversion.cc.
    /// Keys of all its records, as tombstones.
    [[nodiscard]] std::vector<RecordToWrite> tombstones() const;
    /// Takes a record for granted and keeps it for the next append.
    void change(ConsumerRecord record);
    /// Keeps a record of another kind for it.
    void keep(RecordToWrite record) { unwritten_.push_back(std::move(record)); }
    [[nodiscard]] std::vector<RecordToWrite> take_unwritten() {
        return std::exchange(unwritten_, {});
    }
    /// Writes what was changed; `done` hears when all that the group counts on is durable.
    void flush(GroupHost::Done done);
    /// Its timers never fire again.
    void retire();
    void restart_session(ConsumerMember& member);
    [[nodiscard]] std::int64_t topics_hash() const;

  private:
    struct Readers {
        int by_name = 0;
        int by_regex = 0;  ///< Patterns, not members.
    };
    struct Refusal {
        Errc error = Errc::kNone;
        std::string message = {};
    };
    /// How a heartbeat changed what the member reads.
    struct Subscription {
        bool topics_changed = false;
        bool regex_changed = false;
        bool is_resolved = false;  ///< The change of the pattern takes effect at once.
        [[nodiscard]] bool changed() const noexcept { return topics_changed || regex_changed; }
    };

    // State, by record.
    void apply(ConsumerRecord record);
    void apply_one(const GroupEpochRecord& record);
    void apply_one(const PartitionMetadataRecord& record);
    void apply_one(MemberMetadataRecord& record);
    void apply_one(const TargetEpochRecord& record);
    void apply_one(TargetMemberRecord& record);
    void apply_one(CurrentAssignmentRecord& record);
    void apply_one(RegexRecord& record);
    ConsumerMember& find_or_add(const std::string& member_id);
    void count(const ConsumerMember& member, int by);
    void count_topic(const std::string& topic, int by_name, int by_regex);
    void own(const OwnedPartitions& partitions, std::int32_t epoch);
    void disown(const OwnedPartitions& partitions, std::int32_t epoch);

    // Who speaks.
    [[nodiscard]] ConsumerMember* find(std::string_view member_id) const;
    [[nodiscard]] ConsumerMember* find_static(std::string_view instance_id) const;
    [[nodiscard]] bool has_room_for(std::string_view member_id) const;
    [[nodiscard]] SizesBefore sizes_before(const ConsumerMember* member) const;  ///< Null: new.
    [[nodiscard]] Refusal check_epoch(const ConsumerMember& member,
                                      const ConsumerHeartbeat& request) const;
    [[nodiscard]] Refusal check_static(const ConsumerMember* holder,
                                       const ConsumerHeartbeat& request) const;
    [[nodiscard]] Refusal check(const ConsumerHeartbeat& request) const;
    [[nodiscard]] Errc validate_classic(std::string_view member_id,
                                        const std::optional<std::string_view>& instance_id,
                                        std::int32_t generation, ConsumerMember*& member) const;
    /// The member `member_id` in the place of `old`, which is gone.
    ConsumerMember& replace(ConsumerMember& old, const std::string& member_id);

    // What a heartbeat does.
    Subscription update_metadata(ConsumerMember& member, MemberMetadata metadata);
    void raise_epoch_if(bool must);
    void update_target();
    void write_new_target();  ///< As update_target(), of a call that need not write.
    void assign();
    [[nodiscard]] Result<void> step(ConsumerMember& member, bool subscription_changed,
                                    const std::optional<std::span<const OwnedTopic>>& owned);
    void answer_heartbeat(const ConsumerHeartbeat& request, const ConsumerMember& member,
                          bool must_tell, Answer<ConsumerHeartbeatAnswer> answer);
    ConsumerMember& speaker(const ConsumerHeartbeat& request);  ///< The sender, made when new.
    /// All patterns are to be tried on the topics again.
    [[nodiscard]] bool must_look_again() const;
    [[nodiscard]] bool has_unresolved() const;
    [[nodiscard]] std::vector<std::string> take_unresolved();
    void remove(ConsumerMember& member);
    /// Members that go; false when the group became a classic one, and this one is retired.
    bool fence(const std::vector<ConsumerMember*>& members);
    void on_lost(ConsumerMember& member);

    // Looking.
    [[nodiscard]] bool is_homogeneous() const;
    [[nodiscard]] std::vector<Uuid> topic_ids(const MemberMetadata& metadata) const;
    [[nodiscard]] bool is_reading(const MemberMetadata& metadata, const Uuid& topic) const;
    [[nodiscard]] AssignorKind preferred_assignor() const;
    [[nodiscard]] std::chrono::milliseconds heartbeat_interval(const ConsumerMember& member) const;
    [[nodiscard]] DescribedConsumerGroup describe_now() const;
    [[nodiscard]] std::vector<std::byte> classic_assignment(const ConsumerMember& member) const;
    [[nodiscard]] bool waits_for_others(const ConsumerMember& member) const;
    [[nodiscard]] bool supports_classic(const Join& request) const;

    GroupHost& host_;
    Group& group_;
    std::int32_t epoch_ = 1;
    std::int64_t metadata_hash_ = 0;
    std::int32_t assignment_epoch_ = 1;
    std::int64_t assigned_at_ = 0;  ///< Wall clock, milliseconds; 0: never.
    bool has_partition_metadata_ = false;
    bool must_refresh_ = true;  ///< Topics may have changed since the hash was taken.
    bool must_resolve_ = true;  ///< Topics came since the patterns were looked at.
    Members members_;
    std::map<std::string, ConsumerMember*, std::less<>> statics_;
    std::map<std::string, Readers, std::less<>> topics_;  ///< That anybody reads.
    std::map<std::string, int, std::less<>> regexes_;     ///< Members that read by each.
    std::map<std::string, ResolvedRegex, std::less<>> resolved_;
    std::set<std::string> stale_;  ///< Patterns that are still to be tried again.
    std::int64_t looked_at_ = 0;   ///< When the last such round began; 0: not in this life.
    std::map<std::string, int, std::less<>> assignors_;
    std::map<std::string, int, std::less<>> classic_protocols_;
    std::size_t classic_members_ = 0;
    std::size_t member_bytes_ = 0;  ///< Of all members, as bytes_of() has it.
    HeldBytes held_;                ///< Of itself and of what patterns stand for.
    /// The epoch of the owner of each partition that has one.
    std::map<Uuid, std::map<std::int32_t, std::int32_t>> owners_;
    std::vector<RecordToWrite> unwritten_;  ///< Changed since the last flush().
    std::function<void(ConsumerMember&)> lost_;
};

}  // namespace leat::groups
