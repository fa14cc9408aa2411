// SPDX-License-Identifier: Apache-2.0
//
// ListOffsets and OffsetForLeaderEpoch: where a partition begins, ends, and was at a time or epoch.
// Layer: broker (L6).
// Spec:  KIP-79, KIP-98 (read_committed), KIP-320 (epochs), KIP-734 (largest timestamp), KIP-405.
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/list_offsets_request.h"
#include "wire/messages/list_offsets_response.h"
#include "wire/messages/offset_for_leader_epoch_request.h"
#include "wire/messages/offset_for_leader_epoch_response.h"

namespace leat::broker {

rt::Task<wire::ListOffsetsResponse> handle_list_offsets(Request* request,
                                                        const wire::ListOffsetsRequest* message);

rt::Task<wire::OffsetForLeaderEpochResponse> handle_offset_for_leader_epoch(
    Request* request, const wire::OffsetForLeaderEpochRequest* message);

}  // namespace leat::broker
