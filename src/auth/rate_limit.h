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
/// time is the limit exactly, whatever the sizes of the amounts. What is owed when the rate is
/// raised is paid for at the new one; when it is lowered nobody waits longer for what he used
/// before.
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
    Nanos debt(double per_second, Nanos now, Nanos burst);

  private:
    void go_by(double per_second, Nanos now);

    std::atomic<std::int64_t> paid_until_ns_{0};
    std::atomic<double> per_second_{0};  ///< At which it was counted last.
};

}  // namespace leat::auth
