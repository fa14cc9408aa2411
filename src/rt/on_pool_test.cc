// SPDX-License-Identifier: Apache-2.0
// Method: coroutines of simulated shards that wait for work of a simulated pool.
#include "rt/on_pool.h"

#include <gtest/gtest.h>

#include <memory>

#include "rt/task.h"
#include "testkit/sim_executor.h"

namespace leat::rt {
namespace {

struct Shards {
    testkit::SimWorld world{1};
    testkit::SimExecutor& home = world.add_executor();
    testkit::SimPool& pool = world.add_pool();
};

TEST(OnPool, GivesWhatTheWorkReturnedAtHome) {
    Shards s;
    std::unique_ptr<int> got;
    bool was_here = true;
    s.home.here([&] {
        start([](Shards* shards, std::unique_ptr<int>* out, bool* ran_here) -> Task<void> {
            *out = co_await on_pool(shards->pool, shards->home, [shards, ran_here] {
                *ran_here = shards->home.is_here();
                return std::make_unique<int>(7);
            });
            EXPECT_TRUE(shards->home.is_here());
        }(&s, &got, &was_here));
        EXPECT_EQ(got, nullptr);
    });
    s.world.settle();
    ASSERT_NE(got, nullptr);
    EXPECT_EQ(*got, 7);
    EXPECT_FALSE(was_here);
}

struct Counted {
    int* copies;
    int runs = 0;
    explicit Counted(int& into) : copies(&into) {}
    Counted(const Counted& other) : copies(other.copies), runs(other.runs) { ++*copies; }
    Counted& operator=(const Counted&) = delete;
    ~Counted() = default;
    void operator()() { ++runs; }
};

TEST(OnPool, WorkWithANameIsNotCopied) {
    Shards s;
    int copies = 0;
    Counted work{copies};
    s.home.here([&] {
        start([](Shards* shards, Counted* named) -> Task<void> {
            co_await on_pool(shards->pool, shards->home, *named);
            co_await on_pool_for_long(shards->pool, shards->home, *named);
        }(&s, &work));
    });
    s.world.settle();
    EXPECT_EQ(work.runs, 2);
    EXPECT_EQ(copies, 0);
}

}  // namespace
}  // namespace leat::rt
