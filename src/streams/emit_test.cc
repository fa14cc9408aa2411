// SPDX-License-Identifier: Apache-2.0
// Results on the close of a window. Each text is what Kafka Streams 4.2.1 (its TopologyTestDriver,
// caches off) printed for the same topology and records, but for the cases where it loses results
// and this library does not: these say so. See testing/play.h for the notation.
#include <gmock/gmock.h>

#include <stdexcept>

#include "leat/streams/builder.h"
#include "streams/testing/play.h"

namespace leat::streams {
namespace {

using std::string;
using testing_play::play;
using testing_play::show;
using testing_play::told;

const TestDriver::Options kAsKafka{.application_id = "", .wall_time_ms = 0, .lose_as_kafka = true};

constexpr Duration ms(std::int64_t n) {
    return Duration{n};
}
/// As on a cluster. The texts of these tests are thought out by the rule (EmitStrategy): the first
/// record looks, and then the first one of each second.
const TestDriver::Options kEachSecond{.emit_interval = ms(1000)};
string empty() {
    return "";
}
string append(const string& /*key*/, const string& value, const string& sum) {
    return sum + value;
}
string join(const string& a, const string& b) {
    return a + b;
}

class EmitOnClose : public testing::Test {
  protected:
    KGroupedStream<string, string> in() {
        return builder_.stream<string, string>("in").group_by_key();
    }
    template <class W>
    void aggregate(W windows, std::optional<Duration> retention = {}) {
        show(in().windowed(windows)
                 .emit(Emit::kOnWindowClose)
                 .aggregate(empty, append, {.store = "st", .retention = retention}));
    }
    void sessions(std::optional<Duration> retention = {}) {
        show(in().windowed(session(ms(10)).grace(ms(5)))
                 .emit(Emit::kOnWindowClose)
                 .aggregate(empty, append, join, {.store = "st", .retention = retention}));
    }
    void sessions_counted() {
        show(in().windowed(session(ms(10)).grace(ms(5)))
                 .emit(Emit::kOnWindowClose)
                 .count({.store = "st"}));
    }
    Builder builder_;
};

TEST_F(EmitOnClose, ATumblingWindowIsToldOnceInTheOrderOfItsStart) {
    aggregate(tumbling(ms(10)).grace(ms(5)), ms(100));
    EXPECT_EQ(play(builder_,
                   "in k a 1; in j b 3; in k c 12; in k d 9; in k e 15; in j f 27; +999; in k g "
                   "37; +1; in k h 47; in k i 58; +1000; in k j 58; in k k 59; +1000; in k l 69",
                   kAsKafka),
              R"(
  > in k a 1
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | a @1
  > in j b 3
    st-changelog | j\00\00\00\00\00\00\00\00\00\00\00\00 | b @3
  > in k c 12
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | c @12
  > in k d 9
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | ad @9
  > in k e 15
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | ce @15
    out | j[0,10] | b @3
    out | k[0,10] | ad @9
  > in j f 27
    st-changelog | j\00\00\00\00\00\00\00\14\00\00\00\00 | f @27
    out | k[10,20] | ce @15
  +999 wall
  > in k g 37
    st-changelog | k\00\00\00\00\00\00\00\1e\00\00\00\00 | g @37
    out | j[20,30] | f @27
  +1 wall
  > in k h 47
    st-changelog | k\00\00\00\00\00\00\00(\00\00\00\00 | h @47
    out | k[30,40] | g @37
  > in k i 58
    st-changelog | k\00\00\00\00\00\00\002\00\00\00\00 | i @58
    out | k[40,50] | h @47
  +1000 wall
  > in k j 58
    st-changelog | k\00\00\00\00\00\00\002\00\00\00\00 | ij @58
  > in k k 59
    st-changelog | k\00\00\00\00\00\00\002\00\00\00\00 | ijk @59
  +1000 wall
  > in k l 69
    st-changelog | k\00\00\00\00\00\00\00<\00\00\00\00 | l @69
    out | k[50,60] | ijk @59
  dropped 0
)");
}

TEST_F(EmitOnClose, HoppingWindowsThatCloseTogetherAreToldOldestFirst) {
    aggregate(hopping(ms(10), ms(4)).grace(ms(5)), ms(100));
    EXPECT_EQ(
        play(builder_,
             "in k a 1; in j b 3; in k c 12; in k d 9; in k e 15; in j f 27; in k g 37; in k h 38",
             kAsKafka),
        R"(
  > in k a 1
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | a @1
  > in j b 3
    st-changelog | j\00\00\00\00\00\00\00\00\00\00\00\00 | b @3
  > in k c 12
    st-changelog | k\00\00\00\00\00\00\00\04\00\00\00\00 | c @12
    st-changelog | k\00\00\00\00\00\00\00\08\00\00\00\00 | c @12
    st-changelog | k\00\00\00\00\00\00\00\0c\00\00\00\00 | c @12
  > in k d 9
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | ad @9
    st-changelog | k\00\00\00\00\00\00\00\04\00\00\00\00 | cd @12
    st-changelog | k\00\00\00\00\00\00\00\08\00\00\00\00 | cd @12
  > in k e 15
    st-changelog | k\00\00\00\00\00\00\00\08\00\00\00\00 | cde @15
    st-changelog | k\00\00\00\00\00\00\00\0c\00\00\00\00 | ce @15
    out | j[0,10] | b @3
    out | k[0,10] | ad @9
  > in j f 27
    st-changelog | j\00\00\00\00\00\00\00\14\00\00\00\00 | f @27
    st-changelog | j\00\00\00\00\00\00\00\18\00\00\00\00 | f @27
    out | k[4,14] | cd @12
    out | k[8,18] | cde @15
    out | k[12,22] | ce @15
  > in k g 37
    st-changelog | k\00\00\00\00\00\00\00\1c\00\00\00\00 | g @37
    st-changelog | k\00\00\00\00\00\00\00\20\00\00\00\00 | g @37
    st-changelog | k\00\00\00\00\00\00\00$\00\00\00\00 | g @37
    out | j[20,30] | f @27
  > in k h 38
    st-changelog | k\00\00\00\00\00\00\00\20\00\00\00\00 | gh @38
    st-changelog | k\00\00\00\00\00\00\00$\00\00\00\00 | gh @38
  dropped 0
)");
}

TEST_F(EmitOnClose, WhatAQuietGapPushesOutIsLostWithTheSwitchOn) {
    aggregate(tumbling(ms(10)).grace(ms(5)));
    EXPECT_EQ(play(builder_,
                   "in k a 1; in j b 3; in k c 12; in k d 9; in k e 15; in j f 27; in k g 37; in k "
                   "h 47; in k i 1000; in k j 1015",
                   kAsKafka),
              R"(
  > in k a 1
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | a @1
  > in j b 3
    st-changelog | j\00\00\00\00\00\00\00\00\00\00\00\00 | b @3
  > in k c 12
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | c @12
  > in k d 9
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | ad @9
  > in k e 15
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | ce @15
    out | j[0,10] | b @3
    out | k[0,10] | ad @9
  > in j f 27
    st-changelog | j\00\00\00\00\00\00\00\14\00\00\00\00 | f @27
    out | k[10,20] | ce @15
  > in k g 37
    st-changelog | k\00\00\00\00\00\00\00\1e\00\00\00\00 | g @37
    out | j[20,30] | f @27
  > in k h 47
    st-changelog | k\00\00\00\00\00\00\00(\00\00\00\00 | h @47
    out | k[30,40] | g @37
  > in k i 1000
    st-changelog | k\00\00\00\00\00\00\03\e8\00\00\00\00 | i @1000
  > in k j 1015
    st-changelog | k\00\00\00\00\00\00\03\f2\00\00\00\00 | j @1015
    out | k[1000,1010] | i @1000
  dropped 0
)");
}

/// Kafka Streams 4.2.1 emits nothing here.
TEST_F(EmitOnClose, WhatAQuietGapPushesOutIsTold) {
    aggregate(tumbling(ms(10)).grace(ms(5)));
    EXPECT_EQ(play(builder_, "in k a 1; in j b 3; in k c 500; +1000; in k d 1000"), R"(
  > in k a 1
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | a @1
  > in j b 3
    st-changelog | j\00\00\00\00\00\00\00\00\00\00\00\00 | b @3
  > in k c 500
    st-changelog | k\00\00\00\00\00\00\01\f4\00\00\00\00 | c @500
    out | j[0,10] | b @3
    out | k[0,10] | a @1
  +1000 wall
  > in k d 1000
    st-changelog | k\00\00\00\00\00\00\03\e8\00\00\00\00 | d @1000
    out | k[500,510] | c @500
  dropped 0
)");
}

TEST_F(EmitOnClose, QuietGapsLoseTheSameAsKafkaWithTheSwitchOn) {
    aggregate(tumbling(ms(10)).grace(ms(5)));
    EXPECT_EQ(play(builder_, "in k a 1; in j b 3; in k c 500; +1000; in k d 1000", kAsKafka), R"(
  > in k a 1
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | a @1
  > in j b 3
    st-changelog | j\00\00\00\00\00\00\00\00\00\00\00\00 | b @3
  > in k c 500
    st-changelog | k\00\00\00\00\00\00\01\f4\00\00\00\00 | c @500
  +1000 wall
  > in k d 1000
    st-changelog | k\00\00\00\00\00\00\03\e8\00\00\00\00 | d @1000
  dropped 0
)");
}

TEST_F(EmitOnClose, ASlidingWindowIsToldOnce) {
    aggregate(sliding(ms(10)).grace(ms(5)), ms(100));
    EXPECT_EQ(play(builder_,
                   "in k a 20; in j b 23; in k c 27; in k d 25; in k e 38; in j f 47; in k g 70; "
                   "in k h 71",
                   kAsKafka),
              R"(
  > in k a 20
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | a @20
  > in j b 23
    st-changelog | j\00\00\00\00\00\00\00\0d\00\00\00\00 | b @23
  > in k c 27
    st-changelog | k\00\00\00\00\00\00\00\15\00\00\00\00 | c @27
    st-changelog | k\00\00\00\00\00\00\00\11\00\00\00\00 | ac @27
    out | k[10,20] | a @20
  > in k d 25
    st-changelog | k\00\00\00\00\00\00\00\15\00\00\00\00 | cd @27
    st-changelog | k\00\00\00\00\00\00\00\11\00\00\00\00 | acd @27
    st-changelog | k\00\00\00\00\00\00\00\0f\00\00\00\00 | ad @25
    st-changelog | k\00\00\00\00\00\00\00\1a\00\00\00\00 | c @27
  > in k e 38
    st-changelog | k\00\00\00\00\00\00\00\1c\00\00\00\00 | e @38
    st-changelog | k\00\00\00\00\00\00\00\1c\00\00\00\00 | e @38
    out | j[13,23] | b @23
    out | k[15,25] | ad @25
    out | k[17,27] | acd @27
    out | k[21,31] | cd @27
  > in j f 47
    st-changelog | j\00\00\00\00\00\00\00%\00\00\00\00 | f @47
    out | k[26,36] | c @27
    out | k[28,38] | e @38
  > in k g 70
    st-changelog | k\00\00\00\00\00\00\00<\00\00\00\00 | g @70
    out | j[37,47] | f @47
  > in k h 71
    st-changelog | k\00\00\00\00\00\00\00G\00\00\00\00 | h @71
    st-changelog | k\00\00\00\00\00\00\00=\00\00\00\00 | gh @71
  dropped 0
)");
}

TEST_F(EmitOnClose, EarlyRecordsOfSlidingWindowsDoNotLookForClosedOnes) {
    aggregate(sliding(ms(10)).grace(ms(5)), ms(100));
    EXPECT_EQ(
        play(builder_, "in k a 2; in j b 3; in k c 7; in k d 25; in k e 9; in k f 38", kAsKafka),
        R"(
  > in k a 2
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | a @2
  > in j b 3
    st-changelog | j\00\00\00\00\00\00\00\00\00\00\00\00 | b @3
  > in k c 7
    st-changelog | k\00\00\00\00\00\00\00\03\00\00\00\00 | c @7
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | ac @7
  > in k d 25
    st-changelog | k\00\00\00\00\00\00\00\0f\00\00\00\00 | d @25
    out | j[0,10] | b @3
    out | k[0,10] | ac @7
    out | k[3,13] | c @7
  > in k e 9
  > in k f 38
    st-changelog | k\00\00\00\00\00\00\00\1c\00\00\00\00 | f @38
    out | k[15,25] | d @25
  dropped 1
)");
}

TEST_F(EmitOnClose, SlidingWindowsAreLostInAGapWithTheSwitchOn) {
    aggregate(sliding(ms(10)).grace(ms(5)));
    EXPECT_EQ(play(builder_, "in k a 20; in j b 23; in k c 500; in k d 1000", kAsKafka), R"(
  > in k a 20
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | a @20
  > in j b 23
    st-changelog | j\00\00\00\00\00\00\00\0d\00\00\00\00 | b @23
  > in k c 500
    st-changelog | k\00\00\00\00\00\00\01\ea\00\00\00\00 | c @500
  > in k d 1000
    st-changelog | k\00\00\00\00\00\00\03\de\00\00\00\00 | d @1000
  dropped 0
)");
}

/// Kafka Streams 4.2.1 emits nothing here.
TEST_F(EmitOnClose, SlidingWindowsThatAGapPushesOutAreTold) {
    aggregate(sliding(ms(10)).grace(ms(5)));
    EXPECT_THAT(play(builder_, "in k a 20; in j b 23; in k c 500; in k d 1000"),
                testing::AllOf(testing::HasSubstr("k[10,20] | a @20"),
                               testing::HasSubstr("j[13,23] | b @23"),
                               testing::HasSubstr("k[490,500] | c @500")));
}

TEST_F(EmitOnClose, ASessionIsToldOnceAndNeverTakenBack) {
    sessions(ms(100));
    EXPECT_EQ(play(builder_,
                   "in k a 20; in j b 23; in k c 27; in k d 25; in k e 38; in j f 47; in k g 70; "
                   "in k h 71; in j i 95",
                   kAsKafka),
              R"(
  > in k a 20
    st-changelog | k\00\00\00\00\00\00\00\14\00\00\00\00\00\00\00\14 | a @20
  > in j b 23
    st-changelog | j\00\00\00\00\00\00\00\17\00\00\00\00\00\00\00\17 | b @23
  > in k c 27
    st-changelog | k\00\00\00\00\00\00\00\14\00\00\00\00\00\00\00\14 | null @27
    st-changelog | k\00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\14 | ac @27
  > in k d 25
    st-changelog | k\00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\14 | null @25
    st-changelog | k\00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\14 | acd @25
  > in k e 38
    st-changelog | k\00\00\00\00\00\00\00&\00\00\00\00\00\00\00& | e @38
  > in j f 47
    st-changelog | j\00\00\00\00\00\00\00/\00\00\00\00\00\00\00/ | f @47
    out | j[23,23] | b @23
    out | k[20,27] | acd @27
  > in k g 70
    st-changelog | k\00\00\00\00\00\00\00F\00\00\00\00\00\00\00F | g @70
    out | k[38,38] | e @38
    out | j[47,47] | f @47
  > in k h 71
    st-changelog | k\00\00\00\00\00\00\00F\00\00\00\00\00\00\00F | null @71
    st-changelog | k\00\00\00\00\00\00\00G\00\00\00\00\00\00\00F | gh @71
  > in j i 95
    st-changelog | j\00\00\00\00\00\00\00_\00\00\00\00\00\00\00_ | i @95
    out | k[70,71] | gh @71
  dropped 0
)");
}

TEST_F(EmitOnClose, ShortGapsLoseNoSession) {
    sessions();
    EXPECT_EQ(play(builder_, "in k a 20; in j b 23; in j c 38; in k d 500; in k e 1000", kAsKafka),
              R"(
  > in k a 20
    st-changelog | k\00\00\00\00\00\00\00\14\00\00\00\00\00\00\00\14 | a @20
  > in j b 23
    st-changelog | j\00\00\00\00\00\00\00\17\00\00\00\00\00\00\00\17 | b @23
  > in j c 38
    st-changelog | j\00\00\00\00\00\00\00&\00\00\00\00\00\00\00& | c @38
    out | k[20,20] | a @20
  > in k d 500
    st-changelog | k\00\00\00\00\00\00\01\f4\00\00\00\00\00\00\01\f4 | d @500
    out | j[23,23] | b @23
    out | j[38,38] | c @38
  > in k e 1000
    st-changelog | k\00\00\00\00\00\00\03\e8\00\00\00\00\00\00\03\e8 | e @1000
    out | k[500,500] | d @500
  dropped 0
)");
}

TEST_F(EmitOnClose, ALateRecordDoesNotReachASessionBeyondTheRetention) {
    sessions_counted();
    EXPECT_EQ(play(builder_,
                   "in k a 100; in k b 115; in k c 94; in k d 85; in k e 126; in k f 101; in j g "
                   "126; in k h 1000; in k i 126",
                   kAsKafka),
              R"(
  > in k a 100
    st-changelog | k\00\00\00\00\00\00\00d\00\00\00\00\00\00\00d | \00\00\00\00\00\00\00\01 @100
  > in k b 115
    st-changelog | k\00\00\00\00\00\00\00s\00\00\00\00\00\00\00s | \00\00\00\00\00\00\00\01 @115
  > in k c 94
  > in k d 85
  > in k e 126
    st-changelog | k\00\00\00\00\00\00\00~\00\00\00\00\00\00\00~ | \00\00\00\00\00\00\00\01 @126
    out | k[100,100] | 1 @100
  > in k f 101
  > in j g 126
    st-changelog | j\00\00\00\00\00\00\00~\00\00\00\00\00\00\00~ | \00\00\00\00\00\00\00\01 @126
  > in k h 1000
    st-changelog | k\00\00\00\00\00\00\03\e8\00\00\00\00\00\00\03\e8 | \00\00\00\00\00\00\00\01 @1000
    out | k[115,115] | 1 @115
    out | j[126,126] | 1 @126
    out | k[126,126] | 1 @126
  > in k i 126
  dropped 4
)");
}

TEST_F(EmitOnClose, AWindowAtTheEdgeOfTheRetentionIsTold) {
    aggregate(tumbling(ms(5)));
    EXPECT_EQ(play(builder_, "in k a 62; in k b 67; in k c 72; in k d 78; in k e 89", kAsKafka), R"(
  > in k a 62
    st-changelog | k\00\00\00\00\00\00\00<\00\00\00\00 | a @62
  > in k b 67
    st-changelog | k\00\00\00\00\00\00\00A\00\00\00\00 | b @67
    out | k[60,65] | a @62
  > in k c 72
    st-changelog | k\00\00\00\00\00\00\00F\00\00\00\00 | c @72
    out | k[65,70] | b @67
  > in k d 78
    st-changelog | k\00\00\00\00\00\00\00K\00\00\00\00 | d @78
    out | k[70,75] | c @72
  > in k e 89
    st-changelog | k\00\00\00\00\00\00\00U\00\00\00\00 | e @89
  dropped 0
)");
}

TEST_F(EmitOnClose, ASlidingWindowAtTheEdgeOfTheRetentionIsTold) {
    aggregate(sliding(ms(1)));
    EXPECT_EQ(play(builder_, "in k a 1033; in k b 1034; in k c 1036", kAsKafka), R"(
  > in k a 1033
    st-changelog | k\00\00\00\00\00\00\04\08\00\00\00\00 | a @1033
  > in k b 1034
    st-changelog | k\00\00\00\00\00\00\04\0a\00\00\00\00 | b @1034
    st-changelog | k\00\00\00\00\00\00\04\09\00\00\00\00 | ab @1034
    out | k[1032,1033] | a @1033
  > in k c 1036
    st-changelog | k\00\00\00\00\00\00\04\0b\00\00\00\00 | c @1036
    st-changelog | k\00\00\00\00\00\00\04\0b\00\00\00\00 | c @1036
    out | k[1033,1034] | ab @1034
    out | k[1034,1035] | b @1034
  dropped 0
)");
}

/// The right window of the record before moves the store's time further than a record's own left
/// one. Kafka Streams 4.2.1 loses [23,24]: its stores in memory have no millisecond to spare.
TEST_F(EmitOnClose, AWindowThatARightSlidingWindowPushesOutIsTold) {
    show(in().windowed(sliding(ms(1)))
             .emit(Emit::kOnWindowClose)
             .aggregate(empty, append, {.store = "st", .persistent = false}));
    EXPECT_EQ(told(play(builder_, "in k a 24; in k b 25; in k c 27")), R"(
  > in k a 24
  > in k b 25
    out | k[23,24] | a @24
  > in k c 27
    out | k[24,25] | ab @25
    out | k[25,26] | b @25
  dropped 0
)");
}

/// Kafka Streams 4.2.1 loses the last one.
TEST_F(EmitOnClose, NoWindowAtTheEdgeIsToldTwice) {
    aggregate(tumbling(ms(5)));
    const auto out = play(builder_, "in k a 62; in k b 67; in k c 72; in k d 78; in k e 89");
    for (const char* once : {"k[60,65]", "k[65,70]", "k[70,75]", "k[75,80]"}) {
        const auto at = out.find(once);
        EXPECT_NE(at, string::npos) << once;
        EXPECT_EQ(out.find(once, at + 1), string::npos) << once;
    }
}

TEST_F(EmitOnClose, ALateRecordCountsInTheSlidingWindowsThatAreOpen) {
    aggregate(sliding(ms(10)).grace(ms(5)));
    EXPECT_EQ(play(builder_,
                   "in k a 20; in k b 50; in k c 34; in k d 35; in k e 36; in k f 39; in k g 40; "
                   "in k h 24; in k i 25; in k j 51; in k l 72",
                   kAsKafka),
              R"(
  > in k a 20
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | a @20
  > in k b 50
    st-changelog | k\00\00\00\00\00\00\00(\00\00\00\00 | b @50
  > in k c 34
  > in k d 35
  > in k e 36
  > in k f 39
  > in k g 40
    st-changelog | k\00\00\00\00\00\00\00(\00\00\00\00 | bg @50
    st-changelog | k\00\00\00\00\00\00\00)\00\00\00\00 | b @50
  > in k h 24
  > in k i 25
  > in k j 51
    st-changelog | k\00\00\00\00\00\00\00)\00\00\00\00 | bj @51
    st-changelog | k\00\00\00\00\00\00\003\00\00\00\00 | j @51
  > in k l 72
    st-changelog | k\00\00\00\00\00\00\00>\00\00\00\00 | l @72
    out | k[40,50] | bg @50
    out | k[41,51] | bj @51
    out | k[51,61] | j @51
  dropped 7
)");
}

TEST_F(EmitOnClose, ALongGapLosesSessionsWithTheSwitchOn) {
    sessions();
    EXPECT_EQ(play(builder_, "in k a 20; in j b 23; in k d 70000", kAsKafka), R"(
  > in k a 20
    st-changelog | k\00\00\00\00\00\00\00\14\00\00\00\00\00\00\00\14 | a @20
  > in j b 23
    st-changelog | j\00\00\00\00\00\00\00\17\00\00\00\00\00\00\00\17 | b @23
  > in k d 70000
    st-changelog | k\00\00\00\00\00\01\11p\00\00\00\00\00\01\11p | d @70000
  dropped 0
)");
}

/// Kafka Streams 4.2.1 emits nothing here.
TEST_F(EmitOnClose, SessionsThatALongGapPushesOutAreTold) {
    sessions();
    EXPECT_THAT(play(builder_, "in k a 20; in j b 23; in k d 70000"),
                testing::AllOf(testing::HasSubstr("k[20,20] | a @20"),
                               testing::HasSubstr("j[23,23] | b @23")));
}

TEST_F(EmitOnClose, ALookASecondTellsEachClosedWindowOnceAndLater) {
    aggregate(tumbling(ms(10)).grace(ms(5)), ms(100));
    EXPECT_EQ(told(play(builder_,
                        "in k a 1; in k b 12; in k c 30; in k x 5; in j d 31; +999; in k e 32; +1; "
                        "in k f 33; in k g 60; +1000; in k h 61; +5000; in k i 62",
                        kEachSecond)),
              R"(
  > in k a 1
  > in k b 12
  > in k c 30
  > in k x 5
  > in j d 31
  +999 wall
  > in k e 32
  +1 wall
  > in k f 33
    out | k[0,10] | a @1
    out | k[10,20] | b @12
  > in k g 60
  +1000 wall
  > in k h 61
    out | j[30,40] | d @31
    out | k[30,40] | cef @33
  +5000 wall
  > in k i 62
  dropped 1
)");
}

/// A window that the store is about to lose does not wait for the next look.
TEST_F(EmitOnClose, AGapBetweenTwoLooksLosesNoWindow) {
    aggregate(tumbling(ms(10)).grace(ms(5)));
    EXPECT_EQ(told(play(builder_,
                        "in k a 1; in j b 3; in k c 500; in k d 1000; +1000; in k e 1001; in k f "
                        "1100; +1000; in k g 1101",
                        kEachSecond)),
              R"(
  > in k a 1
  > in j b 3
  > in k c 500
    out | j[0,10] | b @3
    out | k[0,10] | a @1
  > in k d 1000
    out | k[500,510] | c @500
  +1000 wall
  > in k e 1001
  > in k f 1100
    out | k[1000,1010] | de @1001
  +1000 wall
  > in k g 1101
  dropped 0
)");
}

TEST_F(EmitOnClose, ALookASecondTellsEachSlidingWindowOnce) {
    aggregate(sliding(ms(10)).grace(ms(5)), ms(100));
    EXPECT_EQ(told(play(builder_,
                        "in k a 20; in j b 23; in k c 60; +999; in j d 80; +1; in j e 81; +1000; "
                        "in j f 98",
                        kEachSecond)),
              R"(
  > in k a 20
  > in j b 23
  > in k c 60
  +999 wall
  > in j d 80
  +1 wall
  > in j e 81
    out | k[10,20] | a @20
    out | j[13,23] | b @23
    out | k[50,60] | c @60
  +1000 wall
  > in j f 98
    out | j[70,80] | d @80
    out | j[71,81] | de @81
    out | j[81,91] | e @81
  dropped 0
)");
}

TEST_F(EmitOnClose, AGapBetweenTwoLooksLosesNoSlidingWindow) {
    aggregate(sliding(ms(10)).grace(ms(5)));
    EXPECT_EQ(
        told(play(builder_, "in k a 20; in j b 23; in k c 500; in k d 1000; +1000; in k e 1001",
                  kEachSecond)),
        R"(
  > in k a 20
  > in j b 23
  > in k c 500
    out | k[10,20] | a @20
    out | j[13,23] | b @23
  > in k d 1000
    out | k[490,500] | c @500
  +1000 wall
  > in k e 1001
  dropped 0
)");
}

/// The store keeps 25 ms: c's own left window, [106,116], leaves a's there, the one behind b not.
TEST_F(EmitOnClose, ARightWindowBetweenTwoLooksLosesNoSlidingWindow) {
    aggregate(sliding(ms(10)).grace(ms(5)));
    EXPECT_EQ(
        told(play(builder_, "in k a 100; in k b 115; in k c 116; +1000; in k d 117", kEachSecond)),
        R"(
  > in k a 100
  > in k b 115
  > in k c 116
    out | k[90,100] | a @100
  +1000 wall
  > in k d 117
  dropped 0
)");
}

TEST_F(EmitOnClose, ALookASecondTellsEachClosedSessionOnceAndLater) {
    sessions(ms(100));
    EXPECT_EQ(told(play(builder_,
                        "in k a 20; in j b 23; in k c 60; in k x 35; +1000; in k d 61; in k e 100; "
                        "+1000; in j f 101; +1000; in j g 102",
                        kEachSecond)),
              R"(
  > in k a 20
  > in j b 23
  > in k c 60
  > in k x 35
  +1000 wall
  > in k d 61
    out | k[20,20] | a @20
    out | j[23,23] | b @23
  > in k e 100
  +1000 wall
  > in j f 101
    out | k[60,61] | cd @61
  +1000 wall
  > in j g 102
  dropped 1
)");
}

TEST_F(EmitOnClose, AGapBetweenTwoLooksLosesNoSession) {
    sessions();
    EXPECT_EQ(told(play(builder_,
                        "in k a 20; in j b 23; in k d 70000; +1000; in k e 70001; +1000; "
                        "in k f 140000",
                        kEachSecond)),
              R"(
  > in k a 20
  > in j b 23
  > in k d 70000
    out | k[20,20] | a @20
    out | j[23,23] | b @23
  +1000 wall
  > in k e 70001
  +1000 wall
  > in k f 140000
    out | k[70000,70001] | de @70001
  dropped 0
)");
}

/// A record in the gap of a session that has closed is not too late itself. Whether the session was
/// told before it grows is then a matter of the wall clock, in Kafka Streams too.
TEST_F(EmitOnClose, ASessionThatIsStillToBeToldTakesInWhatBridgesItsGap) {
    constexpr const char* kBridged = "in k a 40; in j z 56; in k x 50; +1000; in j y 90";
    sessions(ms(100));
    EXPECT_EQ(told(play(builder_, kBridged, kEachSecond)), R"(
  > in k a 40
  > in j z 56
  > in k x 50
  +1000 wall
  > in j y 90
    out | k[40,50] | ax @50
    out | j[56,56] | z @56
  dropped 0
)");
    builder_ = Builder{};
    sessions(ms(100));
    EXPECT_EQ(told(play(builder_, kBridged)), R"(
  > in k a 40
  > in j z 56
    out | k[40,40] | a @40
  > in k x 50
  +1000 wall
  > in j y 90
    out | k[40,50] | ax @50
    out | j[56,56] | z @56
  dropped 0
)");
}

TEST_F(EmitOnClose, UnlimitedWindowsAreRefused) {
    aggregate(unlimited());
    EXPECT_THAT(play(builder_, ""), testing::HasSubstr("never closes"));
}

/// As append(), but for one word.
string append_most(const string& key, const string& value, const string& sum) {
    if (value == "bad") throw std::runtime_error(value);  // tidy: right here, a user may throw.
    return append(key, value, sum);
}

TEST_F(EmitOnClose, WhatIsToldBeforeARecordThatFailsIsNotToldAgain) {
    const auto of_failure = [](Builder& builder, const string& input) {
        const string all =
            told(play(builder, input, {.handlers = {.processing = continue_on_error}}));
        return all.substr(all.find("  > in k bad"));
    };
    const Materialized<string, string> kept{.store = "st", .retention = ms(100)};
    Builder windows;
    show(windows.stream<string, string>("in")
             .group_by_key()
             .windowed(tumbling(ms(10)).grace(ms(5)))
             .emit(Emit::kOnWindowClose)
             .aggregate(empty, append_most, kept));
    // The last record is not so late that its window were closed, nor so new that the store had
    // nothing more of the first one.
    EXPECT_EQ(of_failure(windows, "in k a 25; in k bad 130; in k c 129"), R"(  > in k bad 130
    out | k[20,30] | a @25
  > in k c 129
  dropped 1
)");
    Builder slides;
    show(slides.stream<string, string>("in")
             .group_by_key()
             .windowed(sliding(ms(10)).grace(ms(5)))
             .emit(Emit::kOnWindowClose)
             .aggregate(empty, append_most, kept));
    // Of a record that fails nothing is put: the store still has the window, the next one tells.
    EXPECT_EQ(of_failure(slides, "in k a 30; in k bad 131; in k c 130"), R"(  > in k bad 131
  > in k c 130
    out | k[20,30] | a @30
  dropped 1
)");
    Builder sessions;
    show(sessions.stream<string, string>("in")
             .group_by_key()
             .windowed(session(ms(10)).grace(ms(5)))
             .emit(Emit::kOnWindowClose)
             .aggregate(empty, append_most, join, kept));
    EXPECT_EQ(of_failure(sessions, "in k a 30; in k bad 60100; in k c 60099"),
              R"(  > in k bad 60100
    out | k[30,30] | a @30
  > in k c 60099
  dropped 1
)");
}

}  // namespace
}  // namespace leat::streams
