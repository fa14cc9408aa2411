// SPDX-License-Identifier: Apache-2.0
//
// Method: at the ends of the numbers, and compared with an instant as those do who wait.
#include "base/bounded_time.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

using std::chrono::milliseconds;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr Instant kNow{std::chrono::hours{24 * 365}};

TEST(BoundedMs, LeavesAloneWhatFits) {
    for (const std::int64_t ms : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-5}, kLongestMs})
        EXPECT_EQ(bounded_ms(ms), milliseconds{ms});
}

TEST(BoundedMs, MeetsInstantsWithoutWrappingAround) {
    for (const std::int64_t ms : {kMost, kMost / 1'000'000 + 1, kLongestMs}) {
        EXPECT_LT(kNow - Instant{}, bounded_ms(ms)) << ms;
        EXPECT_GT(kNow + bounded_ms(ms), kNow) << ms;
    }
    EXPECT_GT(kNow - Instant{}, bounded_ms(kLeast));
    EXPECT_LT(kNow + bounded_ms(kLeast), kNow);
}

TEST(After, AddsToInstantsUpToTheirEnds) {
    EXPECT_EQ(after(kNow, 1'500), kNow + milliseconds{1'500});
    EXPECT_EQ(after(kNow, -1'500), kNow - milliseconds{1'500});
    EXPECT_GT(after(kNow, kMost), kNow + milliseconds{kLongestMs - 1});
    EXPECT_EQ(after(Instant::max(), 1), Instant::max());
    EXPECT_EQ(after(Instant::max() - milliseconds{5}, 5), Instant::max());
    EXPECT_EQ(after(Instant::min(), -1), Instant::min());
    EXPECT_EQ(after(Instant::min(), 1), Instant::min() + milliseconds{1});
}

TEST(After, AddsToTimesOfTheDayUpToTheirEnds) {
    constexpr WallMs kToday{1'800'000'000'000};
    EXPECT_EQ(after(kToday, 5), WallMs{1'800'000'000'005});
    EXPECT_EQ(after(kToday, -5), WallMs{1'799'999'999'995});
    EXPECT_EQ(after(kToday, kMost), WallMs{kMost});
    EXPECT_EQ(after(kToday, kMost - kToday.value), WallMs{kMost});
    EXPECT_EQ(after(WallMs{-1}, kLeast), WallMs{kLeast});
    EXPECT_EQ(after(WallMs{0}, kLeast), WallMs{kLeast});
}

}  // namespace
}  // namespace leat
