// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/producer_ids.h"

#include "broker/access.h"
#include "broker/broker.h"
#include "broker/transaction_host.h"
#include "wire/record_batch.h"

namespace leat::broker {
namespace {

using transactions::Coordinator;
using transactions::InitAnswer;
using transactions::Now;

/// Since then clients know PRODUCER_FENCED.
constexpr std::int16_t kKnowsFenced = 4;

Errc check_rights(Request& request, const wire::InitProducerIdRequest& message) {
    if (message.transactional_id)
        return may(request, auth::Operation::kWrite, auth::ResourceType::kTransactionalId,
                   *message.transactional_id)
                   ? Errc::kNone
                   : Errc::kTransactionalIdAuthorizationFailed;
    return may_see(request, auth::Operation::kIdempotentWrite, auth::ResourceType::kCluster,
                   auth::kClusterName) ||
                   may_any(request, auth::Operation::kWrite, auth::ResourceType::kTopic)
               ? Errc::kNone
               : Errc::kClusterAuthorizationFailed;
}

Errc check(const wire::InitProducerIdRequest& message) {
    if (message.transactional_id && message.transactional_id->empty()) return Errc::kInvalidRequest;
    const bool has_id = message.producer_id != wire::kNoProducerId;
    const bool has_epoch = message.producer_epoch != wire::kNoProducerEpoch;
    return has_id == has_epoch ? Errc::kNone : Errc::kInvalidRequest;
}

struct Ask {
    transactions::Init init;
    void operator()(Coordinator& coordinator, Now now, Ticket<InitAnswer> answer) const {
        coordinator.init(init, now, std::move(answer));
    }
};

rt::Task<InitAnswer> number_for(Request* request, const wire::InitProducerIdRequest* message) {
    if (!message->transactional_id) {
        const Result<std::int64_t> id =
            co_await request->shard->broker().authority().new_producer_id(
                &request->shard->executor());
        // Clients come back for another; the store's own error says more in the log.
        if (!id.has_value())
            co_return InitAnswer{.error = Errc::kCoordinatorNotAvailable, .producer = {}};
        co_return InitAnswer{.error = Errc::kNone, .producer = {.id = *id, .epoch = 0}};
    }
    Ask ask{.init = {.transactional_id = *message->transactional_id,
                     .timeout_ms = message->transaction_timeout_ms,
                     .expected = {},
                     .connection = request->connection->number}};
    if (message->producer_id != wire::kNoProducerId)
        ask.init.expected =
            transactions::Producer{.id = message->producer_id, .epoch = message->producer_epoch};
    co_return co_await ask_transaction<InitAnswer>(request, *message->transactional_id, ask);
}

}  // namespace

rt::Task<wire::InitProducerIdResponse> handle_init_producer_id(
    Request* request, const wire::InitProducerIdRequest* message) {
    wire::InitProducerIdResponse response;
    response.producer_epoch = wire::kNoProducerEpoch;
    response.error_code = wire_code(check_rights(*request, *message));
    if (response.error_code != 0) co_return response;
    response.error_code = wire_code(check(*message));
    if (response.error_code != 0) co_return response;
    InitAnswer answer = co_await number_for(request, message);
    if (answer.error == Errc::kProducerFenced && request->version() < kKnowsFenced)
        answer.error = Errc::kInvalidProducerEpoch;
    response.error_code = wire_code(answer.error);
    response.producer_id = answer.producer.id;
    response.producer_epoch = answer.producer.epoch;
    co_return response;
}

}  // namespace leat::broker
