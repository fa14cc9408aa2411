// SPDX-License-Identifier: Apache-2.0
//
// Texts and what java.time.Duration.parse() makes of them.
#include "streams/iso_duration.h"

#include <gtest/gtest.h>

namespace leat::streams {
namespace {

std::int64_t ms(std::string_view text) {
    const auto parsed = parse_iso_duration(text);
    EXPECT_TRUE(parsed) << text;
    return parsed ? parsed->count() : -1;
}

TEST(IsoDuration, ReadsWhatJavaReads) {
    EXPECT_EQ(ms("PT1H"), 3'600'000);
    EXPECT_EQ(ms("PT15M"), 900'000);
    EXPECT_EQ(ms("P2D"), 172'800'000);
    EXPECT_EQ(ms("P1DT1H1M1S"), 90'061'000);
    EXPECT_EQ(ms("PT20.345S"), 20'345);
    EXPECT_EQ(ms("PT20,3459S"), 20'345);
    EXPECT_EQ(ms("PT5.S"), 5'000);
    EXPECT_EQ(ms("pt1h"), 3'600'000);
    EXPECT_EQ(ms("PT0S"), 0);
    EXPECT_EQ(ms("-PT1H"), -3'600'000);
    EXPECT_EQ(ms("PT-6H+3M"), -21'420'000);
    EXPECT_EQ(ms("-PT-6H+3M"), 21'420'000);
    EXPECT_EQ(ms("PT-1.5S"), -1'500);
}

TEST(IsoDuration, RefusesWhatJavaRefuses) {
    for (const char* text : {"",
                             "P",
                             "PT",
                             "T1H",
                             "1H",
                             "PT1",
                             "PTH",
                             "P1H",
                             "PT1D",
                             "PT1S1H",
                             "P1DT",
                             "PT1.5H",
                             "PT1H ",
                             " PT1H",
                             "PT.5S",
                             "PT1.0000000001S",
                             "PT99999999999999999999S",
                             "PT9223372036854775807H",
                             "P1Y",
                             "P1M",
                             "P1W"})
        EXPECT_FALSE(parse_iso_duration(text)) << text;
}

}  // namespace
}  // namespace leat::streams
