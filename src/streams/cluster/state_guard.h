// SPDX-License-Identifier: Apache-2.0
//
// Many read, one writes, and neither waits for ever: whoever comes later waits behind whoever
// waits already. Layer: streams (L6).
#pragma once

#include <mutex>
#include <shared_mutex>

namespace leat::streams {

/// Threading: thread-safe; a thread holds it once at a time.
class StateGuard {
  public:
    using Reading = std::shared_lock<std::shared_mutex>;
    using Writing = std::unique_lock<std::shared_mutex>;

    [[nodiscard]] Reading read() {
        const std::lock_guard turn{turn_};
        return Reading{mutex_};
    }
    [[nodiscard]] Writing write() {
        const std::lock_guard turn{turn_};
        return Writing{mutex_};
    }

  private:
    std::mutex turn_;
    std::shared_mutex mutex_;
};

}  // namespace leat::streams
