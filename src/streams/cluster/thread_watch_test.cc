// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/thread_watch.h"

#include <gtest/gtest.h>

namespace leat::streams {
namespace {

using std::chrono::milliseconds;
using Threads = std::vector<int>;

constexpr milliseconds kAtMost{100};

/// Looks every 10 ms.
struct Bench {
    ThreadWatch::News after(milliseconds time) {
        ThreadWatch::News out;
        for (milliseconds passed{0}; passed < time; passed += milliseconds{10}) {
            now += milliseconds{10};
            auto news = watch.look(now, kAtMost);
            out.stuck.insert(out.stuck.end(), news.stuck.begin(), news.stuck.end());
            out.back.insert(out.back.end(), news.back.begin(), news.back.end());
        }
        return out;
    }
    ThreadWatch watch;
    Instant now{std::chrono::hours{1}};
};

TEST(ThreadWatch, TellsOnceOfAThreadThatMakesNoStep) {
    Bench bench;
    const auto one = bench.watch.add(1);
    const auto two = bench.watch.add(2);
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(bench.after(milliseconds{50}).stuck.empty());
        ++*one;
        ++*two;
    }
    EXPECT_TRUE(bench.after(milliseconds{50}).stuck.empty());
    ++*two;
    EXPECT_EQ(bench.after(milliseconds{60}).stuck, Threads{1});
    ++*two;
    EXPECT_TRUE(bench.after(milliseconds{90}).stuck.empty());
}

TEST(ThreadWatch, TellsWhenItGoesOn) {
    Bench bench;
    const auto one = bench.watch.add(1);
    EXPECT_EQ(bench.after(milliseconds{300}).stuck, Threads{1});
    ++*one;
    const auto news = bench.after(milliseconds{50});
    EXPECT_EQ(news.back, Threads{1});
    EXPECT_TRUE(news.stuck.empty());
    EXPECT_EQ(bench.after(milliseconds{300}).stuck, Threads{1}) << "and again";
}

TEST(ThreadWatch, AProcessThatStoodStillBlamesNobody) {
    Bench bench;
    const auto one = bench.watch.add(1);
    EXPECT_TRUE(bench.after(milliseconds{50}).stuck.empty());
    bench.now += std::chrono::hours{1};
    EXPECT_TRUE(bench.after(milliseconds{90}).stuck.empty());
    EXPECT_EQ(bench.after(milliseconds{50}).stuck, Threads{1});
}

TEST(ThreadWatch, ForgetsWhoIsGone) {
    Bench bench;
    const auto one = bench.watch.add(1);
    bench.after(milliseconds{50});
    bench.watch.remove(1);
    const auto news = bench.after(milliseconds{200});
    EXPECT_TRUE(news.stuck.empty());
    EXPECT_TRUE(news.back.empty());
}

}  // namespace
}  // namespace leat::streams
