// SPDX-License-Identifier: Apache-2.0
//
// ConsumerGroupHeartbeat and ConsumerGroupDescribe: groups of the consumer protocol.
// Layer: broker (L6).
// Spec:  KIP-848.
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/consumer_group_describe_request.h"
#include "wire/messages/consumer_group_describe_response.h"
#include "wire/messages/consumer_group_heartbeat_request.h"
#include "wire/messages/consumer_group_heartbeat_response.h"

namespace leat::broker {

rt::Task<wire::ConsumerGroupHeartbeatResponse> handle_consumer_group_heartbeat(
    Request* request, const wire::ConsumerGroupHeartbeatRequest* message);
rt::Task<wire::ConsumerGroupDescribeResponse> handle_consumer_group_describe(
    Request* request, const wire::ConsumerGroupDescribeRequest* message);

}  // namespace leat::broker
