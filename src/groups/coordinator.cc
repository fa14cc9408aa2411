// SPDX-License-Identifier: Apache-2.0
#include "groups/coordinator.h"

#include <set>

#include "base/bounded_time.h"

namespace leat::groups {
namespace {

FetchedOffset fetched(const CommittedOffset& committed) {
    return {.offset = committed.offset,
            .leader_epoch = committed.leader_epoch,
            .metadata = committed.metadata,
            .topic_id = committed.topic_id};
}

}  // namespace

Coordinator::Coordinator(const Settings& settings, std::function<std::uint64_t()> random,
                         const ClusterView* cluster, GroupMemory* memory)
    : settings_(settings),
      random_(std::move(random)),
      cluster_(cluster != nullptr ? cluster : &no_topics()),
      memory_(memory != nullptr ? memory : &own_memory_),
      expiry_timer_(timers_, [this] { expire_some(); }) {}

Coordinator::~Coordinator() = default;

void Coordinator::load_record(Bytes key, std::optional<Bytes> value, Now now,
                              std::int64_t producer_id) {
    now_ = now;
    if (!value && settings_.faults.ignore_tombstones) return;
    const Result<Key> decoded = decode_key(key);
    if (!decoded) {
        ++unreadable_;
        return;
    }
    if (const auto* offset = std::get_if<OffsetKey>(&*decoded))
        load_offset(*offset, value, producer_id);
    if (const auto* group = std::get_if<GroupKey>(&*decoded)) load_group(*group, value);
    if (const auto* other = std::get_if<OtherKey>(&*decoded))
        if (is_consumer_record(other->version)) load_consumer(key, value);
}

Group& Coordinator::find_or_load(std::string_view group_id) {
    // The log is the truth: no bound holds back what was acknowledged once.
    auto& place = groups_[std::string{group_id}];
    if (!place) place = std::make_unique<Group>(host(), std::string{group_id});
    return *place;
}

void Coordinator::load_offset(const OffsetKey& key, std::optional<Bytes> value,
                              std::int64_t producer_id) {
    if (!value) {
        Group* group = find(key.group_id);
        if (group == nullptr) return;
        group->offsets.erase(key.topic, key.partition);
        group->pending.erase(key.topic, key.partition);
        // A group that was only offsets is gone with the last of them.
        if (!group->is_recorded && group->offsets.is_empty() && group->pending.is_empty())
            groups_.erase(group->id());
        return;
    }
    const Result<OffsetValue> decoded = decode_offset_value(*value);
    if (!decoded) {
        ++unreadable_;
        return;
    }
    take_offset(find_or_load(key.group_id), key.topic, key.partition,
                CommittedOffset::from(*decoded), producer_id);
}

void Coordinator::load_group(const GroupKey& key, std::optional<Bytes> value) {
    Group* group = find(key.group_id);
    if (!value) {
        // That of a classic group that became one of the consumer protocol may come late.
        if (group == nullptr || group->consumer) return;
        if (group->offsets.is_empty() && group->pending.is_empty())
            groups_.erase(group->id());
        else
            group->classic.reset();
        return;
    }
    Arena arena;
    const Result<GroupValue> decoded = decode_group_value(*value, arena);
    if (!decoded) {
        ++unreadable_;
        return;
    }
    Group& restored = find_or_load(key.group_id);
    restored.consumer.reset();
    restored.classic.restore(*decoded);
}

void Coordinator::finish_load(Now now) {
    now_ = now;
    for (const auto& [id, group] : groups_) {
        if (group->consumer)
            group->consumer->finish_load();
        else
            group->classic.finish_restore();
    }
    expiry_timer_.set(now.mono + settings_.retention_check_interval);
    settle();
}

std::string Coordinator::random_id() {
    const Uuid id = Uuid::from_random(random_(), random_());
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < id.bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
        out += kDigits[id.bytes[i] >> 4U];
        out += kDigits[id.bytes[i] & 0xFU];
    }
    return out;
}

