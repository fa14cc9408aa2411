// SPDX-License-Identifier: Apache-2.0
//
// A rate that several connections share, and how long who exceeded it must wait.
// Layer: auth (L2). Pure.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace leat::auth {

/// What is used is paid for with time: an amount takes amount / rate seconds, one after the other.
/// Who is further ahead of the present than `burst` waits until he is not. So the rate over a long
/// time is the limit exactly, whatever the sizes of the amounts.
///
/// Threading: thread-safe, without a lock.
class RateLimit {
  public:
    using Nanos = std::chrono::nanoseconds;
    static constexpr Nanos kNoBound = Nanos::max() / 2;

    /// Counts `amount` and tells how long to wait for it. `now` is of any steady clock. What would
    /// be more than `ahead_max` ahead of it is forgiven.
    Nanos charge(double amount, double per_second, Nanos now, Nanos burst,
                 Nanos ahead_max = kNoBound);
    /// How long to wait for what was counted already.
    [[nodiscard]] Nanos debt(Nanos now, Nanos burst) const;

  private:
    std::atomic<std::int64_t> paid_until_ns_{0};
};

}  // namespace leat::auth
