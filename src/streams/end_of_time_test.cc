// SPDX-License-Identifier: Apache-2.0
//
// Records whose times are at the end of what a number holds: sums with spans would overflow there.
// Outcomes by the arithmetic of Kafka Streams, where a window of time that has no end is an
// exception, and other sums wrap around.
#include <gmock/gmock.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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

TEST(EndOfTime, AGridHasNoTimeBeyondIt) {
    using Queue = detail::PunctuationQueue;
    constexpr std::int64_t kBegin = std::numeric_limits<std::int64_t>::min();
    EXPECT_EQ(Queue::next(3, 10, 3), 13);
    EXPECT_EQ(Queue::next(3, 10, 12), 13);
    EXPECT_EQ(Queue::next(3, 10, 13), 23);
    EXPECT_EQ(Queue::next(-7, 10, -1), 3);
    EXPECT_EQ(Queue::next(0, kEnd, 0), kEnd);
    EXPECT_EQ(Queue::next(0, kEnd, kEnd - 1), kEnd);
    EXPECT_EQ(Queue::next(1, kEnd, 1), std::nullopt);
    EXPECT_EQ(Queue::next(kEnd - 5, 5, kEnd - 1), kEnd);
    EXPECT_EQ(Queue::next(kEnd - 5, 5, kEnd), std::nullopt);
    EXPECT_EQ(Queue::next(kBegin, 2, kEnd - 2), kEnd - 1);
}

/// Asks for calls each 10 ms of stream time, and for one that the clock never reaches.
class Calling final : public Processor<string, string> {
  public:
    explicit Calling(std::vector<string>& calls) : calls_(calls) {}
    Result<void> init(ProcessorContext<string, string>& c) override {
        LEAT_TRY_VOID(c.schedule(ms(10), PunctuationType::kStreamTime, note("stream")));
        LEAT_TRY_VOID(c.schedule(ms(kEnd), PunctuationType::kWallClockTime, note("never")));
        return {};
    }
    Result<void> process(const Record<string, string>&) override { return {}; }

  private:
    Punctuator note(const char* kind) {
        return [this, kind](Timestamp at) -> Result<void> {
            calls_.push_back(string{kind} + " " + std::to_string(at.ms));
            return {};
        };
    }
    std::vector<string>& calls_;
};

TEST(EndOfTime, ACallBeyondItNeverComes) {
    Builder b;
    std::vector<string> calls;
    b.stream<string, string>("in").process([&] { return std::make_unique<Calling>(calls); });
    const auto topology = b.build();
    ASSERT_TRUE(topology) << topology.error().detail();
    auto driver = *TestDriver::open(*topology, {.application_id = "a", .wall_time_ms = 5});
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "v", {7})));
    for (int i = 0; i < 2; ++i) ASSERT_TRUE((driver->pipe<string, string>("in", "k", "v", {kEnd})));
    ASSERT_TRUE(driver->advance_wall_time(ms(1'000'000)));
    EXPECT_THAT(calls, ElementsAre("stream 7", "stream " + std::to_string(kEnd)));
}

}  // namespace
}  // namespace leat::streams
