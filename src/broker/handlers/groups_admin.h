// SPDX-License-Identifier: Apache-2.0
//
// DescribeGroups, ListGroups, DeleteGroups: groups as an administrator sees them.
// Layer: broker (L6).
// Spec:  KIP-518 (filter by state), KIP-848 (types), KIP-1043 (missing groups have an error).
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/delete_groups_request.h"
#include "wire/messages/delete_groups_response.h"
#include "wire/messages/describe_groups_request.h"
#include "wire/messages/describe_groups_response.h"
#include "wire/messages/list_groups_request.h"
#include "wire/messages/list_groups_response.h"

namespace leat::broker {

rt::Task<wire::DescribeGroupsResponse> handle_describe_groups(
    Request* request, const wire::DescribeGroupsRequest* message);
rt::Task<wire::ListGroupsResponse> handle_list_groups(Request* request,
                                                      const wire::ListGroupsRequest* message);
rt::Task<wire::DeleteGroupsResponse> handle_delete_groups(Request* request,
                                                          const wire::DeleteGroupsRequest* message);

}  // namespace leat::broker
