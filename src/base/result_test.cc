// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <gtest/gtest.h>

#include <coroutine>
#include <exception>
#include <string>

namespace leat {
namespace {

Result<int> parse(int i) {
    if (i < 0) return Error{Errc::kInvalidRequest, "neg"};
    return i;
}
Result<std::string> twice(int i) {
    LEAT_TRY(const int a, parse(i));
    LEAT_TRY(const int b, parse(a - 1));
    return std::to_string(a + b);
}
Result<void> check(int i) {
    LEAT_TRY_VOID(parse(i));
    return {};
}
struct Task {
    struct promise_type {
        Result<int> out{0};
        Task get_return_object() {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_value(Result<int> r) { out = std::move(r); }
        [[noreturn]] void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<promise_type> h;
};
struct Ready {
    explicit Ready(Result<int> r) : v(std::move(r)) {}
    Result<int> v;
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    Result<int> await_resume() { return std::move(v); }
};
Task co(int i) {
    LEAT_CO_TRY(const int a, co_await Ready{parse(i)});
    LEAT_CO_TRY(const int b, co_await Ready{parse(a - 1)});
    co_return a + b;
}

TEST(Result, TryPropagates) {
    EXPECT_EQ(*twice(2), "3");
    EXPECT_EQ(twice(0).error().code(), Errc::kInvalidRequest);
    EXPECT_EQ(twice(0).error().detail(), "neg");
    EXPECT_FALSE(check(-1).has_value());
    EXPECT_TRUE(check(1).has_value());
    EXPECT_EQ(sizeof(Error), 16U);
    auto t = co(3);
    EXPECT_EQ(*t.h.promise().out, 5);
    auto u = co(0);
    EXPECT_EQ(u.h.promise().out.error().code(), Errc::kInvalidRequest);
    t.h.destroy();
    u.h.destroy();
}

}  // namespace
}  // namespace leat
