// SPDX-License-Identifier: Apache-2.0
//
// DescribeConfigs, AlterConfigs, IncrementalAlterConfigs, ListConfigResources.
// Layer: broker (L6). Pure.
#pragma once

#include <cstdint>

#include "base/arena.h"
#include "broker/admin/change.h"
#include "metadata/controller.h"
#include "metadata/image.h"
#include "wire/messages/alter_configs_request.h"
#include "wire/messages/alter_configs_response.h"
#include "wire/messages/describe_configs_request.h"
#include "wire/messages/describe_configs_response.h"
#include "wire/messages/incremental_alter_configs_request.h"
#include "wire/messages/incremental_alter_configs_response.h"
#include "wire/messages/list_config_resources_request.h"
#include "wire/messages/list_config_resources_response.h"

namespace leat::broker::admin {

// Views in an answer live as long as request and arena.

/// Runs on any shard, with its image. Ends early where the arena has more than `arena_bytes_max`:
/// what it gives is to be refused then.
wire::DescribeConfigsResponse describe_configs(const wire::DescribeConfigsRequest& request,
                                               const metadata::Image& image, Arena& arena,
                                               std::size_t arena_bytes_max = SIZE_MAX);

/// Runs on any shard. Version 0 asks for client metrics only.
wire::ListConfigResourcesResponse list_config_resources(
    const wire::ListConfigResourcesRequest& request, std::int16_t version,
    const metadata::Image& image, Arena& arena);

/// Run on the controller's shard.
Change<wire::AlterConfigsResponse> alter_configs(const wire::AlterConfigsRequest& request,
                                                 metadata::Controller& controller, Arena& arena);
Change<wire::IncrementalAlterConfigsResponse> incremental_alter_configs(
    const wire::IncrementalAlterConfigsRequest& request, metadata::Controller& controller,
    Arena& arena);

}  // namespace leat::broker::admin