void Coordinator::append(Group& group, std::vector<RecordToWrite> records, Done done) {
    std::vector<Ledger::Key> keys = group.ledger.overtake(records);
    if (!keys.empty()) {
        done = [&group, keys = std::move(keys), done = std::move(done)](Errc outcome) mutable {
            group.ledger.overtaken(keys, outcome == Errc::kNone);
            done(outcome);
        };
    }
    enqueue(group, std::move(records), Errc::kUnknownServerError, std::move(done));
}

void Coordinator::enqueue(Group& group, std::vector<RecordToWrite> records, Errc too_large,
                          Done done, std::optional<Producer> producer) {
    ++group.writes_in_flight;
    group.last_write =
        appends_.push(std::move(records), {&group, std::move(done)}, producer, too_large);
}

void Coordinator::later(std::move_only_function<void()> answer) {
    answers_.push(std::move(answer));
}

void Coordinator::on_written(std::uint64_t token, Errc outcome, Now now) {
    now_ = now;
    appends_.on_written(token, outcome, [this](Waiting waiting, Errc error) {
        written(std::move(waiting), error);
    });
    settle();
}

void Coordinator::written(Waiting waiting, Errc error) {
    Group& group = *waiting.group;
    --group.writes_in_flight;
    waiting.done(error);
    const Errc torn = group.ledger.is_torn() ? Errc::kCoordinatorNotAvailable : Errc::kNone;
    for (Done& follower : waiting.followers)
        later([follower = std::move(follower), torn]() mutable { follower(torn); });
    remove_if_unused(group);
}

void Coordinator::advance(Now now) {
    now_ = now;
    timers_.fire(now.mono);
    settle();
}

Group* Coordinator::find(std::string_view group_id) const {
    const auto at = groups_.find(group_id);
    return at == groups_.end() ? nullptr : at->second.get();
}

Group* Coordinator::find_or_create(std::string_view group_id, Errc& error) {
    if (Group* group = find(group_id)) return group;
    if (groups_.size() >= settings_.groups_max) {
        error = Errc::kPolicyViolation;
        return nullptr;
    }
    if (!host().has_memory_for(Group::bytes_of(group_id))) {
        error = Errc::kCoordinatorNotAvailable;
        return nullptr;
    }
    std::string id{group_id};
    auto group = std::make_unique<Group>(host(), id);
    return groups_.emplace(std::move(id), std::move(group)).first->second.get();
}

/// A group that no record in the log or on its way speaks of need not be kept.
void Coordinator::remove_if_unused(Group& group) {
    const bool is_used = group.is_recorded || !group.offsets.is_empty() ||
                         !group.pending.is_empty() || !group.is_idle();
    if (!is_used) groups_.erase(groups_.find(group.id()));
}

void Coordinator::join(const Join& request, Now now, Answer<JoinAnswer> answer) {
    now_ = now;
    const auto refuse = [&](Errc error) {
        answer({.error = error, .member_id = std::string{request.member_id}});
    };
    const std::chrono::milliseconds session{request.session_timeout_ms};
    if (request.group_id.empty()) return refuse(Errc::kInvalidGroupId);
    if (session < settings_.session_timeout_min || session > settings_.session_timeout_max)
        return refuse(Errc::kInvalidSessionTimeout);
    Group* group = find(request.group_id);
    const bool is_new = group == nullptr;
    if (is_new) {
        // Only somebody who has been here before has a member id.
        if (!request.member_id.empty()) return refuse(Errc::kUnknownMemberId);
        Errc error = Errc::kNone;
        group = find_or_create(request.group_id, error);
        if (group == nullptr) return refuse(error);
    }
    if (group->consumer && !group->consumer->is_empty()) {
        group->consumer->join(request, std::move(answer));
        return settle();
    }
    const bool was_consumer = group->consumer != nullptr;
    if (was_consumer) group->drop_empty_consumer();
    if (was_consumer && !request.member_id.empty()) {
        refuse(Errc::kUnknownMemberId);
        remove_if_unused(*group);
        return settle();
    }
    group->classic.join(request, std::move(answer));
    if (is_new || was_consumer) group->classic.write_empty();
    settle();
}

