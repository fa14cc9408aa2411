// SPDX-License-Identifier: Apache-2.0
//
// Thousands of timers in one ordered set. Layer: groups (L5).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "base/units.h"

namespace leat::groups {

class TimerQueue;

/// A timer that its owner holds; gone with its owner. `on_fire` must not destroy the queue, but may
/// destroy the timer.
/// Threading: not synchronised.
class Timer {
  public:
    using Action = std::function<void()>;
    Timer(TimerQueue& queue, Action on_fire) : queue_(queue), on_fire_(std::move(on_fire)) {}
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer() { cancel(); }

    /// Fires at `at`, and no longer at the time set before.
    void set(Instant at);
    void cancel();
    [[nodiscard]] bool is_set() const noexcept { return sequence_ != 0; }

  private:
    friend class TimerQueue;
    TimerQueue& queue_;
    Action on_fire_;
    Instant at_{};
    std::uint64_t sequence_ = 0;  ///< 0 when not set; else breaks ties in the order of setting.
};

/// Invariant: holds exactly the timers that are set. Setting and cancelling cost O(log n).
/// Threading: not synchronised.
class TimerQueue {
  public:
    [[nodiscard]] std::optional<Instant> next() const;
    /// Fires what is due, in the order of time. What an action sets waits for the next call.
    void fire(Instant now);
    [[nodiscard]] std::size_t size() const noexcept { return timers_.size(); }

  private:
    friend class Timer;
    struct Earlier {
        bool operator()(const Timer* a, const Timer* b) const noexcept {
            return std::pair{a->at_, a->sequence_} < std::pair{b->at_, b->sequence_};
        }
    };
    std::set<Timer*, Earlier> timers_;
    std::uint64_t sequence_ = 0;
};

}  // namespace leat::groups
