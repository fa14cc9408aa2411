// SPDX-License-Identifier: Apache-2.0
//
// FindCoordinator: who coordinates a group; makes __consumer_offsets on first need.
// Layer: broker (L6).
// Spec:  KIP-699 (several keys), KIP-932 (share groups' keys).
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/find_coordinator_request.h"
#include "wire/messages/find_coordinator_response.h"

namespace leat::broker {

rt::Task<wire::FindCoordinatorResponse> handle_find_coordinator(
    Request* request, const wire::FindCoordinatorRequest* message);

}  // namespace leat::broker
