// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/topics.h"

#include "broker/admin/topics.h"
#include "broker/handlers/admin_change.h"

namespace leat::broker {

rt::Task<wire::CreateTopicsResponse> handle_create_topics(
    Request& request, const wire::CreateTopicsRequest& message) {
    const auto make = [&request, &message](metadata::Controller& controller) {
        return admin::create_topics(message, controller, request.arena);
    };
    co_return co_await change_metadata(request, &wire::CreateTopicsResponse::topics, make);
}

rt::Task<wire::DeleteTopicsResponse> handle_delete_topics(
    Request& request, const wire::DeleteTopicsRequest& message) {
    const auto make = [&request, &message](metadata::Controller& controller) {
        return admin::delete_topics(message, request.version(), controller, request.arena);
    };
    co_return co_await change_metadata(request, &wire::DeleteTopicsResponse::responses, make);
}

rt::Task<wire::CreatePartitionsResponse> handle_create_partitions(
    Request& request, const wire::CreatePartitionsRequest& message) {
    const auto make = [&request, &message](metadata::Controller& controller) {
        return admin::create_partitions(message, controller, request.arena);
    };
    co_return co_await change_metadata(request, &wire::CreatePartitionsResponse::results, make);
}

}  // namespace leat::broker
