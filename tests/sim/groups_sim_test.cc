// SPDX-License-Identifier: Apache-2.0
// Method: consumers, delays, failing writes and crashes by seed against one coordinator; what must
// hold is in groups_sim_model.h. Each deliberate fault must break it. LEAT_TEST_SEED replays one
// seed, LEAT_SIM_SEEDS sets how many are run.
#include "groups_sim.h"

#include <gtest/gtest.h>

#include "mutant.h"
#include "seeds.h"

namespace leat::groups::sim {
namespace {

constexpr std::chrono::minutes kChaos{5};

TEST(GroupsSim, HoldsItsRulesThroughCrashesAndDelays) {
    for (const std::uint64_t seed : leat::sim::Seeds{100}) {
        World world{seed, Faults{}};
        world.run(kChaos);
        ASSERT_TRUE(world.violations().empty())
            << "LEAT_TEST_SEED=" << seed << ": " << world.violations().front();
        ASSERT_GT(world.model().commits(), 100) << "LEAT_TEST_SEED=" << seed;
    }
}

using Mutant = leat::sim::Mutant<Faults>;
class GroupsSimMutant : public testing::TestWithParam<Mutant> {};

TEST_P(GroupsSimMutant, IsCaught) {
    leat::sim::expect_caught_in<World>(GetParam(), kChaos);
}

INSTANTIATE_TEST_SUITE_P(
    All, GroupsSimMutant,
    testing::Values(Mutant{"answer_before_durable", &Faults::answer_before_durable},
                    Mutant{"skip_generation_check", &Faults::skip_generation_check},
                    Mutant{"keep_session_timer", &Faults::keep_session_timer},
                    Mutant{"ignore_tombstones", &Faults::ignore_tombstones},
                    Mutant{"show_pending_commits", &Faults::show_pending_commits},
                    Mutant{"keep_generation", &Faults::keep_generation},
                    Mutant{"replay_forgets_members", &Faults::replay_forgets_members}),
    leat::sim::NameOfMutant{});

}  // namespace
}  // namespace leat::groups::sim
