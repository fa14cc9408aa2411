// SPDX-License-Identifier: Apache-2.0
//
// Method: one loop on the test's thread, ended by what it runs; two where threads are the matter.
// Descriptors are pipes.
#include "rt/event_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "obs/metrics.h"
#include "rt/task.h"
#include "testkit/result_matchers.h"

namespace leat::rt {
namespace {

using std::chrono::microseconds;

class Pipe {
  public:
    Pipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
        read_.reset(ends[0]);
        write_.reset(ends[1]);
    }
    void put() { EXPECT_EQ(::write(write_.get(), "x", 1), 1); }
    void take() {
        char byte = 0;
        EXPECT_EQ(::read(read_.get(), &byte, 1), 1);
    }
    [[nodiscard]] int read_end() const { return read_.get(); }

  private:
    Descriptor read_;
    Descriptor write_;
};

struct Recorder final : Watcher {
    std::function<void(Ready)> then = [](Ready) {};
    int calls = 0;
    void on_ready(Ready ready) override {
        ++calls;
        then(ready);
    }
};

TEST(EventLoop, PostsRunLaterInOrderAndOnTheLoop) {
    EventLoop loop;
    std::vector<int> order;
    loop.post([&] {
        EXPECT_TRUE(loop.is_here());
        order.push_back(1);
        loop.post([&] {
            order.push_back(3);
            loop.stop();
        });
        order.push_back(2);
    });
    EXPECT_TRUE(order.empty());
    EXPECT_FALSE(loop.is_here());
    loop.run();
    EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(EventLoop, PostsFromBeforeRunComeBeforeThoseTheyMake) {
    EventLoop loop{{.posts_per_turn = 2}};
    std::vector<int> order;
    for (int i = 0; i < 7; ++i)
        loop.post([&, i] {
            order.push_back(i);
            loop.post([&, i] { order.push_back(10 + i); });
        });
    loop.post([&] { loop.post([&] { loop.stop(); }); });
    loop.run();
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 16}));
}

TEST(EventLoop, PostsOfManyThreadsAllRunEachThreadInOrder) {
    constexpr int kThreads = 4;
    constexpr int kPosts = 5'000;
    EventLoop loop;
    std::array<int, kThreads> next{};
    int left = kThreads * kPosts;
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < kPosts; ++i)
                loop.post([&, t, i] {
                    EXPECT_EQ(next[static_cast<std::size_t>(t)]++, i);
                    if (--left == 0) loop.stop();
                });
        });
    loop.run();
    EXPECT_EQ(left, 0);
}

