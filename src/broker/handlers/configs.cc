// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/configs.h"

#include "broker/admin/configs.h"
#include "broker/handlers/admin_change.h"

namespace leat::broker {

wire::DescribeConfigsResponse handle_describe_configs(Request& request,
                                                      const wire::DescribeConfigsRequest& message) {
    const wire::DescribeConfigsResponse out =
        admin::describe_configs(message, request.shard->image(), request.arena);
    for (const auto& result : out.results) count_error(request, result.error_code);
    return out;
}

wire::ListConfigResourcesResponse handle_list_config_resources(
    Request& request, const wire::ListConfigResourcesRequest& message) {
    return admin::list_config_resources(message, request.version(), request.shard->image(),
                                        request.arena);
}

rt::Task<wire::AlterConfigsResponse> handle_alter_configs(
    Request& request, const wire::AlterConfigsRequest& message) {
    const auto make = [&request, &message](metadata::Controller& controller) {
        return admin::alter_configs(message, controller, request.arena);
    };
    co_return co_await change_metadata(request, &wire::AlterConfigsResponse::responses, make);
}

rt::Task<wire::IncrementalAlterConfigsResponse> handle_incremental_alter_configs(
    Request& request, const wire::IncrementalAlterConfigsRequest& message) {
    const auto make = [&request, &message](metadata::Controller& controller) {
        return admin::incremental_alter_configs(message, controller, request.arena);
    };
    co_return co_await change_metadata(request, &wire::IncrementalAlterConfigsResponse::responses,
                                       make);
}

}  // namespace leat::broker
