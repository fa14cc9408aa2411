// SPDX-License-Identifier: Apache-2.0
//
// Method: jobs that wait for each other with latches; a loop as their home.
#include "rt/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

#include "rt/event_loop.h"

namespace leat::rt {
namespace {

TEST(ThreadPool, WorkRunsBesideAndDoneAtHome) {
    constexpr int kJobs = 3;
    EventLoop home;
    ThreadPool pool{{.threads = kJobs}};
    std::latch all_at_once{kJobs};  // Passed only when three run at the same time.
    int left = kJobs;
    for (int i = 0; i < kJobs; ++i)
        pool.submit(
            home,
            [&] {
                EXPECT_FALSE(home.is_here());
                all_at_once.arrive_and_wait();
            },
            [&] {
                EXPECT_TRUE(home.is_here());
                if (--left == 0) home.stop();
            });
    home.run();
    EXPECT_EQ(left, 0);
}

TEST(ThreadPool, LongJobsLeaveThreadsToOthers) {
    EventLoop home;
    ThreadPool pool{{.threads = 4}};
    std::latch two_began{2};
    std::latch go{1};
    std::atomic<int> began = 0;
    constexpr int kLong = 6;
    for (int i = 0; i < kLong; ++i)
        pool.submit_long(
            home,
            [&] {
                if (++began <= 2) two_began.count_down();
                go.wait();
            },
            [] {});
    two_began.wait();
    std::latch others{3};
    for (int i = 0; i < 3; ++i) pool.submit(home, [&] { others.count_down(); }, [] {});
    others.wait();  // For ever, if long jobs had all threads.
    EXPECT_EQ(began, 2);
    EXPECT_EQ(pool.queued(), 4U);
    go.count_down();
    pool.stop();
    EXPECT_EQ(began, kLong);
}

TEST(ThreadPool, StopFinishesWhatWasSubmitted) {
    EventLoop home;
    std::atomic<int> worked = 0;
    int done = 0;
    ThreadPool pool{{.threads = 1}};
    std::latch go{1};
    pool.submit(home, [&] { go.wait(); }, [] {});
    for (int i = 0; i < 100; ++i) pool.submit(home, [&] { ++worked; }, [&] { ++done; });
    EXPECT_GE(pool.queued(), 100U);
    go.count_down();
    pool.stop();
    EXPECT_EQ(worked, 100);
    EXPECT_EQ(pool.queued(), 0U);
    home.run_ready();
    EXPECT_EQ(done, 100);
}

TEST(ThreadPool, JobAfterStopRunsOnTheCaller) {
    EventLoop home;
    ThreadPool pool{{.threads = 2}};
    pool.stop();
    bool worked = false;
    bool done = false;
    pool.submit(home, [&] { worked = true; }, [&] { done = true; });
    EXPECT_TRUE(worked);
    EXPECT_FALSE(done);
    home.run_ready();
    EXPECT_TRUE(done);
}

}  // namespace
}  // namespace leat::rt
