// SPDX-License-Identifier: Apache-2.0
//
// What the benchmarks share: the topic, the producer's settings, reports. Layer: apps (L7).
#pragma once

#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cluster_access.h"
#include "apps/command.h"
#include "apps/latency_histogram.h"
#include "base/result.h"
#include "client/client_properties.h"

namespace leat::apps {

using BenchClock = std::chrono::steady_clock;
[[nodiscard]] std::int64_t bench_now_ns();

/// Options of every benchmark that sends.
struct BenchLoad {
    std::string topic;
    std::int32_t partitions = 1;  ///< For a topic that does not exist yet.
    std::int64_t record_bytes = 1024;
    std::int64_t rate = 0;     ///< Records a second; 0: as fast as it goes.
    std::int64_t seconds = 0;  ///< 0: `records` counts.
    std::int64_t records = 0;
};
/// Errors: kUsage.
[[nodiscard]] Result<BenchLoad> bench_load(const Invocation& line);

/// Creates the topic when it is missing. Errors: of the cluster.
[[nodiscard]] Result<void> ensure_topic(const Invocation& line, const BenchLoad& load);

/// Producer properties of --acks, --linger-ms, --batch-bytes, --compression, --idempotent over the
/// file's.
[[nodiscard]] std::vector<client::Property> bench_producer_properties(const Invocation& line,
                                                                      const ClusterAccess& access);

/// "acks", "linger_ms", "batch_bytes", "compression", "idempotent" of what a producer was opened
/// with: a --config file may have set them.
void put_producer_settings(boost::json::object& report,
                           const std::vector<client::Property>& properties);

/// {"count", "mean", "min", "p50", "p90", "p99", "p99_9", "p99_99", "max"}, in milliseconds.
[[nodiscard]] boost::json::object percentiles_json(const LatencyHistogram& histogram);

/// One line of the same, for people.
[[nodiscard]] std::string percentiles_text(std::string_view what,
                                           const LatencyHistogram& histogram);

/// CPU seconds this process has used.
[[nodiscard]] double own_cpu_seconds();

/// A run's number: differs from run to run, so that records of an earlier one are told apart.
[[nodiscard]] std::uint64_t new_run_number();
[[nodiscard]] std::string hex_text(std::uint64_t number);

}  // namespace leat::apps
