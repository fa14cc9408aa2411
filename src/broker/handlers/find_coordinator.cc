// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/find_coordinator.h"

#include "broker/access.h"
#include "broker/apis.h"
#include "broker/broker.h"
#include "broker/group_host.h"
#include "broker/handlers/topic_creation.h"
#include "broker/transaction_host.h"

namespace leat::broker {
namespace {

using Found = wire::FindCoordinatorResponse::Coordinator;

constexpr std::int8_t kGroup = 0;
constexpr std::int8_t kTransaction = 1;
constexpr std::int8_t kShare = 2;
constexpr std::int16_t kSeveralKeys = 4;

/// Loading counts as found: the client then hears that it must wait.
rt::Task<Errc> find_group(Request* request, std::string_view group_id) {
    const std::optional<GroupPlace> place = place_of_group(*request->shard, group_id);
    if (!place) co_return Errc::kCoordinatorNotAvailable;
    co_await rt::hop(place->shard->executor());
    Errc error = Errc::kNone;
    const bool is_ready = place->host(error) != nullptr;
    co_await rt::hop(request->shard->executor());
    const bool is_found = is_ready || error == Errc::kCoordinatorLoadInProgress;
    co_return is_found ? Errc::kNone : Errc::kCoordinatorNotAvailable;
}

rt::Task<Errc> find_transaction(Request* request, std::string_view transactional_id) {
    const std::optional<TransactionPlace> place =
        place_of_transaction(*request->shard, transactional_id);
    if (!place) co_return Errc::kCoordinatorNotAvailable;
    co_await rt::hop(place->shard->executor());
    Errc error = Errc::kNone;
    const bool is_ready = place->host(error) != nullptr;
    co_await rt::hop(request->shard->executor());
    const bool is_found = is_ready || error == Errc::kCoordinatorLoadInProgress;
    co_return is_found ? Errc::kNone : Errc::kCoordinatorNotAvailable;
}

rt::Task<Found> find(Request* request, std::string_view key, std::int8_t type) {
    Found found;
    found.key = key;
    found.node_id = -1;
    found.port = -1;
    found.error_message = "";
    Errc error = Errc::kInvalidRequest;
    if (type == kGroup && !may_group(*request, auth::Operation::kDescribe, key)) {
        error = Errc::kGroupAuthorizationFailed;
    } else if (type == kTransaction && !may(*request, auth::Operation::kDescribe,
                                            auth::ResourceType::kTransactionalId, key)) {
        error = Errc::kTransactionalIdAuthorizationFailed;
    } else if (type == kGroup) {
        error = co_await ensure_topic_of_coordinator(request, kOffsetsTopic);
        if (error == Errc::kNone) error = co_await find_group(request, key);
    } else if (type == kTransaction) {
        error = co_await ensure_topic_of_coordinator(request, kTransactionsTopic);
        if (error == Errc::kNone) error = co_await find_transaction(request, key);
    } else if (type != kShare || request->version() < kSeveralKeys) {
        found.error_message =
            "This most likely occurs because of a request being malformed by the client library "
            "or the message was sent to an incompatible broker. See the broker logs for more "
            "details.";
    }
    found.error_code = wire_code(error);
    if (error != Errc::kNone) co_return found;
    const admin::Endpoint& endpoint = request->connection->endpoint;
    found.node_id = request->shard->broker().node_id();
    found.host = endpoint.host;
    found.port = endpoint.port;
    co_return found;
}

}  // namespace

rt::Task<wire::FindCoordinatorResponse> handle_find_coordinator(
    Request* request, const wire::FindCoordinatorRequest* message) {
    wire::FindCoordinatorResponse out;
    out.error_message.reset();
    if (request->version() < kSeveralKeys) {
        const Found found = co_await find(request, message->key, message->key_type);
        out.error_code = found.error_code;
        // Kafka's text for no error.
        out.error_message = found.error_code == 0 ? "NONE" : found.error_message;
        out.node_id = found.node_id;
        out.host = found.host;
        out.port = found.port;
        co_return out;
    }
    out.coordinators = request->arena.array<Found>(message->coordinator_keys.size());
    for (std::size_t i = 0; i < out.coordinators.size(); ++i) {
        out.coordinators[i] =
            co_await find(request, message->coordinator_keys[i], message->key_type);
        count_error(*request, out.coordinators[i].error_code);
    }
    co_return out;
}

}  // namespace leat::broker
