// SPDX-License-Identifier: Apache-2.0
//
// Deliberate faults, each of which a simulation must notice. Layer: test-only.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>
#include <string>

#include "seeds.h"

namespace leat::sim {

template <class Faults>
struct Mutant {
    const char* name;
    bool Faults::* fault;

    [[nodiscard]] Faults faults() const {
        Faults out;
        out.*fault = true;
        return out;
    }
};

/// For INSTANTIATE_TEST_SUITE_P.
struct NameOfMutant {
    template <class Info>
    std::string operator()(const Info& info) const {
        return info.param.name;
    }
};

/// Runs the seeds from 1 to `seeds` until `run(seed)` says what was violated, "" being nothing.
/// Fails when none does.
template <class Run>
void expect_caught(const char* mutant, std::uint64_t seeds, Run run) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const std::string violation = run(seed);
        if (violation.empty()) continue;
        std::cout << "seed " << seed << ": " << violation << "\n";
        testing::Test::RecordProperty("seed", std::to_string(seed));
        testing::Test::RecordProperty("violation", violation);
        return;
    }
    FAIL() << "no seed of " << seeds << " notices " << mutant;
}

/// The same of a world of clients and one coordinator, through `chaos`; LEAT_SIM_SEEDS sets how
/// many seeds.
template <class World, class Faults, class Time>
void expect_caught_in(const Mutant<Faults>& mutant, Time chaos) {
    expect_caught(mutant.name, number_from("LEAT_SIM_SEEDS", 100), [&](std::uint64_t seed) {
        World world{seed, mutant.faults()};
        world.run(chaos);
        return world.violations().empty() ? std::string{} : world.violations().front();
    });
}

}  // namespace leat::sim
