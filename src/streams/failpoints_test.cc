// SPDX-License-Identifier: Apache-2.0
//
// What the environment may ask for. Method: each form that is taken, and what is refused.
#include "streams/failpoints.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

namespace leat::streams {
namespace {

TEST(FailPoints, AreNothingWhenNothingIsAsked) {
    const auto points = parse_failpoints("", "");
    ASSERT_TRUE(points.has_value());
    EXPECT_FALSE(points->step.has_value());
    for (const bool fault : points->faults) EXPECT_FALSE(fault);
}

TEST(FailPoints, KnowEachStepByItsName) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < step_names().size(); ++i) {
        names.insert(step_names()[i]);
        const auto points = parse_failpoints("kill:" + std::string{step_names()[i]} + ":3", "");
        ASSERT_TRUE(points.has_value());
        EXPECT_EQ(points->step, static_cast<FailStep>(i));
        EXPECT_EQ(points->nth, 3U);
        EXPECT_FALSE(points->stops);
    }
    EXPECT_EQ(names.size(), step_names().size());
    EXPECT_TRUE(names.contains("commit.done"));
}

TEST(FailPoints, StopWhereTheyAreToldTo) {
    const auto points = parse_failpoints("stop:commit.done:1", "");
    ASSERT_TRUE(points.has_value());
    EXPECT_TRUE(points->stops);
    EXPECT_EQ(points->step, FailStep::kCommitDone);
}

TEST(FailPoints, SetTheFaultsThatAreNamed) {
    const auto points = parse_failpoints("", "streams.no_fencing,streams.restore_skipped");
    ASSERT_TRUE(points.has_value());
    EXPECT_TRUE(points->faults[static_cast<std::size_t>(Fault::kNoFencing)]);
    EXPECT_TRUE(points->faults[static_cast<std::size_t>(Fault::kRestoreSkipped)]);
    EXPECT_FALSE(points->faults[static_cast<std::size_t>(Fault::kOffsetsBeforeData)]);
}

TEST(FailPoints, RefuseWhatTheyDoNotKnow) {
    for (const char* point :
         {"kill", "kill:commit.done", "kill:commit.done:0", "kill:commit.done:x",
          "kill:commit.done:1x", "halt:commit.done:1", "kill:commit:1"})
        EXPECT_FALSE(parse_failpoints(point, "").has_value()) << point;
    EXPECT_FALSE(parse_failpoints("", "no_fencing").has_value());
}

}  // namespace
}  // namespace leat::streams
