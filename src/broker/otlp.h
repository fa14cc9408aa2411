// SPDX-License-Identifier: Apache-2.0
//
// Numbers out of OpenTelemetry's metrics, as clients push them. Layer: broker (L6). Pure.
// Spec:  OTLP 1.0 metrics.proto (field numbers only); KIP-714.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace leat::broker {

/// One value of one metric.
struct OtlpPoint {
    std::string name;        ///< "org.apache.kafka.producer.connection.creation.rate".
    std::string attributes;  ///< "client-id=a,topic=b", of the resource and the point, in order.
    double value = 0;
    bool is_delta = false;  ///< A sum since the last push; else what it is now.
};

/// The gauges and sums of a serialized MetricsData; histograms give their count and sum. Texts are
/// cut to what a label may have.
/// Errors: kMalformed; kLimitExceeded (more than `points_max`).
Result<std::vector<OtlpPoint>> decode_otlp(Bytes data, std::size_t points_max);

}  // namespace leat::broker
