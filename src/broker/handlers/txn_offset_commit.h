// SPDX-License-Identifier: Apache-2.0
//
// TxnOffsetCommit: how far a group has read, as part of a producer's
// transaction. Layer: broker (L6). Spec:  KIP-98, KIP-447 (v3: the member is
// told), KIP-890 (v4, v5: the group's partition joins the
//        transaction by this).
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/txn_offset_commit_request.h"
#include "wire/messages/txn_offset_commit_response.h"

namespace leat::broker {

rt::Task<wire::TxnOffsetCommitResponse> handle_txn_offset_commit(
    Request* request, const wire::TxnOffsetCommitRequest* message);

}  // namespace leat::broker
