// SPDX-License-Identifier: Apache-2.0
//
// OffsetFetch: how far groups have read. Layer: broker (L6).
// Spec:  KIP-447 (require_stable), KIP-709 (several groups), KIP-848, KIP-1094 (v10: topic ids).
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/offset_fetch_request.h"
#include "wire/messages/offset_fetch_response.h"

namespace leat::broker {

rt::Task<wire::OffsetFetchResponse> handle_offset_fetch(Request* request,
                                                        const wire::OffsetFetchRequest* message);

}  // namespace leat::broker
