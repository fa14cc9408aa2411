// SPDX-License-Identifier: Apache-2.0
//
// Metrics of a processor's own. Layer: streams SDK.
// Spec:  Kafka Streams' StreamsMetrics: a sensor's metrics are of the group stream-<scope>-metrics,
//        have the tags thread-id, <scope>-id (the entity) and those that are given, and are called
//        <operation>-rate, -total, -latency-avg, -latency-max. Those of sensors with statistics of
//        one's own are called as one says, and have the tag thread-id too. All are among
//        Application::metrics(), as long as a task on the thread has the sensor.
// Threading: belongs to the processor's task; what is counted may be read by others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/metrics.h"

namespace leat::streams {

class StreamsMetrics;

/// What is told of the values that a sensor records. Windowed, averages, extremes and rates: of the
/// last metrics.num.samples times metrics.sample.window.ms.
enum class Statistic : std::uint8_t {
    kAvg,
    kMin,
    kMax,
    kWindowedCount,
    kWindowedSum,
    kCumulativeCount,
    kCumulativeSum,
    kRate,         ///< Their sum, a second.
    kRateOfCount,  ///< How many, a second.
    kValue,        ///< The last one; 0 before.
};

/// Kafka Streams' MetricName. In Prometheus' text: kafka_streams_<group>_<name>.
struct MetricName {
    std::string name{};
    std::string group{};
    std::string description{};
    std::map<std::string, std::string> tags{};
};

namespace detail {

class Node;
struct SensorLine;
struct SensorListing;

struct SensorOrder {
    std::string scope{};
    std::string entity{};
    std::string operation{};
    std::map<std::string, std::string> tags{};
    RecordingLevel level = RecordingLevel::kInfo;
    bool has_latency = false;
    std::string name{};  ///< Not empty: a sensor without metrics at first; no more than this and
                         ///< `level` and `parents` counts.
    std::vector<std::shared_ptr<SensorLine>> parents{};
};

}  // namespace detail

/// What is counted by; copies count the same. Without metrics, once it was removed: its numbers are
/// seen by nobody. Belongs to the thread of the processor that has it.
class MetricSensor {
  public:
    /// Counts nothing.
    MetricSensor() = default;
    /// It happened once more; `value`: how long it took, where that is told, in a unit of yours
    /// (Kafka Streams' own are nanoseconds), or what the statistics are to be of. Its parents
    /// record it as well.
    void record(std::int64_t value = 1) const noexcept;
    /// False: below metrics.recording.level, record() does nothing.
    [[nodiscard]] bool should_record() const noexcept { return sensor_ != nullptr; }

  private:
    friend class StreamsMetrics;
    explicit MetricSensor(std::shared_ptr<detail::SensorLine> sensor)
        : sensor_(std::move(sensor)) {}
    std::shared_ptr<detail::SensorLine> sensor_;
};

/// Of one processor in one task: Context::metrics().
class StreamsMetrics {
  public:
    using Tags = std::map<std::string, std::string>;
    /// How many sensors one processor of one task may have at a time.
    static constexpr std::size_t kSensorsMax = 100;
    /// How many metrics one sensor may have.
    static constexpr std::size_t kMetricsMax = 20;

    explicit StreamsMetrics(detail::Node& node) : node_(&node) {}
    StreamsMetrics(const StreamsMetrics&) = delete;
    StreamsMetrics& operator=(const StreamsMetrics&) = delete;
    ~StreamsMetrics();

    /// How often `operation` happens. A sensor that a task on the same thread has already, by
    /// scope, entity, operation and tags, is the same one. From init() on.
    /// Errors: kInvalidRequest: a scope, operation or tag that is not letters, digits, '-', '_' and
    /// '.' behind a letter, no entity, an entity or a tag's value that is no UTF-8, a tag of Kafka
    /// Streams' own, a metric of Kafka Streams' own or of another sensor; kLimitExceeded:
    /// kSensorsMax.
    Result<MetricSensor> add_rate_total_sensor(std::string_view scope, std::string_view entity,
                                               std::string_view operation, RecordingLevel level,
                                               const Tags& tags = {});
    /// And how long it takes. Errors: as above.
    Result<MetricSensor> add_latency_rate_total_sensor(std::string_view scope,
                                                       std::string_view entity,
                                                       std::string_view operation,
                                                       RecordingLevel level, const Tags& tags = {});
    /// A sensor of which nothing is told until metrics are added to it. One that a task on the same
    /// thread has by that name is the same one, with the parents that it has. A parent below the
    /// level that is recorded is left out.
    /// Errors: kInvalidRequest: no name, one that is no UTF-8, a parent of another thread, a sensor
    /// that would be reached twice; kLimitExceeded: kSensorsMax.
    Result<MetricSensor> add_sensor(std::string_view name, RecordingLevel level,
                                    std::span<const MetricSensor> parents = {});
    /// `what` is told of the sensor's values, under that name; nothing new when the sensor has that
    /// name already. Errors: kInvalidRequest: a group, name or tag that is not as above, a
    /// description or a tag's value that is no UTF-8, a metric of Kafka Streams' own or of another
    /// sensor, a sensor that this processor does not have; kLimitExceeded: kMetricsMax.
    Result<void> add_metric(const MetricSensor& sensor, const MetricName& name, Statistic what);
    /// Its metrics go, and those of this processor that have it as a parent, unless other tasks of
    /// the thread have it too. All that are left go with the task.
    void remove_sensor(const MetricSensor& sensor);

  private:
    Result<MetricSensor> add(const detail::SensorOrder& order);

    detail::Node* node_;
    std::vector<std::shared_ptr<detail::SensorListing>> listed_;
};

}  // namespace leat::streams
