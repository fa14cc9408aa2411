// SPDX-License-Identifier: Apache-2.0
//
// JoinGroup, SyncGroup, Heartbeat, LeaveGroup: the life of a member of a classic group.
// Layer: broker (L6).
// Spec:  groups/coordinator.h; KIP-345, KIP-394, KIP-559, KIP-814.
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/heartbeat_request.h"
#include "wire/messages/heartbeat_response.h"
#include "wire/messages/join_group_request.h"
#include "wire/messages/join_group_response.h"
#include "wire/messages/leave_group_request.h"
#include "wire/messages/leave_group_response.h"
#include "wire/messages/sync_group_request.h"
#include "wire/messages/sync_group_response.h"

namespace leat::broker {

rt::Task<wire::JoinGroupResponse> handle_join_group(Request* request,
                                                    const wire::JoinGroupRequest* message);
rt::Task<wire::SyncGroupResponse> handle_sync_group(Request* request,
                                                    const wire::SyncGroupRequest* message);
rt::Task<wire::HeartbeatResponse> handle_heartbeat(Request* request,
                                                   const wire::HeartbeatRequest* message);
rt::Task<wire::LeaveGroupResponse> handle_leave_group(Request* request,
                                                      const wire::LeaveGroupRequest* message);

}  // namespace leat::broker
