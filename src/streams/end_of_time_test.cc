// SPDX-License-Identifier: Apache-2.0
//
// Records whose times are at the end of what a number holds: sums with spans would overflow there.
// Outcomes by the arithmetic of Kafka Streams, where a window of time that has no end is an
// exception, and other sums wrap around.
#include <gmock/gmock.h>

#include <limits>
#include <string>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"
#include "streams/testing/play.h"

namespace leat::streams {
namespace {

using std::string;
using testing::ElementsAre;
using testing::IsEmpty;
using testing_play::show;

constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();

constexpr Duration ms(std::int64_t n) {
    return Duration{n};
}
string both(const string& left, const string& right) {
    return left + right;
}

/// A driver and what it does with a record of the key "k".
struct Driven {
    explicit Driven(Builder& builder, const Optimization& optimization = {}) {
        const auto topology = builder.build(optimization);
        EXPECT_TRUE(topology) << topology.error().detail();
        driver = *TestDriver::open(*topology, {.application_id = "a"});
    }
    /// The name of the error that it ends with; empty: none.
    [[nodiscard]] string pipe(const string& topic, const string& value, std::int64_t at) const {
        const auto done = driver->pipe<string, string>(topic, "k", value, {at});
        return done ? "" : string{info(done.error().code()).name};
    }
    [[nodiscard]] std::vector<string> out() const {
        std::vector<string> out;
        for (const RawRecord& record : driver->read("out"))
            out.push_back(record.value.value_or("null"));
        return out;
    }
    std::unique_ptr<TestDriver> driver;
};

KGroupedStream<string, string> grouped(Builder& b) {
    return b.stream<string, string>("in").group_by_key();
}

TEST(EndOfTime, AWindowOfTimeThatHasNoEndIsAnErrorOfTheRecord) {
    for (const TimeWindows& windows : {tumbling(ms(10)), hopping(ms(10), ms(3))}) {
        Builder b;
        show(grouped(b).windowed(windows).count());
        const Driven d{b};
        EXPECT_EQ(d.pipe("in", "a", kEnd - 20), "");
        EXPECT_FALSE(d.out().empty());
        EXPECT_EQ(d.pipe("in", "b", kEnd), "INVALID_TIMESTAMP");
        EXPECT_THAT(d.out(), IsEmpty()) << "not even the first of its windows";
    }
}

TEST(EndOfTime, ASlidingWindowThatHasNoEndIsOver) {
    Builder b;
    show(grouped(b).windowed(sliding(ms(10)).grace(ms(5))).count());
    const Driven d{b};
    EXPECT_EQ(d.pipe("in", "a", kEnd - 11), "");
    EXPECT_THAT(d.out(), ElementsAre("1"));
    EXPECT_EQ(d.pipe("in", "b", kEnd - 10), "");
    EXPECT_THAT(d.out(), IsEmpty());
    EXPECT_EQ(d.driver->dropped(), 1U);
}

TEST(EndOfTime, ASessionMeetsNoOtherWhereItsGapHasNoEnd) {
    Builder b;
    show(grouped(b).windowed(session(ms(10)).grace(ms(5))).count());
    const Driven d{b};
    EXPECT_EQ(d.pipe("in", "a", kEnd - 10), "");
    EXPECT_EQ(d.pipe("in", "b", kEnd - 9), "");
    EXPECT_THAT(d.out(), ElementsAre("1", "1"));
    EXPECT_EQ(d.pipe("in", "c", kEnd - 10), "");
    EXPECT_THAT(d.out(), ElementsAre("null", "null", "3")) << "this one's ends in time";
}

TEST(EndOfTime, AJoinMeetsNothingWhereItsWindowHasNoEnd) {
    Builder b;
    b.stream<string, string>("l")
        .left_join(
            b.stream<string, string>("r"),
            [](const string& l, const string* r) { return l + (r != nullptr ? *r : "-"); },
            within(ms(10)).grace(ms(5)))
        .to("out");
    const Driven d{b};
    EXPECT_EQ(d.pipe("r", "A", kEnd - 20), "");
    EXPECT_EQ(d.pipe("l", "a", kEnd - 10), "");
    EXPECT_THAT(d.out(), ElementsAre("aA"));
    EXPECT_EQ(d.pipe("r", "B", kEnd), "");
    EXPECT_EQ(d.pipe("l", "b", kEnd), "");
    EXPECT_THAT(d.out(), ElementsAre("b-"));
}

TEST(EndOfTime, AJoinWithItselfOnOneStoreMeetsOnlyItself) {
    Builder b;
    const auto in = b.stream<string, string>("in");
    in.join(in, both, within(ms(10)).grace(ms(5))).to("out");
    const Driven d{b, Optimization::all()};
    EXPECT_EQ(d.pipe("in", "a", kEnd - 10), "");
    EXPECT_EQ(d.pipe("in", "b", kEnd), "");
    EXPECT_THAT(d.out(), ElementsAre("aa", "bb"));
}

TEST(EndOfTime, ASuppressionIsEmptyWhenAllWasTold) {
    Builder b;
    b.table<string, string>("in")
        .suppress(until_time_limit(ms(0), unbounded()))
        .to_stream()
        .to("out");
    const Driven d{b};
    EXPECT_EQ(d.pipe("in", "a", kEnd), "");
    EXPECT_EQ(d.pipe("in", "b", kEnd), "");
    EXPECT_THAT(d.out(), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace leat::streams
