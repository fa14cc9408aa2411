// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/client_quotas.h"

#include "broker/access.h"
#include "broker/handlers/admin_change.h"

namespace leat::broker {

wire::DescribeClientQuotasResponse handle_describe_client_quotas(
    Request& request, const wire::DescribeClientQuotasRequest& message) {
    if (may_cluster(request, auth::Operation::kDescribeConfigs))
        return admin::describe_quotas(message, request.shard->image(), request.arena);
    wire::DescribeClientQuotasResponse refused;
    refused.error_code = wire_code(Errc::kClusterAuthorizationFailed);
    refused.error_message = kNotAuthorized;
    refused.entries.reset();
    return refused;
}

rt::Task<wire::AlterClientQuotasResponse> handle_alter_client_quotas(
    Request* request, const wire::AlterClientQuotasRequest* message) {
    if (!may_cluster(*request, auth::Operation::kAlterConfigs)) {
        count_error(*request, wire_code(Errc::kClusterAuthorizationFailed));
        co_return admin::refuse(*message, Errc::kClusterAuthorizationFailed, kNotAuthorized,
                                request->arena);
    }
    const auto make = [request, message](metadata::Controller& controller) {
        return admin::alter_quotas(*message, controller, request->arena);
    };
    co_return co_await change_metadata(request, &wire::AlterClientQuotasResponse::entries, make);
}

}  // namespace leat::broker
