// SPDX-License-Identifier: Apache-2.0
//
// DescribeClientQuotas, AlterClientQuotas. Layer: broker (L6). Pure.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "broker/admin/change.h"
#include "metadata/controller.h"
#include "metadata/image.h"
#include "wire/messages/alter_client_quotas_request.h"
#include "wire/messages/alter_client_quotas_response.h"
#include "wire/messages/describe_client_quotas_request.h"
#include "wire/messages/describe_client_quotas_response.h"

namespace leat::broker::admin {

// Views in an answer live as long as request and arena.

/// Runs on any shard, with its image.
wire::DescribeClientQuotasResponse describe_quotas(const wire::DescribeClientQuotasRequest& request,
                                                   const metadata::Image& image, Arena& arena);

/// Runs on the controller's shard.
/// `unknown_hosts`: names of addresses that are none; no limits are set for them.
Change<wire::AlterClientQuotasResponse> alter_quotas(
    const wire::AlterClientQuotasRequest& request, metadata::Controller& controller, Arena& arena,
    const std::set<std::string, std::less<>>& unknown_hosts = {});

/// The same refused as a whole.
wire::AlterClientQuotasResponse refuse(const wire::AlterClientQuotasRequest& request, Errc error,
                                       std::string_view text, Arena& arena);

}  // namespace leat::broker::admin