void Coordinator::sync(const Sync& request, Now now, Answer<SyncAnswer> answer) {
    now_ = now;
    if (request.group_id.empty()) return answer({.error = Errc::kInvalidGroupId});
    Group* group = find(request.group_id);
    if (group == nullptr) return answer({.error = Errc::kUnknownMemberId});
    if (group->consumer)
        group->consumer->sync(request, std::move(answer));
    else
        group->classic.sync(request, std::move(answer));
    settle();
}

Errc Coordinator::heartbeat(const Heartbeat& request, Now now) {
    now_ = now;
    if (request.group_id.empty()) return Errc::kInvalidGroupId;
    Group* group = find(request.group_id);
    if (group == nullptr) return Errc::kUnknownMemberId;
    return group->consumer ? group->consumer->heartbeat(request)
                           : group->classic.heartbeat(request);
}

LeaveAnswer Coordinator::leave(const Leave& request, Now now) {
    now_ = now;
    if (request.group_id.empty()) return {.error = Errc::kInvalidGroupId, .members = {}};
    Group* group = find(request.group_id);
    if (group == nullptr) return {.error = Errc::kUnknownMemberId, .members = {}};
    LeaveAnswer answer{.members = group->consumer ? group->consumer->leave(request.members)
                                                  : group->classic.leave(request.members)};
    settle();
    return answer;
}

DescribedGroup Coordinator::describe(std::string_view group_id) const {
    const Group* group = find(group_id);
    if (group != nullptr && !group->consumer) return group->classic.describe();
    return {.error = Errc::kGroupIdNotFound,
            .message = "Group " + std::string{group_id} +
                       (group == nullptr ? " not found." : " is not a classic group."),
            .state = "Dead"};
}

std::vector<ListedGroup> Coordinator::list() const {
    std::vector<ListedGroup> out;
    out.reserve(groups_.size());
    for (const auto& [id, group] : groups_) {
        out.push_back({id, std::string{group->protocol_type()}, group->state_name(),
                       group->consumer ? "consumer" : "classic"});
    }
    return out;
}

std::vector<std::string> Coordinator::topics_with_offsets() const {
    std::set<std::string> all;
    for (const auto& [id, group] : groups_)
        for (auto& [topic, partition] : group->all_offsets()) all.insert(std::move(topic));
    return {all.begin(), all.end()};
}

// Offsets.

void Coordinator::commit_offsets(const CommitOffsets& request, Now now,
                                 Answer<CommitAnswer> answer) {
    now_ = now;
    Group* group = find(request.group_id);
    if (group == nullptr) {
        // A generation means a group that was, and is not any more.
        if (request.generation >= 0) return answer({.error = Errc::kIllegalGeneration});
        Errc error = Errc::kNone;
        group = find_or_create(request.group_id, error);
        if (group == nullptr) return answer({.error = error});
    }
    const Errc error = group->consumer ? group->consumer->admit_commit(request)
                                       : group->classic.admit_commit(request);
    if (error != Errc::kNone) {
        return answer({.error = error});
    }
    commit_to(*group, request, std::move(answer));
    settle();
}

Errc Coordinator::check_offset(const Group& group, const CommitOffsets& request,
                               const OffsetToCommit& offset) {
    if (offset.metadata.size() > settings_.offset_metadata_bytes_max)
        return Errc::kOffsetMetadataTooLarge;
    // Consumers that move on from where they were go on, also when nobody else gets in. A
    // transaction's offset is held beside the one that was committed, so one at a time is.
    const bool is_known = group.offsets.find(offset.topic, offset.partition) != nullptr;
    const bool goes_on =
        request.transaction
            ? (is_known && !group.pending.contains(offset.topic, offset.partition)) ||
                  group.pending.find(request.transaction->id, offset.topic, offset.partition) !=
                      nullptr
            : is_known;
    if (goes_on) return Errc::kNone;
    if (group.offsets.size() + group.pending.size() + group.offsets_in_flight.size() >=
        settings_.offsets_max)
        return Errc::kPolicyViolation;
    const std::size_t size = sizeof(CommittedOffset) + offset.metadata.size();
    return host().has_memory_for(size) ? Errc::kNone : Errc::kCoordinatorNotAvailable;
}

