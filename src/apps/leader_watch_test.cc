// SPDX-License-Identifier: Apache-2.0
//
// Method: looks at times of our own choice.
#include "apps/leader_watch.h"

#include <gtest/gtest.h>

namespace leat::apps {
namespace {

using Partitions = std::vector<std::int32_t>;
using std::chrono::seconds;

TEST(LeaderWatch, TellsOfEachAbsenceOnceAndGivesUpWhenItLasts) {
    LeaderWatch watch;
    const LeaderWatch::Clock::time_point start{};
    const Partitions two{1, 4};
    EXPECT_EQ(watch.look(two, start).missing, two);
    EXPECT_TRUE(watch.is_missing(4));
    EXPECT_TRUE(watch.look(two, start + LeaderWatch::kPatience - seconds{1}).missing.empty());
    EXPECT_FALSE(watch.is_given_up(4));
    EXPECT_TRUE(watch.look(two, start + LeaderWatch::kPatience).missing.empty());
    EXPECT_TRUE(watch.is_given_up(4));
    EXPECT_FALSE(watch.is_given_up(0));
}

TEST(LeaderWatch, CountsAnewForOneThatWasBack) {
    LeaderWatch watch;
    const LeaderWatch::Clock::time_point start{};
    const Partitions one{2};
    EXPECT_EQ(watch.look(one, start).missing, one);
    EXPECT_EQ(watch.look({}, start + seconds{1}).back, one);
    EXPECT_FALSE(watch.is_missing(2));
    EXPECT_EQ(watch.look(one, start + seconds{9}).missing, one);
    EXPECT_TRUE(watch.look(one, start + LeaderWatch::kPatience + seconds{1}).missing.empty());
    EXPECT_FALSE(watch.is_given_up(2));
    EXPECT_TRUE(watch.look(one, start + LeaderWatch::kPatience + seconds{9}).missing.empty());
    EXPECT_TRUE(watch.is_given_up(2));
}

}  // namespace
}  // namespace leat::apps
