// SPDX-License-Identifier: Apache-2.0
//
// What RocksDB tells of a task's database. Layer: streams (L6).
// Spec:  Kafka Streams' RocksDB metrics; there a database is a store's, here it is a task's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "rt/clock.h"
#include "streams/metrics.h"
#include "streams/state/task_state.h"

namespace leat::streams::detail {

/// Threading: belongs to the task; what it counts may be read by others.
/// Memory:    goes before the task's state.
class DatabaseMeter {
  public:
    /// `room` absent, or a state in memory: nothing is told.
    DatabaseMeter(MetricRoom* room, MetricSet::Tags task, TaskState& state);
    /// Takes in what was counted since the last time.
    void tick(std::int64_t now_ms);

  private:
    [[nodiscard]] std::optional<double> gauge(const MetricRow& row) const;

    static constexpr std::size_t kCounters = 5;
    Database* database_;
    MetricSet set_;
    std::array<Sensor*, kCounters> counters_{};
    std::array<std::uint64_t, kCounters> counted_{};
};

}  // namespace leat::streams::detail
