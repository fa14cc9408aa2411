// SPDX-License-Identifier: Apache-2.0
//
// Sensors against sums by hand; what the test driver counts against what Kafka Streams 4.2.1's test
// driver counted for the same records.
#include "streams/metrics.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"
#include "rt/clock.h"
#include "streams/sensor_listing.h"
#include "streams/state/ordered_bytes.h"
#include "streams/task_graph.h"
#include "streams/task_meters.h"

namespace leat::streams {
namespace {

using Measure = Sensor::Measure;
constexpr SampleWindow kWindow{.length_ms = 1000, .samples = 2};

TEST(Sensor, ForgetsExtremesAndAveragesOfSamplesThatAreOver) {
    Sensor sensor;
    sensor.tick(0, kWindow);
    EXPECT_TRUE(std::isnan(sensor.read(Measure::kAverage, 0, kWindow)));
    EXPECT_TRUE(std::isnan(sensor.read(Measure::kMax, 0, kWindow)));
    sensor.record(10);
    sensor.record(20);
    EXPECT_EQ(sensor.read(Measure::kAverage, 0, kWindow), 15);
    sensor.tick(1000, kWindow);
    sensor.record(3);
    EXPECT_EQ(sensor.read(Measure::kAverage, 1000, kWindow), 11);
    EXPECT_EQ(sensor.read(Measure::kMax, 1000, kWindow), 20);
    EXPECT_EQ(sensor.read(Measure::kMin, 1000, kWindow), 3);
    sensor.tick(2000, kWindow);
    EXPECT_EQ(sensor.read(Measure::kAverage, 2000, kWindow), 3);
    EXPECT_EQ(sensor.read(Measure::kMax, 2000, kWindow), 3);
    EXPECT_EQ(sensor.read(Measure::kTotal, 2000, kWindow), 3);
    EXPECT_EQ(sensor.read(Measure::kSum, 2000, kWindow), 33);
    // Nobody ticks any more: what was is over all the same.
    EXPECT_TRUE(std::isnan(sensor.read(Measure::kAverage, 9000, kWindow)));
}

TEST(Sensor, ForgetsValuesThatMakeNoSense) {
    const SampleWindow window{.length_ms = 1'000, .samples = 2};
    Sensor sensor;
    sensor.tick(0, window);
    sensor.record(INT64_MIN + 1);
    sensor.record(INT64_MIN + 20);
    EXPECT_NEAR(sensor.read(Measure::kAverage, 10, window), -9.22e18, 1e16);
    sensor.tick(2'500, window);
    sensor.record(5);
    sensor.record(8);
    EXPECT_EQ(sensor.read(Measure::kAverage, 2'600, window), 6.5);
}

TEST(Sensor, RateIsOverOneFullSampleAtLeast) {
    Sensor sensor;
    sensor.tick(0, kWindow);
    sensor.count(4);
    EXPECT_EQ(sensor.read(Measure::kRate, 10, kWindow), 4);
    EXPECT_EQ(sensor.read(Measure::kRate, 1600, kWindow), 2.5);
    sensor.tick(1600, kWindow);
    EXPECT_EQ(sensor.read(Measure::kRate, 2000, kWindow), 0);
}

TEST(Sensor, ShareIsTheRecordedTimeOfTheTimeThatPassed) {
    constexpr std::int64_t kNanos = 1'000'000;
    Sensor sensor;
    sensor.tick(0, kWindow);
    sensor.record(200 * kNanos);
    EXPECT_EQ(sensor.read(Measure::kShare, 800, kWindow), 0.25);
    sensor.tick(1000, kWindow);
    sensor.record(300 * kNanos);
    EXPECT_EQ(sensor.read(Measure::kShare, 1000, kWindow), 0.5);
    sensor.tick(2000, kWindow);
    EXPECT_EQ(sensor.read(Measure::kShare, 2000, kWindow), 0.3);
    EXPECT_TRUE(std::isnan(sensor.read(Measure::kShare, 9000, kWindow)));
}

TEST(Sensor, PartsCountByTheirWholes) {
    Sensor sensor;
    sensor.tick(0, kWindow);
    sensor.record_part(30, 40);
    sensor.record_part(10, 160);
    EXPECT_EQ(sensor.read(Measure::kAverage, 0, kWindow), 0.2);
    sensor.tick(1000, kWindow);
    sensor.record_part(50, 50);
    sensor.tick(2000, kWindow);
    EXPECT_EQ(sensor.read(Measure::kAverage, 2000, kWindow), 1);
    EXPECT_TRUE(std::isnan(sensor.read(Measure::kAverage, 9000, kWindow)));
}

TEST(MetricRoom, AsksGaugesWhenItIsRead) {
    MetricRoom room{RecordingLevel::kInfo, kWindow};
    double now = 3;
    const MetricSet set{&room, {}, {}, [&](const MetricRow& row) -> std::optional<double> {
                            if (row.name != "background-errors") return std::nullopt;
                            return now;
                        }};
    ASSERT_EQ(room.gather(0).size(), 1U);
    now = 4;
    EXPECT_EQ(room.gather(0).front().value, 4);
}

TEST(MetricRoom, ShowsWhatLivesAndIsRecorded) {
    MetricRoom room{RecordingLevel::kInfo, kWindow};
    constexpr std::array kSensors{SensorId::kTaskDropped, SensorId::kTaskProcess};
    {
        const MetricSet set{&room, {{"task-id", "0_1"}}, kSensors};
        EXPECT_EQ(set.find(SensorId::kTaskProcess), nullptr);
        set.find(SensorId::kTaskDropped)->count(2);
        const auto all = room.gather(0);
        ASSERT_EQ(all.size(), 2U);
        EXPECT_EQ(all[1].name, "dropped-records-total");
        EXPECT_EQ(all[1].value, 2);
        const std::string text = prometheus_text(all);
        EXPECT_NE(
            text.find("# TYPE kafka_streams_stream_task_metrics_dropped_records_total counter\n"
                      "kafka_streams_stream_task_metrics_dropped_records_total{task_id=\"0_1\"} "
                      "2\n"),
            std::string::npos)
            << text;
    }
    EXPECT_TRUE(room.gather(0).empty());
    MetricSet over{&room, {{"task-id", "0_1"}}, kSensors};
    ASSERT_EQ(room.gather(0).size(), 2U);
    over.withdraw();
    EXPECT_TRUE(room.gather(0).empty());
    over.find(SensorId::kTaskDropped)->count();  // Nobody hears of it.
    const MetricSet none{nullptr, {}, kSensors};
    EXPECT_EQ(none.find(SensorId::kTaskDropped), nullptr);
}

/// Of the first that has the name, and the tag when one is given; -1: there is none.
double value_in(const std::vector<MetricValue>& metrics, std::string_view name,
                std::string_view tag = {}, std::string_view is = {}) {
    for (const MetricValue& one : metrics)
        if (const auto at = one.tags.find(std::string{tag});
            one.name == name && (tag.empty() || (at != one.tags.end() && at->second == is)))
            return one.value;
    return -1;
}

double value_of(const TestDriver& driver, std::string_view name, std::string_view tag = {},
                std::string_view is = {}) {
    return value_in(driver.metrics(), name, tag, is);
}

TEST(TaskMeters, TellsWhatBecomesOfATask) {
    Builder builder;
    builder.stream<std::string, std::string>("in").to("out");
    const auto topology = builder.build();
    ASSERT_TRUE(topology);
    std::vector<std::string> names;
    for (const auto& part : topology->parts().all()) names.push_back(part.name);
    detail::MemoryBackend backend;
    const auto graph = detail::TaskGraph::make(topology->parts(), names, backend);
    ASSERT_TRUE(graph);
    MetricRoom room{RecordingLevel::kDebug, kWindow};
    TaskMeters meters{&room, "thread", "0_0", **graph, rt::system_time()};
    meters.at(0);
    // Two rounds of a thread: 30 of 40 ms, then 10 of 160 ms, were this task's.
    meters.took(std::chrono::milliseconds{30});
    meters.all_took(std::chrono::milliseconds{40});
    meters.took(std::chrono::milliseconds{10});
    meters.all_took(std::chrono::milliseconds{160});
    EXPECT_EQ(meters.turn().count(), 0);
    meters.restored(2);
    meters.updated(3);
    meters.enforced();
    meters.cached(77);
    ASSERT_NE(meters.buffered(), nullptr);
    meters.buffered()->set(5);
    const auto all = room.gather(0);
    EXPECT_EQ(value_in(all, "active-process-ratio", "task-id", "0_0"), 0.2);
    EXPECT_EQ(value_in(all, "restore-total"), 2);
    EXPECT_EQ(value_in(all, "update-total"), 3);
    EXPECT_EQ(value_in(all, "enforced-processing-total"), 1);
    EXPECT_EQ(value_in(all, "cache-size-bytes-total"), 77);
    EXPECT_EQ(value_in(all, "active-buffer-count"), 5);
    EXPECT_NE(prometheus_text(all).find(
                  "# TYPE kafka_streams_stream_task_metrics_cache_size_bytes_total gauge"),
              std::string::npos);
}

TEST(TaskMeters, KeepASensorOnceHoweverOftenItIsAskedFor) {
    Builder builder;
    builder.stream<std::string, std::string>("in").to("out");
    const auto topology = builder.build();
    ASSERT_TRUE(topology);
    std::vector<std::string> names;
    for (const auto& part : topology->parts().all()) names.push_back(part.name);
    detail::MemoryBackend backend;
    const auto graph = detail::TaskGraph::make(topology->parts(), names, backend);
    ASSERT_TRUE(graph);
    MetricRoom room{RecordingLevel::kInfo, kWindow};
    TaskMeters meters{&room, "thread", "0_0", **graph, rt::system_time()};
    const detail::SensorOrder pay{.scope = "calls", .entity = "bank", .operation = "pay"};
    const detail::SensorOrder ask{.scope = "calls", .entity = "bank", .operation = "ask"};
    {
        const auto first = meters.list(pay);
        ASSERT_TRUE(first);
        for (int i = 0; i < 5; ++i) {
            const auto again = meters.list(pay);
            ASSERT_TRUE(again);
            EXPECT_EQ(*again, *first);
        }
        EXPECT_EQ(meters.listed(), 1U);
        const auto other = meters.list(ask);
        ASSERT_TRUE(other);
        EXPECT_EQ(meters.listed(), 2U);
    }
    // Nobody has those any more.
    const auto anew = meters.list(pay);
    ASSERT_TRUE(anew);
    EXPECT_EQ(meters.listed(), 1U);
}

/// The numbers that TopologyTestDriver 4.2.1's metrics() printed for these records.
TEST(TestDriver, CountsAsKafkaStreamsDoes) {
    Builder builder;
    const auto stream = builder.stream<std::string, std::string>("in");
    stream.group_by_key().count({.store = "counts"}).to_stream().to("out");
    const auto topology = builder.build();
    ASSERT_TRUE(topology);
    auto driver = TestDriver::open(*topology, {.wall_time_ms = 600'000, .record_all = true});
    ASSERT_TRUE(driver);
    const auto pipe = [&](const std::optional<std::string>& key, std::int64_t at) {
        const auto done = (*driver)->pipe<std::string, std::string>("in", key, "x", {at});
        ASSERT_TRUE(done);
    };
    pipe("a", 1000);
    pipe(std::nullopt, 1000);
    pipe("a", 500'000);
    pipe("a", 1000);
    const TestDriver& d = **driver;
    EXPECT_EQ(value_of(d, "dropped-records-total"), 1);
    EXPECT_EQ(value_of(d, "record-lateness-avg"), 124'750);
    EXPECT_EQ(value_of(d, "record-lateness-max"), 499'000);
    EXPECT_EQ(value_of(d, "process-total", "processor-node-id", "KSTREAM-SOURCE-0000000000"), 4);
    EXPECT_EQ(value_of(d, "records-consumed-total", "topic", "in"), 4);
    EXPECT_EQ(value_of(d, "bytes-consumed-total", "topic", "in"), 94);
    EXPECT_EQ(value_of(d, "records-produced-total", "topic", "out"), 3);
    EXPECT_EQ(value_of(d, "bytes-produced-total", "topic", "out"), 96);
    EXPECT_EQ(
        value_of(d, "record-e2e-latency-min", "processor-node-id", "KSTREAM-SOURCE-0000000000"),
        100'000);
    // Three records with a key, over one full sample of 30 seconds.
    EXPECT_EQ(value_of(d, "put-rate", "rocksdb-state-id", "counts"), 0.1);
    EXPECT_EQ(value_of(d, "get-rate", "rocksdb-state-id", "counts"), 0.1);
    EXPECT_EQ(value_of(d, "put-latency-max", "rocksdb-state-id", "counts"), 0);
    EXPECT_EQ(value_of(d, "fetch-rate"), -1);
}

TEST(TestDriver, TellsHowOftenACacheAnswers) {
    Builder builder;
    static_cast<void>(builder.stream<std::string, std::string>("in").group_by_key().count(
        {.store = "counts", .persistent = false}));
    const auto topology = builder.build();
    ASSERT_TRUE(topology);
    auto driver = TestDriver::open(*topology, {.cache_bytes = 10'000, .record_all = true});
    ASSERT_TRUE(driver);
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(((*driver)->pipe<std::string, std::string>("in", "a", "x", {100})));
    // The first look-up finds nothing: 0, 1/2, 2/3.
    EXPECT_NEAR(value_of(**driver, "hit-ratio-avg", "record-cache-id", "counts"), 7.0 / 18, 1e-5);
    EXPECT_EQ(value_of(**driver, "hit-ratio-min"), 0);
    // What was told stays there to be read.
    EXPECT_GT(value_of(**driver, "cache-size-bytes-total", "task-id", "0_0"), 0);
    EXPECT_NEAR(value_of(**driver, "hit-ratio-max"), 2.0 / 3, 1e-5);
    EXPECT_EQ(value_of(**driver, "put-rate", "in-memory-state-id", "counts"), 0.1);
}

/// Puts a word, puts it again if it is not there, deletes it.
class Rewriter final : public Processor<std::string, std::string> {
    Result<void> init(ProcessorContext<std::string, std::string>& context) override {
        LEAT_TRY(words_, context.store(key_value_store<std::string, std::string>("words")));
        return {};
    }
    Result<void> process(const Record<std::string, std::string>& record) override {
        LEAT_TRY(const auto before, words_.put_if_absent(*record.key, *record.value));
        EXPECT_FALSE(before);
        LEAT_TRY(const auto again, words_.put_if_absent(*record.key, "other"));
        EXPECT_EQ(again, record.value);
        LEAT_TRY_VOID(words_.put(*record.key, "third"));
        LEAT_TRY(const auto gone, words_.erase(*record.key));
        EXPECT_EQ(gone, "third");
        LEAT_TRY(const auto left, words_.get(*record.key));
        EXPECT_FALSE(left);
        return {};
    }

  private:
    KeyValueStore<std::string, std::string> words_;
};

TEST(TestDriver, TellsEachSortOfCallOfAStoreApart) {
    Builder builder;
    builder.add_state_store(key_value_store<std::string, std::string>("words"));
    builder.stream<std::string, std::string>("in").process(
        [] { return std::make_unique<Rewriter>(); }, {.stores = {"words"}});
    const auto topology = builder.build();
    ASSERT_TRUE(topology) << topology.error().detail();
    auto driver = TestDriver::open(*topology, {.wall_time_ms = 5000, .record_all = true});
    ASSERT_TRUE(driver);
    for (const char* key : {"a", "b", "c"})
        ASSERT_TRUE(((*driver)->pipe<std::string, std::string>("in", key, "x", {1000})));
    const auto rate = [&](const char* name) {
        return value_of(**driver, name, "rocksdb-state-id", "words");
    };
    // Calls of three records over one full sample of 30 seconds.
    EXPECT_EQ(rate("put-if-absent-rate"), 0.2);
    EXPECT_EQ(rate("put-rate"), 0.1);
    EXPECT_EQ(rate("delete-rate"), 0.1);
    EXPECT_EQ(rate("get-rate"), 0.1);
    EXPECT_EQ(rate("delete-latency-max"), 0);
    // What is put into a store of one's own has the record's time.
    EXPECT_EQ(rate("record-e2e-latency-avg"), 4000);
    EXPECT_EQ(rate("record-e2e-latency-min"), 4000);
}

TEST(TestDriver, TellsWhatWaitsInASuppression) {
    using std::chrono::milliseconds;
    Builder builder;
    builder.stream<std::string, std::string>("in")
        .group_by_key()
        .windowed(tumbling(milliseconds{100}).grace(milliseconds{0}))
        .count({.store = "windows"})
        .suppress(until_window_closes())
        .to_stream()
        .to("out");
    const auto topology = builder.build();
    ASSERT_TRUE(topology) << topology.error().detail();
    auto driver = TestDriver::open(*topology, {.record_all = true});
    ASSERT_TRUE(driver);
    for (const auto& [key, at] :
         std::vector<std::pair<std::string, std::int64_t>>{{"a", 0}, {"b", 1}, {"c", 250}})
        ASSERT_TRUE(((*driver)->pipe<std::string, std::string>("in", key, "x", {at})));
    EXPECT_EQ(value_of(**driver, "suppression-buffer-count-max"), 3);
    // a and b when c closed their window.
    EXPECT_EQ(value_of(**driver, "suppression-emit-total"), 2);
    EXPECT_GT(value_of(**driver, "suppression-emit-rate"), 0);
    EXPECT_GT(value_of(**driver, "suppression-buffer-size-max"), 0);
    EXPECT_EQ(value_of(**driver, "window-aggregate-final-emit-total"), -1) << "it tells updates";
    EXPECT_EQ(value_of(**driver, "put-rate", "rocksdb-window-state-id", "windows"), 0.1);
    EXPECT_EQ(value_of(**driver, "fetch-rate", "rocksdb-window-state-id", "windows"), 0.1);
}

TEST(TestDriver, CountsWhatIsToldWhenWindowsClose) {
    using std::chrono::milliseconds;
    Builder builder;
    builder.stream<std::string, std::string>("in")
        .group_by_key()
        .windowed(tumbling(milliseconds{100}).grace(milliseconds{0}))
        .emit(Emit::kOnWindowClose)
        .count({.store = "windows", .retention = milliseconds{10'000}, .name = "W"})
        .to_stream()
        .to("out");
    builder.stream<std::string, std::string>("visits")
        .group_by_key()
        .windowed(session(milliseconds{10}).grace(milliseconds{0}))
        .emit(Emit::kOnWindowClose)
        .count({.store = "sessions", .retention = milliseconds{10'000}, .name = "S"})
        .to_stream()
        .to("done");
    const auto topology = builder.build();
    ASSERT_TRUE(topology) << topology.error().detail();
    auto driver = TestDriver::open(*topology, {.record_all = true});
    ASSERT_TRUE(driver);
    const auto told = [&](std::string_view node, const std::string& what = "total") {
        return value_of(**driver, "window-aggregate-final-emit-" + what, "processor-node-id", node);
    };
    for (const auto& [key, at] :
         std::vector<std::pair<std::string, std::int64_t>>{{"a", 0}, {"b", 1}, {"c", 250}})
        ASSERT_TRUE(((*driver)->pipe<std::string, std::string>("in", key, "x", {at})));
    EXPECT_EQ(told("W"), 2);
    EXPECT_EQ(told("S"), 0);
    EXPECT_GT(told("W", "rate"), 0);
    // The driver's clock stands still.
    EXPECT_EQ(told("W", "latency-max"), 0);
    EXPECT_TRUE(std::isnan(told("S", "latency-max")));
    for (const std::int64_t at : std::vector<std::int64_t>{0, 100, 200})
        ASSERT_TRUE(((*driver)->pipe<std::string, std::string>("visits", "a", "x", {at})));
    EXPECT_EQ(told("S"), 2);
}

}  // namespace
}  // namespace leat::streams
