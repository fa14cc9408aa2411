// SPDX-License-Identifier: Apache-2.0
// Windows of time, sliding ones, sessions: each text is what Kafka Streams 4.2.1 (its
// TopologyTestDriver, caches off) printed for the same topology and records; see testing/play.h for
// the notation.
#include <gmock/gmock.h>

#include <string_view>

#include "leat/streams/builder.h"
#include "streams/testing/play.h"

namespace leat::streams {
namespace {

using std::string;
using testing_play::play;
using testing_play::show;

/// In order, out of order, null key, null value, late, at the same time.
constexpr const char* kMixed =
    "in k a 100; in k b 105; in k c 103; in k d 118; in k e 112; in - x 113; in k - 114; "
    "in k f 100; in k g 118";

constexpr Duration ms(std::int64_t n) {
    return Duration{n};
}
/// What a Java lambda makes of a null.
string text(const string* value) {
    return value != nullptr ? *value : "null";
}
string empty() {
    return "";
}
string letter_i() {
    return "i";
}
string append(const string& /*key*/, const string* value, const string& sum) {
    return sum + text(value);
}
string join(const string& a, const string& b) {
    return a + b;
}
std::optional<string> append_or_delete(const string& /*key*/, const string* value,
                                       const string& sum) {
    if (text(value) == "x") return std::nullopt;
    return sum + text(value);
}
string merge(const string& /*key*/, const string& a, const string& b) {
    return "(" + a + "+" + b + ")";
}

class Windows : public testing::Test {
  protected:
    KGroupedStream<string, string> in() {
        return builder_.stream<string, string>("in").group_by_key();
    }
    Builder builder_;
};

TEST_F(Windows, ASessionTakesBackWhatItMerges) {
    show(in().windowed(session(ms(10)).grace(ms(5))).count({.store = "st"}));
    EXPECT_EQ(play(builder_, kMixed), R"(
  > in k a 100
    st-changelog | k\00\00\00\00\00\00\00d\00\00\00\00\00\00\00d | \00\00\00\00\00\00\00\01 @100
    out | k[100,100] | 1 @100
  > in k b 105
    st-changelog | k\00\00\00\00\00\00\00d\00\00\00\00\00\00\00d | null @105
    st-changelog | k\00\00\00\00\00\00\00i\00\00\00\00\00\00\00d | \00\00\00\00\00\00\00\02 @105
    out | k[100,100] | null @100
    out | k[100,105] | 2 @105
  > in k c 103
    st-changelog | k\00\00\00\00\00\00\00i\00\00\00\00\00\00\00d | null @103
    st-changelog | k\00\00\00\00\00\00\00i\00\00\00\00\00\00\00d | \00\00\00\00\00\00\00\03 @103
    out | k[100,105] | null @105
    out | k[100,105] | 3 @105
  > in k d 118
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00v | \00\00\00\00\00\00\00\01 @118
    out | k[118,118] | 1 @118
  > in k e 112
    st-changelog | k\00\00\00\00\00\00\00i\00\00\00\00\00\00\00d | null @112
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00v | null @112
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00d | \00\00\00\00\00\00\00\05 @112
    out | k[100,105] | null @105
    out | k[118,118] | null @118
    out | k[100,118] | 5 @118
  > in - x 113
  > in k - 114
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00d | null @114
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00d | \00\00\00\00\00\00\00\06 @114
    out | k[100,118] | null @118
    out | k[100,118] | 6 @118
  > in k f 100
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00d | null @100
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00d | \00\00\00\00\00\00\00\07 @100
    out | k[100,118] | null @118
    out | k[100,118] | 7 @118
  > in k g 118
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00d | null @118
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00d | \00\00\00\00\00\00\00\08 @118
    out | k[100,118] | null @118
    out | k[100,118] | 8 @118
  dropped 1
)");
}

TEST_F(Windows, SessionsAreMergedFromTheInitializerOn) {
    show(in().windowed(session(ms(10)).grace(ms(5)))
             .aggregate(letter_i, append, merge, {.store = "st"}));
    EXPECT_EQ(play(builder_, kMixed), R"(
  > in k a 100
    st-changelog | k\00\00\00\00\00\00\00d\00\00\00\00\00\00\00d | ia @100
    out | k[100,100] | ia @100
  > in k b 105
    st-changelog | k\00\00\00\00\00\00\00d\00\00\00\00\00\00\00d | null @105
    st-changelog | k\00\00\00\00\00\00\00i\00\00\00\00\00\00\00d | (i+ia)b @105
    out | k[100,100] | null @100
    out | k[100,105] | (i+ia)b @105
  > in k c 103
    st-changelog | k\00\00\00\00\00\00\00i\00\00\00\00\00\00\00d | null @103
    st-changelog | k\00\00\00\00\00\00\00i\00\00\00\00\00\00\00d | (i+(i+ia)b)c @103
    out | k[100,105] | null @105
    out | k[100,105] | (i+(i+ia)b)c @105
  > in k d 118
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00v | id @118
    out | k[118,118] | id @118
  > in k e 112
    st-changelog | k\00\00\00\00\00\00\00i\00\00\00\00\00\00\00d | null @112
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00v | null @112
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00d | ((i+(i+(i+ia)b)c)+id)e @112
    out | k[100,105] | null @105
    out | k[118,118] | null @118
    out | k[100,118] | ((i+(i+(i+ia)b)c)+id)e @118
  > in - x 113
  > in k - 114
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00d | null @114
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00d | (i+((i+(i+(i+ia)b)c)+id)e)null @114
    out | k[100,118] | null @118
    out | k[100,118] | (i+((i+(i+(i+ia)b)c)+id)e)null @118
  > in k f 100
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00d | null @100
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00d | (i+(i+((i+(i+(i+ia)b)c)+id)e)null)f @100
    out | k[100,118] | null @118
    out | k[100,118] | (i+(i+((i+(i+(i+ia)b)c)+id)e)null)f @118
  > in k g 118
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00d | null @118
    st-changelog | k\00\00\00\00\00\00\00v\00\00\00\00\00\00\00d | (i+(i+(i+((i+(i+(i+ia)b)c)+id)e)null)f)g @118
    out | k[100,118] | null @118
    out | k[100,118] | (i+(i+(i+((i+(i+(i+ia)b)c)+id)e)null)f)g @118
  dropped 1
)");
}

TEST_F(Windows, ASessionTakesRecordsUntilItsGapAndGraceAreOver) {
    show(in().windowed(session(ms(10)).grace(ms(5))).count());
    EXPECT_EQ(play(builder_,
                   "in k a 100; in k b 115; in k c 94; in k d 85; in k e 126; in k f 101; in j g "
                   "126; in k h 1000; in k i 126"),
              R"(
  > in k a 100
    KSTREAM-AGGREGATE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00d\00\00\00\00\00\00\00d | \00\00\00\00\00\00\00\01 @100
    out | k[100,100] | 1 @100
  > in k b 115
    KSTREAM-AGGREGATE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00s\00\00\00\00\00\00\00s | \00\00\00\00\00\00\00\01 @115
    out | k[115,115] | 1 @115
  > in k c 94
  > in k d 85
  > in k e 126
    KSTREAM-AGGREGATE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00~\00\00\00\00\00\00\00~ | \00\00\00\00\00\00\00\01 @126
    out | k[126,126] | 1 @126
  > in k f 101
  > in j g 126
    KSTREAM-AGGREGATE-STATE-STORE-0000000001-changelog | j\00\00\00\00\00\00\00~\00\00\00\00\00\00\00~ | \00\00\00\00\00\00\00\01 @126
    out | j[126,126] | 1 @126
  > in k h 1000
    KSTREAM-AGGREGATE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\03\e8\00\00\00\00\00\00\03\e8 | \00\00\00\00\00\00\00\01 @1000
    out | k[1000,1000] | 1 @1000
  > in k i 126
  dropped 4
)");
}

TEST_F(Windows, ASessionsKeyIsFollowedByItsEndAndItsStart) {
    in().windowed(session(ms(10)).grace(ms(5))).count().to_stream().to("out");
    EXPECT_EQ(play(builder_, "in k a 100; in k b 105"), R"(
  > in k a 100
    KSTREAM-AGGREGATE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00d\00\00\00\00\00\00\00d | \00\00\00\00\00\00\00\01 @100
    out | k\00\00\00\00\00\00\00d\00\00\00\00\00\00\00d | \00\00\00\00\00\00\00\01 @100
  > in k b 105
    KSTREAM-AGGREGATE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00d\00\00\00\00\00\00\00d | null @105
    KSTREAM-AGGREGATE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00i\00\00\00\00\00\00\00d | \00\00\00\00\00\00\00\02 @105
    out | k\00\00\00\00\00\00\00d\00\00\00\00\00\00\00d | null @100
    out | k\00\00\00\00\00\00\00i\00\00\00\00\00\00\00d | \00\00\00\00\00\00\00\02 @105
  dropped 0
)");
}

TEST_F(Windows, ASessionWhoseAggregatorAnswersNothingIsGone) {
    show(in().windowed(session(ms(10)).grace(ms(5)))
             .aggregate(letter_i, append_or_delete,
                        [](const string& a, const string& b) { return a + "+" + b; },
                        {.store = "st"}));
    EXPECT_EQ(play(builder_, "in k a 13; in k x 14; in k b 15"), R"(
  > in k a 13
    st-changelog | k\00\00\00\00\00\00\00\0d\00\00\00\00\00\00\00\0d | ia @13
    out | k[13,13] | ia @13
  > in k x 14
    st-changelog | k\00\00\00\00\00\00\00\0d\00\00\00\00\00\00\00\0d | null @14
    st-changelog | k\00\00\00\00\00\00\00\0e\00\00\00\00\00\00\00\0d | null @14
    out | k[13,13] | null @13
    out | k[13,14] | null @14
  > in k b 15
    st-changelog | k\00\00\00\00\00\00\00\0f\00\00\00\00\00\00\00\0f | ib @15
    out | k[15,15] | ib @15
  dropped 0
)");
}

TEST_F(Windows, SlidingWindowsEndAndBeginAtRecords) {
    show(in().windowed(sliding(ms(10)).grace(ms(15))).count({.store = "st"}));
    EXPECT_EQ(play(builder_, kMixed), R"(
  > in k a 100
    st-changelog | k\00\00\00\00\00\00\00Z\00\00\00\00 | \00\00\00\00\00\00\00\01 @100
    out | k[90,100] | 1 @100
  > in k b 105
    st-changelog | k\00\00\00\00\00\00\00e\00\00\00\00 | \00\00\00\00\00\00\00\01 @105
    st-changelog | k\00\00\00\00\00\00\00_\00\00\00\00 | \00\00\00\00\00\00\00\02 @105
    out | k[101,111] | 1 @105
    out | k[95,105] | 2 @105
  > in k c 103
    st-changelog | k\00\00\00\00\00\00\00e\00\00\00\00 | \00\00\00\00\00\00\00\02 @105
    st-changelog | k\00\00\00\00\00\00\00_\00\00\00\00 | \00\00\00\00\00\00\00\03 @105
    st-changelog | k\00\00\00\00\00\00\00]\00\00\00\00 | \00\00\00\00\00\00\00\02 @103
    st-changelog | k\00\00\00\00\00\00\00h\00\00\00\00 | \00\00\00\00\00\00\00\01 @105
    out | k[101,111] | 2 @105
    out | k[95,105] | 3 @105
    out | k[93,103] | 2 @103
    out | k[104,114] | 1 @105
  > in k d 118
    st-changelog | k\00\00\00\00\00\00\00l\00\00\00\00 | \00\00\00\00\00\00\00\01 @118
    out | k[108,118] | 1 @118
  > in k e 112
    st-changelog | k\00\00\00\00\00\00\00l\00\00\00\00 | \00\00\00\00\00\00\00\02 @118
    st-changelog | k\00\00\00\00\00\00\00h\00\00\00\00 | \00\00\00\00\00\00\00\02 @112
    st-changelog | k\00\00\00\00\00\00\00j\00\00\00\00 | \00\00\00\00\00\00\00\01 @112
    st-changelog | k\00\00\00\00\00\00\00f\00\00\00\00 | \00\00\00\00\00\00\00\03 @112
    st-changelog | k\00\00\00\00\00\00\00q\00\00\00\00 | \00\00\00\00\00\00\00\01 @118
    out | k[108,118] | 2 @118
    out | k[104,114] | 2 @112
    out | k[106,116] | 1 @112
    out | k[102,112] | 3 @112
    out | k[113,123] | 1 @118
  > in - x 113
  > in k - 114
  > in k f 100
    st-changelog | k\00\00\00\00\00\00\00_\00\00\00\00 | \00\00\00\00\00\00\00\04 @105
    st-changelog | k\00\00\00\00\00\00\00]\00\00\00\00 | \00\00\00\00\00\00\00\03 @103
    out | k[95,105] | 4 @105
    out | k[93,103] | 3 @103
  > in k g 118
    st-changelog | k\00\00\00\00\00\00\00q\00\00\00\00 | \00\00\00\00\00\00\00\02 @118
    st-changelog | k\00\00\00\00\00\00\00l\00\00\00\00 | \00\00\00\00\00\00\00\03 @118
    out | k[113,123] | 2 @118
    out | k[108,118] | 3 @118
  dropped 3
)");
}

