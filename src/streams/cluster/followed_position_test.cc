// SPDX-License-Identifier: Apache-2.0
//
// What a copy may say of itself, step by step.
#include "streams/cluster/followed_position.h"

#include <gtest/gtest.h>

namespace leat::streams {
namespace {

Position at(std::int64_t offset) {
    return {{"in", {{0, offset}}}};
}

TEST(FollowedPosition, IsReachedOnceTheChangelogWasReadToThePromisedEnd) {
    FollowedPosition position;
    position.advance(100);
    EXPECT_TRUE(position.reached().empty());
    position.promise(120, at(7));
    position.advance(119);
    EXPECT_TRUE(position.reached().empty());
    position.advance(120);
    EXPECT_EQ(position.reached(), at(7));
}

TEST(FollowedPosition, CopyThatIsAlwaysBehindGetsThereToo) {
    FollowedPosition position;
    for (std::int64_t i = 1; i <= 9; ++i) position.promise(i * 10, at(i));
    position.advance(10);
    EXPECT_EQ(position.reached(), at(1));
    position.advance(89);
    EXPECT_EQ(position.reached(), at(1));
    position.advance(90);
    EXPECT_EQ(position.reached(), at(9));
}

TEST(FollowedPosition, EmptiedStoreKnowsNothing) {
    FollowedPosition position;
    position.promise(5, at(1));
    position.advance(5);
    position.promise(9, at(2));
    position.clear();
    EXPECT_TRUE(position.reached().empty());
    position.advance(9);
    EXPECT_TRUE(position.reached().empty());
}

}  // namespace
}  // namespace leat::streams
