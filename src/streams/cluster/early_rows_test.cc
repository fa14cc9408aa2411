// SPDX-License-Identifier: Apache-2.0
//
// An outer join whose process is killed at least once behind rows that were written before a
// commit, or would have been: the broker acknowledges when the test says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "leat/streams/builder.h"
#include "streams/cluster/testing/lives.h"
#include "streams/state/temp_folder.h"

namespace leat::streams {
namespace {

using std::string;
using testing::ElementsAre;
using testing_lives::Cluster;
using testing_lives::In;
using testing_lives::leave;
using testing_lives::Life;

string either(const string* left, const string* right) {
    return (left != nullptr ? *left : "null") + "+" + (right != nullptr ? *right : "null");
}

Topology joining() {
    Builder b;
    const auto left = b.stream<string, string>("l");
    const auto right = b.stream<string, string>("r");
    left.outer_join(right, either, within(Duration{10}).grace(Duration{5})).to("out");
    return *b.build();
}

class EarlyRows : public testing::Test {
  protected:
    detail::TempFolder first_;
    detail::TempFolder second_;
    detail::TempFolder empty_;
    Cluster cluster_{joining(), {"l", "r"}};
};

const In kWaits{"k", "a", 0};
const In kMeets{"k", "b", 3};
const In kCloses{"z", "c", 1'000};

TEST_F(EarlyRows, WhoMetOneIsNotToldAsOneThatNothingMet) {
    {
        Life life{cluster_, first_.path()};
        life.process("l", kWaits);
        life.commit();
        life.is_broker_there = false;
        life.process("r", kMeets);
        const auto written = life.task->write_early(milliseconds{0});
        EXPECT_TRUE(written && !*written) << "its changes are not in the changelog";
        leave(first_.path(), second_.path());
    }
    {
        Life life{cluster_, second_.path()};
        life.reader.topics["l"] = {kWaits};
        life.process("r", kMeets);
        life.commit();
    }
    EXPECT_THAT(cluster_.results, ElementsAre("a+b"));
    Life elsewhere{cluster_, empty_.path()};
    elsewhere.reader.topics = {{"l", {kWaits}}, {"r", {kMeets}}};
    elsewhere.process("l", kCloses);
    elsewhere.commit();
    EXPECT_THAT(cluster_.results, ElementsAre("a+b"));
}

TEST_F(EarlyRows, AreWrittenOnceAcknowledged) {
    {
        Life life{cluster_, first_.path()};
        life.process("l", kWaits);
        life.commit();
        life.process("r", kMeets);
        EXPECT_GT(life.task->state().uncommitted_bytes(), 0U);
        const auto written = life.task->write_early(milliseconds{0});
        EXPECT_TRUE(written && *written);
        EXPECT_EQ(life.task->state().uncommitted_bytes(), 0U);
        leave(first_.path(), second_.path());
    }
    for (const auto& folder : {second_.path(), empty_.path()}) {
        Life life{cluster_, folder};
        life.reader.topics["l"] = {kWaits};
        life.process("r", kMeets);
        life.process("l", kCloses);
        life.commit();
        EXPECT_THAT(cluster_.results, testing::Not(testing::Contains("a+null")));
        cluster_.committed = {{"l", 1}, {"r", 0}};
    }
}

TEST_F(EarlyRows, WhatIsToldButNotDeliveredIsToldAgain) {
    {
        Life life{cluster_, first_.path()};
        life.process("l", kWaits);
        life.commit();
        life.is_broker_there = false;
        life.process("l", kCloses);
        ASSERT_EQ(life.sent.front().topic, "out");
        life.is_broker_there = true;
        // Delivered or not: that it waits no longer is not logged yet.
        const auto written = life.task->write_early(milliseconds{0});
        EXPECT_TRUE(written && !*written);
        leave(first_.path(), second_.path());
    }
    ASSERT_TRUE(cluster_.results.empty());
    Life life{cluster_, second_.path()};
    life.reader.topics["l"] = {kWaits};
    life.process("l", kCloses);
    life.commit();
    EXPECT_THAT(cluster_.results, ElementsAre("a+null"));
}

TEST_F(EarlyRows, AreNotHeldWithoutEndWhileNothingIsAcknowledged) {
    Life life{cluster_, first_.path()};
    life.process("l", {"k", string(std::size_t{300} << 10U, 'x'), 0});
    life.is_broker_there = false;
    auto is_due = life.task->relieve();
    EXPECT_TRUE(is_due && *is_due) << "the commit waits for the broker";
    EXPECT_GT(life.task->state().uncommitted_bytes(), 0U);
    life.is_broker_there = true;
    is_due = life.task->relieve();
    EXPECT_TRUE(is_due && !*is_due);
    EXPECT_EQ(life.task->state().uncommitted_bytes(), 0U);
}

}  // namespace
}  // namespace leat::streams
