// SPDX-License-Identifier: Apache-2.0
//
// All groups of one partition of __consumer_offsets, as a state machine without clock, disk or
// network. Layer: groups (L5).
// Spec:  Kafka's group coordinator; KIP-211 (retention), KIP-345, KIP-394, KIP-814, KIP-848.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "coordination/answer_queue.h"
#include "coordination/append_queue.h"
#include "groups/group.h"

namespace leat::groups {

/// Takes commands and the time; gives answers, records to append and the next deadline.
///
/// Usage: load_record() for each record of the partition in order, finish_load(), then commands.
///        After each call that takes a time: append take_writes(), in order; report each with
///        on_written(); call advance() at next_deadline().
/// Invariant: what an answer promises is durable; what a reader is shown was durable before.
/// Answers: run before the call that settles them returns, and may call back in.
/// Threading: shard-local. Memory: commands are not kept. Bounds: see Settings.
class Coordinator final : private GroupHost {
  public:
    /// `random` gives 64 random bits. `cluster` and `memory` outlive this; without the one there
    /// are no topics, without the other its groups are the only ones that are counted.
    Coordinator(const Settings& settings, std::function<std::uint64_t()> random,
                const ClusterView* cluster = nullptr, GroupMemory* memory = nullptr);
    ~Coordinator();
    Coordinator(const Coordinator&) = delete;
    Coordinator& operator=(const Coordinator&) = delete;

    /// The next record of the partition; no value means a tombstone. What cannot be read is counted
    /// and left alone. `producer_id` is that of a transactional batch, else -1.
    void load_record(Bytes key, std::optional<Bytes> value, Now now, std::int64_t producer_id = -1);
    void finish_load(Now now);
    [[nodiscard]] std::size_t unreadable_records() const noexcept { return unreadable_; }

    /// Errors: kInvalidGroupId, kInvalidSessionTimeout, kInconsistentGroupProtocol,
    ///         kUnknownMemberId, kMemberIdRequired (with the id to come back with),
    ///         kGroupMaxSizeReached, kFencedInstanceId, kRebalanceInProgress (another request of
    ///         the member took its place), kPolicyViolation (a bound of Settings),
    ///         kCoordinatorNotAvailable (all groups hold as much as they may, and this is a new
    ///         member), and those of appends, as of all that follow.
    void join(const Join& request, Now now, Answer<JoinAnswer> answer);
    /// Errors: kInvalidGroupId, kUnknownMemberId, kFencedInstanceId, kIllegalGeneration,
    ///         kInconsistentGroupProtocol, kRebalanceInProgress, and those of appends.
    void sync(const Sync& request, Now now, Answer<SyncAnswer> answer);
    /// Errors: as sync(); kRebalanceInProgress tells the member to join again.
    [[nodiscard]] Errc heartbeat(const Heartbeat& request, Now now);
    /// Errors, of each member: kUnknownMemberId, kFencedInstanceId.
    [[nodiscard]] LeaveAnswer leave(const Leave& request, Now now);

    /// Errors: kInvalidRequest, kUnsupportedAssignor, kGroupIdNotFound, kGroupMaxSizeReached,
    ///         kUnknownMemberId, kFencedMemberEpoch, kUnreleasedInstanceId, kFencedInstanceId,
    ///         kInvalidRegularExpression, kPolicyViolation (a bound of Settings),
    ///         kCoordinatorLoadInProgress (where join() has kCoordinatorNotAvailable), those of
    ///         appends.
    void consumer_heartbeat(const ConsumerHeartbeat& request, Now now,
                            Answer<ConsumerHeartbeatAnswer> answer);
    /// After a heartbeat that wants it, with what its sender may know of.
    void resolve_patterns(std::string_view group_id,
                          const std::function<bool(std::string_view)>& may_describe, Now now);
    /// Errors: kGroupIdNotFound, and those of appends.
    void describe_consumer(std::string_view group_id, Now now,
                           Answer<DescribedConsumerGroup> answer);

    /// Errors of the whole: kIllegalGeneration, kUnknownMemberId, kFencedInstanceId,
    ///         kRebalanceInProgress, kStaleMemberEpoch, kUnsupportedVersion; of a partition:
    ///         kOffsetMetadataTooLarge, kPolicyViolation (too many), kCoordinatorNotAvailable (all
    ///         groups hold as much as they may, and this is new), and those of appends
    ///         (kInvalidCommitOffsetSize for a batch too large).
    void commit_offsets(const CommitOffsets& request, Now now, Answer<CommitAnswer> answer);
    /// The marker of a producer's transaction is in the log, read or just written: what is pending
    /// of it holds, or is dropped.
    void end_transaction(std::int64_t producer_id, bool committed, Now now);
    /// Whether this member may read offsets now; always, when none is named.
    /// Errors: kUnknownMemberId, kStaleMemberEpoch, kIllegalGeneration.
    [[nodiscard]] Errc admit_fetch(std::string_view group_id,
                                   const std::optional<std::string_view>& member_id,
                                   std::int32_t member_epoch) const;
    /// As many as asked for, with -1 where nothing was committed; so too of an unknown group. With
    /// `stable_only` kUnstableOffsetCommit for what an open transaction is about to change.
    [[nodiscard]] std::vector<FetchedOffset> fetch_offsets(
        std::string_view group_id, std::span<const TopicPartition> partitions,
        bool stable_only = false) const;
    [[nodiscard]] std::vector<FetchedPartition> fetch_all_offsets(std::string_view group_id,
                                                                  bool stable_only = false) const;
    /// Errors of the whole: kInvalidGroupId, kGroupIdNotFound, kNonEmptyGroup (of another protocol
    ///         than consumers'); of a partition: kGroupSubscribedToTopic.
    void delete_offsets(std::string_view group_id, std::span<const TopicPartition> partitions,
                        Now now, Answer<DeleteOffsetsAnswer> answer);
    /// Errors: kGroupIdNotFound, kNonEmptyGroup, and those of appends.
    void delete_group(std::string_view group_id, Now now, Answer<Errc> answer);
    [[nodiscard]] DescribedGroup describe(std::string_view group_id) const;
    [[nodiscard]] std::vector<ListedGroup> list() const;
    [[nodiscard]] bool has_group(std::string_view group_id) const { return find(group_id); }
    /// Topics that some group has offsets of, each once.
    [[nodiscard]] std::vector<std::string> topics_with_offsets() const;
    /// Forgets the topic's offsets in all groups.
    void on_topic_deleted(std::string_view topic, Now now);
    /// A topic came or grew: groups that read it, or might, see to it with their next heartbeat.
    void on_topic_changed(std::string_view topic, bool is_new);

