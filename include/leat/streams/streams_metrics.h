// SPDX-License-Identifier: Apache-2.0
//
// Metrics of a processor's own. Layer: streams SDK.
// Spec:  Kafka Streams' StreamsMetrics: a sensor's metrics are of the group stream-<scope>-metrics,
//        have the tags thread-id, <scope>-id (the entity) and those that are given, and are called
//        <operation>-rate, -total, -latency-avg, -latency-max. They are among
//        Application::metrics(), as long as a task on the thread has the sensor.
// Threading: belongs to the processor's task; what is counted may be read by others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/metrics.h"

namespace leat::streams {

class Sensor;
class StreamsMetrics;

namespace detail {

class Node;
struct SensorListing;

struct SensorOrder {
    std::string scope{};
    std::string entity{};
    std::string operation{};
    std::map<std::string, std::string> tags{};
    RecordingLevel level = RecordingLevel::kInfo;
    bool has_latency = false;
};

}  // namespace detail

/// What is counted by; copies count the same. Without metrics, once it was removed: its numbers are
/// seen by nobody.
class MetricSensor {
  public:
    /// Counts nothing.
    MetricSensor() = default;
    /// It happened once more; `value`: how long it took, where that is told, in a unit of yours
    /// (Kafka Streams' own are nanoseconds).
    void record(std::int64_t value = 1) const noexcept;
    /// False: below metrics.recording.level, record() does nothing.
    [[nodiscard]] bool should_record() const noexcept { return sensor_ != nullptr; }

  private:
    friend class StreamsMetrics;
    explicit MetricSensor(std::shared_ptr<Sensor> sensor) : sensor_(std::move(sensor)) {}
    std::shared_ptr<Sensor> sensor_;
};

/// Of one processor in one task: Context::metrics().
class StreamsMetrics {
  public:
    using Tags = std::map<std::string, std::string>;
    /// How many sensors one processor of one task may have at a time.
    static constexpr std::size_t kSensorsMax = 100;

    explicit StreamsMetrics(detail::Node& node) : node_(&node) {}
    StreamsMetrics(const StreamsMetrics&) = delete;
    StreamsMetrics& operator=(const StreamsMetrics&) = delete;
    ~StreamsMetrics();

    /// How often `operation` happens. A sensor that a task on the same thread has already, by
    /// scope, entity, operation and tags, is the same one. From init() on. Processors of global
    /// stores count nothing.
    /// Errors: kInvalidRequest: a scope, operation or tag that is not letters, digits, '-', '_' and
    /// '.' behind a letter, no entity, an entity or a tag's value that is no UTF-8, a tag of Kafka
    /// Streams' own, a metric of Kafka Streams' own; kLimitExceeded: kSensorsMax.
    Result<MetricSensor> add_rate_total_sensor(std::string_view scope, std::string_view entity,
                                               std::string_view operation, RecordingLevel level,
                                               const Tags& tags = {});
    /// And how long it takes. Errors: as above.
    Result<MetricSensor> add_latency_rate_total_sensor(std::string_view scope,
                                                       std::string_view entity,
                                                       std::string_view operation,
                                                       RecordingLevel level, const Tags& tags = {});
    /// Its metrics go, unless other tasks of the thread have it too. All that are left go with the
    /// task.
    void remove_sensor(const MetricSensor& sensor);

  private:
    Result<MetricSensor> add(const detail::SensorOrder& order);

    detail::Node* node_;
    std::vector<std::shared_ptr<detail::SensorListing>> listed_;
};

}  // namespace leat::streams
