// SPDX-License-Identifier: Apache-2.0
//
// Seeded randomness for tests; LEAT_TEST_SEED replays a run. Layer: test-only.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace leat::testkit {

/// Random numbers of one test; a failure prints the seed that repeats it.
/// Threading: not synchronised.
class Random {
  public:
    Random() : trace_(__FILE__, __LINE__, "LEAT_TEST_SEED=" + std::to_string(seed_)) {}

    [[nodiscard]] std::int32_t between(std::int32_t low, std::int32_t high) {
        return std::uniform_int_distribution{low, high}(engine_);
    }

  private:
    static std::uint32_t pick_seed() {
        const char* fixed = std::getenv("LEAT_TEST_SEED");
        return fixed != nullptr ? static_cast<std::uint32_t>(std::stoul(fixed))
                                : std::random_device{}();
    }
    std::uint32_t seed_ = pick_seed();
    std::mt19937 engine_{seed_};
    ::testing::ScopedTrace trace_;
};

}  // namespace leat::testkit
