// SPDX-License-Identifier: Apache-2.0
//
// When a reader with --until-end may stop, while a group gives and takes partitions.
#include "apps/open_partitions.h"

#include <gtest/gtest.h>

namespace leat::apps {
namespace {

using client::TopicPartition;

const TopicPartition kFirst{"t", 0};
const TopicPartition kSecond{"t", 1};

TEST(OpenPartitions, AreNotAtTheEndInTheMiddleOfARebalance) {
    OpenPartitions left{true};
    EXPECT_FALSE(left.is_at_end()) << "nothing was assigned yet";
    left.note({.assigned = true, .partitions = {kFirst, kSecond}});
    EXPECT_FALSE(left.is_at_end());
    left.note({.assigned = false, .partitions = {kFirst, kSecond}});
    EXPECT_FALSE(left.is_at_end());
    left.note({.assigned = true, .partitions = {kSecond}});
    EXPECT_FALSE(left.is_at_end());
    left.note_end(kSecond);
    EXPECT_TRUE(left.is_at_end());
}

TEST(OpenPartitions, OfAMemberWithoutAnyAreAtTheEnd) {
    OpenPartitions left{true};
    left.note({.assigned = true, .partitions = {kFirst}});
    left.note({.assigned = false, .partitions = {kFirst}});
    left.note({.assigned = true, .partitions = {}});
    EXPECT_TRUE(left.is_at_end());
}

TEST(OpenPartitions, ThatAreKeptCountWhenOthersAreTakenAway) {
    OpenPartitions left{true};
    left.note({.assigned = true, .partitions = {kFirst, kSecond}});
    left.note({.assigned = false, .partitions = {kFirst}});
    left.note_end(kSecond);
    EXPECT_TRUE(left.is_at_end());
}

TEST(OpenPartitions, MayBeGivenUpAndComeBack) {
    OpenPartitions left{false};
    EXPECT_TRUE(left.is_at_end());
    EXPECT_TRUE(left.add(kFirst));
    EXPECT_FALSE(left.add(kFirst));
    left.give_up(kFirst);
    EXPECT_TRUE(left.is_at_end());
    EXPECT_EQ(left.unread().size(), 1U);
    left.take_back(kFirst);
    left.take_back(kSecond);
    EXPECT_EQ(left.open(), (std::set<TopicPartition>{kFirst}));
    EXPECT_TRUE(left.unread().empty());
}

}  // namespace
}  // namespace leat::apps
