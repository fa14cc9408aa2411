// SPDX-License-Identifier: Apache-2.0
//
// Produce: appends batches to partitions, each on its shard. Layer: broker (L6).
// Spec:  Kafka's handleProduceRequest; KIP-98, KIP-467 (errors of records), KIP-951.
#pragma once

#include "broker/answer.h"
#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/produce_request.h"

namespace leat::broker {

/// No answer with acks=0; then an error closes the connection, so that the client looks again.
rt::Task<Answer> handle_produce(Request* request, const wire::ProduceRequest* message);

}  // namespace leat::broker