TEST_F(Windows, ASlidingWindowClosesAfterItsGrace) {
    show(in().windowed(sliding(ms(10)).grace(ms(5))).aggregate(letter_i, append, {.store = "st"}));
    EXPECT_EQ(play(builder_, kMixed), R"(
  > in k a 100
    st-changelog | k\00\00\00\00\00\00\00Z\00\00\00\00 | ia @100
    out | k[90,100] | ia @100
  > in k b 105
    st-changelog | k\00\00\00\00\00\00\00e\00\00\00\00 | ib @105
    st-changelog | k\00\00\00\00\00\00\00_\00\00\00\00 | iab @105
    out | k[101,111] | ib @105
    out | k[95,105] | iab @105
  > in k c 103
    st-changelog | k\00\00\00\00\00\00\00e\00\00\00\00 | ibc @105
    st-changelog | k\00\00\00\00\00\00\00_\00\00\00\00 | iabc @105
    st-changelog | k\00\00\00\00\00\00\00]\00\00\00\00 | iac @103
    st-changelog | k\00\00\00\00\00\00\00h\00\00\00\00 | ib @105
    out | k[101,111] | ibc @105
    out | k[95,105] | iabc @105
    out | k[93,103] | iac @103
    out | k[104,114] | ib @105
  > in k d 118
    st-changelog | k\00\00\00\00\00\00\00l\00\00\00\00 | id @118
    out | k[108,118] | id @118
  > in k e 112
    st-changelog | k\00\00\00\00\00\00\00l\00\00\00\00 | ide @118
    st-changelog | k\00\00\00\00\00\00\00h\00\00\00\00 | ibe @112
    st-changelog | k\00\00\00\00\00\00\00j\00\00\00\00 | ie @112
    st-changelog | k\00\00\00\00\00\00\00q\00\00\00\00 | id @118
    out | k[108,118] | ide @118
    out | k[104,114] | ibe @112
    out | k[106,116] | ie @112
    out | k[113,123] | id @118
  > in - x 113
  > in k - 114
  > in k f 100
  > in k g 118
    st-changelog | k\00\00\00\00\00\00\00q\00\00\00\00 | idg @118
    st-changelog | k\00\00\00\00\00\00\00l\00\00\00\00 | ideg @118
    out | k[113,123] | idg @118
    out | k[108,118] | ideg @118
  dropped 4
)");
}

