// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/transactions.h"

#include <algorithm>

#include "broker/access.h"
#include "broker/apis.h"
#include "broker/broker.h"
#include "broker/group_host.h"
#include "broker/handlers/partition_work.h"
#include "broker/handlers/topic_creation.h"
#include "broker/transaction_host.h"
#include "groups/partition_of_group.h"

namespace leat::broker {
namespace {

using transactions::Caller;
using transactions::Coordinator;
using transactions::EndAnswer;
using transactions::Now;
using transactions::Protocol;
using transactions::TopicPartition;
using Added = wire::AddPartitionsToTxnResponse;
using AskedTopics = std::span<wire::AddPartitionsToTxnRequest::AddPartitionsToTxnTopic>;
using ToldTopics = std::span<Added::AddPartitionsToTxnTopicResult>;

/// Since then clients know PRODUCER_FENCED.
constexpr std::int16_t kKnowsFenced = 2;
constexpr std::int16_t kSeveralTransactions = 4;
constexpr std::int16_t kKnowsAbortable = 5;
/// Since then EndTxn raises the epoch.
constexpr std::int16_t kEndTxnOfProtocolTwo = 5;

Errc for_version(Errc error, std::int16_t version) {
    return error == Errc::kProducerFenced && version < kKnowsFenced ? Errc::kInvalidProducerEpoch
                                                                    : error;
}

transactions::Caller caller_of(const Request& request) {
    return {.connection = request.connection->number, .has_ended = request.peer_has_ended};
}

bool may_write(Request& request, std::string_view transactional_id) {
    return may(request, auth::Operation::kWrite, auth::ResourceType::kTransactionalId,
               transactional_id);
}

struct Enrolment {
    transactions::Enrol enrol;
    void operator()(Coordinator& coordinator, Now now, Ticket<Errc> answer) const {
        coordinator.enrol(enrol, now, std::move(answer));
    }
};

/// The partitions that a request names, and where their codes go.
struct Named {
    std::vector<TopicPartition> partitions;
    std::vector<std::int16_t*> codes;
    bool is_refused = false;
};

/// Why a client may not enrol this partition.
Errc check_partition(Request& request, std::string_view topic, std::int32_t index) {
    const metadata::Topic* found = request.shard->image().find(topic);
    const bool is_internal = found != nullptr && found->is_internal();
    const bool is_client = request.version() < kSeveralTransactions;
    if (is_client && (is_internal || !may_topic(request, auth::Operation::kWrite, topic)))
        return Errc::kTopicAuthorizationFailed;
    return partition_named(request.shard->image(), topic, index) ? Errc::kNone
                                                                 : Errc::kUnknownTopicOrPartition;
}

/// `refusal` is the answer for every partition, whatever else there is to say of it.
Named collect(Request& request, AskedTopics asked, ToldTopics& told, Errc refusal) {
    using Told = Added::AddPartitionsToTxnPartitionResult;
    Named out;
    told = request.arena.array<Added::AddPartitionsToTxnTopicResult>(asked.size());
    for (std::size_t t = 0; t < asked.size(); ++t) {
        told[t].name = asked[t].name;
        told[t].results_by_partition = request.arena.array<Told>(asked[t].partitions.size());
        for (std::size_t p = 0; p < asked[t].partitions.size(); ++p) {
            const std::int32_t index = asked[t].partitions[p];
            Told& to = told[t].results_by_partition[p];
            to.partition_index = index;
            // Overwritten unless another one is refused.
            to.partition_error_code = wire_code(Errc::kOperationNotAttempted);
            const Errc error =
                refusal != Errc::kNone ? refusal : check_partition(request, asked[t].name, index);
            if (error != Errc::kNone) {
                to.partition_error_code = wire_code(error);
                count_error(request, to.partition_error_code);
                out.is_refused = true;
                continue;
            }
            out.partitions.push_back({std::string{asked[t].name}, index});
            out.codes.push_back(&to.partition_error_code);
        }
    }
    return out;
}

void tell(const Request& request, const Named& named, std::span<const Errc> errors) {
    for (std::size_t i = 0; i < named.codes.size(); ++i) {
        *named.codes[i] = wire_code(errors[i]);
        count_error(request, *named.codes[i]);
    }
}

void tell_all(const Request& request, const Named& named, Errc error) {
    const std::vector<Errc> errors(named.codes.size(), error);
    tell(request, named, errors);
}

/// One transaction of a request of any version.
struct OneTransaction {
    std::string_view id;
    transactions::Producer producer;
    AskedTopics topics;
    bool verify_only = false;
};

rt::Task<void> verify(Request* request, const OneTransaction* one, Named* named) {
    const Admission admission{.transactional_id = one->id,
                              .producer = one->producer,
                              .partitions = named->partitions,
                              .enrols = false,
                              .knows_abortable = request->version() >= kKnowsAbortable};
    const std::vector<Errc> errors = co_await admit_to_transaction(request, admission);
    co_await rt::hop(request->shard->executor());
    tell(*request, *named, errors);
}

rt::Task<void> add(Request* request, OneTransaction one, ToldTopics* told) {
    const bool is_broker = request->version() >= kSeveralTransactions;
    const bool may_add = is_broker || may_write(*request, one.id);
    Named named = collect(*request, one.topics, *told,
                          may_add ? Errc::kNone : Errc::kTransactionalIdAuthorizationFailed);
    if (named.is_refused) co_return;
    if (one.verify_only) {
        co_await verify(request, &one, &named);
        co_return;
    }
    Enrolment enrolment{.enrol = {.transactional_id = one.id,
                                  .producer = one.producer,
                                  .partitions = named.partitions,
                                  .protocol = is_broker ? Protocol::kTwo : Protocol::kOne,
                                  .caller = is_broker ? Caller{} : caller_of(*request),
                                  .may_wait = true}};
    Errc error = Errc::kInvalidRequest;
    if (!one.id.empty()) error = co_await ask_transaction<Errc>(request, one.id, enrolment);
    tell_all(*request, named, for_version(error, request->version()));
}

struct EndCall {
    transactions::End end;
    void operator()(Coordinator& coordinator, Now now, Ticket<EndAnswer> answer) const {
        coordinator.end(end, now, std::move(answer));
    }
};

}  // namespace

rt::Task<Added> handle_add_partitions_to_txn(Request* request,
                                             const wire::AddPartitionsToTxnRequest* message) {
    Added out;
    if (request->version() < kSeveralTransactions) {
        const OneTransaction one{.id = message->v3_and_below_transactional_id,
                                 .producer = {.id = message->v3_and_below_producer_id,
                                              .epoch = message->v3_and_below_producer_epoch},
                                 .topics = message->v3_and_below_topics};
        co_await add(request, one, &out.results_by_topic_v3_and_below);
        co_return out;
    }
    if (!may_cluster(*request, auth::Operation::kClusterAction)) {
        out.error_code = wire_code(Errc::kClusterAuthorizationFailed);
        co_return out;
    }
    out.results_by_transaction =
        request->arena.array<Added::AddPartitionsToTxnResult>(message->transactions.size());
    for (std::size_t i = 0; i < message->transactions.size(); ++i) {
        const auto& from = message->transactions[i];
        out.results_by_transaction[i].transactional_id = from.transactional_id;
        const OneTransaction one{.id = from.transactional_id,
                                 .producer = {.id = from.producer_id, .epoch = from.producer_epoch},
                                 .topics = from.topics,
                                 .verify_only = from.verify_only};
        co_await add(request, one, &out.results_by_transaction[i].topic_results);
    }
    co_return out;
}

rt::Task<wire::AddOffsetsToTxnResponse> handle_add_offsets_to_txn(
    Request* request, const wire::AddOffsetsToTxnRequest* message) {
    wire::AddOffsetsToTxnResponse out;
    if (!may_write(*request, message->transactional_id)) {
        out.error_code = wire_code(Errc::kTransactionalIdAuthorizationFailed);
        co_return out;
    }
    if (!may_group(*request, auth::Operation::kRead, message->group_id)) {
        out.error_code = wire_code(Errc::kGroupAuthorizationFailed);
        co_return out;
    }
    Errc error = co_await ensure_topic_of_coordinator(request, kOffsetsTopic);
    const metadata::Topic* topic = request->shard->image().find(kOffsetsTopic);
    if (error == Errc::kNone && topic != nullptr) {
        const std::vector<TopicPartition> partitions{
            {std::string{kOffsetsTopic},
             groups::partition_of_group(message->group_id, topic->partition_count)}};
        const Enrolment enrolment{
            .enrol = {.transactional_id = message->transactional_id,
                      .producer = {.id = message->producer_id, .epoch = message->producer_epoch},
                      .partitions = partitions,
                      .protocol = Protocol::kOne,
                      .caller = caller_of(*request),
                      .may_wait = true}};
        error = Errc::kInvalidRequest;
        if (!message->transactional_id.empty())
            error = co_await ask_transaction<Errc>(request, message->transactional_id, enrolment);
    }
    out.error_code = wire_code(for_version(error, request->version()));
    co_return out;
}

rt::Task<wire::EndTxnResponse> handle_end_txn(Request* request,
                                              const wire::EndTxnRequest* message) {
    wire::EndTxnResponse out;
    if (!may_write(*request, message->transactional_id)) {
        out.error_code = wire_code(Errc::kTransactionalIdAuthorizationFailed);
        co_return out;
    }
    const bool is_two = request->version() >= kEndTxnOfProtocolTwo;
    const EndCall call{
        .end = {.transactional_id = message->transactional_id,
                .producer = {.id = message->producer_id, .epoch = message->producer_epoch},
                .commit = message->committed,
                .protocol = is_two ? Protocol::kTwo : Protocol::kOne,
                .caller = caller_of(*request)}};
    EndAnswer answer{.error = Errc::kInvalidRequest, .producer = {}};
    if (is_two && !serves_protocol_two(*request->shard))
        answer.error = Errc::kUnsupportedVersion;
    else if (!message->transactional_id.empty())
        answer = co_await ask_transaction<EndAnswer>(request, message->transactional_id, call);
    out.error_code = wire_code(for_version(answer.error, request->version()));
    out.producer_id = answer.producer.id;
    out.producer_epoch = answer.producer.epoch;
    co_return out;
}

}  // namespace leat::broker
