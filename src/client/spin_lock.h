// SPDX-License-Identifier: Apache-2.0
//
// A lock that is held for some nanoseconds and hardly ever wanted by two. Layer: client (L3).
// Internal to client.
#pragma once

#include <atomic>
#include <thread>

namespace leat::client {

/// For std::lock_guard. One locked instruction for both ends, where a mutex has two.
/// Threading: thread-safe.
class SpinLock {
  public:
    void lock() noexcept {
        while (is_held_.exchange(true, std::memory_order_acquire)) [[unlikely]]
            std::this_thread::yield();
    }
    void unlock() noexcept { is_held_.store(false, std::memory_order_release); }

  private:
    std::atomic<bool> is_held_ = false;
};

}  // namespace leat::client
