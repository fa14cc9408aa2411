// SPDX-License-Identifier: Apache-2.0
//
// The part of Coordinator that serves the consumer protocol: its records and its members.
#include <algorithm>

#include "groups/coordinator.h"
#include "groups/topic_pattern.h"

namespace leat::groups {
namespace {

/// Kafka trims: a text of blanks is as good as none.
bool is_blank(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

/// What is wrong with the request as such; empty when nothing is.
std::string_view fault_of(const ConsumerHeartbeat& request) {
    const bool needs_id =
        request.makes_own_id || request.member_epoch > 0 || request.member_epoch == kLeaveEpoch;
    if (needs_id && is_blank(request.member_id)) return "MemberId can't be empty.";
    if (is_blank(request.group_id)) return "GroupId can't be empty.";
    if (request.instance_id && is_blank(*request.instance_id)) return "InstanceId can't be empty.";
    if (request.rack_id && is_blank(*request.rack_id)) return "RackId can't be empty.";
    if (request.member_epoch == kJoinEpoch) {
        if (request.rebalance_timeout_ms == -1)
            return "RebalanceTimeoutMs must be provided in first request.";
        if (!request.owned || !request.owned->empty())
            return "TopicPartitions must be empty when (re-)joining.";
        if (!request.topics && !request.regex)
            return "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when "
                   "(re-)joining.";
    }
    if (request.member_epoch == kLeaveForAWhileEpoch && !request.instance_id)
        return "InstanceId can't be null.";
    if (request.member_epoch < kLeaveForAWhileEpoch) return "MemberEpoch is invalid.";
    return "";
}

}  // namespace

void Coordinator::load_consumer(Bytes key, std::optional<Bytes> value) {
    Result<DecodedConsumerRecord> decoded = decode_consumer_record(key, value);
    if (!decoded) {
        ++unreadable_;
        return;
    }
    if (settings_.faults.forget_current &&
        std::holds_alternative<CurrentAssignmentRecord>(decoded->record))
        return;
    Group* group = value ? &find_or_load(decoded->group_id) : find(decoded->group_id);
    if (group == nullptr || (!value && !group->consumer)) return;
    if (!value && std::holds_alternative<GroupEpochRecord>(decoded->record)) {
        group->forget_members();
        if (group->offsets.is_empty() && group->pending.is_empty()) groups_.erase(group->id());
        return;
    }
    if (!group->consumer) {
        group->forget_members();
        group->consumer = std::make_unique<ConsumerGroup>(host(), *group);
    }
    group->is_recorded = true;
    group->consumer->load(std::move(decoded->record));
}

void Coordinator::append_kept(Group& group, std::vector<RecordToWrite> records, Done done) {
    const std::uint64_t number = group.ledger.begin(records);
    std::vector<RecordToWrite> kept = records;
    enqueue(group, std::move(records), Errc::kUnknownServerError,
            [this, &group, number, kept = std::move(kept),
             done = std::move(done)](Errc outcome) mutable {
                const bool is_whole =
                    group.ledger.end(number, std::move(kept), outcome == Errc::kNone);
                if (outcome == Errc::kNone && !is_whole) outcome = Errc::kCoordinatorNotAvailable;
                later([done = std::move(done), outcome]() mutable { done(outcome); });
            });
}

void Coordinator::when_written(Group& group, Done done) {
    // In the order of the appends: the last one on its way is the one to wait for.
    if (group.writes_in_flight > 0) {
        appends_.waiting(group.last_write).followers.push_back(std::move(done));
        return;
    }
    const Errc outcome = group.ledger.is_torn() ? Errc::kCoordinatorNotAvailable : Errc::kNone;
    later([done = std::move(done), outcome]() mutable { done(outcome); });
}

Group* Coordinator::consumer_group_for(const ConsumerHeartbeat& request, Errc& error,
                                       std::string& message) {
    Group* group = find(request.group_id);
    const bool joins = request.member_epoch == kJoinEpoch;
    error = Errc::kGroupIdNotFound;
    if (group == nullptr && !joins) {
        message = (request.member_epoch < 0 ? "Group " : "Consumer group ") +
                  std::string{request.group_id} + " not found.";
        return nullptr;
    }
    const bool has_pattern = joins && request.regex && !request.regex->empty();
    if (has_pattern && (group == nullptr || !group->consumer)) {
        // Nothing changes for one that is refused.
        message = pattern_fault(*request.regex);
        error = Errc::kInvalidRegularExpression;
        if (!message.empty()) return nullptr;
        error = Errc::kGroupIdNotFound;
    }
    if (group == nullptr) {
        Errc full = Errc::kNone;
        group = find_or_create(request.group_id, full);
        if (group == nullptr) {
            const bool is_node_full = full == Errc::kCoordinatorNotAvailable;
            error = is_node_full ? kNodeIsFull : full;
            message = is_node_full ? "The groups of this broker hold as much as they may."
                                   : "There are as many groups as there may be.";
            return nullptr;
        }
    }
    if (group->consumer) return group;
    if (!joins) {
        message = "Group " + std::string{request.group_id} + " is not a consumer group.";
        return nullptr;
    }
    const Roster& roster = group->classic.roster();
    if (roster.size() >= settings_.consumer_members_max && !roster.find(request.member_id)) {
        error = Errc::kGroupMaxSizeReached;
        message = "The group has reached its maximum capacity.";
        return nullptr;
    }
    if (const Result<void> converted = group->to_consumer(request); !converted) {
        error = converted.error().code();
        message = std::string{converted.error().detail()};
        return nullptr;
    }
    return group;
}

void Coordinator::consumer_heartbeat(const ConsumerHeartbeat& request, Now now,
                                     Answer<ConsumerHeartbeatAnswer> answer) {
    now_ = now;
    if (const std::string_view fault = fault_of(request); !fault.empty())
        return answer({.error = Errc::kInvalidRequest, .message = std::string{fault}});
    if (request.assignor) {
        const std::optional<AssignorKind> kind = assignor_named(*request.assignor);
        const auto& known = settings_.consumer_assignors;
        if (!kind || std::ranges::find(known, *kind) == known.end()) {
            std::string names;
            for (const AssignorKind each : known)
                names += (names.empty() ? "" : ", ") + std::string{name(each)};
            return answer({.error = Errc::kUnsupportedAssignor,
                           .message = "ServerAssignor " + std::string{*request.assignor} +
                                      " is not supported. Supported assignors: " + names + "."});
        }
    }
    Errc error = Errc::kNone;
    std::string message;
    Group* group = consumer_group_for(request, error, message);
    if (group == nullptr) {
        // It may have been made for this request alone.
        if (Group* refusing = find(request.group_id)) remove_if_unused(*refusing);
        answer({.error = error, .message = std::move(message)});
        return settle();
    }
    if (request.member_epoch < 0)
        group->consumer->leave(request, std::move(answer));
    else
        group->consumer->heartbeat(request, std::move(answer));
    remove_if_unused(*group);
    settle();
}

void Coordinator::resolve_patterns(std::string_view group_id,
                                   const std::function<bool(std::string_view)>& may_describe,
                                   Now now) {
    now_ = now;
    Group* group = find(group_id);
    if (group == nullptr || !group->consumer) return;
    group->consumer->resolve_regexes(may_describe);
    settle();
}

void Coordinator::describe_consumer(std::string_view group_id, Now now,
                                    Answer<DescribedConsumerGroup> answer) {
    now_ = now;
    Group* group = find(group_id);
    if (group == nullptr || !group->consumer)
        return answer(
            {.error = Errc::kGroupIdNotFound,
             .message = "Group " + std::string{group_id} +
                        (group == nullptr ? " not found." : " is not a consumer group.")});
    group->consumer->describe(std::move(answer));
    settle();
}

}  // namespace leat::groups