    /// Bounds and times from now on; timers that run already keep theirs.
    void set_settings(const Settings& settings) { settings_ = settings; }

    /// What is to be appended since the last call, oldest first. Each Write is one batch.
    [[nodiscard]] std::vector<Write> take_writes() { return appends_.take(); }
    /// kNone: the records are durable. Else they are not in the log and never will be. Exactly once
    /// for each token, in any order; takes effect in the order of the tokens.
    void on_written(std::uint64_t token, Errc outcome, Now now);

    /// When to call advance() at the latest.
    [[nodiscard]] std::optional<Instant> next_deadline() const { return timers_.next(); }
    void advance(Now now);

  private:
    /// What waits for an append.
    struct Waiting {
        Group* group;
        Done done;
        std::vector<Done> followers = {};  ///< Of when_written().
    };

    [[nodiscard]] GroupHost& host() { return *this; }

    // GroupHost.
    [[nodiscard]] const Settings& settings() const override { return settings_; }
    [[nodiscard]] TimerQueue& timers() override { return timers_; }
    [[nodiscard]] Now now() const override { return now_; }
    [[nodiscard]] std::string random_id() override;
    void append(Group& group, std::vector<RecordToWrite> records, Done done) override;
    void append_kept(Group& group, std::vector<RecordToWrite> records, Done done) override;
    void when_written(Group& group, Done done) override;
    [[nodiscard]] const ClusterView& cluster() const override { return *cluster_; }
    [[nodiscard]] GroupMemory& memory() override { return *memory_; }
    void later(std::move_only_function<void()> answer) override;

    void enqueue(Group& group, std::vector<RecordToWrite> records, Errc too_large, Done done,
                 std::optional<Producer> producer = {});
    void written(Waiting waiting, Errc error);
    void settle() { answers_.give(); }
    [[nodiscard]] Group* find(std::string_view group_id) const;
    /// Null with a reason when there are as many as there may be.
    Group* find_or_create(std::string_view group_id, Errc& error);
    void load_offset(const OffsetKey& key, std::optional<Bytes> value, std::int64_t producer_id);
    /// An offset whose record is in the log; producer -1: of no transaction.
    void take_offset(Group& group, std::string_view topic, std::int32_t partition,
                     CommittedOffset offset, std::int64_t producer_id);
    /// Those of a commit that is durable.
    void take_offsets(Group& group, OffsetsInFlight::Commit commit);
    void load_group(const GroupKey& key, std::optional<Bytes> value);
    void load_consumer(Bytes key, std::optional<Bytes> value);
    Group& find_or_load(std::string_view group_id);
    /// The group that a member of the consumer protocol speaks of; null with a refusal.
    Group* consumer_group_for(const ConsumerHeartbeat& request, Errc& error, std::string& message);
    void commit_to(Group& group, const CommitOffsets& request, Answer<CommitAnswer> answer);
    [[nodiscard]] Errc check_offset(const Group& group, const CommitOffsets& request,
                                    const OffsetToCommit& offset);
    /// Writes tombstones of the offsets, and of the group if it is to go; then removes them.
    void forget(Group& group, std::vector<std::pair<std::string, std::int32_t>> partitions,
                bool with_group, Done done);
    void forgotten(Group& group, const std::vector<std::pair<std::string, std::int32_t>>& batch);
    void remove_if_unused(Group& group);
    void expire_some();

    Settings settings_;
    std::function<std::uint64_t()> random_;
    const ClusterView* cluster_;
    GroupMemory own_memory_;  ///< When it shares none.
    GroupMemory* memory_;
    Now now_;
    TimerQueue timers_;
    std::map<std::string, std::unique_ptr<Group>, std::less<>> groups_;
    /// Groups with pending offsets, by producer.
    std::map<std::int64_t, std::set<std::string>> transactions_;
    std::uint64_t taken_ = 0;  ///< Offsets that the log has given, for CommittedOffset::order.
    coordination::AppendQueue<Waiting> appends_;
    coordination::AnswerQueue answers_;
    std::size_t unreadable_ = 0;
    std::string expired_up_to_;  ///< Where the next step of expiry goes on; empty at the start.
    Timer expiry_timer_;
};

}  // namespace leat::groups
