// SPDX-License-Identifier: Apache-2.0
//
// Work that may block, awaited. Layer: rt (L1).
#pragma once

#include <coroutine>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "rt/executor.h"

namespace leat::rt {

namespace detail {

/// Threading: awaited by one coroutine; its work runs on a thread of the pool meanwhile.
template <class Work>
class PoolWork {
  public:
    using Out = std::invoke_result_t<std::remove_reference_t<Work>&>;
    using Submit = void (BlockingPool::*)(Executor&, Fn, Fn);

    PoolWork(BlockingPool& pool, Executor& home, Work&& work, Submit submit)
        : pool_(pool), home_(home), work_(std::forward<Work>(work)), submit_(submit) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
        (pool_.*submit_)(home_, [this] { run(); }, [handle] { handle.resume(); });
    }
    Out await_resume() {
        if constexpr (!std::is_void_v<Out>) return *std::move(out_);
    }

  private:
    void run() {
        if constexpr (std::is_void_v<Out>)
            work_();
        else
            out_.emplace(work_());
    }

    BlockingPool& pool_;
    Executor& home_;
    Work work_;  ///< A reference, when it has a name.
    Submit submit_;
    std::conditional_t<std::is_void_v<Out>, std::monostate, std::optional<Out>> out_;
};

}  // namespace detail

/// co_await on_pool(pool, home, work): `work()` runs on a thread of the pool; the coroutine goes on
/// at home, its own executor, with what it returned. A `work` that has a name is not copied; it and
/// what it refers to outlive the wait.
template <class Work>
[[nodiscard]] auto on_pool(BlockingPool& pool, Executor& home, Work&& work) {
    return detail::PoolWork<Work>{pool, home, std::forward<Work>(work), &BlockingPool::submit};
}

/// The same for work whose length a peer decides: BlockingPool::submit_long().
template <class Work>
[[nodiscard]] auto on_pool_for_long(BlockingPool& pool, Executor& home, Work&& work) {
    return detail::PoolWork<Work>{pool, home, std::forward<Work>(work), &BlockingPool::submit_long};
}

}  // namespace leat::rt