TEST(EventLoop, ABurstOfPostsWakesASleepingLoopOnce) {
    EventLoop loop;
    int ran = 0;
    // Nobody runs the loop yet, so nobody sleeps: no wake-up at all.
    for (int i = 0; i < 1'000; ++i) loop.post([&] { ++ran; });
    EXPECT_EQ(loop.wake_count(), 0U);
    loop.run_ready();
    // Its own posts never wake it.
    loop.post([&] {
        for (int i = 0; i < 100; ++i) loop.post([&] { ++ran; });
    });
    for (int i = 0; i < 8; ++i) loop.run_ready();
    EXPECT_EQ(ran, 1'100);
    EXPECT_EQ(loop.wake_count(), 0U);
    std::jthread other{[&] { loop.run(); }};
    // Each post needs at most one wake-up; that it is far fewer is the benchmark's business.
    for (int i = 0; i < 1'000; ++i) loop.post([&] { ++ran; });
    loop.post([&] { loop.stop(); });
    other.join();
    EXPECT_EQ(ran, 2'100);
    EXPECT_GE(loop.wake_count(), 1U);
    EXPECT_LE(loop.wake_count(), 1'002U);
}

TEST(EventLoop, EndlessPostsDoNotStarveDescriptors) {
    EventLoop loop;
    Pipe pipe;
    Recorder watcher;
    watcher.then = [&](Ready) { loop.stop(); };
    ASSERT_OK(loop.watch(pipe.read_end(), watcher, Interest::kRead));
    std::function<void()> again = [&] { loop.post([&] { again(); }); };
    again();
    pipe.put();
    loop.run();
    EXPECT_EQ(watcher.calls, 1);
}

// A shard that is read from by others as fast as it answers has syncs of its own to begin.
TEST(EventLoop, EndlessPostsOfOthersDoNotStarveOwnOnes) {
    EventLoop loop;
    std::atomic<bool> is_over = false;
    std::function<void()> again;
    // Whoever is answered asks again before the batch is used up.
    again = [&] {
        if (is_over) return;
        std::thread{[&] { loop.post(again); }}.join();
    };
    std::size_t own = 0;
    loop.post([&] {
        loop.post([&] {
            ++own;
            is_over = true;
            loop.stop();
        });
        again();
    });
    loop.schedule(loop.now() + std::chrono::seconds{20}, [&] {
        is_over = true;
        loop.stop();
    });
    loop.run();
    EXPECT_EQ(own, 1U);
}

TEST(EventLoop, EndlessDueTimersDoNotStarveDescriptors) {
    EventLoop loop;
    Pipe pipe;
    Recorder watcher;
    watcher.then = [&](Ready) { loop.stop(); };
    ASSERT_OK(loop.watch(pipe.read_end(), watcher, Interest::kRead));
    std::function<void()> again = [&] { loop.schedule(loop.now(), [&] { again(); }); };
    again();
    pipe.put();
    loop.run();
    EXPECT_EQ(watcher.calls, 1);
}

TEST(EventLoop, TimersRunInOrderAndNeverEarly) {
    EventLoop loop;
    std::vector<int> order;
    const Instant start = loop.now();
    const auto timer = [&](int after_us, int name) {
        return loop.schedule(start + microseconds{after_us},
                             [&order, &loop, start, after_us, name] {
                                 EXPECT_GE(loop.now(), start + microseconds{after_us});
                                 order.push_back(name);
                             });
    };
    timer(3'000, 3);
    timer(1'000, 1);
    const TimerId dropped = timer(1'500, 9);
    timer(2'000, 2);
    loop.schedule(start + microseconds{4'000}, [&] { loop.stop(); });
    EXPECT_TRUE(loop.cancel(dropped));
    EXPECT_FALSE(loop.cancel(dropped));
    loop.run();
    EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(EventLoop, TimerCancelsAnotherOfTheSameInstant) {
    EventLoop loop;
    const Instant now = loop.now();
    TimerId second;
    bool ran = false;
    loop.schedule(now, [&] { EXPECT_TRUE(loop.cancel(second)); });
    second = loop.schedule(now, [&] { ran = true; });
    loop.schedule(now, [&] { loop.stop(); });
    loop.run();
    EXPECT_FALSE(ran);
}

TEST(EventLoop, TimeStandsStillWithinATurn) {
    EventLoop loop;
    loop.post([&] {
        const Instant first = loop.now();
        const WallMs wall = loop.wall_now();
        EXPECT_GT(wall.value, 1'600'000'000'000);
        for (int i = 0; i < 100'000; ++i) ASSERT_EQ(loop.now(), first);
        EXPECT_EQ(loop.wall_now(), wall);
        loop.stop();
    });
    loop.run();
}

TEST(EventLoop, UnwatchedDescriptorIsSilentAlsoInTheSameTurn) {
    EventLoop loop;
    Pipe a;
    Pipe b;
    Recorder first;
    Recorder second;
    auto first_id = loop.watch(a.read_end(), first, Interest::kRead);
    auto second_id = loop.watch(b.read_end(), second, Interest::kRead);
    ASSERT_OK(first_id);
    ASSERT_OK(second_id);
    const auto end_both = [&](Ready) {
        loop.unwatch(*first_id);
        loop.unwatch(*second_id);
    };
    first.then = end_both;
    second.then = end_both;
    a.put();
    b.put();
    loop.run_ready();
    loop.run_ready();
    EXPECT_EQ(first.calls + second.calls, 1);
}

TEST(EventLoop, InterestSaysWhatIsReported) {
    EventLoop loop;
    Pipe pipe;
    Recorder watcher;
    watcher.then = [&](Ready ready) { EXPECT_TRUE(ready.readable && !ready.failed); };
    auto id = loop.watch(pipe.read_end(), watcher, Interest::kNothing);
    ASSERT_OK(id);
    pipe.put();
    loop.run_ready();
    EXPECT_EQ(watcher.calls, 0);
    loop.set_interest(*id, Interest::kRead);
    loop.run_ready();
    loop.run_ready();
    EXPECT_EQ(watcher.calls, 2);  // Level: reported until it is read.
    pipe.take();
    loop.run_ready();
    EXPECT_EQ(watcher.calls, 2);
    loop.unwatch(*id);
    EXPECT_ERRC(loop.watch(-1, watcher, Interest::kRead), Errc::kIoError);
}

TEST(EventLoop, StopBeforeRunEndsItAtOnceAndWhatIsLeftRunsNextTime) {
    EventLoop loop;
    loop.stop();
    loop.run();
    bool ran = false;
    loop.post([&] {
        ran = true;
        loop.stop();
    });
    EXPECT_FALSE(ran);
    loop.run();
    EXPECT_TRUE(ran);
}

TEST(EventLoop, DestructionDropsPostsThatPostWhenTheyGo) {
    int dropped = 0;
    {
        EventLoop loop;
        struct PostsAtEnd {
            EventLoop* loop;
            int* dropped;
            ~PostsAtEnd() {
                if (++*dropped < 3)
                    loop->post([next = std::make_unique<PostsAtEnd>(loop, dropped)] {});
            }
        };
        loop.post([first = std::make_unique<PostsAtEnd>(&loop, &dropped)] {});
    }
    EXPECT_EQ(dropped, 3);
}

TEST(EventLoop, RandomDoesNotRepeat) {
    EventLoop a;
    EventLoop b;
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 200; ++i) {
        seen.insert(a.random());
        seen.insert(b.random());
    }
    EXPECT_EQ(seen.size(), 400U);
}

Task<> bounce(EventLoop* near_loop, EventLoop* far_loop, int times) {
    EventLoop& near = *near_loop;
    EventLoop& far = *far_loop;
    for (int i = 0; i < times; ++i) {
        co_await hop(far);
        EXPECT_TRUE(far.is_here());
        co_await hop(near);
        EXPECT_TRUE(near.is_here());
    }
    far.stop();
    near.stop();
}

TEST(EventLoop, CoroutineHopsBetweenTwoLoops) {
    EventLoop near{{.name = "near"}};
    EventLoop far{{.name = "far", .spin = microseconds{20}}};
    const std::jthread thread{[&] { far.run(); }};
    near.post([&] { start(bounce(&near, &far, 500)); });
    near.run();
}

/// Goes to and fro until one loop has run on the other one's thread some times. Which of them finds
/// the other asleep is chance.
Task<> hop_until_lent(EventLoop* near_loop, EventLoop* far_loop, std::thread::id far_thread,
                      int* lent) {
    EventLoop& near = *near_loop;
    EventLoop& far = *far_loop;
    const auto near_thread = std::this_thread::get_id();
    for (int hops = 0; hops < 100'000 && *lent < 10; ++hops) {
        co_await hop(far);
        EXPECT_TRUE(far.is_here() && !near.is_here());
        EXPECT_EQ(obs::thread_slot(), 2U);
        if (std::this_thread::get_id() != far_thread) ++*lent;
        co_await hop(near);
        EXPECT_TRUE(near.is_here() && !far.is_here());
        EXPECT_EQ(obs::thread_slot(), 1U);
        if (std::this_thread::get_id() != near_thread) ++*lent;
    }
    far.stop();
    near.stop();
}

TEST(EventLoop, IdleLoopRunsItsPostForALoopThatSleeps) {
    EventLoop near;
    EventLoop far;
    const std::jthread thread{[&] {
        obs::set_thread_slot(2);
        far.run();
    }};
    int lent = 0;
    near.post([&] { start(hop_until_lent(&near, &far, thread.get_id(), &lent)); });
    obs::set_thread_slot(1);
    near.run();
    obs::set_thread_slot(0);
    EXPECT_GE(lent, 10);
}

Task<> time_on_the_sleeper(EventLoop* near_loop, EventLoop* far_loop, int rounds) {
    EventLoop& near = *near_loop;
    EventLoop& far = *far_loop;
    for (int i = 0; i < rounds; ++i) {
        co_await hop(far);
        Completion<bool> rung;
        far.schedule(far.now() + microseconds{50}, [&rung] { rung.set(true); });
        co_await rung;
        EXPECT_TRUE(far.is_here());
        co_await hop(near);
    }
    far.stop();
    near.stop();
}

TEST(EventLoop, TimerThatAnotherThreadSetForASleeperWakesIt) {
    EventLoop near;
    EventLoop far;
    const std::jthread thread{[&] { far.run(); }};
    near.post([&] { start(time_on_the_sleeper(&near, &far, 200)); });
    near.run();
}

}  // namespace
}  // namespace leat::rt