void Coordinator::commit_to(Group& group, const CommitOffsets& request,
                            Answer<CommitAnswer> answer) {
    CommitAnswer with;
    OffsetsInFlight::Commit commit;
    if (request.transaction) commit.producer_id = request.transaction->id;
    std::vector<RecordToWrite> records;
    for (const OffsetToCommit& offset : request.offsets) {
        with.partitions.push_back(check_offset(group, request, offset));
        if (with.partitions.back() != Errc::kNone) continue;
        const bool expires = request.retention_ms >= 0;
        const OffsetValue value{
            .offset = offset.offset,
            .leader_epoch = offset.leader_epoch,
            .metadata = offset.metadata,
            .committed_at = now_.wall,
            .expires_at = expires ? after(now_.wall, request.retention_ms) : WallMs{-1},
            .topic_id = offset.topic_id};
        records.push_back({encode_key(OffsetKey{group.id(), offset.topic, offset.partition}),
                           encode_value(value, version_for(value))});
        commit.offsets.push_back(
            {std::string{offset.topic}, offset.partition, CommittedOffset::from(value)});
    }
    if (records.empty()) {
        later([answer = std::move(answer), with = std::move(with)]() mutable {
            answer(std::move(with));
        });
        return remove_if_unused(group);
    }
    if (settings_.faults.show_pending_commits) {
        take_offsets(group, commit);
        commit.offsets.clear();
    }
    if (settings_.faults.answer_before_durable) {
        later([early = std::move(answer), with]() mutable { early(std::move(with)); });
        answer = [](const CommitAnswer&) {};
    }
    group.offsets_in_flight.push(std::move(commit));
    enqueue(
        group, std::move(records), Errc::kInvalidCommitOffsetSize,
        [this, &group, with = std::move(with), answer = std::move(answer)](Errc outcome) mutable {
            OffsetsInFlight::Commit written = group.offsets_in_flight.pop();
            if (outcome == Errc::kNone) take_offsets(group, std::move(written));
            for (Errc& error : with.partitions) {
                if (error == Errc::kNone) error = outcome;
            }
            later([answer = std::move(answer), with = std::move(with)]() mutable {
                answer(std::move(with));
            });
        },
        request.transaction);
}

Errc Coordinator::admit_fetch(std::string_view group_id,
                              const std::optional<std::string_view>& member_id,
                              std::int32_t member_epoch) const {
    const Group* group = find(group_id);
    if (group == nullptr || !group->consumer) return Errc::kNone;
    return group->consumer->admit_fetch(member_id, member_epoch);
}

std::vector<FetchedOffset> Coordinator::fetch_offsets(std::string_view group_id,
                                                      std::span<const TopicPartition> partitions,
                                                      bool stable_only) const {
    std::vector<FetchedOffset> out(partitions.size());
    const Group* group = find(group_id);
    if (group == nullptr) return out;
    for (std::size_t i = 0; i < partitions.size(); ++i) {
        const auto& [topic, partition] = partitions[i];
        if (stable_only && group->pending.contains(topic, partition)) {
            out[i].error = Errc::kUnstableOffsetCommit;
            continue;
        }
        if (const auto* found = group->offsets.find(topic, partition)) out[i] = fetched(*found);
    }
    return out;
}

std::vector<FetchedPartition> Coordinator::fetch_all_offsets(std::string_view group_id,
                                                             bool stable_only) const {
    std::vector<FetchedPartition> out;
    const Group* group = find(group_id);
    if (group == nullptr) return out;
    for (const auto& [topic, partitions] : group->offsets.topics()) {
        for (const auto& [partition, found] : partitions) {
            const bool is_unstable = stable_only && group->pending.contains(topic, partition);
            out.push_back({topic, partition,
                           is_unstable ? FetchedOffset{.error = Errc::kUnstableOffsetCommit}
                                       : fetched(found)});
        }
    }
    return out;
}

}  // namespace leat::groups
