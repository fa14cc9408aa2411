// SPDX-License-Identifier: Apache-2.0
// Method: consumers, delays, failing writes and crashes by seed against one coordinator; what must
// hold is in groups_sim_model.h. Each deliberate fault must break it. LEAT_TEST_SEED replays one
// seed, LEAT_SIM_SEEDS sets how many are run.
#include "groups_sim.h"

#include <gtest/gtest.h>

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
    }
}

struct Mutant {
    const char* name;
    bool Faults::* fault;
};

class GroupsSimMutant : public testing::TestWithParam<Mutant> {};

TEST_P(GroupsSimMutant, IsCaught) {
    Faults faults;
    faults.*GetParam().fault = true;
    const std::uint64_t seeds = leat::sim::number_from("LEAT_SIM_SEEDS", 100);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        World world{seed, faults};
        world.run(kChaos);
        if (!world.violations().empty()) {
            RecordProperty("seed", static_cast<int>(seed));
            RecordProperty("violation", world.violations().front());
            return;
        }
    }
    FAIL() << "no seed of " << seeds << " notices " << GetParam().name;
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
    [](const auto& info) { return std::string{info.param.name}; });

}  // namespace
}  // namespace leat::groups::sim
