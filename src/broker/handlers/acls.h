// SPDX-License-Identifier: Apache-2.0
//
// DescribeAcls, CreateAcls, DeleteAcls. Layer: broker (L6).
#pragma once

#include "broker/admin/acls.h"
#include "broker/request.h"
#include "rt/task.h"

namespace leat::broker {

wire::DescribeAclsResponse handle_describe_acls(Request& request,
                                                const wire::DescribeAclsRequest& message);
rt::Task<wire::CreateAclsResponse> handle_create_acls(Request* request,
                                                      const wire::CreateAclsRequest* message);
rt::Task<wire::DeleteAclsResponse> handle_delete_acls(Request* request,
                                                      const wire::DeleteAclsRequest* message);

}  // namespace leat::broker
