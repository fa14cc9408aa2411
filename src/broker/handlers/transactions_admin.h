// SPDX-License-Identifier: Apache-2.0
//
// DescribeTransactions, ListTransactions, WriteTxnMarkers: what an operator sees of transactions,
// and how one ends those that nobody ends. Layer: broker (L6).
// Spec:  KIP-664, KIP-994, KIP-1152.
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/describe_transactions_request.h"
#include "wire/messages/describe_transactions_response.h"
#include "wire/messages/list_transactions_request.h"
#include "wire/messages/list_transactions_response.h"
#include "wire/messages/write_txn_markers_request.h"
#include "wire/messages/write_txn_markers_response.h"

namespace leat::broker {

rt::Task<wire::DescribeTransactionsResponse> handle_describe_transactions(
    Request* request, const wire::DescribeTransactionsRequest* message);
rt::Task<wire::ListTransactionsResponse> handle_list_transactions(
    Request* request, const wire::ListTransactionsRequest* message);
rt::Task<wire::WriteTxnMarkersResponse> handle_write_txn_markers(
    Request* request, const wire::WriteTxnMarkersRequest* message);

}  // namespace leat::broker
