// SPDX-License-Identifier: Apache-2.0
//
// Coroutines for request handlers: Task<T>, start(), hop() and Completion<T>. Layer: rt (L1).
// A function returning Task takes its arguments by value or as pointers to what outlives it.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

#include "base/check.h"
#include "rt/executor.h"

namespace leat::rt {

namespace detail {

struct PromiseBase {
    std::coroutine_handle<> waiter = std::noop_coroutine();

    struct FinalAwaiter {
        bool await_ready() const noexcept { return false; }
        template <class P>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<P> h) const noexcept {
            return h.promise().waiter;
        }
        void await_resume() const noexcept {}
    };

    std::suspend_always initial_suspend() noexcept { return {}; }
    FinalAwaiter final_suspend() noexcept { return {}; }
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
};

template <class T>
struct Promise : PromiseBase {
    std::optional<T> value;
    auto get_return_object() { return std::coroutine_handle<Promise>::from_promise(*this); }
    template <class U>
    void return_value(U&& result) {
        value.emplace(std::forward<U>(result));
    }
    T take() { return *std::move(value); }
};

template <>
struct Promise<void> : PromiseBase {
    auto get_return_object() { return std::coroutine_handle<Promise>::from_promise(*this); }
    void return_void() noexcept {}
    void take() {}
};

}  // namespace detail

/// A computation that starts when awaited (or by start()) and runs on whatever executor resumes it.
///
/// Threading: not synchronised; may move between shards by hop(), one shard at a time.
/// Memory:    owns its frame. Destroying a Task that is suspended destroys the frame; a Task that
///            something else will resume must not be destroyed.
template <class T = void>
class [[nodiscard]] Task {
  public:
    using promise_type = detail::Promise<T>;

    // NOLINTNEXTLINE(google-explicit-constructor): the coroutine machinery converts.
    Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Task& operator=(Task&&) = delete;
    ~Task() {
        if (handle_) handle_.destroy();
    }

    auto operator co_await() && noexcept {
        struct Awaiter {
            std::coroutine_handle<promise_type> handle;
            bool await_ready() const noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) noexcept {
                handle.promise().waiter = waiter;
                return handle;
            }
            T await_resume() { return handle.promise().take(); }
        };
        return Awaiter{handle_};
    }

  private:
    std::coroutine_handle<promise_type> handle_;
};

namespace detail {

struct Detached {
    struct promise_type {
        Detached get_return_object() noexcept { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
    };
};

template <class T, class Done>
Detached run_detached(Task<T> task, Done done) {
    if constexpr (std::is_void_v<T>) {
        co_await std::move(task);
        done();
    } else {
        done(co_await std::move(task));
    }
}

}  // namespace detail

/// Runs `task` now, up to its first suspension; it frees itself at its end.
inline void start(Task<void> task) {
    detail::run_detached(std::move(task), [] {});
}

/// As above; `done` gets the result, on the executor where the task ended.
template <class T, class Done>
void start(Task<T> task, Done done) {
    detail::run_detached(std::move(task), std::move(done));
}

/// co_await hop(executor): the rest of the coroutine runs there. No suspension when already there.
/// Hops from one shard to another keep their order.
[[nodiscard]] inline auto hop(Executor& to) noexcept {
    struct Awaiter {
        Executor& to;
        bool await_ready() const noexcept { return to.is_here(); }
        void await_suspend(std::coroutine_handle<> handle) const {
            to.post([handle] { handle.resume(); });
        }
        void await_resume() const noexcept {}
    };
    return Awaiter{to};
}

/// co_await sleep_until(executor, at).
[[nodiscard]] inline auto sleep_until(Executor& on, Instant at) noexcept {
    struct Awaiter {
        Executor& on;
        Instant at;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> handle) const {
            on.schedule(at, [handle] { handle.resume(); });
        }
        void await_resume() const noexcept {}
    };
    return Awaiter{on, at};
}

/// A value that arrives once: one coroutine awaits it, a callback on the same shard sets it.
///
/// Threading: shard-local.
/// Usage:     the awaiting coroutine owns it; set() resumes that coroutine before it returns, which
///            may destroy this object: do nothing with it afterwards.
template <class T>
class Completion {
  public:
    void set(T value) {
        LEAT_CHECK(!value_.has_value());
        value_.emplace(std::move(value));
        if (waiter_) std::exchange(waiter_, nullptr).resume();
    }
    [[nodiscard]] bool is_set() const noexcept { return value_.has_value(); }

    bool await_ready() const noexcept { return value_.has_value(); }
    void await_suspend(std::coroutine_handle<> handle) noexcept { waiter_ = handle; }
    T await_resume() { return *std::move(value_); }

  private:
    std::optional<T> value_;
    std::coroutine_handle<> waiter_;
};

/// Lets one coroutine wait for `count` events of its shard.
/// Threading: shard-local.
class Countdown {
  public:
    explicit Countdown(std::size_t count) noexcept : left_(count) {}
    void arrive() {
        LEAT_CHECK(left_ > 0);
        if (--left_ == 0 && waiter_) std::exchange(waiter_, nullptr).resume();
    }
    bool await_ready() const noexcept { return left_ == 0; }
    void await_suspend(std::coroutine_handle<> handle) noexcept { waiter_ = handle; }
    void await_resume() const noexcept {}

  private:
    std::size_t left_;
    std::coroutine_handle<> waiter_;
};

}  // namespace leat::rt
