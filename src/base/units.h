// SPDX-License-Identifier: Apache-2.0
//
// Domain quantities that cross functions. Layer: base (L0).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/tagged.h"

namespace leat {

/// Position of a record in a partition; counts records, starts at 0.
using Offset = Tagged<struct OffsetTag, std::int64_t>;
/// Byte position inside one file.
using FilePos = Tagged<struct FilePosTag, std::int64_t>;
/// Milliseconds since 1970 UTC, as record timestamps carry them; -1 is "none".
using WallMs = Tagged<struct WallMsTag, std::int64_t>;

/// Monotonic time; its zero means nothing. Real or simulated (rt/clock.h).
struct MonoClock {
    using rep = std::int64_t;
    using period = std::nano;
    using duration = std::chrono::nanoseconds;
    using time_point = std::chrono::time_point<MonoClock>;
    // NOLINTNEXTLINE(readability-identifier-naming): the name is the standard's.
    static constexpr bool is_steady = true;
};
using Instant = MonoClock::time_point;

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

}  // namespace leat
