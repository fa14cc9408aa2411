// SPDX-License-Identifier: Apache-2.0
//
// Several shards and a blocking pool in one thread, in an order that a seed decides, with simulated
// time. Layer: test-only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rt/executor.h"
#include "rt/timer_heap.h"
#include "testkit/sim_random.h"

namespace leat::testkit {

class SimWorld;

/// One simulated shard. What it may not do on a real loop (schedule or cancel from elsewhere)
/// aborts.
/// Threading: not synchronised; the thread of the test runs everything.
class SimExecutor final : public rt::Executor {
  public:
    void post(rt::Fn fn) override;
    rt::TimerId schedule(Instant at, rt::Fn fn) override;
    bool cancel(rt::TimerId timer) override;
    [[nodiscard]] Instant now() const override;
    [[nodiscard]] WallMs wall_now() const override;
    [[nodiscard]] bool is_here() const override;
    std::uint64_t random() override;

    /// Runs `fn` at once as if on this shard.
    void here(const std::function<void()>& fn);

  private:
    friend class SimWorld;
    SimExecutor(SimWorld& world, std::size_t number) : world_(world), number_(number) {}

    SimWorld& world_;
    const std::size_t number_;
    /// By poster: order is promised for the posts of one thread only, so between them dice decide.
    std::map<std::size_t, std::deque<rt::Fn>> posts_;
    rt::TimerHeap timers_;
};

struct SimPoolOptions {
    std::size_t threads = 4;
    /// A job takes effect after a random part of a random time within these bounds; most are short.
    std::chrono::nanoseconds shortest = std::chrono::microseconds{5};
    std::chrono::nanoseconds longest = std::chrono::milliseconds{5};
};

/// Jobs begin in their order when a thread is free, do all their work at one random instant, and
/// are done at a later one: a crash may come between.
class SimPool final : public rt::BlockingPool {
  public:
    void submit(rt::Executor& home, rt::Fn work, rt::Fn done) override;

    /// Jobs that are not done.
    [[nodiscard]] std::size_t unfinished() const { return waiting_.size() + running_; }

  private:
    friend class SimWorld;
    struct Job {
        rt::Executor* home;
        rt::Fn work;
        rt::Fn done;
    };
    SimPool(SimWorld& world, SimPoolOptions options) : world_(world), options_(options) {}
    void begin();
    void finish(Job job);

    SimWorld& world_;
    const SimPoolOptions options_;
    std::deque<Job> waiting_;
    std::size_t running_ = 0;
};

/// Owns the shards, the pools and the clock.
///
/// Time passes by a random moment between steps and jumps to the next timer when nothing else is
/// to do. Two worlds of one seed that are used alike do the same.
class SimWorld {
  public:
    explicit SimWorld(std::uint64_t seed, Instant start = Instant{std::chrono::hours{1}});
    ~SimWorld();
    SimWorld(const SimWorld&) = delete;
    SimWorld& operator=(const SimWorld&) = delete;

    /// Live as long as the world.
    SimExecutor& add_executor();
    SimPool& add_pool(SimPoolOptions options = {});

    /// Runs one post, timer or part of a job; false when nothing at all is left to run.
    bool step();
    /// Runs until `is_done()` or nothing is left, at most until `limit` has passed; true: it is
    /// done.
    bool run_until(const std::function<bool()>& is_done,
                   std::chrono::nanoseconds limit = std::chrono::minutes{10});
    /// Runs all that happens within `time`; the clock then stands at its end.
    void run_for(std::chrono::nanoseconds time);
    /// Runs until nothing but timers is left; due timers run too.
    void settle();

    /// The power goes: nothing that is pending runs any more, nor do its destructors (a coroutine
    /// that waits for ever keeps its frame). The executors stay usable and are empty.
    void cut_power();

    [[nodiscard]] Instant now() const { return now_; }
    /// The wall clock jumps, also backwards.
    void jump_wall_clock(std::chrono::milliseconds by) { wall_offset_ms_ += by.count(); }
    [[nodiscard]] WallMs wall_now() const;
    [[nodiscard]] SimRandom& random() { return random_; }
    [[nodiscard]] std::uint64_t steps() const { return steps_; }

  private:
    friend class SimExecutor;
    friend class SimPool;

    static constexpr std::size_t kTest = 0;  ///< The test itself, outside of step().
    static constexpr std::size_t kPool = 1;

    /// Runs one thing that may run now; false when only later timers are left.
    bool step_now();
    [[nodiscard]] bool next_event(Instant& at) const;
    void run_as(std::size_t who, rt::Fn fn);

    SimRandom random_;
    Instant now_;
    std::int64_t wall_offset_ms_ = 1'700'000'000'000;
    std::vector<std::unique_ptr<SimExecutor>> executors_;
    std::vector<std::unique_ptr<SimPool>> pools_;
    rt::TimerHeap pool_events_;
    std::size_t current_ = kTest;  ///< Number of the executor that runs, or one of the two.
    std::uint64_t steps_ = 0;
};

}  // namespace leat::testkit
