// SPDX-License-Identifier: Apache-2.0
#include "auth/rate_limit.h"

#include <algorithm>

namespace leat::auth {
namespace {

/// Nobody waits longer than that, whatever he used: a day.
constexpr double kCostMaxNs = 86'400e9;

}  // namespace

RateLimit::Nanos RateLimit::charge(double amount, double per_second, Nanos now, Nanos burst,
                                   Nanos ahead_max) {
    go_by(per_second, now);
    const double cost = per_second > 0 ? amount * 1e9 / per_second : kCostMaxNs;
    const auto cost_ns = static_cast<std::int64_t>(std::clamp(cost, 0.0, kCostMaxNs));
    std::int64_t before = paid_until_ns_.load(std::memory_order_relaxed);
    std::int64_t after = 0;
    do {
        const std::int64_t from = std::max(before, now.count());
        after = std::max(from, std::min(from + cost_ns, (now + ahead_max).count()));
    } while (!paid_until_ns_.compare_exchange_weak(before, after, std::memory_order_relaxed));
    return std::max(Nanos{0}, Nanos{after} - now - burst);
}

RateLimit::Nanos RateLimit::debt(double per_second, Nanos now, Nanos burst) {
    go_by(per_second, now);
    const Nanos until{paid_until_ns_.load(std::memory_order_relaxed)};
    return std::max(Nanos{0}, until - now - burst);
}

/// Shards that hear of a new rate one after the other may shorten more than once: by moments.
void RateLimit::go_by(double per_second, Nanos now) {
    if (per_second_.load(std::memory_order_relaxed) == per_second) return;
    const double before = per_second_.exchange(per_second, std::memory_order_relaxed);
    if (before >= per_second) return;
    std::int64_t until = paid_until_ns_.load(std::memory_order_relaxed);
    std::int64_t sooner = 0;
    do {
        if (until <= now.count()) return;
        const double owed = static_cast<double>(until - now.count()) * before / per_second;
        sooner = now.count() + static_cast<std::int64_t>(owed);
    } while (!paid_until_ns_.compare_exchange_weak(until, sooner, std::memory_order_relaxed));
}

}  // namespace leat::auth