TEST_F(Windows, SlidingReductionsBeginWithTheFirstValueOfEachWindow) {
    show(in().windowed(sliding(ms(10)).grace(ms(50))).reduce(join));
    EXPECT_EQ(play(builder_, kMixed), R"(
  > in k a 100
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00Z\00\00\00\00 | a @100
    out | k[90,100] | a @100
  > in k b 105
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00e\00\00\00\00 | b @105
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00_\00\00\00\00 | ab @105
    out | k[101,111] | b @105
    out | k[95,105] | ab @105
  > in k c 103
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00e\00\00\00\00 | bc @105
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00_\00\00\00\00 | abc @105
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00]\00\00\00\00 | ac @103
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00h\00\00\00\00 | b @105
    out | k[101,111] | bc @105
    out | k[95,105] | abc @105
    out | k[93,103] | ac @103
    out | k[104,114] | b @105
  > in k d 118
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00l\00\00\00\00 | d @118
    out | k[108,118] | d @118
  > in k e 112
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00l\00\00\00\00 | de @118
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00h\00\00\00\00 | be @112
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00j\00\00\00\00 | e @112
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00f\00\00\00\00 | bce @112
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00q\00\00\00\00 | d @118
    out | k[108,118] | de @118
    out | k[104,114] | be @112
    out | k[106,116] | e @112
    out | k[102,112] | bce @112
    out | k[113,123] | d @118
  > in - x 113
  > in k - 114
  > in k f 100
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00_\00\00\00\00 | abcf @105
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00]\00\00\00\00 | acf @103
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00Z\00\00\00\00 | af @100
    out | k[95,105] | abcf @105
    out | k[93,103] | acf @103
    out | k[90,100] | af @100
  > in k g 118
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00q\00\00\00\00 | dg @118
    KSTREAM-REDUCE-STATE-STORE-0000000001-changelog | k\00\00\00\00\00\00\00l\00\00\00\00 | deg @118
    out | k[113,123] | dg @118
    out | k[108,118] | deg @118
  dropped 2
)");
}

