// SPDX-License-Identifier: Apache-2.0
//
// Method: a loop on a thread of its own and a pool; works that end only when the loop goes on, so
// that nothing here depends on how fast the machine is.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <semaphore>
#include <thread>

#include "obs/metrics.h"
#include "rt/descriptor.h"
#include "rt/event_loop.h"
#include "rt/thread_pool.h"
#include "rt/understudy.h"
#include "testkit/result_matchers.h"

namespace leat::rt {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Id = std::thread::id;

class LoopBlocking : public testing::Test {
  protected:
    ~LoopBlocking() override { stop(); }
    void start(milliseconds patience) {
        loop_ = std::make_unique<EventLoop>(EventLoopOptions{.name = "own", .patience = patience});
        thread_ = std::jthread{[this] {
            obs::set_thread_slot(1);
            loop_->run();
        }};
    }
    void stop() {
        if (!thread_.joinable()) return;
        loop_->stop();
        thread_.join();
    }
    /// Runs `work` as blocking work of the loop; returns where, when its `done` has run there.
    Id ran_on(Fn work) {
        Id at;
        std::binary_semaphore over{0};
        loop_->post([&] {
            loop_->block(
                pool_,
                [&] {
                    at = std::this_thread::get_id();
                    work();
                },
                [&] {
                    EXPECT_TRUE(loop_->is_here());
                    over.release();
                });
        });
        over.acquire();
        return at;
    }
    /// One turn, so that what has just been posted to the loop from here has run.
    void pass() {
        std::binary_semaphore over{0};
        loop_->post([&] { over.release(); });
        over.acquire();
    }
    /// Until a turn without events has begun: what is posted from here then meets no more of them.
    void pass_events() {
        std::binary_semaphore over{0};
        loop_->post([&] { loop_->schedule(loop_->now(), [&] { over.release(); }); });
        over.acquire();
    }

    ThreadPool pool_{{.threads = 2}};
    std::unique_ptr<EventLoop> loop_;
    std::jthread thread_;
};

TEST_F(LoopBlocking, IdleLoopWorksOnItsOwnThread) {
    start(milliseconds{1000});
    for (int i = 0; i < 20; ++i) EXPECT_EQ(ran_on([] {}), thread_.get_id());
}

TEST_F(LoopBlocking, WithoutPatienceThePoolWorks) {
    start(milliseconds{0});
    EXPECT_NE(ran_on([] {}), thread_.get_id());
}

TEST_F(LoopBlocking, WorkIsNotTheLoopsWhileItRuns) {
    start(milliseconds{1000});
    ran_on([&] {
        EXPECT_FALSE(loop_->is_here());
        EXPECT_EQ(obs::thread_slot(), 0U);
    });
    loop_->post([&] { EXPECT_EQ(obs::thread_slot(), 1U); });
    pass();
}

TEST_F(LoopBlocking, SecondWorkOfATurnGoesToThePool) {
    start(milliseconds{1000});
    std::array<Id, 2> at;
    std::counting_semaphore<> over{0};
    loop_->post([&] {
        for (Id& one : at)
            loop_->block(
                pool_, [&one] { one = std::this_thread::get_id(); }, [&] { over.release(); });
    });
    over.acquire();
    over.acquire();
    EXPECT_EQ(at[0], thread_.get_id());
    EXPECT_NE(at[1], thread_.get_id());
}

TEST_F(LoopBlocking, LoopThatHasMoreToDoLeavesWorkToThePool) {
    start(milliseconds{1000});
    Id at;
    std::binary_semaphore over{0};
    loop_->post([&] {
        loop_->block(pool_, [&] { at = std::this_thread::get_id(); }, [&] { over.release(); });
        // More than a turn has: some are left at its end.
        for (int i = 0; i < 300; ++i) loop_->post([] {});
    });
    over.acquire();
    EXPECT_NE(at, thread_.get_id());
}

struct Reader final : Watcher {
    Reader(EventLoop& its_loop, std::counting_semaphore<>& told) : loop(its_loop), seen(told) {}
    /// On the loop.
    void watch(int fd) {
        auto got = loop.watch(fd, *this, Interest::kRead);
        ASSERT_TRUE(got.has_value());
        id = *got;
    }
    void on_ready(Ready /*ready*/) override {
        EXPECT_TRUE(loop.is_here());
        loop.unwatch(id);
        seen.release();
    }
    EventLoop& loop;
    std::counting_semaphore<>& seen;
    WatchId id;
};

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        from.reset(ends[0]);
        to.reset(ends[1]);
    }
    void put() const { EXPECT_EQ(::write(to.get(), "x", 1), 1); }
    Descriptor from;
    Descriptor to;
};

