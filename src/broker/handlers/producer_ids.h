// SPDX-License-Identifier: Apache-2.0
//
// InitProducerId: a number for an idempotent producer, or that of its transactional id.
// Layer: broker (L6).
// Spec:  KIP-98, KIP-360.
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/init_producer_id_request.h"
#include "wire/messages/init_producer_id_response.h"

namespace leat::broker {

/// Without a transactional id: always a new number, with epoch 0. With one, what its coordinator
/// says.
rt::Task<wire::InitProducerIdResponse> handle_init_producer_id(
    Request* request, const wire::InitProducerIdRequest* message);

}  // namespace leat::broker
