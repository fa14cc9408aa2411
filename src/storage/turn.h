// SPDX-License-Identifier: Apache-2.0
//
// Coroutines of one shard take turns. Layer: storage (L3).
#pragma once

#include <coroutine>
#include <deque>
#include <utility>

#include "base/check.h"
#include "rt/executor.h"

namespace leat::storage {

/// A lock for coroutines, first come first served. Taking it when it is free does not suspend.
///
/// Threading: shard-local.
/// Usage:     co_await turn.take(); ... turn.give(executor); on every way out.
class Turn {
  public:
    [[nodiscard]] bool is_free() const noexcept { return !held_; }

    [[nodiscard]] auto take() noexcept {
        struct Awaiter {
            Turn& turn;
            bool await_ready() const noexcept { return !std::exchange(turn.held_, true); }
            void await_suspend(std::coroutine_handle<> handle) const {
                turn.waiting_.push_back(handle);
            }
            void await_resume() const noexcept {}
        };
        return Awaiter{*this};
    }

    /// The next one runs later, from the executor, and has the turn until then.
    void give(rt::Executor& executor) {
        LEAT_CHECK(held_);
        if (waiting_.empty()) {
            held_ = false;
            return;
        }
        const std::coroutine_handle<> next = waiting_.front();
        waiting_.pop_front();
        executor.post([next] { next.resume(); });
    }

  private:
    bool held_ = false;
    std::deque<std::coroutine_handle<>> waiting_;
};

}  // namespace leat::storage