TEST_F(LoopBlocking, PostsTimersAndDescriptorsGoOnDuringLongWork) {
    for (int round = 0; round < 5; ++round) {
        start(milliseconds{1});
        std::counting_semaphore<> seen{0};
        const Pipe pipe;
        Reader reader{*loop_, seen};
        loop_->post([&] { reader.watch(pipe.from.get()); });
        pass();
        std::atomic<bool> is_over = false;
        const auto on_the_stand_in = [&] {
            EXPECT_FALSE(is_over);
            EXPECT_TRUE(loop_->is_here());
            EXPECT_NE(std::this_thread::get_id(), thread_.get_id());
            EXPECT_EQ(obs::thread_slot(), 1U);
            loop_->schedule(loop_->now() + microseconds{100}, [&] { seen.release(); });
        };
        const Id at = ran_on([&] {
            loop_->post(on_the_stand_in);
            seen.acquire();  // The timer; it ran because another thread took the loop.
            pipe.put();
            seen.acquire();
            is_over = true;
        });
        EXPECT_EQ(at, thread_.get_id());
        stop();
    }
}

TEST_F(LoopBlocking, WorkOfAStandInGoesToThePool) {
    start(milliseconds{1});
    Id inner;
    std::binary_semaphore over{0};
    ran_on([&] {
        loop_->post([&] {
            loop_->block(
                pool_, [&] { inner = std::this_thread::get_id(); }, [&] { over.release(); });
        });
        over.acquire();
    });
    EXPECT_NE(inner, Id{});
    EXPECT_NE(inner, thread_.get_id());
}

TEST_F(LoopBlocking, StandInThatAlwaysHasMoreToDoLetsTheOwnThreadBack) {
    start(milliseconds{1});
    std::atomic<bool> is_done = false;
    std::binary_semaphore begun{0};
    bool told = false;  // The loop's.
    // Each turn has the next post of it, so that no turn ends asleep.
    std::function<void()> again = [&] {
        if (std::this_thread::get_id() != thread_.get_id() && !told) {
            told = true;
            begun.release();
        }
        if (!is_done) loop_->post([&] { again(); });
    };
    ran_on([&] {
        loop_->post([&] { again(); });
        begun.acquire();
    });
    is_done = true;
    stop();  // What is posted still is not run.
}

