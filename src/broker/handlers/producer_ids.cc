// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/producer_ids.h"

#include "broker/access.h"
#include "broker/broker.h"
#include "wire/record_batch.h"

namespace leat::broker {
namespace {

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
    if (message.transactional_id.has_value())
        return message.transactional_id->empty() ? Errc::kInvalidRequest
                                                 : Errc::kUnsupportedVersion;
    const bool has_id = message.producer_id != wire::kNoProducerId;
    const bool has_epoch = message.producer_epoch != wire::kNoProducerEpoch;
    return has_id == has_epoch ? Errc::kNone : Errc::kInvalidRequest;
}

}  // namespace

rt::Task<wire::InitProducerIdResponse> handle_init_producer_id(
    Request& request, const wire::InitProducerIdRequest& message) {
    wire::InitProducerIdResponse response;
    response.producer_epoch = wire::kNoProducerEpoch;
    response.error_code = wire_code(check_rights(request, message));
    if (response.error_code != 0) co_return response;
    response.error_code = wire_code(check(message));
    if (response.error_code != 0) co_return response;
    const Result<std::int64_t> id =
        co_await request.shard->broker().authority().new_producer_id(request.shard->executor());
    if (!id.has_value()) {
        // Clients come back for another; the store's own error says more in the log.
        response.error_code = wire_code(Errc::kCoordinatorNotAvailable);
        co_return response;
    }
    response.producer_id = *id;
    response.producer_epoch = 0;
    co_return response;
}

}  // namespace leat::broker
