// SPDX-License-Identifier: Apache-2.0
//
// What the load generator can do: one function a mode, each prints one line of JSON. Layer: bench.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "raw_socket.h"

namespace leat::bench {

/// Settings of a run; which ones count depends on the mode (see loadgen --help).
struct Plan {
    Address broker;
    std::string topic = "bench";
    std::int32_t partitions = 1;
    int connections = 1;
    int threads = 1;
    int in_flight = 1;  ///< requests a connection
    int first_cpu = -1;
    std::int16_t acks = -1;
    std::int32_t record_bytes = 1024;
    std::int32_t batch_bytes = 0;  ///< 0: one record a request
    std::int32_t max_bytes = 8 << 20;
    std::int32_t count = 1;
    double seconds = 5;
    double rate = 1000;  ///< records a second, latency mode
    std::vector<std::pair<std::string, std::string>> configs;
};

void run_produce(const Plan& plan);  ///< closed loop: throughput and latency of each request
void run_latency(
    const Plan& plan);              ///< open loop at a rate: end-to-end from the intended send time
void run_fetch(const Plan& plan);   ///< catch-up read from offset 0, again and again
void run_create(const Plan& plan);  ///< one topic
void run_topics(const Plan& plan);  ///< `count` topics, one request after the other
void run_partitions(
    const Plan& plan);  ///< one topic of many partitions, until each has taken a record
void run_offsets(const Plan& plan);    ///< sum of the log ends
void run_logins(const Plan& plan);     ///< closed loop: SCRAM logins, `connections` at a time
void run_first_ack(const Plan& plan);  ///< connects and produces until the first acknowledgement

}  // namespace leat::bench
