// SPDX-License-Identifier: Apache-2.0
//
// CreateTopics, DeleteTopics, CreatePartitions: answered when every shard serves the change.
// Layer: broker (L6).
// Spec:  admin/topics.h.
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/create_partitions_request.h"
#include "wire/messages/create_partitions_response.h"
#include "wire/messages/create_topics_request.h"
#include "wire/messages/create_topics_response.h"
#include "wire/messages/delete_topics_request.h"
#include "wire/messages/delete_topics_response.h"

namespace leat::broker {

rt::Task<wire::CreateTopicsResponse> handle_create_topics(Request* request,
                                                          const wire::CreateTopicsRequest* message);
rt::Task<wire::DeleteTopicsResponse> handle_delete_topics(Request* request,
                                                          const wire::DeleteTopicsRequest* message);
rt::Task<wire::CreatePartitionsResponse> handle_create_partitions(
    Request* request, const wire::CreatePartitionsRequest* message);

}  // namespace leat::broker
