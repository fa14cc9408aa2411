// SPDX-License-Identifier: Apache-2.0
//
// Counters of a running application and the list of what there is. Layer: streams (L6).
// Spec:  Kafka Streams' names and recording levels. What is below the level that is recorded costs
//        one test of a pointer; what is recorded, plain loads and stores.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "leat/streams/metrics.h"
#include "streams/sensor_id.h"

namespace leat::streams {

/// How long a sample lasts and how many count for rates, averages and extremes.
struct SampleWindow {
    std::int64_t length_ms = 30'000;
    std::int64_t samples = 2;
};

/// How often something happened and how large it was.
/// Threading: one thread writes, any reads; a reader may see a count without its value.
class Sensor {
  public:
    static constexpr int kSamplesMax = 8;
    void count(std::uint64_t times = 1) noexcept { bump(total_, times); }
    void record(std::int64_t value) noexcept;
    /// So much of a whole: the average is the part of all wholes, 0 to 1. Without extremes.
    void record_part(std::int64_t part, std::uint64_t whole) noexcept;
    /// What is, not what happens.
    void set(std::int64_t value) noexcept { last_.store(value, std::memory_order_relaxed); }
    /// Begins a new sample when the current one is over; by the writing thread.
    void tick(std::int64_t now_ms, const SampleWindow& window) noexcept;

    enum class Measure : std::uint8_t {
        kTotal,
        kRate,
        kAverage,
        kMax,
        kMin,
        kValue,
        kSum,
        kWindowedCount,
        kWindowedSum,
        kSumRate,  ///< As kRate, of the values.
        kShare,    ///< What is recorded are nanoseconds: their part of the time that has passed.
        kGauge,    ///< Not of a sensor: asked for when it is read.
    };
    [[nodiscard]] double read(Measure what, std::int64_t now_ms,
                              const SampleWindow& window) const noexcept;

  private:
    struct Sample {
        std::atomic<std::int64_t> start_ms{-1};  ///< -1: not in use.
        std::atomic<std::uint64_t> total{0};     ///< As they were when it began.
        std::atomic<std::uint64_t> sum{0};
        std::atomic<std::int64_t> max{INT64_MIN};  ///< Within it.
        std::atomic<std::int64_t> min{INT64_MAX};
    };
    static void bump(std::atomic<std::uint64_t>& cell, std::uint64_t by) noexcept {
        cell.store(cell.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }
    [[nodiscard]] bool is_old(const Sample& sample, std::int64_t now_ms,
                              const SampleWindow& window) const noexcept;

    std::atomic<std::uint64_t> total_{0};
    /// Modulo 2^64: what came after a sample began is exact again once a value from a time that
    /// makes no sense has left the window.
    std::atomic<std::uint64_t> sum_{0};
    std::atomic<std::int64_t> last_{0};
    std::array<Sample, kSamplesMax> samples_{};
    std::atomic<std::uint32_t> current_{0};
};

struct MetricRow {
    SensorId sensor{};
    std::string_view group{};
    std::string_view name{};
    Sensor::Measure measure{};
    RecordingLevel level{};
    std::string_view help{};
    double scale = 1;  ///< Of the number that is shown.
};
[[nodiscard]] std::span<const MetricRow> metric_rows();
/// docs/reference/streams-metrics.md.
[[nodiscard]] std::string metrics_page();

/// As Prometheus writes names: '-' and '.' are '_'.
[[nodiscard]] std::string underscored(std::string_view text);

namespace detail {
struct OwnMetric;
struct SensorListing;
struct SensorOrder;
}  // namespace detail

class MetricRoom;

/// The sensors of one thing with its tags, as long as it lives.
/// Threading: made, ticked and destroyed by one thread.
class MetricSet {
  public:
    using Tags = std::map<std::string, std::string>;
    /// The number of a row whose measure is kGauge; nothing: it is not known. Called by whoever
    /// reads metrics, as long as the set lives.
    using Gauge = std::function<std::optional<double>(const MetricRow& row)>;
    /// `room` absent: nothing is counted.
    MetricSet(MetricRoom* room, Tags tags, std::span<const SensorId> sensors, Gauge gauge = {});
    MetricSet(const MetricSet&) = delete;
    MetricSet& operator=(const MetricSet&) = delete;
    ~MetricSet();
    /// Null: below the level that is recorded, or not of this set.
    [[nodiscard]] Sensor* find(SensorId id) const;
    void tick(std::int64_t now_ms);
    /// They are told no more; another set may have these tags.
    void withdraw();

  private:
    friend class MetricRoom;
    [[nodiscard]] std::optional<double> read(const MetricRow& row, std::int64_t now_ms) const;

    MetricRoom* room_;
    Tags tags_;
    Gauge gauge_;
    std::map<SensorId, std::unique_ptr<Sensor>> sensors_;
};

/// All sets of an application.
/// Threading: thread-safe.
class MetricRoom {
  public:
    MetricRoom(RecordingLevel level, SampleWindow window) : level_(level), window_(window) {}
    [[nodiscard]] RecordingLevel level() const noexcept { return level_; }
    [[nodiscard]] const SampleWindow& window() const noexcept { return window_; }
    [[nodiscard]] std::vector<MetricValue> gather(std::int64_t now_ms) const;
    /// A sensor of processors on a thread, there already or new; its metrics are here as long as
    /// somebody holds the listing. Null: below the level that is recorded. Errors: kInvalidRequest,
    /// see streams_metrics.h.
    Result<std::shared_ptr<detail::SensorListing>> list(const std::string& thread,
                                                        const detail::SensorOrder& order,
                                                        std::int64_t now_ms);
    /// Tells one more of the sensor. Errors: as above, kLimitExceeded.
    Result<void> add(const std::shared_ptr<detail::SensorListing>& listing,
                     detail::OwnMetric metric);

  private:
    friend class MetricSet;
    // Under the lock.
    [[nodiscard]] Result<void> may_tell(const detail::SensorListing& listing,
                                        const detail::OwnMetric& metric) const;
    void tell(const std::shared_ptr<detail::SensorListing>& listing, detail::OwnMetric metric);
    void add_listed(std::vector<MetricValue>& out, std::int64_t now_ms) const;
    RecordingLevel level_;
    SampleWindow window_;
    mutable std::mutex mutex_;
    std::set<const MetricSet*> sets_;
    std::map<std::string, std::weak_ptr<detail::SensorListing>> listed_;
    /// Whose each is that is told, by name and tags as Prometheus shows them.
    std::map<std::string, std::weak_ptr<detail::SensorListing>> series_;
};

}  // namespace leat::streams
