// SPDX-License-Identifier: Apache-2.0
//
// Joiners that fail for a record that has waited, with a handler that goes on: when it is told
// again, and what is told meanwhile. Outcomes by Kafka Streams' rules.
#include <gmock/gmock.h>

#include <stdexcept>
#include <string>

#include "leat/streams/builder.h"
#include "streams/testing/play.h"

namespace leat::streams {
namespace {

using std::string;
using testing_play::play;
using testing_play::told;

const TestDriver::Options kGoOn{.handlers = {.processing = continue_on_error}};

/// Fails for "bad" until it has failed so often.
auto failing(int times) {
    return [left = times](const string& value, const string* other) mutable {
        if (value == "bad" && left-- > 0)
            throw std::runtime_error("bad");  // tidy: right here, a user's function may throw.
        return value + (other != nullptr ? *other : "-");
    };
}

TEST(FailingJoiner, IsAskedAgainByTheNextRecordThatIsNewEnough) {
    Builder b;
    b.stream<string, string>("l")
        .left_join(b.stream<string, string>("r"), failing(1), within(Duration{10}))
        .to("out");
    // One that may still meet somebody waits behind it.
    EXPECT_EQ(told(play(b, "l k a 1; l k bad 2; l k open 11; l k c 13; l k d 14; l k e 15", kGoOn)),
              R"(
  > l k a 1
  > l k bad 2
  > l k open 11
  > l k c 13
    out | k | a- @1
  > l k d 14
    out | k | a- @1
    out | k | bad- @2
  > l k e 15
  dropped 1
)");
}

TEST(FailingJoiner, ARecordThatIsTooLateToWaitDoesNotAskItAgain) {
    Builder b;
    const auto table =
        b.table<string, string>("t", {}, {.store = "st", .history = Duration{1'000}});
    b.stream<string, string>("s")
        .left_join(table, failing(2), {.name = "j", .grace = Duration{5}})
        .to("out");
    EXPECT_EQ(told(play(b, "s k bad 10; s k a 16; s k late 9; s k b 17", kGoOn)), R"(
  > s k bad 10
  > s k a 16
  > s k late 9
    out | k | late- @9
  > s k b 17
  dropped 2
)");
}

/// Joined with itself from one store: what it makes of itself comes before what it makes of others,
/// also when it is too late for that to be told. As Kafka Streams 4.2.1 printed.
TEST(FailingJoiner, FailsOfARecordWithItselfFirst) {
    const auto tells = [](const string& input) {
        Builder b;
        const auto in = b.stream<string, string>("in");
        in.join(
              in,
              [fails = failing(1'000)](const string& a, const string& c) mutable {
                  return fails(a, &c);
              },
              within(Duration{10}))
            .to("out");
        return told(play(b, input, kGoOn, Optimization::all()));
    };
    EXPECT_EQ(tells("in k a 5; in k bad 6"), R"(
  > in k a 5
    out | k | aa @5
  > in k bad 6
  dropped 1
)");
    EXPECT_EQ(tells("in k a 109; in j bad 0"), R"(
  > in k a 109
    out | k | aa @109
  > in j bad 0
  dropped 1
)");
}

}  // namespace
}  // namespace leat::streams
