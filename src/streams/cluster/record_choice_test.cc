// SPDX-License-Identifier: Apache-2.0
//
// Heads and times by hand.
#include "streams/cluster/record_choice.h"

#include <gtest/gtest.h>

#include <vector>

namespace leat::streams {
namespace {

using std::chrono::milliseconds;

constexpr Head kEmpty{};
constexpr Head kAtEnd{.present = false, .timestamp = -1, .caught_up = true};
constexpr Head at(std::int64_t time) {
    return {.present = true, .timestamp = time, .caught_up = false};
}
Instant ms(std::int64_t value) {
    return Instant{milliseconds{value}};
}

TEST(RecordChoice, TakesTheSmallestTimestamp) {
    RecordChoice choice{milliseconds{0}};
    const std::vector<Head> heads{at(5), at(3), at(9)};
    EXPECT_EQ(choice.next(heads, ms(0)), 1U);
}

TEST(RecordChoice, TakesNothingWhenNothingIsThere) {
    RecordChoice choice{milliseconds{-1}};
    const std::vector<Head> heads{kEmpty, kAtEnd};
    EXPECT_EQ(choice.next(heads, ms(0)), std::nullopt);
}

TEST(RecordChoice, WaitsForWhatIsNotKnownToBeAtItsEnd) {
    RecordChoice choice{milliseconds{0}};
    const std::vector<Head> unknown{at(5), kEmpty};
    EXPECT_EQ(choice.next(unknown, ms(0)), std::nullopt);
    EXPECT_EQ(choice.next(unknown, ms(1'000'000)), std::nullopt);
    const std::vector<Head> known{at(5), kAtEnd};
    EXPECT_EQ(choice.next(known, ms(1'000'001)), 0U);
}

TEST(RecordChoice, NeverWaitsWithANegativeIdleTime) {
    RecordChoice choice{milliseconds{-1}};
    const std::vector<Head> heads{kEmpty, at(5)};
    EXPECT_EQ(choice.next(heads, ms(0)), 1U);
}

TEST(RecordChoice, WaitsTheIdleTimeForAnEmptyPartition) {
    RecordChoice choice{milliseconds{100}};
    const std::vector<Head> heads{at(5), kAtEnd};
    EXPECT_EQ(choice.next(heads, ms(1000)), std::nullopt);
    EXPECT_EQ(choice.next(heads, ms(1099)), std::nullopt);
    EXPECT_EQ(choice.next(heads, ms(1100)), 0U);
    EXPECT_EQ(choice.next(heads, ms(1101)), 0U);
}

TEST(RecordChoice, SaysThatItWentOnWithoutAPartition) {
    RecordChoice choice{milliseconds{100}};
    const std::vector<Head> missing{at(5), kAtEnd};
    const std::vector<Head> whole{at(5), at(6)};
    EXPECT_EQ(choice.next(missing, ms(0)), std::nullopt);
    EXPECT_FALSE(choice.was_enforced());
    EXPECT_EQ(choice.next(missing, ms(100)), 0U);
    EXPECT_TRUE(choice.was_enforced());
    EXPECT_EQ(choice.next(whole, ms(100)), 0U);
    EXPECT_FALSE(choice.was_enforced());
    // Told not to wait, it has waited for nothing.
    RecordChoice hasty{milliseconds{-1}};
    EXPECT_EQ(hasty.next(missing, ms(0)), 0U);
    EXPECT_FALSE(hasty.was_enforced());
}

TEST(RecordChoice, BeginsToWaitAnewAfterAllWereThere) {
    RecordChoice choice{milliseconds{100}};
    const std::vector<Head> missing{at(5), kAtEnd};
    const std::vector<Head> whole{at(5), at(6)};
    EXPECT_EQ(choice.next(missing, ms(0)), std::nullopt);
    EXPECT_EQ(choice.next(whole, ms(50)), 0U);
    EXPECT_EQ(choice.next(missing, ms(120)), std::nullopt);
    EXPECT_EQ(choice.next(missing, ms(220)), 0U);
}

TEST(RecordChoice, WaitsForEachPartitionByItself) {
    RecordChoice choice{milliseconds{100}};
    const std::vector<Head> second_missing{at(5), kAtEnd, at(6)};
    const std::vector<Head> third_missing{at(5), at(7), kAtEnd};
    EXPECT_EQ(choice.next(second_missing, ms(0)), std::nullopt);
    EXPECT_EQ(choice.next(third_missing, ms(90)), std::nullopt);
    EXPECT_EQ(choice.next(third_missing, ms(189)), std::nullopt);
    EXPECT_EQ(choice.next(third_missing, ms(190)), 0U);
}

TEST(RecordChoice, APartitionIsAlsoIdleWhileNothingIsThere) {
    RecordChoice choice{milliseconds{100}};
    const std::vector<Head> nothing{kAtEnd, kAtEnd};
    const std::vector<Head> first_only{at(5), kAtEnd};
    const std::vector<Head> second_only{kAtEnd, at(5)};
    EXPECT_EQ(choice.next(nothing, ms(0)), std::nullopt);
    EXPECT_EQ(choice.next(first_only, ms(99)), std::nullopt);
    EXPECT_EQ(choice.next(first_only, ms(100)), 0U);
    EXPECT_TRUE(choice.was_enforced());
    EXPECT_EQ(choice.next(nothing, ms(200)), std::nullopt);
    EXPECT_FALSE(choice.was_enforced());
    EXPECT_EQ(choice.next(second_only, ms(299)), std::nullopt) << "the first gave something at 100";
    EXPECT_EQ(choice.next(second_only, ms(300)), 1U);
}

TEST(RecordChoice, WhatIsUnderWayBeginsThatPartitionsWaitAnew) {
    RecordChoice choice{milliseconds{100}};
    EXPECT_EQ(choice.next(std::vector<Head>{at(5), kAtEnd, kAtEnd}, ms(0)), std::nullopt);
    EXPECT_EQ(choice.next(std::vector<Head>{at(5), kAtEnd, kEmpty}, ms(100)), std::nullopt);
    EXPECT_EQ(choice.next(std::vector<Head>{at(5), kAtEnd, kAtEnd}, ms(120)), std::nullopt);
    EXPECT_EQ(choice.next(std::vector<Head>{at(5), kAtEnd, kAtEnd}, ms(220)), 0U);
}

}  // namespace
}  // namespace leat::streams
