// SPDX-License-Identifier: Apache-2.0
//
// Readers on other threads see whole records only, and the task goes on beside them.
#include "streams/state/query_gate.h"

#include <gtest/gtest.h>

#include <chrono>

#include "rt/thread_pool.h"

namespace leat::streams::detail {
namespace {

TEST(QueryGate, ReadersSeeWholeRecordsWhileTheTaskRuns) {
    constexpr int kReads = 300;
    QueryGate gate;
    // Two values that a record changes one after the other; neither is atomic.
    std::int64_t first = 0;
    std::int64_t second = 0;
    std::atomic<int> reads_left{3 * kReads};
    std::atomic<int> torn{0};
    const auto difference_of = [&] { return first - second; };
    rt::run_beside(4, 4, [&](std::size_t who) {
        if (who != 0) {
            for (int i = 0; i < kReads; ++i) {
                const auto difference = gate.query(difference_of);
                if (difference != 0) ++torn;
                --reads_left;
            }
            return;
        }
        gate.enter();
        while (reads_left.load() > 0) {
            ++first;
            ++second;
            gate.breathe();
            if (first % 64 != 0) continue;
            gate.leave();
            gate.enter();
        }
        gate.leave();
    });
    EXPECT_EQ(torn.load(), 0);
    EXPECT_EQ(first, second);
    EXPECT_GT(first, 0);
}

TEST(QueryGate, AnswersWhileNoTaskIsInside) {
    QueryGate gate;
    EXPECT_EQ(gate.query([] { return 7; }), 7);
    gate.enter();
    gate.breathe();
    gate.leave();
    EXPECT_EQ(gate.query([] { return 8; }), 8);
}

TEST(QueryGate, ReadersAreLetInWhileTheTaskWaitsForSomethingElse) {
    QueryGate gate;
    const WorkInside inside{gate};
    EXPECT_FALSE(gate.query_within(std::chrono::milliseconds{0}, [] {}));
    {
        const WorkOutside outside{gate};
        int seen = 0;
        EXPECT_TRUE(gate.query_within(std::chrono::milliseconds{0}, [&] { seen = 9; }));
        EXPECT_EQ(seen, 9);
    }
    EXPECT_FALSE(gate.query_within(std::chrono::milliseconds{0}, [] {}));
    gate.breathe();  // Who went away in vain is not waited for.
}

}  // namespace
}  // namespace leat::streams::detail
