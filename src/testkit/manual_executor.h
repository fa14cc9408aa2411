// SPDX-License-Identifier: Apache-2.0
//
// An executor and a pool that run only when the test says so. Layer: test-only.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <deque>
#include <map>
#include <utility>

#include "rt/executor.h"

namespace leat::testkit {

/// Threading: not synchronised; everything runs on the test's thread, inside run().
class ManualExecutor final : public rt::Executor {
  public:
    void post(rt::Fn fn) override { queue_.push_back(std::move(fn)); }
    rt::TimerId schedule(Instant at, rt::Fn fn) override {
        timers_.emplace(std::pair{at, ++last_timer_}, std::move(fn));
        return {last_timer_};
    }
    bool cancel(rt::TimerId timer) override {
        return std::erase_if(timers_,
                             [timer](const auto& t) { return t.first.second == timer.value; }) > 0;
    }
    void block(rt::BlockingPool& pool, rt::Fn work, rt::Fn done) override {
        ++works_asked_;
        Executor::block(pool, std::move(work), std::move(done));
    }
    /// How often it was asked to do blocking work; a pool does it.
    [[nodiscard]] std::size_t works_asked() const noexcept { return works_asked_; }
    [[nodiscard]] Instant now() const override { return now_; }
    [[nodiscard]] WallMs wall_now() const override {
        return {now_.time_since_epoch().count() / 1'000'000};
    }
    [[nodiscard]] bool is_here() const override { return running == this; }
    std::uint64_t random() override { return ++random_ * 0x9E3779B97F4A7C15; }

    /// Runs `fn` as if on this executor's thread.
    template <class F>
    void here(F fn) {
        const auto before = std::exchange(running, this);
        fn();
        running = before;
    }
    /// Runs what is posted, and what that posts; false when there was nothing.
    bool run() {
        if (queue_.empty()) return false;
        while (!queue_.empty()) {
            rt::Fn fn = std::move(queue_.front());
            queue_.pop_front();
            here(std::move(fn));
        }
        return true;
    }
    /// Moves the clock and runs the timers that are due, in order.
    void advance(std::chrono::nanoseconds by) {
        now_ += by;
        while (!timers_.empty() && timers_.begin()->first.first <= now_) {
            rt::Fn fn = std::move(timers_.begin()->second);
            timers_.erase(timers_.begin());
            here(std::move(fn));
            run();
        }
    }

  private:
    static inline ManualExecutor* running = nullptr;
    std::deque<rt::Fn> queue_;
    std::map<std::pair<Instant, std::uint64_t>, rt::Fn> timers_;
    std::uint64_t last_timer_ = 0;
    std::uint64_t random_ = 0;
    std::size_t works_asked_ = 0;
    Instant now_{};
};

/// Threading: as ManualExecutor.
class ManualPool final : public rt::BlockingPool {
  public:
    void submit(rt::Executor& home, rt::Fn work, rt::Fn done) override {
        jobs_.push_back([&home, w = std::move(work), d = std::move(done)]() mutable {
            w();
            home.post(std::move(d));
        });
    }
    /// Runs the oldest job; false when there is none.
    bool run_one() {
        if (jobs_.empty()) return false;
        rt::Fn job = std::move(jobs_.front());
        jobs_.pop_front();
        job();
        return true;
    }
    [[nodiscard]] std::size_t size() const { return jobs_.size(); }

  private:
    std::deque<rt::Fn> jobs_;
};

}  // namespace leat::testkit
