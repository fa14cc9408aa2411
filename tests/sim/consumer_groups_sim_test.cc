// SPDX-License-Identifier: Apache-2.0
// Method: members of the consumer protocol that are slow, silent, gone and back, a network between,
// failing writes and crashes by seed against one coordinator; what must hold is in
// consumer_groups_sim.h. Each deliberate fault must break it. LEAT_TEST_SEED replays one seed,
// LEAT_SIM_SEEDS sets how many are run.
#include "consumer_groups_sim.h"

#include <gtest/gtest.h>

#include "mutant.h"
#include "seeds.h"

namespace leat::groups::sim {
namespace {

constexpr std::chrono::minutes kChaos{5};

TEST(ConsumerGroupsSim, HoldsItsRulesThroughCrashesAndDelays) {
    std::uint64_t commits = 0;
    std::uint64_t gifts = 0;
    std::uint64_t found_again = 0;
    for (const std::uint64_t seed : leat::sim::Seeds{100}) {
        ConsumerGroupWorld world{seed, Faults{}};
        world.run(kChaos);
        ASSERT_TRUE(world.violations().empty())
            << "LEAT_TEST_SEED=" << seed << ": " << world.violations().front();
        commits += world.commits;
        gifts += world.gifts;
        found_again += world.found_again;
    }
    // Without these the rules would hold of themselves.
    EXPECT_GT(commits, 0U);
    EXPECT_GT(gifts, 0U);
    EXPECT_GT(found_again, 0U);
    RecordProperty("commits", std::to_string(commits));
    RecordProperty("gifts", std::to_string(gifts));
    RecordProperty("found_again", std::to_string(found_again));
}

using Mutant = leat::sim::Mutant<Faults>;
class ConsumerGroupsSimMutant : public testing::TestWithParam<Mutant> {};

TEST_P(ConsumerGroupsSimMutant, IsCaught) {
    leat::sim::expect_caught_in<ConsumerGroupWorld>(GetParam(), kChaos);
}

INSTANTIATE_TEST_SUITE_P(All, ConsumerGroupsSimMutant,
                         testing::Values(Mutant{"assign_before_revoke",
                                                &Faults::assign_before_revoke},
                                         Mutant{"skip_epoch_check", &Faults::skip_epoch_check},
                                         Mutant{"keep_group_epoch", &Faults::keep_group_epoch},
                                         Mutant{"keep_stale_owner", &Faults::keep_stale_owner},
                                         Mutant{"forget_current", &Faults::forget_current},
                                         Mutant{"ignore_tombstones", &Faults::ignore_tombstones}),
                         leat::sim::NameOfMutant{});

}  // namespace
}  // namespace leat::groups::sim
