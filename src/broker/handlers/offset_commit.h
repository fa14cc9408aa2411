// SPDX-License-Identifier: Apache-2.0
//
// OffsetCommit and OffsetDelete: how far a group has read, stored and forgotten.
// Layer: broker (L6).
// Spec:  KIP-211, KIP-496 (OffsetDelete), KIP-848 (v9), KIP-1094 (v10: topic ids).
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/offset_commit_request.h"
#include "wire/messages/offset_commit_response.h"
#include "wire/messages/offset_delete_request.h"
#include "wire/messages/offset_delete_response.h"

namespace leat::broker {

rt::Task<wire::OffsetCommitResponse> handle_offset_commit(Request* request,
                                                          const wire::OffsetCommitRequest* message);
rt::Task<wire::OffsetDeleteResponse> handle_offset_delete(Request* request,
                                                          const wire::OffsetDeleteRequest* message);

}  // namespace leat::broker
