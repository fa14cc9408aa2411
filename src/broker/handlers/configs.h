// SPDX-License-Identifier: Apache-2.0
//
// DescribeConfigs, AlterConfigs, IncrementalAlterConfigs, ListConfigResources. Layer: broker (L6).
// Spec:  admin/configs.h.
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/alter_configs_request.h"
#include "wire/messages/alter_configs_response.h"
#include "wire/messages/describe_configs_request.h"
#include "wire/messages/describe_configs_response.h"
#include "wire/messages/incremental_alter_configs_request.h"
#include "wire/messages/incremental_alter_configs_response.h"
#include "wire/messages/list_config_resources_request.h"
#include "wire/messages/list_config_resources_response.h"

namespace leat::broker {

wire::DescribeConfigsResponse handle_describe_configs(Request& request,
                                                      const wire::DescribeConfigsRequest& message);
wire::ListConfigResourcesResponse handle_list_config_resources(
    Request& request, const wire::ListConfigResourcesRequest& message);
rt::Task<wire::AlterConfigsResponse> handle_alter_configs(Request* request,
                                                          const wire::AlterConfigsRequest* message);
rt::Task<wire::IncrementalAlterConfigsResponse> handle_incremental_alter_configs(
    Request* request, const wire::IncrementalAlterConfigsRequest* message);

}  // namespace leat::broker
