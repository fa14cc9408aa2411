// SPDX-License-Identifier: Apache-2.0
//
// A thread that runs an event loop. Layer: rt (L1).
#pragma once

#include <thread>

#include "rt/event_loop.h"

namespace leat::rt {

/// Threading: owned by one thread, which also joins.
class LoopThread {
  public:
    /// `at_start` runs on the new thread before the loop.
    LoopThread(EventLoop& loop, Fn at_start);
    LoopThread(LoopThread&&) noexcept = default;
    LoopThread& operator=(LoopThread&&) = delete;
    /// Waits until the loop was stopped and has returned.
    ~LoopThread() = default;

  private:
    std::jthread thread_;
};

/// Cores that this process may run on; at least 1.
[[nodiscard]] std::size_t core_count();

}  // namespace leat::rt
