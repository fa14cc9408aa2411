// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/offset_commit.h"

#include <utility>
#include <vector>

#include "broker/access.h"
#include "broker/apis.h"
#include "broker/broker.h"
#include "broker/group_host.h"

namespace leat::broker {
namespace {

using groups::Coordinator;
using groups::Now;

bool has_partition(const metadata::Topic* topic, std::int32_t partition) {
    return topic != nullptr && partition >= 0 && partition < topic->partition_count;
}

/// Since this version clients can tell a group that is not there from one that moved on.
constexpr std::int16_t kKnowsMissingGroup = 9;
constexpr std::int16_t kHasTopicIds = 10;

/// The offsets of partitions that exist, and where their answers go.
struct Commit {
    std::vector<groups::OffsetToCommit> offsets;
    std::vector<std::int16_t*> codes;
};

/// Answers for what does not exist; the rest is collected.
Commit collect(Request& request, const wire::OffsetCommitRequest& message,
               std::span<wire::OffsetCommitResponse::OffsetCommitResponseTopic> out, Arena& arena) {
    using Told = wire::OffsetCommitResponse::OffsetCommitResponsePartition;
    const metadata::Image& image = request.shard->image();
    const bool has_ids = request.version() >= kHasTopicIds;
    Commit commit;
    for (std::size_t t = 0; t < out.size(); ++t) {
        const auto& asked = message.topics[t];
        const metadata::Topic* topic =
            has_ids ? image.find(asked.topic_id) : image.find(asked.name);
        out[t].name = asked.name;
        out[t].topic_id = asked.topic_id;
        out[t].partitions = arena.array<Told>(asked.partitions.size());
        const bool has_name = !has_ids || topic != nullptr;
        const std::string_view name = topic != nullptr ? std::string_view{topic->name} : asked.name;
        const bool is_allowed = !has_name || may_topic(request, auth::Operation::kRead, name);
        for (std::size_t p = 0; p < asked.partitions.size(); ++p) {
            const auto& from = asked.partitions[p];
            Told& told = out[t].partitions[p];
            told.partition_index = from.partition_index;
            if (!is_allowed) {
                told.error_code = wire_code(Errc::kTopicAuthorizationFailed);
                continue;
            }
            if (!has_partition(topic, from.partition_index)) {
                told.error_code =
                    wire_code(topic == nullptr && has_ids ? Errc::kUnknownTopicId
                                                          : Errc::kUnknownTopicOrPartition);
                continue;
            }
            commit.offsets.push_back({.topic = arena.copy(std::string_view{topic->name}),
                                      .partition = from.partition_index,
                                      .offset = from.committed_offset,
                                      .leader_epoch = from.committed_leader_epoch,
                                      .metadata = from.committed_metadata.value_or(""),
                                      .topic_id = has_ids ? topic->id : Uuid{}});
            commit.codes.push_back(&told.error_code);
        }
    }
    return commit;
}

/// One who may not use the group hears that for each partition.
void refuse_all(const wire::OffsetCommitRequest& message, wire::OffsetCommitResponse& out,
                Errc error, Arena& arena) {
    using Told = wire::OffsetCommitResponse::OffsetCommitResponsePartition;
    for (std::size_t t = 0; t < out.topics.size(); ++t) {
        const auto& asked = message.topics[t];
        out.topics[t].name = asked.name;
        out.topics[t].topic_id = asked.topic_id;
        out.topics[t].partitions = arena.array<Told>(asked.partitions.size());
        for (std::size_t p = 0; p < asked.partitions.size(); ++p)
            out.topics[t].partitions[p] = {.partition_index = asked.partitions[p].partition_index,
                                           .error_code = wire_code(error)};
    }
}

struct CommitCall {
    const groups::CommitOffsets& commit;
    std::int16_t version;

