// SPDX-License-Identifier: Apache-2.0
//
// Places in a log as a user writes them: beginning, end, an offset, a time. Layer: apps (L7). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"

namespace leat::apps {

struct StartPoint {
    enum class Kind : std::uint8_t {
        kBeginning,
        kEnd,
        kOffset,     ///< `value` is an offset.
        kBeforeEnd,  ///< `value` records before the end.
        kTime,       ///< `value` is in milliseconds since 1970 UTC.
    };
    Kind kind = Kind::kEnd;
    std::int64_t value = 0;
    friend bool operator==(const StartPoint&, const StartPoint&) = default;
};

/// "beginning", "end", "42" (offset), "-5" (five before the end), "2026-01-31",
/// "2026-01-31T12:00:00Z" (also with fractions or +02:00; without a zone UTC), "@1769860800000"
/// (ms), "-10m" (s, m, h, d before `now`).
///
/// Errors: kUsage.
[[nodiscard]] Result<StartPoint> parse_start_point(std::string_view text, WallMs now);

/// RFC 3339 date or date and time to milliseconds since 1970; nullopt when it is none.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text);

/// "2026-01-31T12:00:00.000Z"; "-" for a negative time.
[[nodiscard]] std::string format_time(WallMs time);

}  // namespace leat::apps
