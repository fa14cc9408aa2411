// SPDX-License-Identifier: Apache-2.0
//
// librdkafka's messages as ours. Layer: client (L3). Internal to client.
#pragma once

#include "client/consumer.h"
#include "client/rdkafka.h"

namespace leat::client {

/// Views point into `message`.
[[nodiscard]] ReceivedRecord record_of(const rd_kafka_message_t* message);
/// The same, over what `into` held.
void read_record(const rd_kafka_message_t* message, ReceivedRecord& into);

/// What reading cannot get over; everything else librdkafka retries by itself.
[[nodiscard]] bool is_final(rd_kafka_resp_err_t code);

}  // namespace leat::client
