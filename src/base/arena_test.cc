// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace leat {
namespace {

TEST(Arena, ArraysAreAlignedZeroedAndDisjoint) {
    Arena arena;
    for (int round = 0; round < 3; ++round) {
        std::vector<std::span<std::int64_t>> arrays;
        for (std::size_t n = 1; n < 200; ++n) {
            const auto odd = arena.copy(std::string_view{"x"});
            EXPECT_EQ(odd, "x");
            const auto array = arena.array<std::int64_t>(n);
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data()) % alignof(std::int64_t), 0U);
            for (std::int64_t& value : array) {
                EXPECT_EQ(value, 0);
                value = static_cast<std::int64_t>(n);
            }
            arrays.push_back(array);
        }
        for (std::size_t n = 1; n < 200; ++n)
            for (const std::int64_t value : arrays[n - 1])
                EXPECT_EQ(value, static_cast<std::int64_t>(n));
        arena.reset();
    }
    EXPECT_LE(arena.capacity_bytes(), 4096U);
}

TEST(Arena, OversizedRequestKeepsTheCurrentBlock) {
    Arena arena;
    const auto small = arena.copy(std::string_view{"small"});
    const auto big = arena.array<std::byte>(1'000'000);
    const auto after = arena.copy(std::string_view{"after"});
    EXPECT_EQ(big.size(), 1'000'000U);
    EXPECT_EQ(after.data() - small.data(), 5);
}

TEST(Arena, OversizedFirstRequestIsGivenBackByReset) {
    Arena arena;
    EXPECT_EQ(arena.array<std::byte>(1'000'000).size(), 1'000'000U);
    EXPECT_EQ(arena.copy(std::string_view{"tail"}), "tail");
    arena.reset();
    EXPECT_EQ(arena.capacity_bytes(), 0U);
    EXPECT_EQ(arena.copy(std::string_view{"again"}), "again");
}

}  // namespace
}  // namespace leat
