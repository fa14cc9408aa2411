// SPDX-License-Identifier: Apache-2.0
//
// Holding back a table's updates. Layer: streams SDK.
// Spec:  Kafka Streams' Suppressed and its BufferConfig.
// Threading: plain values.
//
//     .windowed(tumbling(5min).grace(10s)).count().suppress(until_window_closes())
//     table.suppress(until_time_limit(10s, max_records(1000)))
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "leat/streams/options.h"
#include "leat/streams/record.h"

namespace leat::streams {

/// What a buffer may hold: from 0, where every update is one too many, to kNone. A negative limit
/// is refused at build().
struct BufferLimits {
    static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
    std::int64_t records = kNone;  ///< Updates that wait, one for each key.
    std::int64_t bytes = kNone;    ///< Of their keys and values, as Kafka Streams counts them.
    bool logging = true;           ///< A changelog topic is kept.
    std::map<std::string, std::string> changelog{};  ///< As Materialized's.
};

/// A buffer that never gives a result away early: when it is full the application stops.
struct StrictBuffer {
    BufferLimits limits{};
    [[nodiscard]] StrictBuffer without_logging() const {
        StrictBuffer out = *this;
        out.limits.logging = false;
        return out;
    }
    [[nodiscard]] StrictBuffer with_logging(std::map<std::string, std::string> changelog) const {
        StrictBuffer out = *this;
        out.limits.logging = true;
        out.limits.changelog = std::move(changelog);
        return out;
    }
};

/// A buffer that hands on what is oldest when it is full.
struct EagerBuffer {
    BufferLimits limits{};
    [[nodiscard]] EagerBuffer with_max_records(std::int64_t n) const {
        EagerBuffer out = *this;
        out.limits.records = n;
        return out;
    }
    [[nodiscard]] EagerBuffer with_max_bytes(std::int64_t n) const {
        EagerBuffer out = *this;
        out.limits.bytes = n;
        return out;
    }
    [[nodiscard]] EagerBuffer without_logging() const {
        EagerBuffer out = *this;
        out.limits.logging = false;
        return out;
    }
    [[nodiscard]] EagerBuffer with_logging(std::map<std::string, std::string> changelog) const {
        EagerBuffer out = *this;
        out.limits.logging = true;
        out.limits.changelog = std::move(changelog);
        return out;
    }
    [[nodiscard]] StrictBuffer shut_down_when_full() const { return {limits}; }
};

[[nodiscard]] inline StrictBuffer unbounded() {
    return {};
}
[[nodiscard]] inline EagerBuffer max_records(std::int64_t n) {
    return EagerBuffer{}.with_max_records(n);
}
[[nodiscard]] inline EagerBuffer max_bytes(std::int64_t n) {
    return EagerBuffer{}.with_max_bytes(n);
}

/// Only the last result of a window, when nothing can change it any more. Of windowed tables.
struct UntilWindowCloses {
    StrictBuffer buffer{};
    Named named{};
};
[[nodiscard]] inline UntilWindowCloses until_window_closes(StrictBuffer buffer = {},
                                                           Named named = {}) {
    return {buffer, std::move(named)};
}

/// At most one update of a key in each `wait` of stream time.
struct UntilTimeLimit {
    Duration wait{};
    BufferLimits limits{};
    bool strict = true;
    Named named{};
};
[[nodiscard]] inline UntilTimeLimit until_time_limit(Duration wait, StrictBuffer buffer,
                                                     Named named = {}) {
    return {wait, buffer.limits, true, std::move(named)};
}
[[nodiscard]] inline UntilTimeLimit until_time_limit(Duration wait, EagerBuffer buffer,
                                                     Named named = {}) {
    return {wait, buffer.limits, false, std::move(named)};
}

}  // namespace leat::streams
