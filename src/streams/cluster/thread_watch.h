// SPDX-License-Identifier: Apache-2.0
//
// Which threads get on. Each counts its steps; who looks now and then finds those that make none.
// Layer: streams (L6). Pure but for its lock.
// Spec:  Kafka's max.poll.interval.ms (KIP-62).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/units.h"

namespace leat::streams {

/// Threading: thread-safe.
class ThreadWatch {
  public:
    /// Counted up by the thread alone, with every step.
    using Steps = std::atomic<std::uint64_t>;

    /// Watched from now on.
    std::shared_ptr<Steps> add(int thread) {
        auto steps = std::make_shared<Steps>(0);
        const std::lock_guard lock{mutex_};
        threads_[thread] = {.steps = steps};
        return steps;
    }
    void remove(int thread) {
        const std::lock_guard lock{mutex_};
        threads_.erase(thread);
    }

    struct News {
        std::vector<int> stuck;  ///< Without a step for too long, from now on.
        std::vector<int> back;   ///< Were stuck, and go on.
        bool is_any_stuck = false;
    };
    /// Called again and again, by one thread.
    News look(Instant now, std::chrono::milliseconds at_most) {
        const std::lock_guard lock{mutex_};
        // Nobody has looked for so long: then the whole process may have stood still.
        const bool is_late = !looked_ || now - *looked_ >= at_most;
        looked_ = now;
        News out;
        for (auto& [id, thread] : threads_) {
            const std::uint64_t steps = thread.steps->load(std::memory_order_relaxed);
            const bool moves = !thread.since || steps != thread.seen;
            thread.seen = steps;
            if (moves || is_late) thread.since = now;
            if (moves && thread.is_stuck) out.back.push_back(id);
            if (moves) thread.is_stuck = false;
            if (!thread.is_stuck && now - *thread.since >= at_most) {
                thread.is_stuck = true;
                out.stuck.push_back(id);
            }
            out.is_any_stuck = out.is_any_stuck || thread.is_stuck;
        }
        return out;
    }

  private:
    struct Watched {
        std::shared_ptr<Steps> steps;
        std::uint64_t seen = 0;
        std::optional<Instant> since{};  ///< No step since then.
        bool is_stuck = false;
    };
    std::mutex mutex_;
    std::map<int, Watched> threads_;
    std::optional<Instant> looked_;
};

}  // namespace leat::streams