constexpr std::string_view kEarlySliding = R"(
  > in k a 3
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | a @3
    out | k[0,10] | a @3
  > in k b 1
    st-changelog | k\00\00\00\00\00\00\00\02\00\00\00\00 | a @3
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | ab @3
    out | k[2,12] | a @3
    out | k[0,10] | ab @3
  > in k c 3
    st-changelog | k\00\00\00\00\00\00\00\02\00\00\00\00 | ac @3
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | abc @3
    out | k[2,12] | ac @3
    out | k[0,10] | abc @3
  > in k d 7
    st-changelog | k\00\00\00\00\00\00\00\02\00\00\00\00 | acd @7
    st-changelog | k\00\00\00\00\00\00\00\04\00\00\00\00 | d @7
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | abcd @7
    out | k[2,12] | acd @7
    out | k[4,14] | d @7
    out | k[0,10] | abcd @7
  > in k e 5
    st-changelog | k\00\00\00\00\00\00\00\02\00\00\00\00 | acde @7
    st-changelog | k\00\00\00\00\00\00\00\04\00\00\00\00 | de @7
    st-changelog | k\00\00\00\00\00\00\00\06\00\00\00\00 | d @7
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | abcde @7
    out | k[2,12] | acde @7
    out | k[4,14] | de @7
    out | k[6,16] | d @7
    out | k[0,10] | abcde @7
  > in k f 10
    st-changelog | k\00\00\00\00\00\00\00\06\00\00\00\00 | df @10
    st-changelog | k\00\00\00\00\00\00\00\04\00\00\00\00 | def @10
    st-changelog | k\00\00\00\00\00\00\00\02\00\00\00\00 | acdef @10
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | abcdef @10
    st-changelog | k\00\00\00\00\00\00\00\08\00\00\00\00 | f @10
    out | k[6,16] | df @10
    out | k[4,14] | def @10
    out | k[2,12] | acdef @10
    out | k[0,10] | abcdef @10
    out | k[8,18] | f @10
  > in k g 14
    st-changelog | k\00\00\00\00\00\00\00\08\00\00\00\00 | fg @14
    st-changelog | k\00\00\00\00\00\00\00\06\00\00\00\00 | dfg @14
    st-changelog | k\00\00\00\00\00\00\00\04\00\00\00\00 | defg @14
    st-changelog | k\00\00\00\00\00\00\00\0b\00\00\00\00 | g @14
    out | k[8,18] | fg @14
    out | k[6,16] | dfg @14
    out | k[4,14] | defg @14
    out | k[11,21] | g @14
  > in k h 0
    st-changelog | k\00\00\00\00\00\00\00\01\00\00\00\00 | abcdef @10
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | abcdefh @10
    out | k[1,11] | abcdef @10
    out | k[0,10] | abcdefh @10
  > in j i 25
    st-changelog | j\00\00\00\00\00\00\00\0f\00\00\00\00 | i @25
    out | j[15,25] | i @25
  > in k j 4
  > in k l 9
    st-changelog | k\00\00\00\00\00\00\00\06\00\00\00\00 | dfgl @14
    st-changelog | k\00\00\00\00\00\00\00\08\00\00\00\00 | fgl @14
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | fg @14
    out | k[6,16] | dfgl @14
    out | k[8,18] | fgl @14
    out | k[10,20] | fg @14
  dropped 5
)";

