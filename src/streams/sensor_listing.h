// SPDX-License-Identifier: Apache-2.0
//
// A sensor that processors made, as it is told of. Layer: streams (L6).
// Spec:  Kafka Streams' StreamsMetrics, see leat/streams/streams_metrics.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/streams_metrics.h"
#include "streams/metrics.h"

namespace leat::streams::detail {

/// A sensor and those that record what it records: a tree, no one is in it twice.
/// Threading: one thread records, any reads `sensor`.
struct SensorLine {
    std::string thread{};
    std::vector<std::shared_ptr<SensorLine>> parents{};
    Sensor sensor{};
    void record(std::int64_t value) noexcept;
    /// It is `other`, or has that above it.
    [[nodiscard]] bool leads_to(const SensorLine& other) const noexcept;
};

/// One number that is told of a sensor.
struct OwnMetric {
    std::string group{};
    std::string name{};
    std::string description{};
    MetricSet::Tags tags{};
    Sensor::Measure measure{};
    /// Name and tags as Prometheus shows them.
    [[nodiscard]] std::string series() const;
};

/// Held by each processor that has the sensor; all of them run on one thread.
/// Threading: as MetricRoom, but for what the sensor says of itself.
struct SensorListing {
    MetricRoom* room = nullptr;
    std::shared_ptr<SensorLine> line{};
    std::map<std::string, OwnMetric> metrics{};  ///< By series.
};

/// The sensors of all processors of a task.
/// Threading: belongs to the task's thread.
class ListedSensors {
  public:
    /// `room` may be null: nothing is counted.
    ListedSensors(MetricRoom* room, std::string thread) : room_(room), thread_(std::move(thread)) {}
    /// Errors: those of MetricRoom::list().
    Result<std::shared_ptr<SensorListing>> list(const SensorOrder& order, std::int64_t now_ms);
    void tick(std::int64_t now_ms);
    /// How many a tick goes through: each once.
    [[nodiscard]] std::size_t size() const noexcept { return listed_.size(); }

  private:
    MetricRoom* room_;
    std::string thread_;
    std::vector<std::weak_ptr<SensorListing>> listed_;
};

}  // namespace leat::streams::detail