TEST_F(LoopBlocking, PostOfAnIdleLoopRunsWhileTheOwnThreadWorks) {
    start(milliseconds{60'000});  // Nobody stands in.
    EventLoop near;
    const Id at = ran_on([&] {
        std::binary_semaphore seen{0};
        near.post([&] { loop_->post([&] { seen.release(); }); });
        near.run_ready();
        seen.acquire();
    });
    EXPECT_EQ(at, thread_.get_id());
}

TEST_F(LoopBlocking, OthersThatHadToWaitSendTheNextWorkToThePool) {
    start(milliseconds{60'000});
    std::counting_semaphore<> seen{0};
    const std::array<Pipe, 2> pipes;
    std::array<Reader, 2> readers{Reader{*loop_, seen}, Reader{*loop_, seen}};
    loop_->post([&] {
        for (std::size_t i = 0; i < pipes.size(); ++i) readers[i].watch(pipes[i].from.get());
    });
    pass();
    const auto make_both_ready = [&] {
        for (const Pipe& pipe : pipes) pipe.put();
    };
    EXPECT_EQ(ran_on(make_both_ready), thread_.get_id());
    seen.acquire();
    seen.acquire();
    EXPECT_NE(ran_on([] {}), thread_.get_id());
    // Not for ever.
    int handed = 0;
    while (ran_on([] {}) != thread_.get_id()) ++handed;
    EXPECT_LT(handed, 1000);
}

TEST_F(LoopBlocking, WakeUpOfTheLoopItselfHadNotToWait) {
    start(milliseconds{60'000});
    std::counting_semaphore<> seen{0};
    const Pipe pipe;
    Reader reader{*loop_, seen};
    loop_->post([&] { reader.watch(pipe.from.get()); });
    pass();
    // The post's event and the pipe's come together.
    EXPECT_EQ(ran_on([&] {
                  loop_->post([] {});
                  pipe.put();
              }),
              thread_.get_id());
    seen.acquire();
    pass_events();
    EXPECT_EQ(ran_on([] {}), thread_.get_id());
}

TEST_F(LoopBlocking, StopDuringLongWorkReturnsAfterIt) {
    for (const milliseconds patience : {milliseconds{1}, milliseconds{60'000}}) {
        start(patience);
        std::binary_semaphore begun{0};
        bool is_over = false;
        bool is_done = false;
        loop_->post([&] {
            loop_->block(
                pool_,
                [&] {
                    begun.release();
                    std::this_thread::sleep_for(milliseconds{20});
                    is_over = true;
                },
                [&] { is_done = true; });
        });
        begun.acquire();
        stop();
        EXPECT_TRUE(is_over);
        loop_->run_ready();
        EXPECT_TRUE(is_done);
    }
}

/// What only one thread at a time may touch is counted without a lock.
struct Counted {
    std::int64_t value = 0;  ///< The loop's.
    std::counting_semaphore<> over{0};
};

/// On `loop`: work that is long now and then, and a timer.
void count_beside_work(EventLoop& loop, ThreadPool& pool, Counted& counted, int number) {
    const auto end = [&counted] {
        ++counted.value;
        counted.over.release();
    };
    const auto work = [number] {
        if (number % 16 == 0) std::this_thread::sleep_for(milliseconds{3});
    };
    ++counted.value;
    loop.block(pool, work, end);
    loop.schedule(loop.now() + microseconds{50}, end);
}

constexpr int kRounds = 400;

void post_from_another(EventLoop& loop, ThreadPool& pool, Counted& counted, int pause_every) {
    EventLoop near;
    for (int i = 0; i < kRounds; ++i) {
        near.post([&, i] { loop.post([&, i] { count_beside_work(loop, pool, counted, i); }); });
        near.run_ready();
        if (i % pause_every == 0) std::this_thread::sleep_for(microseconds{200});
    }
}

/// For the thread sanitizer: works of many lengths, timers, posts of two other loops.
TEST_F(LoopBlocking, OneThreadAtATimeWhateverHappens) {
    start(milliseconds{1});
    Counted counted;
    {
        const std::jthread one{[&] { post_from_another(*loop_, pool_, counted, 3); }};
        const std::jthread other{[&] { post_from_another(*loop_, pool_, counted, 4); }};
        for (int i = 0; i < 2 * 2 * kRounds; ++i) counted.over.acquire();
    }
    stop();
    EXPECT_EQ(counted.value, 2 * 3 * kRounds);
}

TEST(Understudy, StandsInForWorkThatTakesLongAndForNoOther) {
    std::counting_semaphore<> stood{0};
    Understudy one{"alt", milliseconds{1}, [&] { stood.release(); }};
    one.begin(Instant{std::chrono::steady_clock::now().time_since_epoch()});
    stood.acquire();
    one.end();
    // It may have looked once more before.
    std::this_thread::sleep_for(milliseconds{100});
    while (stood.try_acquire()) continue;
    std::this_thread::sleep_for(milliseconds{20});
    EXPECT_FALSE(stood.try_acquire());
    // By now it sleeps, and is woken.
    one.begin(Instant{std::chrono::steady_clock::now().time_since_epoch()});
    stood.acquire();
}

}  // namespace
}  // namespace leat::rt
