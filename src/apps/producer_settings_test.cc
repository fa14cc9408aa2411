// SPDX-License-Identifier: Apache-2.0
//
// What of a --config file reaches the producer, whichever of its names a setting has there.
#include "apps/producer_settings.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "apps/bench_support.h"
#include "apps/command_line.h"
#include "testkit/result_matchers.h"

namespace leat::apps {
namespace {

Invocation line_of(const std::vector<std::string>& words) {
    auto parsed = parse_command_line(words);
    EXPECT_OK(parsed);
    return parsed->invocation.at(0);
}

ClusterAccess access_with(std::vector<client::Property> file) {
    return {.properties = std::move(file), .bootstrap = {}, .where = {}};
}

const std::vector<client::Property> kOtherNames{{"request.required.acks", "1", 1},
                                                {"message.timeout.ms", "5000", 2},
                                                {"queue.buffering.max.ms", "7", 3},
                                                {"compression.codec", "lz4", 4}};

TEST(ProducerSettings, OfAFileCountUnderEitherName) {
    const auto got = produce_properties(line_of({"produce", "t"}), access_with(kOtherNames));
    ASSERT_OK(got);
    EXPECT_EQ(producer_value(*got, "acks"), "1");
    EXPECT_EQ(producer_value(*got, "delivery.timeout.ms"), "5000");
    EXPECT_EQ(producer_value(*got, "compression.type"), "lz4");
    // librdkafka has one setting for both names, and would take ours for what comes last.
    EXPECT_EQ(client::find_property(*got, "acks"), "");
    EXPECT_EQ(client::find_property(*got, "delivery.timeout.ms"), "");
    EXPECT_ERRC(
        produce_properties(line_of({"produce", "t", "--idempotent"}), access_with(kOtherNames)),
        Errc::kUsage);
}

TEST(ProducerSettings, OfTheLineComeBehindThoseOfTheFile) {
    const auto got = produce_properties(line_of({"produce", "t", "--acks", "0", "--timeout", "3"}),
                                        access_with(kOtherNames));
    ASSERT_OK(got);
    EXPECT_EQ(producer_value(*got, "acks"), "0");
    EXPECT_EQ(producer_value(*got, "delivery.timeout.ms"), "3000");
    const auto fresh = produce_properties(line_of({"produce", "t"}), access_with({}));
    ASSERT_OK(fresh);
    EXPECT_EQ(producer_value(*fresh, "acks"), "all");
    EXPECT_EQ(producer_value(*fresh, "delivery.timeout.ms"), "120000");
}

TEST(ProducerSettings, SayWhetherAnybodyAcknowledges) {
    for (const char* acks : {"1", "all", "-1"})
        EXPECT_TRUE(is_acknowledged({{"acks", acks, 1}})) << acks;
    EXPECT_FALSE(is_acknowledged({{"request.required.acks", "0", 1}}));
}

TEST(BenchSettings, AreReportedAsTheProducerHasThem) {
    boost::json::object report;
    put_producer_settings(
        report, bench_producer_properties(line_of({"bench", "produce"}), access_with(kOtherNames)));
    EXPECT_EQ(report, (boost::json::object{{"acks", "1"},
                                           {"linger_ms", 7},
                                           {"batch_bytes", 1000000},
                                           {"compression", "lz4"},
                                           {"idempotent", false}}));
    report.clear();
    put_producer_settings(
        report, bench_producer_properties(
                    line_of({"bench", "produce", "--linger-ms", "9"}),
                    access_with({{"enable.idempotence", "true", 1}, {"linger.ms", "3", 2}})));
    EXPECT_EQ(report, (boost::json::object{{"acks", "all"},
                                           {"linger_ms", 9},
                                           {"batch_bytes", 1000000},
                                           {"compression", "none"},
                                           {"idempotent", true}}));
}

}  // namespace
}  // namespace leat::apps