TEST_F(Windows, SlidingWindowsOfEarlyRecordsBeginAtZero) {
    show(in().windowed(sliding(ms(10)).grace(ms(10))).aggregate(empty, append, {.store = "st"}));
    EXPECT_EQ(play(builder_,
                   "in k a 3; in k b 1; in k c 3; in k d 7; in k e 5; in k f 10; in k g 14; in k h "
                   "0; in j i 25; in k j 4; in k l 9"),
              kEarlySliding);
}

TEST_F(Windows, SlidingWindowsHoldRecordsOfTheSameTime) {
    show(in().windowed(sliding(ms(10)).grace(ms(50))).aggregate(empty, append, {.store = "st"}));
    EXPECT_EQ(play(builder_,
                   "in k a 20; in k b 20; in k c 31; in k d 31; in k e 20; in k f 21; in k g 30; "
                   "in k h 29"),
              R"(
  > in k a 20
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | a @20
    out | k[10,20] | a @20
  > in k b 20
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | ab @20
    out | k[10,20] | ab @20
  > in k c 31
    st-changelog | k\00\00\00\00\00\00\00\15\00\00\00\00 | c @31
    out | k[21,31] | c @31
  > in k d 31
    st-changelog | k\00\00\00\00\00\00\00\15\00\00\00\00 | cd @31
    out | k[21,31] | cd @31
  > in k e 20
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | abe @20
    out | k[10,20] | abe @20
  > in k f 21
    st-changelog | k\00\00\00\00\00\00\00\15\00\00\00\00 | cdf @31
    st-changelog | k\00\00\00\00\00\00\00\0b\00\00\00\00 | abef @21
    st-changelog | k\00\00\00\00\00\00\00\16\00\00\00\00 | cd @31
    out | k[21,31] | cdf @31
    out | k[11,21] | abef @21
    out | k[22,32] | cd @31
  > in k g 30
    st-changelog | k\00\00\00\00\00\00\00\16\00\00\00\00 | cdg @31
    st-changelog | k\00\00\00\00\00\00\00\15\00\00\00\00 | cdfg @31
    st-changelog | k\00\00\00\00\00\00\00\14\00\00\00\00 | abefg @30
    st-changelog | k\00\00\00\00\00\00\00\1f\00\00\00\00 | cd @31
    out | k[22,32] | cdg @31
    out | k[21,31] | cdfg @31
    out | k[20,30] | abefg @30
    out | k[31,41] | cd @31
  > in k h 29
    st-changelog | k\00\00\00\00\00\00\00\16\00\00\00\00 | cdgh @31
    st-changelog | k\00\00\00\00\00\00\00\15\00\00\00\00 | cdfgh @31
    st-changelog | k\00\00\00\00\00\00\00\14\00\00\00\00 | abefgh @30
    st-changelog | k\00\00\00\00\00\00\00\13\00\00\00\00 | abefh @29
    st-changelog | k\00\00\00\00\00\00\00\1e\00\00\00\00 | cdg @31
    out | k[22,32] | cdgh @31
    out | k[21,31] | cdfgh @31
    out | k[20,30] | abefgh @30
    out | k[19,29] | abefh @29
    out | k[30,40] | cdg @31
  dropped 0
)");
}

