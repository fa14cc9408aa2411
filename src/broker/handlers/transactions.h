// SPDX-License-Identifier: Apache-2.0
//
// AddPartitionsToTxn, AddOffsetsToTxn, EndTxn: what a producer asks of its transaction's
// coordinator. Layer: broker (L6).
// Spec:  KIP-98, KIP-890.
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/add_offsets_to_txn_request.h"
#include "wire/messages/add_offsets_to_txn_response.h"
#include "wire/messages/add_partitions_to_txn_request.h"
#include "wire/messages/add_partitions_to_txn_response.h"
#include "wire/messages/end_txn_request.h"
#include "wire/messages/end_txn_response.h"

namespace leat::broker {

/// Versions 4 and 5 are what brokers ask each other: several transactions at once, or whether
/// partitions are enrolled.
rt::Task<wire::AddPartitionsToTxnResponse> handle_add_partitions_to_txn(
    Request* request, const wire::AddPartitionsToTxnRequest* message);

rt::Task<wire::AddOffsetsToTxnResponse> handle_add_offsets_to_txn(
    Request* request, const wire::AddOffsetsToTxnRequest* message);

rt::Task<wire::EndTxnResponse> handle_end_txn(Request* request, const wire::EndTxnRequest* message);

}  // namespace leat::broker
