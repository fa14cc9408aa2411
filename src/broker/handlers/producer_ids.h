// SPDX-License-Identifier: Apache-2.0
//
// InitProducerId: a number for an idempotent producer. Layer: broker (L6).
// Spec:  KIP-98, KIP-360.
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/init_producer_id_request.h"
#include "wire/messages/init_producer_id_response.h"

namespace leat::broker {

/// Without a transactional id: always a new number, with epoch 0. A transactional id is refused
/// with UNSUPPORTED_VERSION, which clients take as final, until there are transactions.
rt::Task<wire::InitProducerIdResponse> handle_init_producer_id(
    Request& request, const wire::InitProducerIdRequest& message);

}  // namespace leat::broker
