// SPDX-License-Identifier: Apache-2.0
//
// DescribeClientQuotas, AlterClientQuotas. Layer: broker (L6).
#pragma once

#include "broker/admin/quotas.h"
#include "broker/request.h"
#include "rt/task.h"

namespace leat::broker {

wire::DescribeClientQuotasResponse handle_describe_client_quotas(
    Request& request, const wire::DescribeClientQuotasRequest& message);
rt::Task<wire::AlterClientQuotasResponse> handle_alter_client_quotas(
    Request* request, const wire::AlterClientQuotasRequest* message);

}  // namespace leat::broker
