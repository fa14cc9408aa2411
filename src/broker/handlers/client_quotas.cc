// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/client_quotas.h"

#include <algorithm>

#include "auth/address.h"
#include "broker/access.h"
#include "broker/handlers/admin_change.h"
#include "broker/limit_hosts.h"

namespace leat::broker {
namespace {

/// Names of addresses that limits are to be set for. To take a limit away its host need not be
/// there any more.
HostNames hosts_of(const wire::AlterClientQuotasRequest& message) {
    HostNames out;
    for (const auto& entry : message.entries)
        for (const auto& part : entry.entity)
            if (part.entity_type == auth::kIpEntity && part.entity_name &&
                !part.entity_name->empty() && !auth::canonical_address(*part.entity_name) &&
                std::ranges::any_of(entry.ops, [](const auto& op) { return !op.remove; }))
                out.emplace(*part.entity_name);
    return out;
}

}  // namespace

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
    const HostNames unknown = co_await unknown_hosts(request, hosts_of(*message));
    const auto make = [request, message, &unknown](metadata::Controller& controller) {
        return admin::alter_quotas(*message, controller, request->arena, unknown);
    };
    co_return co_await change_metadata(request, &wire::AlterClientQuotasResponse::entries, make);
}

}  // namespace leat::broker
