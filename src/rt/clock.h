// SPDX-License-Identifier: Apache-2.0
//
// Time for code that runs on threads of its own instead of an Executor. Layer: rt (L1).
#pragma once

#include "base/units.h"

namespace leat::rt {

/// Threading: thread-safe.
class Clock {
  public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;
    [[nodiscard]] virtual Instant now() const = 0;
    [[nodiscard]] virtual WallMs wall_now() const = 0;
};

/// The machine's.
[[nodiscard]] const Clock& system_time();

}  // namespace leat::rt
