// SPDX-License-Identifier: Apache-2.0
//
// Method: processors in the test driver that count by sensors of their own, and what is told of
// these; several threads by hand.
#include "leat/streams/streams_metrics.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"
#include "streams/sensor_listing.h"

namespace leat::streams {
namespace {

using std::string;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr auto kInfo = RecordingLevel::kInfo;
constexpr auto kDebug = RecordingLevel::kDebug;

/// Calls functions with its metrics, at its beginning and for each record.
class Measured final : public Processor<string, string> {
  public:
    using Call = std::function<Result<void>(StreamsMetrics& metrics)>;
    Measured(Call first, Call each) : first_(std::move(first)), each_(std::move(each)) {}
    Result<void> init(ProcessorContext<string, string>& context) override {
        metrics_ = &context.metrics();
        return first_(*metrics_);
    }
    Result<void> process(const Record<string, string>& /*record*/) override {
        return each_ ? each_(*metrics_) : Result<void>{};
    }

  private:
    Call first_;
    Call each_;
    StreamsMetrics* metrics_ = nullptr;
};

/// Runs one processor, or two on one stream, of which the second only begins.
struct Driven {
    Driven(const Measured::Call& first, const Measured::Call& each, bool record_all = false,
           const Measured::Call& second = {}) {
        Builder builder;
        const auto stream = builder.stream<string, string>("in");
        stream.process([first, each] { return std::make_unique<Measured>(first, each); });
        if (second)
            stream.process([second] { return std::make_unique<Measured>(second, nullptr); });
        const auto topology = builder.build();
        EXPECT_TRUE(topology);
        auto opened = TestDriver::open(*topology, {.record_all = record_all});
        EXPECT_TRUE(opened) << opened.error().detail();
        driver = *std::move(opened);
    }
    void pipe(int records) const {
        for (int i = 0; i < records; ++i) {
            const auto done = driver->pipe<string, string>("in", "k", "v", {i});
            ASSERT_TRUE(done) << done.error().detail();
        }
    }
    /// Values of a group's metrics by name.
    [[nodiscard]] std::map<string, double> values(std::string_view group) const {
        std::map<string, double> out;
        for (const MetricValue& one : driver->metrics())
            if (one.group == group) {
                EXPECT_FALSE(out.contains(one.name)) << one.name << " is there twice";
                out.emplace(one.name, one.value);
            }
        return out;
    }
    std::unique_ptr<TestDriver> driver;
};

TEST(StreamsMetrics, AreNamedAndTaggedAsInKafkaStreams) {
    MetricSensor lookups;
    std::int64_t took = 100;
    const Driven driven{[&](StreamsMetrics& metrics) -> Result<void> {
                            LEAT_TRY(lookups,
                                     metrics.add_latency_rate_total_sensor(
                                         "cache", "prices", "lookup", kInfo, {{"region", "eu"}}));
                            return {};
                        },
                        [&](StreamsMetrics& /*metrics*/) -> Result<void> {
                            lookups.record(std::exchange(took, 300));
                            return {};
                        }};
    driven.pipe(2);
    // Two over one full sample of 30 seconds.
    EXPECT_THAT(
        driven.values("stream-cache-metrics"),
        UnorderedElementsAre(Pair("lookup-rate", 2.0 / 30), Pair("lookup-total", 2),
                             Pair("lookup-latency-avg", 200), Pair("lookup-latency-max", 300)));
    const string text = prometheus_text(driven.driver->metrics());
    EXPECT_THAT(text, HasSubstr("# TYPE kafka_streams_stream_cache_metrics_lookup_total counter\n"
                                "kafka_streams_stream_cache_metrics_lookup_total{"
                                "cache_id=\"prices\",region=\"eu\",thread_id=\"main\"} 2\n"));
}

TEST(StreamsMetrics, OfTheSameNamesAreOneAndLivesAsLongAsOneOfItsOwners) {
    MetricSensor mine;
    MetricSensor theirs;
    bool removes = false;
    const auto add = [](MetricSensor& sensor) {
        return [&sensor](StreamsMetrics& metrics) -> Result<void> {
            LEAT_TRY(sensor, metrics.add_rate_total_sensor("calls", "bank", "pay", kInfo));
            // Again is the same one.
            LEAT_TRY(const auto again,
                     metrics.add_rate_total_sensor("calls", "bank", "pay", kInfo));
            again.record();
            return {};
        };
    };
    const auto use = [&removes](MetricSensor& sensor) {
        return [&sensor, &removes](StreamsMetrics& metrics) -> Result<void> {
            sensor.record();
            if (removes) metrics.remove_sensor(sensor);
            return {};
        };
    };
    const Driven driven{add(mine), use(mine), false, add(theirs)};
    driven.pipe(1);
    EXPECT_EQ(driven.values("stream-calls-metrics").at("pay-total"), 3);
    removes = true;
    driven.pipe(1);
    EXPECT_EQ(driven.values("stream-calls-metrics").at("pay-total"), 4) << "another one has it";
    const Driven alone{add(mine), use(mine)};
    EXPECT_EQ(alone.values("stream-calls-metrics").size(), 2U);
    alone.pipe(1);
    EXPECT_THAT(alone.values("stream-calls-metrics"), IsEmpty());
    mine.record();  // It may be used all the same.
}

TEST(StreamsMetrics, BelowTheLevelThatIsRecordedThereAreNone) {
    MetricSensor sensor;
    const auto add = [&](StreamsMetrics& metrics) -> Result<void> {
        LEAT_TRY(sensor, metrics.add_rate_total_sensor("calls", "bank", "pay", kDebug));
        return {};
    };
    const auto use = [&](StreamsMetrics& /*metrics*/) -> Result<void> {
        sensor.record();
        return {};
    };
    {
        const Driven driven{add, use};
        driven.pipe(1);
        EXPECT_FALSE(sensor.should_record());
        EXPECT_THAT(driven.values("stream-calls-metrics"), IsEmpty());
    }
    const Driven driven{add, use, true};
    driven.pipe(1);
    EXPECT_TRUE(sensor.should_record());
    EXPECT_EQ(driven.values("stream-calls-metrics").at("pay-total"), 1);
}

TEST(StreamsMetrics, WhatWouldSpoilAScrapeIsRefused) {
    const auto first = [](StreamsMetrics& metrics) -> Result<void> {
        using Text = std::string_view;
        const auto refused = [&](Text scope, Text entity, Text operation,
                                 const StreamsMetrics::Tags& tags = {}) {
            const auto made = metrics.add_rate_total_sensor(scope, entity, operation, kInfo, tags);
            EXPECT_FALSE(made) << scope << " " << operation;
            if (!made) EXPECT_EQ(made.error().code(), Errc::kInvalidRequest);
        };
        refused("", "e", "op");
        refused("s", "", "op");
        refused("s", "e", "");
        refused("s p", "e", "op");
        refused("s", "e", "1op");
        refused("s", "e", "op{");
        refused("thread", "e", "op");
        refused("s", "e", "op", {{"a b", "1"}});
        refused("s", "e", "op", {{"thread-id", "1"}});
        refused("s", "e", "op", {{"s_id", "1"}});
        refused("s", "e", "op", {{"a-b", "1"}, {"a_b", "2"}});
        refused("task", "0_0", "dropped-records");
        refused("s", "\xFF", "op");
        refused("s", "cut \xC3", "op");
        refused("s", "e", "op", {{"t", "\xED\xA0\x80"}});
        EXPECT_TRUE(metrics.add_rate_total_sensor("s", "caf\xC3\xA9", "op", kInfo,
                                                  {{"t", "\xE2\x82\xAC"}}));
        EXPECT_TRUE(metrics.add_rate_total_sensor("task", "0_0", "mine", kInfo, {{"t", "\"\n"}}));
        return {};
    };
    const Driven driven{first, nullptr};
    EXPECT_EQ(driven.values("stream-task-metrics").at("mine-total"), 0);
}

TEST(StreamsMetrics, AProcessorHasSoManyAtATime) {
    const auto first = [](StreamsMetrics& metrics) -> Result<void> {
        MetricSensor last;
        for (std::size_t i = 0; i < StreamsMetrics::kSensorsMax; ++i) {
            LEAT_TRY(last, metrics.add_rate_total_sensor("s", std::to_string(i), "op", kInfo));
        }
        const auto more = metrics.add_rate_total_sensor("s", "more", "op", kInfo);
        EXPECT_FALSE(more);
        if (!more) EXPECT_EQ(more.error().code(), Errc::kLimitExceeded);
        EXPECT_TRUE(metrics.add_rate_total_sensor("s", "0", "op", kInfo)) << "it is there already";
        metrics.remove_sensor(last);
        EXPECT_TRUE(metrics.add_rate_total_sensor("s", "more", "op", kInfo));
        return {};
    };
    const Driven driven{first, nullptr};
    const auto all = driven.driver->metrics();
    EXPECT_EQ(std::ranges::count(all, string{"stream-s-metrics"}, &MetricValue::group),
              2 * static_cast<std::ptrdiff_t>(StreamsMetrics::kSensorsMax));
}

TEST(StreamsMetrics, ASensorOfOnesOwnTellsTheStatisticsThatItIsGiven) {
    MetricSensor size;
    std::int64_t next = 10;
    const auto first = [&](StreamsMetrics& metrics) -> Result<void> {
        LEAT_TRY(size, metrics.add_sensor("order size", kInfo));
        const auto tell = [&](const string& name, Statistic what) {
            EXPECT_TRUE(metrics.add_metric(
                size, {name, "orders", "Size: " + name, {{"region", "eu"}}}, what))
                << name;
        };
        tell("size-avg", Statistic::kAvg);
        tell("size-min", Statistic::kMin);
        tell("size-max", Statistic::kMax);
        tell("size-recent-count", Statistic::kWindowedCount);
        tell("size-recent-sum", Statistic::kWindowedSum);
        tell("size-count", Statistic::kCumulativeCount);
        tell("size-total", Statistic::kCumulativeSum);
        tell("size-rate", Statistic::kRate);
        tell("orders-rate", Statistic::kRateOfCount);
        tell("size-last", Statistic::kValue);
        tell("size-last", Statistic::kValue);  // Again is nothing new.
        return {};
    };
    const Driven driven{first, [&](StreamsMetrics& metrics) -> Result<void> {
                            LEAT_TRY(const auto same, metrics.add_sensor("order size", kInfo));
                            same.record(std::exchange(next, 20));
                            return {};
                        }};
    driven.pipe(2);
    const auto told = driven.values("orders");
    EXPECT_THAT(told, UnorderedElementsAre(Pair("size-avg", 15), Pair("size-min", 10),
                                           Pair("size-max", 20), Pair("size-recent-count", 2),
                                           Pair("size-recent-sum", 30), Pair("size-count", 2),
                                           Pair("size-total", 30), Pair("size-rate", 30.0 / 30),
                                           Pair("orders-rate", 2.0 / 30), Pair("size-last", 20)));
    EXPECT_THAT(prometheus_text(driven.driver->metrics()),
                HasSubstr("# HELP kafka_streams_orders_size_avg Size: size-avg\n"
                          "# TYPE kafka_streams_orders_size_avg gauge\n"
                          "kafka_streams_orders_size_avg{region=\"eu\",thread_id=\"main\"} 15\n"));
    // What is windowed ends with its samples, the rest stays.
    ASSERT_TRUE(driven.driver->advance_wall_time(std::chrono::minutes{2}));
    const auto later = driven.values("orders");
    EXPECT_EQ(later.at("size-recent-count"), 0);
    EXPECT_EQ(later.at("size-recent-sum"), 0);
    EXPECT_EQ(later.at("size-rate"), 0);
    EXPECT_EQ(later.at("size-count"), 2);
    EXPECT_EQ(later.at("size-total"), 30);
    EXPECT_EQ(later.at("size-last"), 20);
}

TEST(StreamsMetrics, WhatASensorRecordsItsParentsRecord) {
    MetricSensor all;
    MetricSensor some;
    MetricSensor one;
    const auto first = [&](StreamsMetrics& metrics) -> Result<void> {
        LEAT_TRY(all, metrics.add_sensor("all", kInfo));
        LEAT_TRY(const auto hidden, metrics.add_sensor("hidden", kDebug));
        EXPECT_FALSE(hidden.should_record());
        LEAT_TRY(some, metrics.add_sensor("some", kInfo, {{all, hidden}}));
        LEAT_TRY(one, metrics.add_sensor("one", kInfo, {{some}}));
        for (const auto& [sensor, name] : {std::pair{all, "all"}, {some, "some"}, {one, "one"}})
            LEAT_TRY_VOID(metrics.add_metric(sensor, {name, "sums"}, Statistic::kCumulativeSum));
        LEAT_TRY_VOID(metrics.add_metric(hidden, {"hidden", "sums"}, Statistic::kValue));
        const auto twice = metrics.add_sensor("twice", kInfo, {{one, all}});
        EXPECT_FALSE(twice) << "it would record twice";
        if (!twice) EXPECT_EQ(twice.error().code(), Errc::kInvalidRequest);
        return {};
    };
    bool removes = false;
    const Driven driven{first, [&](StreamsMetrics& metrics) -> Result<void> {
                            all.record(1);
                            some.record(10);
                            one.record(100);
                            if (removes) metrics.remove_sensor(some);
                            return {};
                        }};
    driven.pipe(1);
    EXPECT_THAT(driven.values("sums"),
                UnorderedElementsAre(Pair("all", 111), Pair("some", 110), Pair("one", 100)));
    removes = true;
    driven.pipe(1);
    EXPECT_THAT(driven.values("sums"), UnorderedElementsAre(Pair("all", 222)))
        << "those below go with it";
}

TEST(StreamsMetrics, AMetricThatIsThereOrWouldSpoilAScrapeIsRefused) {
    const auto first = [](StreamsMetrics& metrics) -> Result<void> {
        LEAT_TRY(const auto sensor, metrics.add_sensor("mine", kInfo));
        LEAT_TRY(const auto other, metrics.add_sensor("other", kInfo));
        const auto code = [&](const MetricSensor& of, const MetricName& name) {
            const auto done = metrics.add_metric(of, name, Statistic::kValue);
            return done ? Errc::kNone : done.error().code();
        };
        EXPECT_EQ(code(sensor, {"a b", "g"}), Errc::kInvalidRequest);
        EXPECT_EQ(code(sensor, {"a", ""}), Errc::kInvalidRequest);
        EXPECT_EQ(code(sensor, {"a", "g", "\xFF"}), Errc::kInvalidRequest);
        EXPECT_EQ(code(sensor, {"a", "g", "", {{"thread_id", "1"}}}), Errc::kInvalidRequest);
        EXPECT_EQ(code(sensor, {"dropped-records-total", "stream-task-metrics"}),
                  Errc::kInvalidRequest);
        EXPECT_EQ(code(sensor, {"a-b", "g"}), Errc::kNone);
        EXPECT_EQ(code(other, {"a_b", "g"}), Errc::kInvalidRequest) << "they look the same";
        EXPECT_EQ(code(other, {"b", "g-a"}), Errc::kInvalidRequest) << "they look the same";
        EXPECT_EQ(code(other, {"a-b", "g", "", {{"t", "1"}}}), Errc::kNone);
        // And the other way round.
        EXPECT_EQ(code(other, {"op-total", "stream-s-metrics", "", {{"s-id", "e"}}}), Errc::kNone);
        EXPECT_FALSE(metrics.add_rate_total_sensor("s", "e", "op", kInfo));
        EXPECT_FALSE(metrics.add_sensor("", kInfo));
        for (std::size_t i = 1; i < StreamsMetrics::kMetricsMax; ++i)
            EXPECT_EQ(code(sensor, {"n" + std::to_string(i), "g"}), Errc::kNone);
        EXPECT_EQ(code(sensor, {"more", "g"}), Errc::kLimitExceeded);
        metrics.remove_sensor(sensor);
        EXPECT_EQ(code(sensor, {"late", "g"}), Errc::kInvalidRequest) << "it was removed";
        EXPECT_EQ(code(other, {"a-b", "g"}), Errc::kNone) << "the name is free";
        return {};
    };
    const Driven driven{first, nullptr};
    EXPECT_EQ(driven.values("stream-s-metrics").size(), 1U);
}

TEST(MetricRoom, KeepsSensorsOfThreadsApart) {
    MetricRoom room{kInfo, {}};
    const detail::SensorOrder order{.scope = "s", .entity = "e", .operation = "op"};
    const auto one = room.list("t-1", order, 0);
    const auto two = room.list("t-2", order, 0);
    const auto same = room.list("t-1", order, 0);
    ASSERT_TRUE(one);
    ASSERT_TRUE(two);
    ASSERT_TRUE(same);
    EXPECT_EQ(*one, *same);
    EXPECT_NE(*one, *two);
    EXPECT_EQ(room.gather(0).size(), 4U);
    // Whoever wants to know how long it takes adds that to the one that is there.
    detail::SensorOrder timed = order;
    timed.has_latency = true;
    ASSERT_TRUE(room.list("t-1", timed, 0));
    EXPECT_EQ(room.gather(0).size(), 6U);
    // A line that two threads write would lose some of it.
    const auto below = room.list("t-2", {.name = "below", .parents = {(*one)->line}}, 0);
    ASSERT_FALSE(below);
    EXPECT_EQ(below.error().code(), Errc::kInvalidRequest);
}

}  // namespace
}  // namespace leat::streams
