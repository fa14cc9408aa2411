// SPDX-License-Identifier: Apache-2.0
//
// A sensor that processors made, as it is told of. Layer: streams (L6).
// Spec:  Kafka Streams' StreamsMetrics, see leat/streams/streams_metrics.h.
#pragma once

#include <memory>
#include <string>

#include "leat/streams/streams_metrics.h"
#include "streams/metrics.h"

namespace leat::streams::detail {

/// Held by each processor that has the sensor; all of them run on one thread.
/// Threading: as MetricRoom, but for what the sensor says of itself.
struct SensorListing {
    std::string group{};
    std::string operation{};
    MetricSet::Tags tags{};
    bool has_latency = false;
    std::shared_ptr<Sensor> sensor = std::make_shared<Sensor>();
};

}  // namespace leat::streams::detail
