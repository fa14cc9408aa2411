// SPDX-License-Identifier: Apache-2.0
// Updates that are held back. Each text is what Kafka Streams 4.2.1 (its TopologyTestDriver, caches
// off) printed for the same topology and records; see testing/play.h for the notation. An error's
// text is our own.
#include <gmock/gmock.h>

#include <string_view>

#include "leat/streams/builder.h"
#include "streams/testing/play.h"

namespace leat::streams {
namespace {

using std::string;
using testing_play::play;
using testing_play::show;
using testing_play::told;

constexpr const char* kWindows =
    "in k a 1; in k b 9; in j x 3; in k c 3; in k d 15; in k e 4; in k f 27; in k - 40";
constexpr const char* kSessions =
    "in k a 20; in j b 23; in k c 27; in k d 25; in k e 38; in j f 47; in k g 70; in j i 95";

constexpr Duration ms(std::int64_t n) {
    return Duration{n};
}

class Suppress : public testing::Test {
  protected:
    KGroupedStream<string, string> in() {
        return builder_.stream<string, string>("in").group_by_key();
    }
    KTable<Windowed<string>, std::int64_t> counts() {
        return in().windowed(tumbling(ms(10)).grace(ms(5))).count({.store = "st"});
    }
    /// The last value of each key; "x" deletes.
    KTable<string, string> last() {
        return in().aggregate([] { return string{}; },
                              [](const string&, const string& value, const string&) {
                                  return value == "x" ? std::optional<string>{} : value;
                              },
                              {.store = "st"});
    }
    Builder builder_;
};

TEST_F(Suppress, AWindowIsToldOnceWhenItCloses) {
    show(counts().suppress(until_window_closes()));
    EXPECT_EQ(play(builder_, kWindows), R"(
  > in k a 1
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\00 | \00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\00\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\0a @null v=\03
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | \00\00\00\00\00\00\00\01 @1
  > in k b 9
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\00 | \00\00\00\00\00\00\00\09\00\00\00\00\00\00\00\01\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\08\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\0a @null v=\03
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | \00\00\00\00\00\00\00\02 @9
  > in j x 3
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j\00\00\00\00\00\00\00\00 | \00\00\00\00\00\00\00\03\00\00\00\00\00\00\00\02\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\0a @null v=\03
    st-changelog | j\00\00\00\00\00\00\00\00\00\00\00\00 | \00\00\00\00\00\00\00\01 @3
  > in k c 3
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\00 | \00\00\00\00\00\00\00\09\00\00\00\00\00\00\00\03\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\02\00\00\00\08\00\00\00\00\00\00\00\03\00\00\00\00\00\00\00\0a @null v=\03
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | \00\00\00\00\00\00\00\03 @9
  > in k d 15
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j\00\00\00\00\00\00\00\00 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\0a | \00\00\00\00\00\00\00\0f\00\00\00\00\00\00\00\04\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\14 @null v=\03
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\00 | null @null
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | \00\00\00\00\00\00\00\01 @15
    out | j[0,10] | 1 @3
    out | k[0,10] | 3 @9
  > in k e 4
  > in k f 27
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\0a | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\14 | \00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\06\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\1e @null v=\03
    st-changelog | k\00\00\00\00\00\00\00\14\00\00\00\00 | \00\00\00\00\00\00\00\01 @27
    out | k[10,20] | 1 @15
  > in k - 40
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00( | \00\00\00\00\00\00\00(\00\00\00\00\00\00\00\07\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\002 @null v=\03
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\14 | null @null
    st-changelog | k\00\00\00\00\00\00\00(\00\00\00\00 | \00\00\00\00\00\00\00\01 @40
    out | k[20,30] | 1 @27
  dropped 1
)");
}

TEST_F(Suppress, WithoutLoggingThereIsNoChangelog) {
    show(counts().suppress(until_window_closes(unbounded().without_logging())));
    EXPECT_EQ(play(builder_, kWindows), R"(
  > in k a 1
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | \00\00\00\00\00\00\00\01 @1
  > in k b 9
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | \00\00\00\00\00\00\00\02 @9
  > in j x 3
    st-changelog | j\00\00\00\00\00\00\00\00\00\00\00\00 | \00\00\00\00\00\00\00\01 @3
  > in k c 3
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | \00\00\00\00\00\00\00\03 @9
  > in k d 15
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | \00\00\00\00\00\00\00\01 @15
    out | j[0,10] | 1 @3
    out | k[0,10] | 3 @9
  > in k e 4
  > in k f 27
    st-changelog | k\00\00\00\00\00\00\00\14\00\00\00\00 | \00\00\00\00\00\00\00\01 @27
    out | k[10,20] | 1 @15
  > in k - 40
    st-changelog | k\00\00\00\00\00\00\00(\00\00\00\00 | \00\00\00\00\00\00\00\01 @40
    out | k[20,30] | 1 @27
  dropped 1
)");
}

TEST_F(Suppress, ASessionThatWasTakenBackIsNotTold) {
    show(in().windowed(session(ms(10)).grace(ms(5)))
             .count({.store = "st"})
             .suppress(until_window_closes()));
    EXPECT_EQ(play(builder_, kSessions), R"(
  > in k a 20
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\14\00\00\00\00\00\00\00\14 | \00\00\00\00\00\00\00\14\00\00\00\00\00\00\00\00\00\00\00\02in\00\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\14 @null v=\03
    st-changelog | k\00\00\00\00\00\00\00\14\00\00\00\00\00\00\00\14 | \00\00\00\00\00\00\00\01 @20
  > in j b 23
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j\00\00\00\00\00\00\00\17\00\00\00\00\00\00\00\17 | \00\00\00\00\00\00\00\17\00\00\00\00\00\00\00\01\00\00\00\02in\00\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\17 @null v=\03
    st-changelog | j\00\00\00\00\00\00\00\17\00\00\00\00\00\00\00\17 | \00\00\00\00\00\00\00\01 @23
  > in k c 27
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\14 | \00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\02\00\00\00\02in\00\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff\00\00\00\08\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\1b @null v=\03
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\14\00\00\00\00\00\00\00\14 | \00\00\00\00\00\00\00\14\00\00\00\00\00\00\00\02\00\00\00\02in\00\00\00\00\00\00\00\00\ff\ff\ff\ff\00\00\00\08\00\00\00\00\00\00\00\01\ff\ff\ff\ff\00\00\00\00\00\00\00\14 @null v=\03
    st-changelog | k\00\00\00\00\00\00\00\14\00\00\00\00\00\00\00\14 | null @27
    st-changelog | k\00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\14 | \00\00\00\00\00\00\00\02 @27
  > in k d 25
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\14 | \00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\03\00\00\00\02in\00\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff\00\00\00\08\00\00\00\00\00\00\00\03\00\00\00\00\00\00\00\1b @null v=\03
    st-changelog | k\00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\14 | null @25
    st-changelog | k\00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\14 | \00\00\00\00\00\00\00\03 @25
  > in k e 38
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\14\00\00\00\00\00\00\00\14 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j\00\00\00\00\00\00\00\17\00\00\00\00\00\00\00\17 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00&\00\00\00\00\00\00\00& | \00\00\00\00\00\00\00&\00\00\00\00\00\00\00\04\00\00\00\02in\00\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00& @null v=\03
    st-changelog | k\00\00\00\00\00\00\00&\00\00\00\00\00\00\00& | \00\00\00\00\00\00\00\01 @38
    out | j[23,23] | 1 @23
  > in j f 47
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\14 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j\00\00\00\00\00\00\00/\00\00\00\00\00\00\00/ | \00\00\00\00\00\00\00/\00\00\00\00\00\00\00\05\00\00\00\02in\00\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00/ @null v=\03
    st-changelog | j\00\00\00\00\00\00\00/\00\00\00\00\00\00\00/ | \00\00\00\00\00\00\00\01 @47
    out | k[20,27] | 3 @27
  > in k g 70
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00&\00\00\00\00\00\00\00& | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00F\00\00\00\00\00\00\00F | \00\00\00\00\00\00\00F\00\00\00\00\00\00\00\06\00\00\00\02in\00\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00F @null v=\03
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j\00\00\00\00\00\00\00/\00\00\00\00\00\00\00/ | null @null
    st-changelog | k\00\00\00\00\00\00\00F\00\00\00\00\00\00\00F | \00\00\00\00\00\00\00\01 @70
    out | k[38,38] | 1 @38
    out | j[47,47] | 1 @47
  > in j i 95
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j\00\00\00\00\00\00\00_\00\00\00\00\00\00\00_ | \00\00\00\00\00\00\00_\00\00\00\00\00\00\00\07\00\00\00\02in\00\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00_ @null v=\03
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00F\00\00\00\00\00\00\00F | null @null
    st-changelog | j\00\00\00\00\00\00\00_\00\00\00\00\00\00\00_ | \00\00\00\00\00\00\00\01 @95
    out | k[70,70] | 1 @70
  dropped 0
)");
}

TEST_F(Suppress, SlidingWindowsAreToldWhenTheyClose) {
    show(in().windowed(sliding(ms(10)).grace(ms(5)))
             .count({.store = "st"})
             .suppress(until_window_closes()));
    EXPECT_EQ(play(builder_, kSessions), R"(
  > in k a 20
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\0a | \00\00\00\00\00\00\00\14\00\00\00\00\00\00\00\00\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\14 @null v=\03
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | \00\00\00\00\00\00\00\01 @20
  > in j b 23
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j\00\00\00\00\00\00\00\0d | \00\00\00\00\00\00\00\17\00\00\00\00\00\00\00\01\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\17 @null v=\03
    st-changelog | j\00\00\00\00\00\00\00\0d\00\00\00\00 | \00\00\00\00\00\00\00\01 @23
  > in k c 27
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\0a | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\11 | \00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\02\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\01\ff\ff\ff\fe\00\00\00\08\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\1b @null v=\03
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\15 | \00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\02\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\1f @null v=\03
    st-changelog | k\00\00\00\00\00\00\00\15\00\00\00\00 | \00\00\00\00\00\00\00\01 @27
    st-changelog | k\00\00\00\00\00\00\00\11\00\00\00\00 | \00\00\00\00\00\00\00\02 @27
    out | k[10,20] | 1 @20
  > in k d 25
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\1a | \00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\03\00\00\00\02in\00\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00$ @null v=\03
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\11 | \00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\03\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\08\00\00\00\00\00\00\00\02\00\00\00\08\00\00\00\00\00\00\00\03\00\00\00\00\00\00\00\1b @null v=\03
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\0f | \00\00\00\00\00\00\00\19\00\00\00\00\00\00\00\03\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\01\ff\ff\ff\fe\00\00\00\08\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\19 @null v=\03
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\15 | \00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\03\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\08\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\1f @null v=\03
    st-changelog | k\00\00\00\00\00\00\00\15\00\00\00\00 | \00\00\00\00\00\00\00\02 @27
    st-changelog | k\00\00\00\00\00\00\00\11\00\00\00\00 | \00\00\00\00\00\00\00\03 @27
    st-changelog | k\00\00\00\00\00\00\00\0f\00\00\00\00 | \00\00\00\00\00\00\00\02 @25
    st-changelog | k\00\00\00\00\00\00\00\1a\00\00\00\00 | \00\00\00\00\00\00\00\01 @27
  > in k e 38
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\1c | \00\00\00\00\00\00\00&\00\00\00\00\00\00\00\04\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00& @null v=\03
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\11 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j\00\00\00\00\00\00\00\0d | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\0f | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\15 | null @null
    st-changelog | k\00\00\00\00\00\00\00\1c\00\00\00\00 | \00\00\00\00\00\00\00\01 @38
    st-changelog | k\00\00\00\00\00\00\00\1c\00\00\00\00 | \00\00\00\00\00\00\00\01 @38
    out | j[13,23] | 1 @23
    out | k[15,25] | 2 @25
    out | k[17,27] | 3 @27
    out | k[21,31] | 2 @27
  > in j f 47
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j\00\00\00\00\00\00\00% | \00\00\00\00\00\00\00/\00\00\00\00\00\00\00\05\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00/ @null v=\03
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\1c | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00\1a | null @null
    st-changelog | j\00\00\00\00\00\00\00%\00\00\00\00 | \00\00\00\00\00\00\00\01 @47
    out | k[26,36] | 1 @27
    out | k[28,38] | 1 @38
  > in k g 70
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j\00\00\00\00\00\00\00% | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00< | \00\00\00\00\00\00\00F\00\00\00\00\00\00\00\06\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00F @null v=\03
    st-changelog | k\00\00\00\00\00\00\00<\00\00\00\00 | \00\00\00\00\00\00\00\01 @70
    out | j[37,47] | 1 @47
  > in j i 95
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j\00\00\00\00\00\00\00U | \00\00\00\00\00\00\00_\00\00\00\00\00\00\00\07\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\08\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00_ @null v=\03
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k\00\00\00\00\00\00\00< | null @null
    st-changelog | j\00\00\00\00\00\00\00U\00\00\00\00 | \00\00\00\00\00\00\00\01 @95
    out | k[60,70] | 1 @70
  dropped 0
)");
}

TEST_F(Suppress, AKeyWaitsFromItsFirstUpdateOn) {
    last().suppress(until_time_limit(ms(10), unbounded())).to_stream().to("out");
    EXPECT_EQ(play(builder_,
                   "in k a 1; in j b 2; in k c 5; in l d 11; in k x 12; in k e 13; in j x 30; in k "
                   "f 22; in - y 50; in l x 41"),
              R"(
  > in k a 1
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | \00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\00\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01a\00\00\00\00\00\00\00\01 @null v=\03
    st-changelog | k | a @1
  > in j b 2
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j | \00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\01\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01b\00\00\00\00\00\00\00\02 @null v=\03
    st-changelog | j | b @2
  > in k c 5
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | \00\00\00\00\00\00\00\05\00\00\00\00\00\00\00\02\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\01a\00\00\00\01c\00\00\00\00\00\00\00\01 @null v=\03
    st-changelog | k | c @5
  > in l d 11
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | l | \00\00\00\00\00\00\00\0b\00\00\00\00\00\00\00\03\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01d\00\00\00\00\00\00\00\0b @null v=\03
    st-changelog | l | d @11
    out | k | c @5
  > in k x 12
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | \00\00\00\00\00\00\00\0c\00\00\00\00\00\00\00\04\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\01c\ff\ff\ff\fe\ff\ff\ff\ff\00\00\00\00\00\00\00\0c @null v=\03
    st-changelog | k | null @12
    out | j | b @2
  > in k e 13
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | \00\00\00\00\00\00\00\0d\00\00\00\00\00\00\00\05\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\01c\00\00\00\00\00\00\00\01e\00\00\00\00\00\00\00\0c @null v=\03
    st-changelog | k | e @13
  > in j x 30
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j | \00\00\00\00\00\00\00\1e\00\00\00\00\00\00\00\06\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\01b\ff\ff\ff\fe\ff\ff\ff\ff\00\00\00\00\00\00\00\1e @null v=\03
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | l | null @null
    st-changelog | j | null @30
    out | l | d @11
    out | k | e @13
  > in k f 22
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | \00\00\00\00\00\00\00\16\00\00\00\00\00\00\00\07\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\01e\ff\ff\ff\fe\00\00\00\01f\00\00\00\00\00\00\00\16 @null v=\03
    st-changelog | k | f @22
  > in - y 50
  > in l x 41
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | l | \00\00\00\00\00\00\00)\00\00\00\00\00\00\00\09\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\01d\ff\ff\ff\fe\ff\ff\ff\ff\00\00\00\00\00\00\00) @null v=\03
    st-changelog | l | null @41
    out | k | f @22
    out | j | null @30
  dropped 1
)");
}

TEST_F(Suppress, AFullBufferHandsOnWhatIsOldest) {
    last().suppress(until_time_limit(ms(10), max_records(2))).to_stream().to("out");
    EXPECT_EQ(play(builder_, "in k a 1; in j b 2; in k c 5; in l d 3; in m e 4; in n f 5"), R"(
  > in k a 1
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | \00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\00\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01a\00\00\00\00\00\00\00\01 @null v=\03
    st-changelog | k | a @1
  > in j b 2
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j | \00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\01\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01b\00\00\00\00\00\00\00\02 @null v=\03
    st-changelog | j | b @2
  > in k c 5
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | \00\00\00\00\00\00\00\05\00\00\00\00\00\00\00\02\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\01a\00\00\00\01c\00\00\00\00\00\00\00\01 @null v=\03
    st-changelog | k | c @5
  > in l d 3
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | l | \00\00\00\00\00\00\00\03\00\00\00\00\00\00\00\03\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01d\00\00\00\00\00\00\00\03 @null v=\03
    st-changelog | l | d @3
    out | k | c @5
  > in m e 4
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | m | \00\00\00\00\00\00\00\04\00\00\00\00\00\00\00\04\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01e\00\00\00\00\00\00\00\04 @null v=\03
    st-changelog | m | e @4
    out | j | b @2
  > in n f 5
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | l | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | n | \00\00\00\00\00\00\00\05\00\00\00\00\00\00\00\05\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01f\00\00\00\00\00\00\00\05 @null v=\03
    st-changelog | n | f @5
    out | l | d @3
  dropped 0
)");
}

TEST_F(Suppress, BytesAreCountedAsKafkaCountsThem) {
    last().suppress(until_time_limit(ms(10), max_bytes(90))).to_stream().to("out");
    EXPECT_EQ(
        play(builder_,
             "in k a 1; in j b 2; in k ccccccccccccccccccccccc 5; in l d 3; in m e 4; in n f 5"),
        R"(
  > in k a 1
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | \00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\00\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01a\00\00\00\00\00\00\00\01 @null v=\03
    st-changelog | k | a @1
  > in j b 2
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j | \00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\01\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01b\00\00\00\00\00\00\00\02 @null v=\03
    st-changelog | j | b @2
  > in k ccccccccccccccccccccccc 5
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | \00\00\00\00\00\00\00\05\00\00\00\00\00\00\00\02\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\01a\00\00\00\17ccccccccccccccccccccccc\00\00\00\00\00\00\00\01 @null v=\03
    st-changelog | k | ccccccccccccccccccccccc @5
  > in l d 3
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | l | \00\00\00\00\00\00\00\03\00\00\00\00\00\00\00\03\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01d\00\00\00\00\00\00\00\03 @null v=\03
    st-changelog | l | d @3
    out | k | ccccccccccccccccccccccc @5
  > in m e 4
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | m | \00\00\00\00\00\00\00\04\00\00\00\00\00\00\00\04\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01e\00\00\00\00\00\00\00\04 @null v=\03
    st-changelog | m | e @4
    out | j | b @2
  > in n f 5
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | l | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | n | \00\00\00\00\00\00\00\05\00\00\00\00\00\00\00\05\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01f\00\00\00\00\00\00\00\05 @null v=\03
    st-changelog | n | f @5
    out | l | d @3
  dropped 0
)");
}

TEST_F(Suppress, AStrictBufferThatIsFullEndsTheTask) {
    last()
        .suppress(until_time_limit(ms(10), max_records(2).shut_down_when_full()))
        .to_stream()
        .to("out");
    EXPECT_THAT(
        play(builder_, "in k a 1; in j b 2; in k c 5; in l d 3; in m e 14"),
        testing::HasSubstr(
            "error KTABLE-SUPPRESS-0000000002: the buffer is full: 3 of 2 records, 97 of "));
}

TEST_F(Suppress, NoWaitHandsOnAtOnceWhatIsNotLate) {
    last().suppress(until_time_limit(ms(0), unbounded())).to_stream().to("out");
    EXPECT_EQ(play(builder_, "in k a 1; in k b 0"), R"(
  > in k a 1
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | null @null
    st-changelog | k | a @1
    out | k | a @1
  > in k b 0
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | null @null
    st-changelog | k | b @1
    out | k | b @1
  dropped 0
)");
}

constexpr std::string_view kThirtyAtOnce = R"(
  > in key-0 v 0
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-0 | \00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\00 @null v=\03
    st-changelog | key-0 | v @0
  > in key-1 v 1
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-1 | \00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\01\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\01 @null v=\03
    st-changelog | key-1 | v @1
  > in key-2 v 2
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-2 | \00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\02\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\02 @null v=\03
    st-changelog | key-2 | v @2
  > in key-3 v 3
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-3 | \00\00\00\00\00\00\00\03\00\00\00\00\00\00\00\03\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\03 @null v=\03
    st-changelog | key-3 | v @3
  > in key-4 v 4
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-4 | \00\00\00\00\00\00\00\04\00\00\00\00\00\00\00\04\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\04 @null v=\03
    st-changelog | key-4 | v @4
  > in key-5 v 5
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-5 | \00\00\00\00\00\00\00\05\00\00\00\00\00\00\00\05\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\05 @null v=\03
    st-changelog | key-5 | v @5
  > in key-6 v 6
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-6 | \00\00\00\00\00\00\00\06\00\00\00\00\00\00\00\06\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\06 @null v=\03
    st-changelog | key-6 | v @6
  > in key-7 v 7
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-7 | \00\00\00\00\00\00\00\07\00\00\00\00\00\00\00\07\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\07 @null v=\03
    st-changelog | key-7 | v @7
  > in key-8 v 8
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-8 | \00\00\00\00\00\00\00\08\00\00\00\00\00\00\00\08\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\08 @null v=\03
    st-changelog | key-8 | v @8
  > in key-9 v 9
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-9 | \00\00\00\00\00\00\00\09\00\00\00\00\00\00\00\09\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\09 @null v=\03
    st-changelog | key-9 | v @9
  > in key-10 v 10
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-10 | \00\00\00\00\00\00\00\0a\00\00\00\00\00\00\00\0a\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\0a @null v=\03
    st-changelog | key-10 | v @10
  > in key-11 v 11
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-11 | \00\00\00\00\00\00\00\0b\00\00\00\00\00\00\00\0b\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\0b @null v=\03
    st-changelog | key-11 | v @11
  > in key-12 v 12
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-12 | \00\00\00\00\00\00\00\0c\00\00\00\00\00\00\00\0c\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\0c @null v=\03
    st-changelog | key-12 | v @12
  > in key-13 v 13
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-13 | \00\00\00\00\00\00\00\0d\00\00\00\00\00\00\00\0d\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\0d @null v=\03
    st-changelog | key-13 | v @13
  > in key-14 v 14
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-14 | \00\00\00\00\00\00\00\0e\00\00\00\00\00\00\00\0e\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\0e @null v=\03
    st-changelog | key-14 | v @14
  > in key-15 v 15
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-15 | \00\00\00\00\00\00\00\0f\00\00\00\00\00\00\00\0f\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\0f @null v=\03
    st-changelog | key-15 | v @15
  > in key-16 v 16
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-16 | \00\00\00\00\00\00\00\10\00\00\00\00\00\00\00\10\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\10 @null v=\03
    st-changelog | key-16 | v @16
  > in key-17 v 17
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-17 | \00\00\00\00\00\00\00\11\00\00\00\00\00\00\00\11\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\11 @null v=\03
    st-changelog | key-17 | v @17
  > in key-18 v 18
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-18 | \00\00\00\00\00\00\00\12\00\00\00\00\00\00\00\12\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\12 @null v=\03
    st-changelog | key-18 | v @18
  > in key-19 v 19
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-19 | \00\00\00\00\00\00\00\13\00\00\00\00\00\00\00\13\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\13 @null v=\03
    st-changelog | key-19 | v @19
  > in key-20 v 20
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-20 | \00\00\00\00\00\00\00\14\00\00\00\00\00\00\00\14\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\14 @null v=\03
    st-changelog | key-20 | v @20
  > in key-21 v 21
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-21 | \00\00\00\00\00\00\00\15\00\00\00\00\00\00\00\15\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\15 @null v=\03
    st-changelog | key-21 | v @21
  > in key-22 v 22
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-22 | \00\00\00\00\00\00\00\16\00\00\00\00\00\00\00\16\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\16 @null v=\03
    st-changelog | key-22 | v @22
  > in key-23 v 23
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-23 | \00\00\00\00\00\00\00\17\00\00\00\00\00\00\00\17\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\17 @null v=\03
    st-changelog | key-23 | v @23
  > in key-24 v 24
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-24 | \00\00\00\00\00\00\00\18\00\00\00\00\00\00\00\18\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\18 @null v=\03
    st-changelog | key-24 | v @24
  > in key-25 v 25
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-25 | \00\00\00\00\00\00\00\19\00\00\00\00\00\00\00\19\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\19 @null v=\03
    st-changelog | key-25 | v @25
  > in key-26 v 26
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-26 | \00\00\00\00\00\00\00\1a\00\00\00\00\00\00\00\1a\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\1a @null v=\03
    st-changelog | key-26 | v @26
  > in key-27 v 27
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-27 | \00\00\00\00\00\00\00\1b\00\00\00\00\00\00\00\1b\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\1b @null v=\03
    st-changelog | key-27 | v @27
  > in key-28 v 28
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-28 | \00\00\00\00\00\00\00\1c\00\00\00\00\00\00\00\1c\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\1c @null v=\03
    st-changelog | key-28 | v @28
  > in key-29 v 29
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-29 | \00\00\00\00\00\00\00\1d\00\00\00\00\00\00\00\1d\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00\1d @null v=\03
    st-changelog | key-29 | v @29
  > in z v 100
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-11 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-10 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-15 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-14 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-13 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-12 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-19 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-18 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-17 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-16 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | z | \00\00\00\00\00\00\00d\00\00\00\00\00\00\00\1e\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\fe\00\00\00\01v\00\00\00\00\00\00\00d @null v=\03
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-7 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-8 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-9 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-0 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-1 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-2 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-3 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-22 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-4 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-21 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-5 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-20 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-6 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-26 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-25 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-24 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-23 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-29 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-28 | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | key-27 | null @null
    st-changelog | z | v @100
    out | key-0 | v @0
    out | key-1 | v @1
    out | key-2 | v @2
    out | key-3 | v @3
    out | key-4 | v @4
    out | key-5 | v @5
    out | key-6 | v @6
    out | key-7 | v @7
    out | key-8 | v @8
    out | key-9 | v @9
    out | key-10 | v @10
    out | key-11 | v @11
    out | key-12 | v @12
    out | key-13 | v @13
    out | key-14 | v @14
    out | key-15 | v @15
    out | key-16 | v @16
    out | key-17 | v @17
    out | key-18 | v @18
    out | key-19 | v @19
    out | key-20 | v @20
    out | key-21 | v @21
    out | key-22 | v @22
    out | key-23 | v @23
    out | key-24 | v @24
    out | key-25 | v @25
    out | key-26 | v @26
    out | key-27 | v @27
    out | key-28 | v @28
    out | key-29 | v @29
  dropped 0
)";

TEST_F(Suppress, TheChangelogOfOneCommitHasTheOrderOfJavasHashSet) {
    last().suppress(until_time_limit(ms(40), unbounded())).to_stream().to("out");
    string input;
    for (int i = 0; i < 30; ++i)
        input += "in key-" + std::to_string(i) + " v " + std::to_string(i) + ";";
    EXPECT_EQ(play(builder_, input + "in z v 100"), kThirtyAtOnce);
}

TEST_F(Suppress, AJoinReadsWhatWasHandedOnAndNotWhatWaits) {
    const auto joined = [](const string& a, const string& b) { return a + b; };
    const auto waiting =
        in().reduce(joined, {.store = "st"}).suppress(until_time_limit(ms(10), unbounded()));
    const auto other = builder_.stream<string, string>("r").group_by_key().reduce(
        [](const string&, const string& b) { return b; }, {.store = "rt"});
    waiting
        .outer_join(other,
                    [](const string* a, const string* b) {
                        return (a != nullptr ? *a : "null") + "|" + (b != nullptr ? *b : "null");
                    })
        .to_stream()
        .to("out");
    EXPECT_EQ(play(builder_,
                   "in k a 1; r k A 2; in k b 5; in j c 20; r k B 21; in k d 22; r k C 23; in j e "
                   "40; r k D 41"),
              R"(
  > in k a 1
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | \00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\00\00\00\00\02in\00\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff\00\00\00\01a\00\00\00\00\00\00\00\01 @null v=\03
    st-changelog | k | a @1
  > r k A 2
    rt-changelog | k | A @2
    out | k | null|A @2
  > in k b 5
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | \00\00\00\00\00\00\00\05\00\00\00\00\00\00\00\01\00\00\00\02in\00\00\00\00\00\00\00\00\ff\ff\ff\ff\00\00\00\01a\00\00\00\02ab\00\00\00\00\00\00\00\01 @null v=\03
    st-changelog | k | ab @5
  > in j c 20
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j | \00\00\00\00\00\00\00\14\00\00\00\00\00\00\00\02\00\00\00\02in\00\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff\00\00\00\01c\00\00\00\00\00\00\00\14 @null v=\03
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | null @null
    st-changelog | j | c @20
    out | k | ab|A @5
  > r k B 21
    rt-changelog | k | B @21
    out | k | ab|B @21
  > in k d 22
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | \00\00\00\00\00\00\00\16\00\00\00\00\00\00\00\03\00\00\00\02in\00\00\00\00\00\00\00\00\00\00\00\02ab\ff\ff\ff\fe\00\00\00\03abd\00\00\00\00\00\00\00\16 @null v=\03
    st-changelog | k | abd @22
  > r k C 23
    rt-changelog | k | C @23
    out | k | ab|C @23
  > in j e 40
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | j | null @null
    KTABLE-SUPPRESS-STATE-STORE-0000000003-changelog | k | null @null
    st-changelog | j | ce @40
    out | j | ce|null @40
    out | k | abd|C @23
  > r k D 41
    rt-changelog | k | D @41
    out | k | abd|D @41
  dropped 0
)");
}

/// The buffer lets go of an update behind those who are told of it.
TEST_F(Suppress, ATableThatMeetsItselfFindsWhatCameBefore) {
    const auto waiting = builder_.table<string, string>("in", {}, {.store = "st"})
                             .suppress(until_time_limit(ms(0), unbounded()));
    waiting
        .join(waiting.map_values([](const string& value) { return value + "!"; }),
              [](const string& a, const string& b) { return a + b; })
        .to_stream()
        .to("out");
    EXPECT_EQ(told(play(builder_, "in k a 1; in k b 2")), R"(
  > in k a 1
  > in k b 2
    out | k | ab! @2
    out | k | ba! @2
  dropped 0
)");
}

TEST_F(Suppress, DescribeShowsNodeAndStore) {
    show(counts().suppress(until_window_closes()));
    const auto topology = builder_.build();
    ASSERT_TRUE(topology);
    EXPECT_EQ(topology->describe(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-AGGREGATE-0000000001
    Processor: KSTREAM-AGGREGATE-0000000001 (stores: [st])
      --> KTABLE-SUPPRESS-0000000002
      <-- KSTREAM-SOURCE-0000000000
    Processor: KTABLE-SUPPRESS-0000000002 (stores: [KTABLE-SUPPRESS-STATE-STORE-0000000003])
      --> KTABLE-TOSTREAM-0000000004
      <-- KSTREAM-AGGREGATE-0000000001
    Processor: KTABLE-TOSTREAM-0000000004 (stores: [])
      --> KSTREAM-MAP-0000000005
      <-- KTABLE-SUPPRESS-0000000002
    Processor: KSTREAM-MAP-0000000005 (stores: [])
      --> KSTREAM-SINK-0000000006
      <-- KTABLE-TOSTREAM-0000000004
    Sink: KSTREAM-SINK-0000000006 (topic: out)
      <-- KSTREAM-MAP-0000000005

)");
}

TEST_F(Suppress, DescribeShowsAGivenName) {
    show(counts().suppress(until_window_closes({}, {"sup"})));
    const auto topology = builder_.build();
    ASSERT_TRUE(topology);
    EXPECT_EQ(topology->describe(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-AGGREGATE-0000000001
    Processor: KSTREAM-AGGREGATE-0000000001 (stores: [st])
      --> sup
      <-- KSTREAM-SOURCE-0000000000
    Processor: sup (stores: [sup-store])
      --> KTABLE-TOSTREAM-0000000002
      <-- KSTREAM-AGGREGATE-0000000001
    Processor: KTABLE-TOSTREAM-0000000002 (stores: [])
      --> KSTREAM-MAP-0000000003
      <-- sup
    Processor: KSTREAM-MAP-0000000003 (stores: [])
      --> KSTREAM-SINK-0000000004
      <-- KTABLE-TOSTREAM-0000000002
    Sink: KSTREAM-SINK-0000000004 (topic: out)
      <-- KSTREAM-MAP-0000000003

)");
}

}  // namespace
}  // namespace leat::streams
