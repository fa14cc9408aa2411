// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/output_tag.h"

#include <gtest/gtest.h>

#include <limits>

namespace leat::streams {
namespace {

TEST(OutputTag, SaysWhoSentIt) {
    constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max();
    for (const TaskId id : {TaskId{0, 0}, TaskId{3, 7}, TaskId{(1 << 29) - 1, kMost}}) {
        EXPECT_EQ(task_of(tag_of(id)), id);
        EXPECT_EQ(mark_of(tag_of(id)), nullptr);
    }
    ChangelogMark mark;
    EXPECT_EQ(mark_of(tag_of(&mark)), &mark);
    EXPECT_EQ(task_of(tag_of(&mark)), std::nullopt);
    for (const std::uint64_t other : {std::uint64_t{0}, 8U | kSourceTag}) {
        EXPECT_EQ(task_of(other), std::nullopt);
        EXPECT_EQ(mark_of(other), nullptr);
    }
}

TEST(OutputTag, APlaceWithoutAPartitionIsTheTopic) {
    EXPECT_EQ(place_of("out", 3), "out-3");
    EXPECT_EQ(place_of("out", -1), "out");
}

}  // namespace
}  // namespace leat::streams
