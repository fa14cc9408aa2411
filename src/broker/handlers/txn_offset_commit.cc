// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/txn_offset_commit.h"

#include <array>
#include <memory>
#include <vector>

#include "broker/access.h"
#include "broker/apis.h"
#include "broker/broker.h"
#include "broker/group_host.h"
#include "broker/transaction_host.h"
#include "groups/partition_of_group.h"

namespace leat::broker {
namespace {

using Message = wire::TxnOffsetCommitRequest;
using Answered = wire::TxnOffsetCommitResponse;
using Topic = Answered::TxnOffsetCommitResponseTopic;
using Told = Answered::TxnOffsetCommitResponsePartition;

constexpr std::int16_t kKnowsAbortable = 4;
constexpr std::int16_t kEnrols = 5;

/// The offsets of partitions that exist, and where their answers go.
struct Commit {
    std::vector<groups::OffsetToCommit> offsets;
    std::vector<std::int16_t*> codes;

    void answer(Errc error) const {
        for (std::int16_t* code : codes) *code = wire_code(error);
    }
};

/// Answers for what does not exist or is not allowed, all of it when `refusal`
/// says so; the rest is collected.
Commit collect(Request& request, const Message& message, Errc refusal, std::span<Topic> out) {
    const metadata::Image& image = request.shard->image();
    Commit commit;
    for (std::size_t t = 0; t < out.size(); ++t) {
        const auto& asked = message.topics[t];
        const metadata::Topic* topic = image.find(asked.name);
        Errc error = refusal;
        if (error == Errc::kNone && !may_topic(request, auth::Operation::kRead, asked.name))
            error = Errc::kTopicAuthorizationFailed;
        out[t].name = asked.name;
        out[t].partitions = request.arena.array<Told>(asked.partitions.size());
        for (std::size_t p = 0; p < asked.partitions.size(); ++p) {
            const auto& from = asked.partitions[p];
            Told& told = out[t].partitions[p];
            told.partition_index = from.partition_index;
            const bool exists = topic != nullptr && from.partition_index >= 0 &&
                                from.partition_index < topic->partition_count;
            if (error != Errc::kNone || !exists) {
                told.error_code =
                    wire_code(error != Errc::kNone ? error : Errc::kUnknownTopicOrPartition);
                continue;
            }
            commit.offsets.push_back({.topic = asked.name,
                                      .partition = from.partition_index,
                                      .offset = from.committed_offset,
                                      .leader_epoch = from.committed_leader_epoch,
                                      .metadata = from.committed_metadata.value_or("")});
            commit.codes.push_back(&told.error_code);
        }
    }
    return commit;
}

Errc check_rights(Request& request, const Message& message) {
    if (!may(request, auth::Operation::kWrite, auth::ResourceType::kTransactionalId,
             message.transactional_id))
        return Errc::kTransactionalIdAuthorizationFailed;
    if (!may_group(request, auth::Operation::kRead, message.group_id))
        return Errc::kGroupAuthorizationFailed;
    return message.group_id.empty() ? Errc::kInvalidGroupId : Errc::kNone;
}

/// On the shard of the transaction's coordinator when there is one.
rt::Task<Errc> join_transaction(Request* request, const Message* message, std::int32_t partition) {
    const std::array where{
        transactions::TopicPartition{.topic = std::string{kOffsetsTopic}, .partition = partition}};
    const Admission admission{
        .transactional_id = message->transactional_id,
        .producer = {.id = message->producer_id, .epoch = message->producer_epoch},
        .partitions = where,
        .enrols = request->version() >= kEnrols,
        .knows_abortable = request->version() >= kKnowsAbortable};
    const std::vector<Errc> verdict = co_await admit_to_transaction(request, admission);
    co_return verdict.front();
}

/// From wherever it is: what the transaction's coordinator has allowed goes
/// straight to the shard of the group, so that no marker of a later decision
/// gets there before.
rt::Task<groups::CommitAnswer> commit_there(GroupPlace place, const groups::CommitOffsets* commit) {
    co_await rt::hop(place.shard->executor());
    Errc error = Errc::kNone;
    const std::shared_ptr<GroupPartition> host = place.host(error);
    if (host == nullptr) co_return groups::CommitAnswer{.error = error, .partitions = {}};
    const auto parked = std::make_shared<ParkedAnswer<groups::CommitAnswer>>();
    host->run([&](groups::Coordinator& coordinator, groups::Now now) {
        coordinator.commit_offsets(*commit, now, Ticket<groups::CommitAnswer>{parked});
    });
    co_return co_await parked->done;
}

rt::Task<void> commit(Request* request, const Message* message, const Commit* collected) {
    const std::optional<GroupPlace> place = place_of_group(*request->shard, message->group_id);
    if (!place) co_return collected->answer(Errc::kNotCoordinator);
    const Errc refused = co_await join_transaction(request, message, place->partition.index);
    groups::CommitAnswer answer{.error = refused, .partitions = {}};
    if (refused == Errc::kNone) {
        const groups::CommitOffsets offsets{
            .group_id = message->group_id,
            .member_id = message->member_id,
            .instance_id = message->group_instance_id,
            .generation = message->generation_id,
            .offsets = collected->offsets,
            .transaction =
                groups::Producer{.id = message->producer_id, .epoch = message->producer_epoch}};
        answer = co_await commit_there(*place, &offsets);
    }
    co_await rt::hop(request->shard->executor());
    if (answer.error != Errc::kNone) co_return collected->answer(answer.error);
    for (std::size_t i = 0; i < collected->codes.size(); ++i)
        *collected->codes[i] = wire_code(answer.partitions[i]);
}

}  // namespace

rt::Task<wire::TxnOffsetCommitResponse> handle_txn_offset_commit(
    Request* request, const wire::TxnOffsetCommitRequest* message) {
    wire::TxnOffsetCommitResponse out;
    out.topics = request->arena.array<Topic>(message->topics.size());
    const Commit collected =
        collect(*request, *message, check_rights(*request, *message), out.topics);
    if (!collected.offsets.empty()) co_await commit(request, message, &collected);
    for (const Topic& topic : out.topics)
        for (const Told& told : topic.partitions) count_error(*request, told.error_code);
    co_return out;
}

}  // namespace leat::broker
