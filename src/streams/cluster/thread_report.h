// SPDX-License-Identifier: Apache-2.0
//
// What a thread tells of itself: how its time goes, what it runs. Layer: streams (L6).
// Spec:  Kafka Streams' metrics of a thread, ThreadMetadata.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/units.h"
#include "leat/streams/metadata.h"
#include "rt/clock.h"
#include "streams/cluster/state_updater.h"
#include "streams/cluster/thread_tasks.h"
#include "streams/metrics.h"

namespace leat::streams {

/// Threading: belongs to the thread; metadata() and store_places() are thread-safe.
class ThreadReport {
  public:
    /// Kafka Streams' numbers.
    enum class State : std::uint8_t {
        kStarting = 1,
        kPartitionsAssigned = 3,
        kRunning = 4,
        kPendingShutdown = 5,
    };

    /// `room` may be null.
    ThreadReport(const std::string& thread, MetricRoom* room, const rt::Clock& clock);

    void note(State state);
    void end();   ///< It is dead: its metrics are told no more.
    void tick();  ///< Samples that are over end.
    /// One more of what the sensor counts.
    void count(SensorId sensor);
    /// In milliseconds since `begin`.
    void note_time(SensorId sensor, Instant begin);
    /// Since `begin`, less what of it is told as something else.
    void note_share(SensorId sensor, Instant begin, std::chrono::nanoseconds other = {});
    void note_punctuation(std::chrono::nanoseconds took);
    /// All tasks had their turn, and processed so many records.
    void note_round(std::int64_t records, const ThreadTasks& tasks);

    /// The others are to hear of it, now and then.
    [[nodiscard]] bool is_due(Instant now) const noexcept { return now >= tell_at_; }
    void make_due() noexcept { tell_at_ = {}; }
    /// What it runs, behind `told` and `places` of what is being restored for it.
    void publish(ThreadMetadata told, std::vector<StorePlace> places, const ThreadTasks& tasks);
    /// As it was a moment ago.
    [[nodiscard]] ThreadMetadata metadata() const;
    /// Where each of its stores stands in its changelog.
    [[nodiscard]] std::vector<StorePlace> store_places() const;

  private:
    const rt::Clock& clock_;
    MetricSet metrics_;
    MetricSet reading_;  ///< The consumer's.
    Instant tell_at_{};
    mutable std::mutex mutex_;
    ThreadMetadata told_;
    std::vector<StorePlace> told_places_;
};

}  // namespace leat::streams
