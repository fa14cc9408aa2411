// SPDX-License-Identifier: Apache-2.0
//
// What a request leaves behind: its counts, how long it took, a line when it was slow.
// Layer: broker (L6).
#pragma once

#include <cstddef>

#include "broker/metrics.h"
#include "broker/request.h"

namespace leat::broker {

// Both run on the connection's shard.

/// Its answer, of so many bytes, is ready. Before that is sent: who has it finds it counted.
void count_request(const BrokerMetrics& metrics, const Request& request, std::size_t answer_bytes);

/// Its answer was handed to the socket, or nobody is left to take it. As Kafka's TotalTimeMs this
/// holds waits for other shards, for syncs and for the answers before it. It begins with the turn
/// of the loop that found the bytes, so what else that turn had to do first is in it.
void time_request(const BrokerMetrics& metrics, const Request& request, std::size_t answer_bytes);

}  // namespace leat::broker
