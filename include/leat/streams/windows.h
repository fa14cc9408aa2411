// SPDX-License-Identifier: Apache-2.0
//
// How records are put into windows of time. Layer: streams SDK.
// Spec:  Kafka Streams' TimeWindows, SlidingWindows, SessionWindows, UnlimitedWindows, JoinWindows.
// Threading: plain values.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>

#include "leat/streams/record.h"

namespace leat::streams {

/// Bounds in milliseconds. Whether `end` belongs to it depends on the kind: time windows end before
/// it, session and sliding windows with it.
struct Window {
    std::int64_t start = 0;
    std::int64_t end = 0;
    friend auto operator<=>(const Window&, const Window&) = default;
};

/// The key of a windowed aggregate.
template <class K>
struct Windowed {
    K key;
    Window window;
    friend auto operator<=>(const Windowed&, const Windowed&) = default;
};

/// Longer spans and grace periods, as Duration::max() for "never late", are this one: 36 million
/// years, of which sums with times still fit.
inline constexpr Duration kLongestSpan{std::numeric_limits<std::int64_t>::max() / 8};

namespace detail {
[[nodiscard]] constexpr Duration span_of(Duration d) noexcept {
    return std::clamp(d, -kLongestSpan, kLongestSpan);
}
/// Of a size, which may be as long as numbers go, and a span.
[[nodiscard]] constexpr Duration sum_of(Duration size, Duration span) noexcept {
    return size + std::min(span, Duration::max() - std::max(size, Duration{0}));
}
/// Of a record's time, which may be any, and a span. Behind the end of time it is negative, as
/// Kafka Streams adds: what reaches so far reaches nothing, and is over.
[[nodiscard]] constexpr std::int64_t wrapped_sum(std::int64_t time, std::int64_t span) noexcept {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(time) +
                                     static_cast<std::uint64_t>(span));
}
}  // namespace detail

// No span and no grace is negative, and no size or step is 0: build() refuses others.

/// Windows of one size that start every `advance`, aligned to time 0: tumbling when the two are
/// equal, else hopping.
struct TimeWindows {
    Duration size{};
    Duration advance{};
    Duration grace_period{0};

    /// How much later than a window's end a record may come and still count.
    [[nodiscard]] constexpr TimeWindows grace(Duration d) const noexcept {
        return {size, advance, detail::span_of(d)};
    }
    /// The first window that holds `timestamp`; the others follow every `advance`, until the last.
    [[nodiscard]] constexpr std::int64_t first_start(std::int64_t timestamp) const noexcept {
        const std::int64_t step = advance.count();
        const std::int64_t from = timestamp - size.count() + step;
        return from <= 0 ? 0 : from / step * step;
    }
    [[nodiscard]] constexpr std::int64_t last_start(std::int64_t timestamp) const noexcept {
        return timestamp / advance.count() * advance.count();
    }
};
/// Each record is in one window: start <= time < start + size.
[[nodiscard]] constexpr TimeWindows tumbling(Duration size) noexcept {
    return {size, size};
}
/// Each record is in size / advance windows; advance <= size.
[[nodiscard]] constexpr TimeWindows hopping(Duration size, Duration advance) noexcept {
    return {size, advance};
}

/// Windows that start and end at records: two records share one when they are at most `difference`
/// apart.
struct SlidingWindows {
    Duration difference{};
    Duration grace_period{0};
    [[nodiscard]] constexpr SlidingWindows grace(Duration d) const noexcept {
        return {difference, detail::span_of(d)};
    }
};
[[nodiscard]] constexpr SlidingWindows sliding(Duration difference) noexcept {
    return {detail::span_of(difference)};
}

/// Windows of activity: records of a key at most `gap` apart belong together.
struct SessionWindows {
    Duration gap{};
    Duration grace_period{0};
    [[nodiscard]] constexpr SessionWindows grace(Duration d) const noexcept {
        return {gap, detail::span_of(d)};
    }
};
[[nodiscard]] constexpr SessionWindows session(Duration gap) noexcept {
    return {detail::span_of(gap)};
}

/// One window that begins at `start` and never closes. Records before it count nowhere.
struct UnlimitedWindows {
    std::int64_t start = 0;
    static constexpr Duration grace_period{0};
};
[[nodiscard]] constexpr UnlimitedWindows unlimited(std::int64_t start = 0) noexcept {
    return {start};
}

/// When a windowed aggregate tells of a window: at each record, or once when the window has closed
/// (stream time has passed its end and grace).
enum class Emit : std::uint8_t { kOnWindowUpdate, kOnWindowClose };

/// Which records of the other stream a record meets: those from `before` its time to `after` it,
/// both bounds included.
struct JoinWindows {
    Duration before_span{};
    Duration after_span{};
    Duration grace_period{0};
    [[nodiscard]] constexpr JoinWindows before(Duration d) const noexcept {
        return {detail::span_of(d), after_span, grace_period};
    }
    [[nodiscard]] constexpr JoinWindows after(Duration d) const noexcept {
        return {before_span, detail::span_of(d), grace_period};
    }
    [[nodiscard]] constexpr JoinWindows grace(Duration d) const noexcept {
        return {before_span, after_span, detail::span_of(d)};
    }
};
/// `difference` before and after; before() and after() change one side.
[[nodiscard]] constexpr JoinWindows within(Duration difference) noexcept {
    return {detail::span_of(difference), detail::span_of(difference)};
}

}  // namespace leat::streams
