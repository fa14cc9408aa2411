// SPDX-License-Identifier: Apache-2.0
//
// Method: one example for every form; times against known epoch milliseconds.
#include "apps/start_point.h"

#include <gtest/gtest.h>

#include "testkit/result_matchers.h"

namespace leat::apps {
namespace {

using Kind = StartPoint::Kind;

StartPoint parsed(std::string_view text) {
    const Result<StartPoint> got = parse_start_point(text, WallMs{10'000'000'000});
    EXPECT_OK(got);
    return got ? *got : StartPoint{};
}

TEST(ParseStartPoint, ReadsEveryForm) {
    EXPECT_EQ(parsed("beginning"), (StartPoint{Kind::kBeginning, 0}));
    EXPECT_EQ(parsed("end"), (StartPoint{Kind::kEnd, 0}));
    EXPECT_EQ(parsed("0"), (StartPoint{Kind::kOffset, 0}));
    EXPECT_EQ(parsed("42"), (StartPoint{Kind::kOffset, 42}));
    EXPECT_EQ(parsed("-5"), (StartPoint{Kind::kBeforeEnd, 5}));
    EXPECT_EQ(parsed("@1769860800000"), (StartPoint{Kind::kTime, 1'769'860'800'000}));
    EXPECT_EQ(parsed("-10m"), (StartPoint{Kind::kTime, 10'000'000'000 - 600'000}));
    EXPECT_EQ(parsed("-2d"), (StartPoint{Kind::kTime, 10'000'000'000 - 172'800'000}));
    EXPECT_EQ(parsed("2026-01-31T12:00:00Z"), (StartPoint{Kind::kTime, 1'769'860'800'000}));
}

TEST(ParseStartPoint, RefusesWhatIsNoPlace) {
    for (const char* bad :
         {"", "start", "-", "-m", "-5x", "@", "@x", "1.5", "2026-02-30", "2026-1-1"})
        EXPECT_ERRC(parse_start_point(bad, WallMs{0}), Errc::kUsage) << bad;
}

TEST(ParseTime, UnderstandsZonesAndFractions) {
    EXPECT_EQ(parse_time("1970-01-01"), 0);
    EXPECT_EQ(parse_time("1970-01-01T00:00:01.5"), 1500);
    EXPECT_EQ(parse_time("1970-01-01T02:00:00+02:00"), 0);
    EXPECT_EQ(parse_time("1970-01-01 00:00:00.123456Z"), 123);
    EXPECT_EQ(parse_time("1969-12-31T23:59:59Z"), -1000);
    EXPECT_EQ(parse_time("1970-01-01T24:00:00Z"), std::nullopt);
    EXPECT_EQ(parse_time("1970-01-01T00:00:00.Z"), std::nullopt);
    EXPECT_EQ(parse_time("1970-01-01T00:00:00+2"), std::nullopt);
    EXPECT_EQ(parse_time("1970-01-01T00:00"), std::nullopt);
}

TEST(FormatTime, IsReadBackAsTheSameTime) {
    EXPECT_EQ(format_time(WallMs{1'769'860'800'123}), "2026-01-31T12:00:00.123Z");
    EXPECT_EQ(parse_time(format_time(WallMs{951'782'400'007})), 951'782'400'007);
    EXPECT_EQ(format_time(WallMs{-1}), "-");
    EXPECT_EQ(format_time(WallMs{253'402'300'799'999}), "9999-12-31T23:59:59.999Z");
    EXPECT_EQ(format_time(WallMs{INT64_MAX}), "9223372036854775807");
}

}  // namespace
}  // namespace leat::apps