    void operator()(Coordinator& coordinator, Now now, Ticket<groups::CommitAnswer> answer) const {
        if (version >= kKnowsMissingGroup && commit.generation >= 0 &&
            !coordinator.has_group(commit.group_id))
            return answer({.error = Errc::kGroupIdNotFound, .partitions = {}});
        coordinator.commit_offsets(commit, now, std::move(answer));
    }
};

}  // namespace

rt::Task<wire::OffsetCommitResponse> handle_offset_commit(
    Request* request, const wire::OffsetCommitRequest* message) {
    using Topic = wire::OffsetCommitResponse::OffsetCommitResponseTopic;
    wire::OffsetCommitResponse out;
    out.topics = request->arena.array<Topic>(message->topics.size());
    if (!may_group(*request, auth::Operation::kRead, message->group_id)) {
        refuse_all(*message, out, Errc::kGroupAuthorizationFailed, request->arena);
        count_error(*request, wire_code(Errc::kGroupAuthorizationFailed));
        co_return out;
    }
    const Commit collected = collect(*request, *message, out.topics, request->arena);
    if (!collected.offsets.empty()) {
        const groups::CommitOffsets commit{
            .group_id = message->group_id,
            .member_id = message->member_id,
            .instance_id = message->group_instance_id,
            .generation = message->generation_id_or_member_epoch,
            .retention_ms = message->retention_time_ms,
            .offsets = collected.offsets,
            .knows_member_epoch = request->version() >= kKnowsMissingGroup};
        CommitCall call{.commit = commit, .version = request->version()};
        const groups::CommitAnswer answer =
            co_await ask_group<groups::CommitAnswer>(request, message->group_id, call);
        for (std::size_t i = 0; i < collected.codes.size(); ++i)
            *collected.codes[i] =
                wire_code(answer.error != Errc::kNone ? answer.error : answer.partitions[i]);
    }
    for (const Topic& topic : out.topics)
        for (const auto& partition : topic.partitions) count_error(*request, partition.error_code);
    co_return out;
}

rt::Task<wire::OffsetDeleteResponse> handle_offset_delete(
    Request* request, const wire::OffsetDeleteRequest* message) {
    using Topic = wire::OffsetDeleteResponse::OffsetDeleteResponseTopic;
    using Told = wire::OffsetDeleteResponse::OffsetDeleteResponsePartition;
    wire::OffsetDeleteResponse out;
    if (!may_group(*request, auth::Operation::kDelete, message->group_id)) {
        out.error_code = wire_code(Errc::kGroupAuthorizationFailed);
        co_return out;
    }
    if (message->group_id.empty()) {
        // Also while there is no topic of offsets yet.
        out.error_code = wire_code(Errc::kInvalidGroupId);
        co_return out;
    }
    out.topics = request->arena.array<Topic>(message->topics.size());
    std::vector<groups::TopicPartition> known;
    std::vector<std::int16_t*> codes;
    for (std::size_t t = 0; t < out.topics.size(); ++t) {
        const auto& asked = message->topics[t];
        const metadata::Topic* topic = request->shard->image().find(asked.name);
        const bool is_allowed = may_topic(*request, auth::Operation::kRead, asked.name);
        out.topics[t].name = asked.name;
        out.topics[t].partitions = request->arena.array<Told>(asked.partitions.size());
        for (std::size_t p = 0; p < asked.partitions.size(); ++p) {
            Told& told = out.topics[t].partitions[p];
            told.partition_index = asked.partitions[p].partition_index;
            told.error_code = wire_code(is_allowed ? Errc::kUnknownTopicOrPartition
                                                   : Errc::kTopicAuthorizationFailed);
            if (!is_allowed || !has_partition(topic, told.partition_index)) continue;
            known.push_back({.topic = asked.name, .partition = told.partition_index});
            codes.push_back(&told.error_code);
        }
    }
    const auto call = [&](Coordinator& coordinator, Now now,
                          Ticket<groups::DeleteOffsetsAnswer> answer) {
        coordinator.delete_offsets(message->group_id, known, now, std::move(answer));
    };
    const groups::DeleteOffsetsAnswer answer =
        co_await ask_group<groups::DeleteOffsetsAnswer>(request, message->group_id, call);
    out.error_code = wire_code(answer.error);
    if (answer.error != Errc::kNone) {
        out.topics = {};
        co_return out;
    }
    for (std::size_t i = 0; i < codes.size(); ++i) *codes[i] = wire_code(answer.partitions[i]);
    for (const Topic& topic : out.topics)
        for (const Told& told : topic.partitions) count_error(*request, told.error_code);
    co_return out;
}

}  // namespace leat::broker
