// SPDX-License-Identifier: Apache-2.0
//
// DescribeLogDirs, AlterReplicaLogDirs, ElectLeaders, Alter- and ListPartitionReassignments.
// Layer: broker (L6).
// Spec:  admin/replicas.h.
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/alter_partition_reassignments_request.h"
#include "wire/messages/alter_partition_reassignments_response.h"
#include "wire/messages/alter_replica_log_dirs_request.h"
#include "wire/messages/alter_replica_log_dirs_response.h"
#include "wire/messages/describe_log_dirs_request.h"
#include "wire/messages/describe_log_dirs_response.h"
#include "wire/messages/elect_leaders_request.h"
#include "wire/messages/elect_leaders_response.h"
#include "wire/messages/list_partition_reassignments_request.h"
#include "wire/messages/list_partition_reassignments_response.h"

namespace leat::broker {

rt::Task<wire::DescribeLogDirsResponse> handle_describe_log_dirs(
    Request* request, const wire::DescribeLogDirsRequest* message);
wire::AlterReplicaLogDirsResponse handle_alter_replica_log_dirs(
    Request& request, const wire::AlterReplicaLogDirsRequest& message);
wire::ElectLeadersResponse handle_elect_leaders(Request& request,
                                                const wire::ElectLeadersRequest& message);
wire::AlterPartitionReassignmentsResponse handle_alter_partition_reassignments(
    Request& request, const wire::AlterPartitionReassignmentsRequest& message);
wire::ListPartitionReassignmentsResponse handle_list_partition_reassignments(
    Request& request, const wire::ListPartitionReassignmentsRequest& message);

}  // namespace leat::broker
