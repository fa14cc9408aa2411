// SPDX-License-Identifier: Apache-2.0
//
// Coroutines of one shard take turns, and work that may block is awaited. Layer: storage (L3).
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

namespace detail {
template <class Work>
struct PoolAwaiter {
    rt::BlockingPool& pool;
    rt::Executor& home;
    Work& work;
    bool is_long;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) const {
        const auto submit = is_long ? &rt::BlockingPool::submit_long : &rt::BlockingPool::submit;
        (pool.*submit)(home, [&to_do = work] { to_do(); }, [handle] { handle.resume(); });
    }
    void await_resume() const noexcept {}
};
}  // namespace detail

/// co_await on_pool(pool, home, work): `work` runs on a thread of the pool, the coroutine goes on
/// at home. `work` is a named local of the coroutine, which outlives the wait.
template <class Work>
[[nodiscard]] auto on_pool(rt::BlockingPool& pool, rt::Executor& home, Work& work) noexcept {
    return detail::PoolAwaiter<Work>{pool, home, work, false};
}

/// The same for work whose length a peer decides: rt::BlockingPool::submit_long().
template <class Work>
[[nodiscard]] auto on_pool_for_long(rt::BlockingPool& pool, rt::Executor& home,
                                    Work& work) noexcept {
    return detail::PoolAwaiter<Work>{pool, home, work, true};
}

}  // namespace leat::storage
