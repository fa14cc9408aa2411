// SPDX-License-Identifier: Apache-2.0
//
// Method: lines caught by the test sink; the clock of the rate limit is a variable.
#include "obs/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace leat::obs {
namespace {

constexpr Logger kLog{"storage"};
std::vector<std::string> caught;
std::int64_t now_ns = 0;

class Log : public ::testing::Test {
  protected:
    void SetUp() override {
        caught.clear();
        now_ns += 1'000'000'000'000;
        set_sink([](Level, std::string_view line) { caught.emplace_back(line); });
        set_test_clock([] { return now_ns; });
        start_logging({});
    }
    void TearDown() override {
        set_sink(nullptr);
        set_test_clock(nullptr);
        start_logging({});
    }
};

TEST_F(Log, LogfmtQuotesOnlyWhatNeedsIt) {
    kLog.info("segment rolled", {{"topic", "orders"},
                                 {"base", std::int64_t{17}},
                                 {"note", "a \"b\"\nc"},
                                 {"empty", ""},
                                 {"ok", true},
                                 {"ratio", 0.5},
                                 {"took", std::chrono::microseconds{1500}},
                                 {"error", Errc::kNotFound}});
    EXPECT_EQ(caught,
              std::vector<std::string>{
                  "level=info component=storage event=\"segment rolled\" topic=orders base=17 "
                  "note=\"a \\\"b\\\"\\nc\" empty=\"\" ok=true ratio=0.5 took=1.5 "
                  "error=NOT_FOUND"});
}

TEST_F(Log, JsonIsValidForAnyBytes) {
    start_logging({.format = Format::kJson});
    kLog.warn("odd name", {{"name", "\xFF\x01\xC3\xA9\\"}, {"n", 3U}});
    EXPECT_EQ(caught,
              std::vector<std::string>{"\"level\":\"warn\",\"component\":\"storage\",\"event\":"
                                       "\"odd name\",\"name\":\"\\ufffd\\u0001\xC3\xA9\\\\\","
                                       "\"n\":3"});
}

TEST_F(Log, ControlsBeyondAsciiAreEscaped) {
    constexpr std::string_view kEscaped =
        "\"\\u0080\\u009b\\u009f\\u2028\\u2029\\u202a\\u202e\\u2066\\u2069\"";
    const std::string_view controls =
        "\xC2\x80\xC2\x9B\xC2\x9F\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA\xE2\x80\xAE\xE2\x81\xA6"
        "\xE2\x81\xA9";
    // Their neighbours, and one of four bytes.
    const std::string_view others =
        "\xC2\xA0\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA\xF0\x9F\x98\x80";
    for (const Format format : {Format::kLogfmt, Format::kJson}) {
        start_logging({.format = format});
        kLog.warn("odd name", {{"sub", controls}, {"other", others}});
        EXPECT_TRUE(caught.back().contains(kEscaped)) << caught.back();
        EXPECT_TRUE(caught.back().contains(others)) << caught.back();
    }
}

TEST_F(Log, LinesBelowTheLevelAreDropped) {
    kLog.debug("detail");
    EXPECT_TRUE(caught.empty());
    set_level(Level::kDebug);
    kLog.debug("detail");
    EXPECT_EQ(caught.size(), 1U);
    EXPECT_FALSE(kLog.enabled(Level::kTrace));
}

TEST_F(Log, ComponentsMayHaveALevelOfTheirOwn) {
    constexpr Logger kStorage{"storage"};
    constexpr Logger kClient{"client"};
    set_level(Level::kWarn);
    set_level("storage", Level::kDebug);
    EXPECT_TRUE(kStorage.enabled(Level::kDebug));
    EXPECT_FALSE(kClient.enabled(Level::kInfo));
    set_level(Level::kError);
    EXPECT_TRUE(kStorage.enabled(Level::kDebug));
    EXPECT_EQ(level("storage"), Level::kDebug);
    EXPECT_EQ(level("groups"), Level::kError);
    set_level("storage", std::nullopt);
    EXPECT_FALSE(kStorage.enabled(Level::kWarn));
    set_level(Level::kInfo);
    EXPECT_TRUE(kStorage.enabled(Level::kInfo));
    EXPECT_EQ(level(), Level::kInfo);
}

TEST_F(Log, RepeatsBeyondTheLimitAreCountedNotWritten) {
    start_logging({.repeats_per_second_max = 2});
    for (int i = 0; i < 5; ++i) kLog.warn("refused", {{"i", i}});
    kLog.warn("other event");
    ASSERT_EQ(caught.size(), 3U);
    now_ns += 1'000'000'000;
    kLog.warn("refused", {{"i", 9}});
    EXPECT_EQ(caught.back(), "level=warn component=storage event=refused i=9 suppressed=3");
    kLog.warn("refused", {{"i", 10}});
    EXPECT_EQ(caught.back(), "level=warn component=storage event=refused i=10");
}

TEST_F(Log, WhatHasABoundOfItsOwnIsNotCounted) {
    start_logging({.repeats_per_second_max = 2});
    for (int i = 0; i < 5; ++i) kLog.log_each(Level::kInfo, "denied", {{"i", i}});
    EXPECT_EQ(caught.size(), 5U);
    set_level(Level::kWarn);
    kLog.log_each(Level::kInfo, "denied", {});
    EXPECT_EQ(caught.size(), 5U);
    set_level(Level::kInfo);
}

TEST_F(Log, AsyncLinesReachStderrInOrder) {
    set_sink(nullptr);
    ::testing::internal::CaptureStderr();
    start_logging({.async = true});
    kLog.info("one");
    kLog.info("two");
    start_logging({});  // Ends the thread of the async log after its queue.
    const std::string written = ::testing::internal::GetCapturedStderr();
    const auto one = written.find("level=info component=storage event=one\n");
    const auto two = written.find("level=info component=storage event=two\n");
    EXPECT_TRUE(one != std::string::npos && two != std::string::npos && one < two) << written;
    EXPECT_TRUE(written.starts_with("ts=2")) << written;
}

}  // namespace
}  // namespace leat::obs