TEST_F(Windows, LateRecordsCountInTheSlidingWindowsThatAreOpen) {
    show(in().windowed(sliding(ms(10)).grace(ms(5))).aggregate(empty, append, {.store = "st"}));
    EXPECT_EQ(play(builder_,
                   "in k a 20; in k b 50; in k c 34; in k d 35; in k e 36; in k f 39; in k g 40; "
                   "in k h 24; in k i 25"),
              R"(
  > in k a 20
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | a @20
    out | k[10,20] | a @20
  > in k b 50
    st-changelog | k\00\00\00\00\00\00\00(\00\00\00\00 | b @50
    out | k[40,50] | b @50
  > in k c 34
  > in k d 35
  > in k e 36
  > in k f 39
  > in k g 40
    st-changelog | k\00\00\00\00\00\00\00(\00\00\00\00 | bg @50
    st-changelog | k\00\00\00\00\00\00\00)\00\00\00\00 | b @50
    out | k[40,50] | bg @50
    out | k[41,51] | b @50
  > in k h 24
  > in k i 25
  dropped 7
)");
}

TEST_F(Windows, ASlidingWindowMayBeDeleted) {
    show(in().windowed(sliding(ms(10)).grace(ms(5)))
             .aggregate(letter_i, append_or_delete, {.store = "st"}));
    EXPECT_EQ(play(builder_, "in k a 13; in k x 14; in k b 15; in k c 16"), R"(
  > in k a 13
    st-changelog | k\00\00\00\00\00\00\00\03\00\00\00\00 | ia @13
    out | k[3,13] | ia @13
  > in k x 14
    st-changelog | k\00\00\00\00\00\00\00\0e\00\00\00\00 | null @14
    st-changelog | k\00\00\00\00\00\00\00\04\00\00\00\00 | null @14
    out | k[14,24] | null @14
    out | k[4,14] | null @14
  > in k b 15
    st-changelog | k\00\00\00\00\00\00\00\0e\00\00\00\00 | ib @15
    st-changelog | k\00\00\00\00\00\00\00\05\00\00\00\00 | iab @15
    out | k[14,24] | ib @15
    out | k[5,15] | iab @15
  > in k c 16
    st-changelog | k\00\00\00\00\00\00\00\0e\00\00\00\00 | ibc @16
    st-changelog | k\00\00\00\00\00\00\00\10\00\00\00\00 | ic @16
    st-changelog | k\00\00\00\00\00\00\00\06\00\00\00\00 | iabc @16
    out | k[14,24] | ibc @16
    out | k[16,26] | ic @16
    out | k[6,16] | iabc @16
  dropped 0
)");
}

TEST_F(Windows, ADeletedSlidingWindowIsNotMadeAgainByARecordOfAKnownTime) {
    show(in().windowed(sliding(ms(30)).grace(ms(0)))
             .aggregate(letter_i, append_or_delete, {.store = "st"}));
    // The record at 42 deletes [39,69]. The second at 39 finds [9,39], too late for it, and Kafka
    // Streams looks no further.
    EXPECT_TRUE(play(builder_, "in k s 38; in k t 39; in k x 42; in k b 39")
                    .ends_with("  > in k b 39\n  dropped 1\n"));
}

TEST_F(Windows, ATumblingWindowShowsNullsToTheAggregator) {
    show(in().windowed(tumbling(ms(10)).grace(ms(5))).aggregate(letter_i, append, {.store = "st"}));
    EXPECT_EQ(
        play(builder_,
             "in k a 3; in k - 4; in k b 12; in k c 1; in k d 25; in k e 14; in k f 15; in k g 30"),
        R"(
  > in k a 3
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | ia @3
    out | k[0,10] | ia @3
  > in k - 4
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | ianull @4
    out | k[0,10] | ianull @4
  > in k b 12
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | ib @12
    out | k[10,20] | ib @12
  > in k c 1
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | ianullc @4
    out | k[0,10] | ianullc @4
  > in k d 25
    st-changelog | k\00\00\00\00\00\00\00\14\00\00\00\00 | id @25
    out | k[20,30] | id @25
  > in k e 14
  > in k f 15
  > in k g 30
    st-changelog | k\00\00\00\00\00\00\00\1e\00\00\00\00 | ig @30
    out | k[30,40] | ig @30
  dropped 2
)");
}

TEST_F(Windows, AnAggregatorThatAnswersNothingDeletesTheWindow) {
    show(in().windowed(tumbling(ms(10)).grace(ms(5)))
             .aggregate(letter_i, append_or_delete, {.store = "st"}));
    EXPECT_EQ(play(builder_, "in k a 3; in k x 4; in k b 5"), R"(
  > in k a 3
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | ia @3
    out | k[0,10] | ia @3
  > in k x 4
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | null @4
    out | k[0,10] | null @4
  > in k b 5
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | ib @5
    out | k[0,10] | ib @5
  dropped 0
)");
}

TEST_F(Windows, AReductionOfANullTellsANull) {
    show(in().windowed(tumbling(ms(10)).grace(ms(5))).reduce(join, {.store = "st"}));
    EXPECT_EQ(play(builder_, "in k - 3; in k a 4; in k b 5"), R"(
  > in k - 3
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | null @3
    out | k[0,10] | null @3
  > in k a 4
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | a @4
    out | k[0,10] | a @4
  > in k b 5
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | ab @5
    out | k[0,10] | ab @5
  dropped 0
)");
}

TEST_F(Windows, AnUnlimitedWindowBeginsAtItsStartAndNeverEnds) {
    show(in().windowed(unlimited(4)).count({.store = "st"}));
    EXPECT_EQ(
        play(builder_, "in k a 3; in k b 5; in k c 100; in k d 4; in j e 4; in k f 200000000000"),
        R"(
  > in k a 3
  > in k b 5
    st-changelog | k\00\00\00\00\00\00\00\04\00\00\00\00 | \00\00\00\00\00\00\00\01 @5
    out | k[4,9223372036854775807] | 1 @5
  > in k c 100
    st-changelog | k\00\00\00\00\00\00\00\04\00\00\00\00 | \00\00\00\00\00\00\00\02 @100
    out | k[4,9223372036854775807] | 2 @100
  > in k d 4
    st-changelog | k\00\00\00\00\00\00\00\04\00\00\00\00 | \00\00\00\00\00\00\00\03 @100
    out | k[4,9223372036854775807] | 3 @100
  > in j e 4
    st-changelog | j\00\00\00\00\00\00\00\04\00\00\00\00 | \00\00\00\00\00\00\00\01 @4
    out | j[4,9223372036854775807] | 1 @4
  > in k f 200000000000
    st-changelog | k\00\00\00\00\00\00\00\04\00\00\00\00 | \00\00\00\00\00\00\00\04 @200000000000
    out | k[4,9223372036854775807] | 4 @200000000000
  dropped 0
)");
}

TEST_F(Windows, DescribeNamesAReductionOfSessions) {
    show(in().windowed(session(ms(10))).reduce(join));
    const auto topology = builder_.build();
    ASSERT_TRUE(topology);
    EXPECT_EQ(topology->describe(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-REDUCE-0000000002
    Processor: KSTREAM-REDUCE-0000000002 (stores: [KSTREAM-REDUCE-STATE-STORE-0000000001])
      --> KTABLE-TOSTREAM-0000000003
      <-- KSTREAM-SOURCE-0000000000
    Processor: KTABLE-TOSTREAM-0000000003 (stores: [])
      --> KSTREAM-MAP-0000000004
      <-- KSTREAM-REDUCE-0000000002
    Processor: KSTREAM-MAP-0000000004 (stores: [])
      --> KSTREAM-SINK-0000000005
      <-- KTABLE-TOSTREAM-0000000003
    Sink: KSTREAM-SINK-0000000005 (topic: out)
      <-- KSTREAM-MAP-0000000004

)");
}

TEST_F(Windows, ASpanBelowZeroIsRefused) {
    in().windowed(sliding(ms(-1))).count();
    EXPECT_THAT(play(builder_, ""), testing::HasSubstr("KSTREAM-AGGREGATE-STATE-STORE-0000000001"));
}

}  // namespace
}  // namespace leat::streams
