// SPDX-License-Identifier: Apache-2.0
//
// What the stores of a task count of the calls to them. Layer: streams (L6).
// Spec:  Kafka Streams' stream-state-metrics and stream-record-cache-metrics. Below DEBUG a store
//        has no meter, and a call costs one test of a pointer.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "leat/streams/detail/state_store.h"
#include "rt/clock.h"
#include "streams/metrics.h"

namespace leat::streams::detail {

enum class StoreCall : std::uint8_t {
    kPut,
    kPutIfAbsent,
    kDelete,
    kGet,
    kFetch,
    kRemove,
    kAll,
    kRange,
    kFlush,
    kRestore,
    kIterator,
};
inline constexpr std::size_t kStoreCalls = 11;

/// Of one store.
/// Threading: belongs to the task; what it counts may be read by others.
class StoreMeter {
  public:
    StoreMeter(MetricRoom& room, const MetricSet::Tags& task, const StoreSpec& spec,
               const rt::Clock& clock);
    /// Null: such calls are not counted.
    [[nodiscard]] Sensor* of(StoreCall call) const noexcept {
        return calls_[static_cast<std::size_t>(call)];
    }
    [[nodiscard]] const rt::Clock& clock() const noexcept { return clock_; }
    /// A read of a row found it in the record cache, or did not.
    void looked_up(bool found) noexcept;
    /// Of what is put, in milliseconds. Null: nobody asks, so no clock is read.
    [[nodiscard]] Sensor* age() const noexcept { return age_; }
    /// Updates wait in a suppression.
    void waiting(std::int64_t updates, std::int64_t bytes) noexcept;
    void tick(std::int64_t now_ms);

  private:
    const rt::Clock& clock_;
    MetricSet store_;
    MetricSet cache_;
    std::array<Sensor*, kStoreCalls> calls_{};
    Sensor* age_ = nullptr;
    Sensor* hit_ratio_ = nullptr;
    std::int64_t lookups_ = 0;
    std::int64_t hits_ = 0;
};

/// Notes how long a call lasts; without a meter it reads no clock.
/// Threading: belongs to the task.
class CallTimer {
  public:
    CallTimer(const StoreMeter* meter, StoreCall call)
        : sensor_(meter == nullptr ? nullptr : meter->of(call)) {
        if (sensor_ == nullptr) return;
        clock_ = &meter->clock();
        begin_ = clock_->now();
    }
    CallTimer(const CallTimer&) = delete;
    CallTimer& operator=(const CallTimer&) = delete;
    ~CallTimer() {
        if (sensor_ != nullptr)
            sensor_->record(
                std::chrono::duration_cast<std::chrono::nanoseconds>(clock_->now() - begin_)
                    .count());
    }

  private:
    Sensor* sensor_;
    const rt::Clock* clock_ = nullptr;
    Instant begin_{};
};

/// Of all stores of a task, as long as these live.
/// Threading: as StoreMeter.
class StoreMeters {
  public:
    /// `room` absent: nothing is counted.
    StoreMeters(MetricRoom* room, MetricSet::Tags task, const rt::Clock& clock)
        : room_(room), task_(std::move(task)), clock_(clock) {}
    /// Null when the calls of a store are not recorded.
    [[nodiscard]] StoreMeter* of(const StoreSpec& spec);
    void tick(std::int64_t now_ms);

  private:
    MetricRoom* room_;
    MetricSet::Tags task_;
    const rt::Clock& clock_;
    std::map<std::string, std::unique_ptr<StoreMeter>, std::less<>> meters_;
    std::int64_t now_ms_ = 0;
};

}  // namespace leat::streams::detail
