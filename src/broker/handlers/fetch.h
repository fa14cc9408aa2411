// SPDX-License-Identifier: Apache-2.0
//
// Fetch: reads partitions, waiting for records when there are too few. Layer: broker (L6).
// Spec:  Kafka's handleFetchRequest; KIP-74 (limits), KIP-227 (sessions), KIP-320 (epochs), KIP-516
//        (topic ids), KIP-98 (read_committed).
#pragma once

#include "broker/answer.h"
#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/fetch_request.h"

namespace leat::broker {

rt::Task<Answer> handle_fetch(Request* request, const wire::FetchRequest* message);

}  // namespace leat::broker
