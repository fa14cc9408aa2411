// SPDX-License-Identifier: Apache-2.0
//
// What one task counts: records, its nodes, the topics it reads and writes. Layer: streams (L6).
// Threading: belongs to its task; what it counts may be read by others.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leat/streams/detail/node.h"
#include "leat/streams/detail/task.h"
#include "rt/clock.h"
#include "streams/metrics.h"
#include "streams/sensor_listing.h"

namespace leat::streams {

namespace detail {

/// What a node counts as records come to it. Sensors that are null do not.
struct NodeSensors {
    Sensor* processed = nullptr;
    Sensor* age = nullptr;
    Sensor* emitted = nullptr;       ///< Of a suppression: what it told.
    Sensor* closed = nullptr;        ///< Of an aggregate that tells when windows close: these.
    Sensor* closing_time = nullptr;  ///< And how long that took.
    [[nodiscard]] bool any() const noexcept {
        return processed != nullptr || age != nullptr || emitted != nullptr || closed != nullptr ||
               closing_time != nullptr;
    }
};

class NodeMeter {
  public:
    NodeMeter(const NodeSensors& sensors, const std::int64_t& now_ms, const rt::Clock& clock)
        : sensors_(sensors), now_ms_(now_ms), clock_(clock) {}
    void emitted() const noexcept {
        if (sensors_.emitted != nullptr) sensors_.emitted->count();
    }
    void note(const Flow& flow) const noexcept {
        if (sensors_.processed != nullptr) sensors_.processed->count();
        if (sensors_.age != nullptr) sensors_.age->record(now_ms_ - flow.timestamp);
    }
    /// In nanoseconds; without a sensor no clock is read.
    [[nodiscard]] std::int64_t begin_final() const {
        return sensors_.closing_time == nullptr ? 0 : clock_.now().time_since_epoch().count();
    }
    void told_final(std::int64_t begin, std::size_t windows) const {
        if (sensors_.closed != nullptr) sensors_.closed->count(windows);
        if (sensors_.closing_time != nullptr) sensors_.closing_time->record(begin_final() - begin);
    }

  private:
    NodeSensors sensors_;
    const std::int64_t& now_ms_;
    const rt::Clock& clock_;
};

class TaskGraph;
struct Part;

}  // namespace detail

/// Notes how long it lived, in nanoseconds; without a sensor it reads no clock.
class Stopwatch {
  public:
    Stopwatch(Sensor* sensor, const rt::Clock& clock)
        : sensor_(sensor), clock_(clock), begin_(sensor == nullptr ? Instant{} : clock.now()) {}
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;
    ~Stopwatch() {
        if (sensor_ != nullptr)
            sensor_->record(
                std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.now() - begin_)
                    .count());
    }

  private:
    Sensor* sensor_;
    const rt::Clock& clock_;
    Instant begin_;
};

/// What Kafka Streams weighs an absent key or value of an input record as.
inline constexpr std::int64_t kAbsentWeight = -1;

/// Records and bytes of a topic, in or out.
struct TopicMeter {
    Sensor* records = nullptr;
    Sensor* bytes = nullptr;
    void note(std::int64_t record_bytes) const noexcept {
        if (records == nullptr) return;
        records->count();
        bytes->count(static_cast<std::uint64_t>(record_bytes));
    }
};

/// As Kafka Streams weighs a record: with topic, partition, offset and time.
[[nodiscard]] std::int64_t weight_of(std::string_view topic,
                                     const std::optional<std::string_view>& key,
                                     const std::optional<std::string_view>& value,
                                     const Headers* headers, std::int64_t absent) noexcept;

class TaskMeters {
  public:
    /// `room` absent: nothing is counted. `graph`'s nodes count here from now on; it must not
    /// outlive this.
    TaskMeters(MetricRoom* room, std::string thread, std::string task, detail::TaskGraph& graph,
               const rt::Clock& clock);

