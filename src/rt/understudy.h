// SPDX-License-Identifier: Apache-2.0
//
// Sees to it that an event loop goes on when its own thread blocks for too long. Layer: rt (L1).
// Spec:  docs/decisions/0044-short-syncs-on-the-shard.md
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "base/units.h"
#include "rt/executor.h"

namespace leat::rt {

/// A thread that looks every `patience`, while there is blocking work from time to time, whether
/// such work has taken that long, and then stands in. So work may hold the loop for twice as long.
/// To begin and end work costs two stores each; without work for a while the thread sleeps.
///
/// Threading: begin() and end() are for one thread; stand_in runs on the understudy's own.
/// Failure:   work that ends just when it is looked at is stood in for all the same: `stand_in`
///            looks itself.
class Understudy {
  public:
    /// Precondition: patience > 0.
    Understudy(std::string name, std::chrono::nanoseconds patience, Fn stand_in);
    /// Waits for a stand_in that is running.
    ~Understudy();
    Understudy(const Understudy&) = delete;
    Understudy& operator=(const Understudy&) = delete;

    void begin(Instant now);
    void end() noexcept { begun_.store(kNever, std::memory_order_relaxed); }

  private:
    using Ticks = std::chrono::nanoseconds::rep;
    static constexpr Ticks kNever = -1;
    void run(const std::string& name);
    void rest(std::unique_lock<std::mutex>& lock);

    const std::chrono::nanoseconds patience_;
    Fn stand_in_;
    std::atomic<Ticks> begun_ = kNever;
    std::atomic<std::uint64_t> count_ = 0;  ///< Works that were begun.
    std::atomic<bool> is_asleep_ = false;
    std::mutex mutex_;
    std::condition_variable news_;
    bool stopping_ = false;  ///< Guarded by mutex_.
    // Of the thread alone.
    std::uint64_t seen_ = 0;
    int idle_rests_ = 0;
    std::jthread thread_;
};

}  // namespace leat::rt
