// SPDX-License-Identifier: Apache-2.0
//
// What a running application counts. Layer: streams SDK.
// Spec:  Kafka Streams' built-in metrics: groups, names, tags and units. Rates, averages and
//        extremes are over the last minute at most (metrics.sample.window.ms and
//        metrics.num.samples), totals since the start.
// Threading: values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace leat::streams {

/// What is recorded from which metrics.recording.level on.
enum class RecordingLevel : std::uint8_t { kInfo, kDebug, kTrace };

/// One metric as it is now. NaN: nothing happened that it could tell of.
struct MetricValue {
    std::string group{};  ///< "stream-task-metrics"
    std::string name{};   ///< "dropped-records-total"
    std::string description{};
    std::map<std::string, std::string> tags{};
    double value = 0;
};

/// Prometheus text 0.0.4: kafka_streams_<group>_<name>, dashes as underscores, tags as labels.
[[nodiscard]] std::string prometheus_text(const std::vector<MetricValue>& metrics);

}  // namespace leat::streams