    /// The time of what comes next, once for some records; at last a second apart, so that samples
    /// change. True: they may have, and so may those of others that go by this.
    bool at(std::int64_t now_ms);
    void dropped() const noexcept {
        if (dropped_ != nullptr) dropped_->count();
    }
    void late(std::int64_t by_ms) const noexcept {
        if (late_ != nullptr) late_->record(by_ms);
    }
    /// Of each record and punctuation; null: nobody asks, so no clock is read.
    [[nodiscard]] Sensor* processing() const noexcept { return processing_; }
    [[nodiscard]] Sensor* punctuating() const noexcept { return punctuating_; }
    void restored(std::int64_t records) const noexcept {
        if (restored_ != nullptr) restored_->count(static_cast<std::uint64_t>(records));
    }
    void remaining(std::int64_t records) const noexcept {
        if (remaining_ != nullptr) remaining_->set(records);
    }
    void updated(std::int64_t records) const noexcept {
        if (updated_ != nullptr) updated_->count(static_cast<std::uint64_t>(records));
    }
    void enforced() const noexcept {
        if (enforced_ != nullptr) enforced_->count();
    }
    /// The task had its turn; and then, behind those of all tasks of the thread, how long these
    /// took together.
    void took(std::chrono::nanoseconds turn) noexcept { turn_ += turn; }
    [[nodiscard]] std::chrono::nanoseconds turn() const noexcept { return turn_; }
    void all_took(std::chrono::nanoseconds turns) noexcept;
    /// For how many records wait; null: nobody asks.
    [[nodiscard]] Sensor* buffered() const noexcept { return buffered_; }
    void cached(std::size_t bytes) const noexcept {
        if (cached_ != nullptr) cached_->set(static_cast<std::int64_t>(bytes));
    }
    /// Of a processor's own. Errors: those of MetricRoom::list().
    Result<std::shared_ptr<detail::SensorListing>> list(const detail::SensorOrder& order);
    /// How many of these a tick goes through: each once.
    [[nodiscard]] std::size_t listed() const noexcept { return own_.size(); }
    [[nodiscard]] TopicMeter consumed(std::string_view node, std::string_view topic);
    /// Made once for each partition of the task; null: nothing is counted.
    [[nodiscard]] Sensor* lag(const std::string& topic, std::int32_t partition);
    /// `topic` as the node names it.
    void produced(std::string_view topic, std::int64_t record_bytes);

  private:
    /// With the task's tags.
    [[nodiscard]] MetricSet& add(MetricSet::Tags tags, std::span<const SensorId> sensors);
    [[nodiscard]] MetricSet& add_bare(MetricSet::Tags tags, std::span<const SensorId> sensors);
    /// The node counts what it is counted for, if anything.
    void meter(detail::Node& node, const detail::Part& part, const rt::Clock& clock);

    MetricRoom* room_;
    MetricSet::Tags tags_;
    std::vector<std::unique_ptr<MetricSet>> sets_;
    std::vector<std::unique_ptr<detail::NodeMeter>> nodes_;
    detail::ListedSensors own_;
    std::map<std::string, std::string, std::less<>> sinks_;  ///< By topic; "": chosen per record.
    std::map<std::string, TopicMeter, std::less<>> produced_;
    const std::pair<const std::string, TopicMeter>* last_produced_ = nullptr;
    Sensor* dropped_ = nullptr;
    Sensor* late_ = nullptr;
    Sensor* processing_ = nullptr;
    Sensor* punctuating_ = nullptr;
    Sensor* restored_ = nullptr;
    Sensor* remaining_ = nullptr;
    Sensor* updated_ = nullptr;
    Sensor* enforced_ = nullptr;
    Sensor* process_share_ = nullptr;
    Sensor* buffered_ = nullptr;
    Sensor* cached_ = nullptr;
    std::chrono::nanoseconds turn_{0};
    std::int64_t now_ms_ = 0;
    std::int64_t ticked_ms_ = -1;
};

}  // namespace leat::streams
