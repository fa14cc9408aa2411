// SPDX-License-Identifier: Apache-2.0
//
// How milliseconds of a setting or a peer meet an instant. Layer: base (L0).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

#include "base/units.h"

namespace leat {

/// The longest wait that is told apart from "never": a hundred years. Instants count nanoseconds,
/// so that more than 292 years of milliseconds wrap around when they meet one, and Kafka's settings
/// say "never" by the largest number there is.
inline constexpr std::int64_t kLongestMs = std::int64_t{100} * 365 * 86'400'000;

/// Milliseconds as a setting or a peer gives them, at most kLongestMs either way: may be compared
/// with the distance of two instants and added to one.
constexpr std::chrono::milliseconds bounded_ms(std::int64_t ms) noexcept {
    return std::chrono::milliseconds{std::clamp(ms, -kLongestMs, kLongestMs)};
}

/// `ms` after `at`, which may be as far as Instant::max().
constexpr Instant after(Instant at, std::int64_t ms) noexcept {
    const std::chrono::nanoseconds span = bounded_ms(ms);
    if (span.count() > 0 && at > Instant::max() - span) return Instant::max();
    if (span.count() < 0 && at < Instant::min() - span) return Instant::min();
    return at + span;
}

/// `ms` after `at`; the last or first millisecond there is where it would be beyond.
constexpr WallMs after(WallMs at, std::int64_t ms) noexcept {
    using Limits = std::numeric_limits<std::int64_t>;
    if (ms > 0 && at.value > Limits::max() - ms) return WallMs{Limits::max()};
    if (ms < 0 && at.value < Limits::min() - ms) return WallMs{Limits::min()};
    return WallMs{at.value + ms};
}

}  // namespace leat
