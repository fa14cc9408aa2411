// SPDX-License-Identifier: Apache-2.0
//
// Method: small worlds whose every order is recorded; many seeds where dice decide.
#include "testkit/sim_executor.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "rt/task.h"

namespace leat::testkit {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SimWorld, TimeJumpsToTheNextTimer) {
    SimWorld world{1};
    SimExecutor& shard = world.add_executor();
    const Instant start = world.now();
    std::vector<int> order;
    shard.schedule(start + hours{2}, [&] { order.push_back(2); });
    shard.schedule(start + hours{1}, [&] {
        EXPECT_GE(shard.now(), start + hours{1});
        order.push_back(1);
    });
    const rt::TimerId dropped = shard.schedule(start + hours{1}, [&] { order.push_back(9); });
    EXPECT_TRUE(shard.cancel(dropped));
    EXPECT_TRUE(world.step());
    EXPECT_TRUE(world.step());
    EXPECT_FALSE(world.step());
    EXPECT_EQ(order, (std::vector{1, 2}));
    EXPECT_LT(world.now(), start + hours{2} + seconds{1});
}

/// Two shards and the test post to a third; returns the order in which it runs them.
std::string order_of(std::uint64_t seed) {
    SimWorld world{seed};
    SimExecutor& a = world.add_executor();
    SimExecutor& b = world.add_executor();
    SimExecutor& target = world.add_executor();
    std::string order;
    for (SimExecutor* from : {&a, &b})
        from->post([&, from] {
            for (int i = 0; i < 3; ++i)
                target.post([&, from, i] {
                    EXPECT_TRUE(target.is_here());
                    order += static_cast<char>((from == &a ? 'a' : 'x') + i);
                });
        });
    while (world.step()) {
    }
    return order;
}

TEST(SimWorld, OrderIsTheSeedsAndKeptForEachPoster) {
    std::set<std::string> orders;
    for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
        const std::string order = order_of(seed);
        EXPECT_EQ(order, order_of(seed));
        EXPECT_EQ(order.size(), 6U);
        EXPECT_LT(order.find('a'), order.find('b'));
        EXPECT_LT(order.find('b'), order.find('c'));
        EXPECT_LT(order.find('x'), order.find('y'));
        EXPECT_LT(order.find('y'), order.find('z'));
        orders.insert(order);
    }
    EXPECT_EQ(orders.size(), 20U);  // All ways to mix three with three.
}

TEST(SimWorld, RunForStopsAtItsTime) {
    SimWorld world{3};
    SimExecutor& shard = world.add_executor();
    const Instant start = world.now();
    int ran = 0;
    shard.schedule(start + seconds{1}, [&] { ++ran; });
    shard.schedule(start + seconds{3}, [&] { ++ran; });
    world.run_for(seconds{2});
    EXPECT_EQ(ran, 1);
    EXPECT_EQ(world.now(), start + seconds{2});
    EXPECT_FALSE(world.run_until([] { return false; }, milliseconds{1}));
    EXPECT_TRUE(world.run_until([&] { return ran == 2; }));
}

TEST(SimWorld, WallClockJumpsApartFromTime) {
    SimWorld world{3};
    SimExecutor& shard = world.add_executor();
    const WallMs before = shard.wall_now();
    world.jump_wall_clock(-hours{1});
    EXPECT_EQ(shard.wall_now().value, before.value - 3'600'000);
    world.run_for(seconds{1});
    EXPECT_EQ(shard.wall_now().value, before.value - 3'599'000);
}

TEST(SimPool, WorkIsNowhereDoneIsHomeAndOrderIsOpen) {
    std::set<std::vector<int>> orders;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        SimWorld world{seed};
        SimExecutor& home = world.add_executor();
        SimPool& pool = world.add_pool({.threads = 3});
        std::vector<int> order;
        int done = 0;
        for (int i = 0; i < 3; ++i)
            pool.submit(
                home,
                [&, i] {
                    EXPECT_FALSE(home.is_here());
                    order.push_back(i);
                },
                [&] {
                    EXPECT_TRUE(home.is_here());
                    ++done;
                });
        EXPECT_EQ(pool.unfinished(), 3U);
        world.settle();
        EXPECT_EQ(done, 3);
        EXPECT_EQ(pool.unfinished(), 0U);
        orders.insert(order);
    }
    EXPECT_EQ(orders.size(), 6U);
}

TEST(SimPool, OneThreadKeepsTheOrder) {
    SimWorld world{5};
    SimExecutor& home = world.add_executor();
    SimPool& pool = world.add_pool({.threads = 1});
    std::vector<int> order;
    for (int i = 0; i < 20; ++i) pool.submit(home, [&, i] { order.push_back(i); }, [] {});
    world.settle();
    for (int i = 0; i < 20; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

rt::Task<> wait_long(SimExecutor* shard, bool* reached) {
    co_await rt::sleep_until(*shard, shard->now() + hours{1});
    *reached = true;
}

TEST(SimWorld, NothingPendingSurvivesAPowerCut) {
    SimWorld world{7};
    SimExecutor& shard = world.add_executor();
    SimPool& pool = world.add_pool();
    bool reached = false;
    bool ran = false;
    shard.here([&] { rt::start(wait_long(&shard, &reached)); });
    shard.post([&] { ran = true; });
    pool.submit(shard, [&] { ran = true; }, [&] { ran = true; });
    world.cut_power();
    EXPECT_FALSE(world.step());
    EXPECT_EQ(pool.unfinished(), 0U);
    EXPECT_FALSE(ran || reached);
    shard.post([&] { ran = true; });
    world.settle();
    EXPECT_TRUE(ran);
}

TEST(SimExecutorDeathTest, ForeignScheduleAborts) {
    EXPECT_DEATH(
        {
            SimWorld world{1};
            SimExecutor& a = world.add_executor();
            SimExecutor& b = world.add_executor();
            a.here([&] { b.schedule(b.now(), [] {}); });
        },
        "check failed");
}

}  // namespace
}  // namespace leat::testkit
