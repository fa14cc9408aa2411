// SPDX-License-Identifier: Apache-2.0
// Method: producers of both protocols, delays, zombies and power cuts by seed against one
// coordinator and its partitions; then what is to be seen is held against what the producers know.
// Each deliberate fault must break it. LEAT_TEST_SEED replays one seed, LEAT_SIM_SEEDS sets how
// many are run.
#include "transactions_sim.h"

#include <gtest/gtest.h>

#include "mutant.h"
#include "seeds.h"

namespace leat::transactions::sim {
namespace {

constexpr std::chrono::seconds kChaos{60};

TEST(TransactionsSim, HoldsItsRulesThroughCrashesAndDelays) {
    for (const std::uint64_t seed : leat::sim::Seeds{100}) {
        World world{seed, Faults{}};
        world.run(kChaos);
        ASSERT_TRUE(world.violations().empty())
            << "LEAT_TEST_SEED=" << seed << ": " << world.violations().front();
        ASSERT_GT(world.committed(), 100) << "LEAT_TEST_SEED=" << seed;
    }
}

using Mutant = leat::sim::Mutant<Faults>;
class TransactionsSimMutant : public testing::TestWithParam<Mutant> {};

TEST_P(TransactionsSimMutant, IsCaught) {
    leat::sim::expect_caught_in<World>(GetParam(), kChaos);
}

INSTANTIATE_TEST_SUITE_P(
    All, TransactionsSimMutant,
    testing::Values(Mutant{"no_fencing", &Faults::no_fencing},
                    Mutant{"coordinator_not_reconciled", &Faults::not_reconciled},
                    Mutant{"answer_before_durable", &Faults::answer_before_durable},
                    Mutant{"marker_before_log", &Faults::marker_before_log},
                    Mutant{"marker_lost", &Faults::marker_lost}),
    leat::sim::NameOfMutant{});

}  // namespace
}  // namespace leat::transactions::sim
