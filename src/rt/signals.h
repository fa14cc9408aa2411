// SPDX-License-Identifier: Apache-2.0
//
// Signals that ask the process to end, as callbacks on a loop. Layer: rt (L1).
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "rt/event_loop.h"

namespace leat::rt {

/// SIGTERM, SIGINT and SIGHUP (unless it is ignored) go to `on_signal` instead of ending the
/// process, while it lives; then they do what they did before. (SIGPIPE is ignored by EventLoop.)
///
/// Threading: shard-local. One a process.
class StopSignals {
  public:
    /// `on_signal(number)` runs on `loop`, once a signal; signals of one kind that come close
    /// together may be one call. Runs on: the loop's thread or before run().
    /// Errors: kNoSpace, kIoError.
    static Result<StopSignals> open(EventLoop& loop, std::function<void(int)> on_signal);

    StopSignals(StopSignals&&) noexcept;
    StopSignals& operator=(StopSignals&&) = delete;
    ~StopSignals();

    /// From here on they do nothing, also after this is gone: the process is at its end, which a
    /// signal that comes once more must not turn into a failure.
    void disregard() noexcept;

  private:
    class Impl;
    explicit StopSignals(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leat::rt
