// SPDX-License-Identifier: Apache-2.0
#include "storage/upkeep_share.h"

#include <gtest/gtest.h>

namespace leat::storage {
namespace {

using std::chrono::milliseconds;

TEST(UpkeepShare, LetsAsManyRunAsAreAllowed) {
    UpkeepShare share;
    EXPECT_TRUE(share.try_begin(2));
    EXPECT_TRUE(share.try_begin(2));
    EXPECT_FALSE(share.try_begin(2));
    EXPECT_TRUE(share.try_begin(3));
    share.end();
    share.end();
    EXPECT_FALSE(share.try_begin(1));
    EXPECT_TRUE(share.try_begin(2));
}

TEST(UpkeepShare, MakesEachPayForTheBytesOfAll) {
    UpkeepShare share;
    const Instant start = Instant{} + milliseconds{1000};
    EXPECT_EQ(share.spend(500, 1000, start), start + milliseconds{500});
    EXPECT_EQ(share.spend(500, 1000, start), start + milliseconds{1000});
    // Time that was not used is not saved up.
    const Instant later = start + milliseconds{9000};
    EXPECT_EQ(share.spend(250, 1000, later), later + milliseconds{250});
    EXPECT_LE(share.spend(500, 1e300, later + milliseconds{250}), later + milliseconds{251});
}

}  // namespace
}  // namespace leat::storage
