// SPDX-License-Identifier: Apache-2.0
//
// DeleteRecords and DescribeProducers. Layer: broker (L6).
// Spec:  KIP-107, KIP-664.
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/delete_records_request.h"
#include "wire/messages/delete_records_response.h"
#include "wire/messages/describe_producers_request.h"
#include "wire/messages/describe_producers_response.h"

namespace leat::broker {

rt::Task<wire::DeleteRecordsResponse> handle_delete_records(
    Request* request, const wire::DeleteRecordsRequest* message);

rt::Task<wire::DescribeProducersResponse> handle_describe_producers(
    Request* request, const wire::DescribeProducersRequest* message);

}  // namespace leat::broker
