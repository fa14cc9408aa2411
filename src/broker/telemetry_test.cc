// SPDX-License-Identifier: Apache-2.0
//
// Method: subscriptions as an administrator sets them, clients that match or not, on a clock that
// the test moves.
#include "broker/telemetry.h"

#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include <string>

#include "testkit/result_matchers.h"

namespace leat::broker {
namespace {

using std::chrono::seconds;

constexpr Instant kStart{seconds{1'000}};

metadata::Image image_with(std::map<std::string, config::Values> subscriptions,
                           config::PlacedValues file = {}) {
    metadata::State state;
    state.client_metrics = std::move(subscriptions);
    config::Layers layers;
    layers.file = std::move(file);
    auto image = metadata::Image::make(state, layers);
    EXPECT_OK(image);
    return *std::move(image);
}

TelemetryClient client(std::uint64_t number, std::string id = "app") {
    return {.instance = Uuid::from_random(number, number),
            .client_id = std::move(id),
            .software_name = "lib",
            .software_version = "1.2",
            .address = "127.0.0.1",
            .port = "40000"};
}

/// A sum of 5, told as a change.
std::string pushed() {
    std::string out;
    protozero::pbf_writer root{out};
    protozero::pbf_writer resource{root, 1};
    protozero::pbf_writer scope{resource, 2};
    protozero::pbf_writer metric{scope, 2};
    metric.add_string(1, "a.total");
    protozero::pbf_writer sum{metric, 7};
    {
        protozero::pbf_writer point{sum, 1};
        point.add_sfixed64(6, 5);
    }
    sum.add_enum(2, 1);
    return out;
}

Telemetry::Push push_of(const Subscription& subscription, const std::string& text) {
    return {.subscription_id = subscription.id,
            .is_last = false,
            .compression = 0,
            .metrics = std::as_bytes(std::span{text})};
}

TEST(Subscription, HasWhatAllMatchingOnesAskFor) {
    const auto image = image_with({{"a", {{"metrics", "x.,y."}, {"interval.ms", "5000"}}},
                                   {"b", {{"metrics", "z."}, {"match", "client_id=app.*"}}},
                                   {"c", {{"metrics", "w."}, {"match", "client_id=other"}}}});
    const Subscription one = subscription_of(image, client(1));
    EXPECT_EQ(one.metrics, (std::vector<std::string>{"x.", "y.", "z."}));
    EXPECT_EQ(one.interval_ms, 5'000);
    EXPECT_NE(one.id, subscription_of(image, client(1, "web")).id);
    EXPECT_EQ(one.id, subscription_of(image, client(2)).id);
}

TEST(Subscription, MatchesEachPartOfAClientAndIgnoresBadExpressions) {
    const auto asked = [](const std::string& match) {
        const auto image = image_with({{"a", {{"metrics", "*"}, {"match", match}}}});
        return subscription_of(image, client(1)).metrics.size();
    };
    EXPECT_EQ(asked("client_software_name=lib,client_software_version=1\\..*"), 1U);
    EXPECT_EQ(asked("client_software_name=lib,client_software_version=2\\..*"), 0U);
    EXPECT_EQ(asked("client_source_address=127.0.0.1,client_source_port=4.*"), 1U);
    EXPECT_EQ(asked("client_id=("), 0U);
    EXPECT_EQ(asked("client_id=ap"), 0U);
    EXPECT_EQ(asked(" client_id = a.p "), 1U);
    EXPECT_EQ(asked("client_id=app="), 1U) << "as Kafka splits it";
}

TEST(Telemetry, AddsUpChangesAndShowsThem) {
    const auto image = image_with({{"a", {{"metrics", "*"}, {"interval.ms", "1000"}}}});
    Telemetry telemetry;
    const auto subscription = telemetry.subscribe(image, client(1), kStart);
    ASSERT_OK(subscription);
    const std::string text = pushed();
    ASSERT_OK(telemetry.push(image, client(1), push_of(*subscription, text), kStart + seconds{1}));
    ASSERT_OK(telemetry.push(image, client(1), push_of(*subscription, text), kStart + seconds{2}));
    std::vector<obs::Sample> samples;
    telemetry.add_samples(samples, kStart + seconds{2});
    ASSERT_EQ(samples.size(), 1U);
    EXPECT_EQ(samples[0].value, 10);
    EXPECT_EQ(samples[0].labels[1], "a.total");
    EXPECT_EQ(samples[0].labels[2], "client_id=app");
}

TEST(Telemetry, KeepsWhatAClientSaidAMinuteBeyondItsEnd) {
    const auto image = image_with({{"a", {{"metrics", "*"}, {"interval.ms", "1000"}}}});
    Telemetry telemetry;
    const auto subscription = telemetry.subscribe(image, client(1), kStart);
    ASSERT_OK(subscription);
    const std::string text = pushed();
    Telemetry::Push last = push_of(*subscription, text);
    last.is_last = true;
    ASSERT_OK(telemetry.push(image, client(1), last, kStart + seconds{1}));
    const auto shown = [&telemetry](Instant now) {
        std::vector<obs::Sample> samples;
        telemetry.add_samples(samples, now);
        return samples.size();
    };
    EXPECT_EQ(shown(kStart + seconds{61}), 1U);
    EXPECT_EQ(shown(kStart + seconds{62}), 0U);
    EXPECT_EQ(telemetry.size(), 0U);
}

TEST(Telemetry, DropsWhoIsSilentForThreeIntervals) {
    const auto image = image_with({{"a", {{"metrics", "*"}, {"interval.ms", "100000"}}}});
    Telemetry telemetry;
    const auto subscription = telemetry.subscribe(image, client(1), kStart);
    ASSERT_OK(subscription);
    const std::string text = pushed();
    ASSERT_OK(telemetry.push(image, client(1), push_of(*subscription, text), kStart + seconds{1}));
    std::vector<obs::Sample> samples;
    telemetry.add_samples(samples, kStart + seconds{301});
    EXPECT_EQ(samples.size(), 1U);
    // Nobody looks, but somebody comes: that is enough.
    ASSERT_OK(telemetry.subscribe(image, client(2), kStart + seconds{302}));
    EXPECT_EQ(telemetry.size(), 1U);
    samples.clear();
    telemetry.add_samples(samples, kStart + seconds{302});
    EXPECT_TRUE(samples.empty());
}

TEST(Telemetry, WhoEndedMayBeginAnew) {
    const auto image = image_with({{"a", {{"metrics", "*"}, {"interval.ms", "60000"}}}});
    Telemetry telemetry;
    const auto subscription = telemetry.subscribe(image, client(1), kStart);
    ASSERT_OK(subscription);
    const std::string text = pushed();
    Telemetry::Push last = push_of(*subscription, text);
    last.is_last = true;
    ASSERT_OK(telemetry.push(image, client(1), last, kStart + seconds{1}));
    EXPECT_OK(telemetry.subscribe(image, client(1), kStart + seconds{2}));
    EXPECT_ERRC(telemetry.subscribe(image, client(1), kStart + seconds{3}),
                Errc::kThrottlingQuotaExceeded);
}

TEST(Telemetry, RefusesWhatDoesNotFit) {
    const auto image = image_with({{"a", {{"metrics", "*"}, {"interval.ms", "60000"}}}},
                                  {{"telemetry.max.bytes", {"10", "f:1"}}});
    Telemetry telemetry;
    const auto subscription = telemetry.subscribe(image, client(1), kStart);
    ASSERT_OK(subscription);
    EXPECT_ERRC(telemetry.subscribe(image, client(1), kStart + seconds{1}),
                Errc::kThrottlingQuotaExceeded);
    const std::string text = pushed();
    Telemetry::Push push = push_of(*subscription, text);
    EXPECT_ERRC(telemetry.push(image, client(1), push, kStart + seconds{1}),
                Errc::kTelemetryTooLarge);
    push.metrics = push.metrics.first(8);
    EXPECT_ERRC(telemetry.push(image, client(1), push, kStart + seconds{2}),
                Errc::kThrottlingQuotaExceeded);
    push.compression = 9;
    EXPECT_ERRC(telemetry.push(image, client(2), push, kStart), Errc::kUnsupportedCompressionType);
    push.compression = 0;
    EXPECT_ERRC(telemetry.push(image, client(3), push, kStart), Errc::kInvalidRecord);
    push.subscription_id += 1;
    EXPECT_ERRC(telemetry.push(image, client(4), push, kStart), Errc::kUnknownSubscriptionId);
    // Then it may ask at once.
    EXPECT_OK(telemetry.subscribe(image, client(4), kStart + seconds{1}));
}

TEST(Telemetry, ForgetsTheClientThatWasSilentForLongest) {
    const auto image = image_with({}, {{"leat.client.telemetry.clients.max", {"2", "f:1"}}});
    Telemetry telemetry;
    for (std::uint64_t i = 1; i <= 5; ++i)
        ASSERT_OK(telemetry.subscribe(image, client(i), kStart + seconds{i}));
    EXPECT_EQ(telemetry.size(), 2U);
    EXPECT_ERRC(telemetry.subscribe(image, client(5), kStart + seconds{6}),
                Errc::kThrottlingQuotaExceeded);
}

}  // namespace
}  // namespace leat::broker
