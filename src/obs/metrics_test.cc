// SPDX-License-Identifier: Apache-2.0
//
// Method: whole expositions compared with text that promtool accepts; counting from several slots.
#include "obs/metrics.h"

#include <gtest/gtest.h>

#include <atomic>

#include "obs/exposition.h"

namespace leat::obs {
namespace {

constexpr Metric kRequests{
    .name = "leat_requests_total", .help = "Requests.", .labels = {"api", "error"}};
constexpr Metric kOpen{.name = "leat_connections", .kind = Kind::kGauge, .help = "Open \\ now."};
constexpr std::array<std::int64_t, 2> kBounds{1'000'000, 2'000'000};
constexpr Metric kTook{.name = "leat_request_seconds",
                       .kind = Kind::kHistogram,
                       .help = "Time.",
                       .labels = {"api"},
                       .bounds = kBounds,
                       .scale = kNanoseconds};
constexpr Metric kLogBytes{
    .name = "leat_log_bytes", .kind = Kind::kGauge, .help = "Size.", .labels = {"topic"}};

TEST(Metrics, ExpositionListsFamiliesInNameOrder) {
    Registry registry{1};
    registry.counter(kRequests, {"Produce", "NONE"}).add(3);
    registry.counter(kRequests, {"Fetch", "NONE"}).add();
    registry.gauge(kOpen).set(-2);
    const Sample sample{&kLogBytes, {"a\"b\\c\nd"}, 1.5};
    EXPECT_EQ(registry.exposition({&sample, 1}),
              "# HELP leat_connections Open \\\\ now.\n# TYPE leat_connections gauge\n"
              "leat_connections -2\n"
              "# HELP leat_log_bytes Size.\n# TYPE leat_log_bytes gauge\n"
              "leat_log_bytes{topic=\"a\\\"b\\\\c\\nd\"} 1.5\n"
              "# HELP leat_requests_total Requests.\n# TYPE leat_requests_total counter\n"
              "leat_requests_total{api=\"Produce\",error=\"NONE\"} 3\n"
              "leat_requests_total{api=\"Fetch\",error=\"NONE\"} 1\n");
}

// One byte that is no text, in one group's name, would cost a scraper all metrics.
TEST(Metrics, LabelsAreUtf8WhateverAPeerCallsItself) {
    const Registry registry{1};
    const Sample sample{&kLogBytes, {"\xC3\xA4\xFF\xC3"}, 1};
    EXPECT_TRUE(registry.exposition({&sample, 1}).contains("topic=\"\xC3\xA4\\\\xFF\\\\xC3\"} 1\n"))
        << registry.exposition({&sample, 1});
}

TEST(Metrics, HistogramBucketsAreCumulativeAndInclusive) {
    Registry registry{1};
    const Histogram took = registry.histogram(kTook, {"Produce"});
    for (const std::int64_t ns : {1'000'000, 1'000'001, 9'000'000}) took.observe(ns);
    EXPECT_EQ(registry.exposition(),
              "# HELP leat_request_seconds Time.\n# TYPE leat_request_seconds histogram\n"
              "leat_request_seconds_bucket{api=\"Produce\",le=\"0.001\"} 1\n"
              "leat_request_seconds_bucket{api=\"Produce\",le=\"0.002\"} 2\n"
              "leat_request_seconds_bucket{api=\"Produce\",le=\"+Inf\"} 3\n"
              "leat_request_seconds_sum{api=\"Produce\"} 0.011000001\n"
              "leat_request_seconds_count{api=\"Produce\"} 3\n");
}

TEST(Metrics, SlotsAreSummed) {
    Registry registry{3};
    const Counter counter = registry.counter(kRequests, {"Produce", "NONE"});
    const Gauge gauge = registry.gauge(kOpen);
    for (std::size_t slot = 0; slot < 3; ++slot) {
        set_thread_slot(slot);
        counter.add(10);
        gauge.set(5);
        gauge.add(-1);
    }
    set_thread_slot(0);
    EXPECT_EQ(registry.value(kRequests, {"Produce", "NONE"}), 30);
    EXPECT_EQ(registry.value(kOpen), 12);
    EXPECT_EQ(registry.value(kRequests, {"Fetch", "NONE"}), 0);
}

TEST(Metrics, SameLabelsGiveTheSameSeries) {
    Registry registry{1};
    registry.counter(kRequests, {"A", "B"}).add();
    registry.counter(kRequests, {"A", "B"}).add();
    EXPECT_EQ(registry.value(kRequests, {"A", "B"}), 2);
}

TEST(Metrics, TooManySeriesShareOneOverflowSeries) {
    Registry registry{1};
    constexpr int kSeries = 3'000;  // Of 22 cells each: more than there are.
    static constexpr Metric kWide{.name = "leat_wide_seconds",
                                  .kind = Kind::kHistogram,
                                  .help = "h",
                                  .labels = {"n"},
                                  .bounds = kLatencyBounds,
                                  .scale = kNanoseconds};
    for (int i = 0; i < kSeries; ++i) registry.histogram(kWide, {std::to_string(i)}).observe(1);
    registry.counter(kRequests, {"A", "B"}).add(2);
    EXPECT_GT(registry.value(kWide, {"overflow"}), 0);
    EXPECT_EQ(registry.value(kRequests, {"overflow", "overflow"}), 2);
}

TEST(Metrics, ReferenceHasARowForEachMetric) {
    static constexpr std::array kTable{kTook, kOpen};
    const std::array<std::span<const Metric>, 1> tables{kTable};
    const std::string page = metrics_reference(tables);
    EXPECT_TRUE(
        page.ends_with("| `leat_connections` | gauge |  | Open \\ now. |\n"
                       "| `leat_request_seconds` | histogram | `api` | Time. |\n"))
        << page;
}

}  // namespace
}  // namespace leat::obs
