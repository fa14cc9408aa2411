// SPDX-License-Identifier: Apache-2.0
//
// Method: connections that come and go at given times, against each limit by itself.
#include "broker/connection_limits.h"

#include <gtest/gtest.h>

#include <chrono>

#include "testkit/result_matchers.h"

namespace leat::broker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant kStart{seconds{1000}};

TEST(ConnectionLimits, RefusesBeyondTheTotalUntilOneGoes) {
    config::BrokerConfig config;
    config.max_connections = 2;
    ConnectionLimits limits;
    EXPECT_EQ(limits.admit("a", kStart, config), std::nullopt);
    EXPECT_EQ(limits.wait_until(kStart, config), std::nullopt);
    EXPECT_EQ(limits.admit("b", kStart, config), std::nullopt);
    EXPECT_EQ(limits.wait_until(kStart, config), Instant::max());
    EXPECT_EQ(limits.admit("c", kStart, config), "total");
    limits.gone("a");
    EXPECT_EQ(limits.wait_until(kStart, config), std::nullopt);
    EXPECT_EQ(limits.admit("c", kStart, config), std::nullopt);
    EXPECT_EQ(limits.count(), 2);
}

TEST(ConnectionLimits, RefusesBeyondTheDescriptorsWhateverIsAllowed) {
    const config::BrokerConfig config;
    ConnectionLimits limits;
    limits.set_descriptors_max(2);
    EXPECT_EQ(limits.admit("a", kStart, config), std::nullopt);
    EXPECT_EQ(limits.admit("b", kStart, config), std::nullopt);
    // Nobody asked for this limit: who meets it is told, and does not wait in the kernel's queue.
    EXPECT_EQ(limits.wait_until(kStart, config), std::nullopt);
    EXPECT_EQ(limits.admit("c", kStart, config), "descriptors");
    limits.gone("a");
    EXPECT_EQ(limits.admit("c", kStart, config), std::nullopt);
    limits.gone("b");
    limits.set_descriptors_max(1);
    EXPECT_EQ(limits.admit("b", kStart, config), "descriptors");
}

TEST(ConnectionLimits, CountsEachAddressForItself) {
    config::BrokerConfig config;
    config.max_connections_per_ip = 1;
    config.max_connections_per_ip_overrides = "vip:3, ::1:0";
    ConnectionLimits limits;
    EXPECT_EQ(limits.admit("a", kStart, config), std::nullopt);
    EXPECT_EQ(limits.admit("a", kStart, config), "per_ip");
    EXPECT_EQ(limits.admit("b", kStart, config), std::nullopt);
    EXPECT_EQ(limits.admit("::1", kStart, config), "per_ip");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(limits.admit("vip", kStart, config), std::nullopt);
    EXPECT_EQ(limits.admit("vip", kStart, config), "per_ip");
    config.max_connections_per_ip_overrides = "";
    limits.gone("vip");
    EXPECT_EQ(limits.admit("vip", kStart, config), "per_ip");
}

TEST(ConnectionLimits, KnowsAnAddressInEachSpellingAndByItsName) {
    config::BrokerConfig config;
    config.max_connections_per_ip_overrides = "localhost:1,0:0:0:0:0:0:0:1:0";
    ConnectionLimits limits;
    EXPECT_EQ(limits.admit("::1", kStart, config), "per_ip");
    EXPECT_EQ(limits.admit("127.0.0.1", kStart, config), std::nullopt);
    EXPECT_EQ(limits.admit("127.0.0.1", kStart, config), std::nullopt);  // Not looked up yet.
    limits.set_host_addresses({{"localhost", "127.0.0.1"}});
    EXPECT_EQ(limits.admit("127.0.0.1", kStart, config), "per_ip");
    EXPECT_EQ(limits.admit("::1", kStart, config), "per_ip");
    EXPECT_EQ(limits.admit("127.0.0.2", kStart, config), std::nullopt);
}

TEST(ConnectionLimits, CountsEachListenerForItself) {
    config::BrokerConfig config;
    config.max_connections = 3;
    config.listener_limits["L"] = {.max_connections = 1, .max_connection_creation_rate = 1};
    config.listener_limits["M"] = {};
    ConnectionLimits limits;
    const Instant later = kStart + seconds{2};
    EXPECT_EQ(limits.admit("a", kStart, config, {}, "L"), std::nullopt);
    EXPECT_EQ(limits.wait_until(kStart, config, "L"), Instant::max());
    EXPECT_EQ(limits.admit("a", kStart, config, {}, "L"), "listener");
    EXPECT_EQ(limits.wait_until(kStart, config, "M"), std::nullopt);
    EXPECT_EQ(limits.admit("a", kStart, config, {}, "M"), std::nullopt);
    limits.gone("a", "L");
    // Its second is not over.
    EXPECT_EQ(limits.wait_until(kStart, config, "L"),
              kStart + seconds{1} + std::chrono::nanoseconds{1});
    EXPECT_EQ(limits.wait_until(later, config, "L"), std::nullopt);
    EXPECT_EQ(limits.admit("a", later, config, {}, "M"), std::nullopt);
    EXPECT_EQ(limits.admit("a", later, config, {}, "L"), std::nullopt);
    limits.gone("a", "L");
    EXPECT_EQ(limits.admit("a", later, config, {}, "M"), std::nullopt);
    EXPECT_EQ(limits.wait_until(later + seconds{9}, config, "L"), Instant::max());  // All together.
}

TEST(ConnectionLimits, LetsAnAddressComeNoFasterThanItsRate) {
    config::BrokerConfig config;
    config.max_connection_creation_rate_per_ip = 2;
    ConnectionLimits limits;
    EXPECT_EQ(limits.admit("a", kStart, config), std::nullopt);
    EXPECT_EQ(limits.admit("a", kStart, config), std::nullopt);
    EXPECT_EQ(limits.admit("a", kStart, config), "per_ip_rate");
    EXPECT_EQ(limits.admit("b", kStart, config), std::nullopt);
    EXPECT_EQ(limits.admit("a", kStart + milliseconds{501}, config), std::nullopt);
    EXPECT_EQ(limits.admit("a", kStart + milliseconds{501}, config), "per_ip_rate");
}

TEST(ConnectionLimits, KeepsOneThatCameTooFastUntilTheNextMayCome) {
    config::BrokerConfig config;
    config.max_connection_creation_rate_per_ip = 4;
    ConnectionLimits limits;
    for (int i = 0; i < 4; ++i) EXPECT_EQ(limits.admit("a", kStart, config), std::nullopt);
    const auto refused = limits.admit("a", kStart, config);
    ASSERT_EQ(refused, "per_ip_rate");
    const auto at = limits.close_at("a", *refused, kStart, config, std::nullopt);
    ASSERT_TRUE(at.has_value());
    EXPECT_GT(*at, kStart + milliseconds{240});
    EXPECT_LT(*at, kStart + milliseconds{260});
    EXPECT_EQ(limits.close_at("a", "per_ip", kStart, config, std::nullopt), std::nullopt);
    EXPECT_EQ(limits.close_at("b", "per_ip_rate", kStart, config, std::nullopt), std::nullopt);
}

TEST(ConnectionLimits, KeepsOneAboveItsQuota) {
    const config::BrokerConfig config;
    ConnectionLimits limits;
    EXPECT_EQ(limits.admit("a", kStart, config, 1.0), std::nullopt);
    ASSERT_EQ(limits.admit("a", kStart, config, 1.0), "per_ip_quota");
    const auto at = limits.close_at("a", "per_ip_quota", kStart, config, 1.0);
    ASSERT_TRUE(at.has_value());
    EXPECT_GT(*at, kStart + milliseconds{990});
}

TEST(ConnectionLimits, MakesAllWaitForTheTotalRate) {
    config::BrokerConfig config;
    config.max_connection_creation_rate = 10;
    ConnectionLimits limits;
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(limits.wait_until(kStart, config), std::nullopt) << i;
        EXPECT_EQ(limits.admit("a", kStart, config), std::nullopt);
    }
    const auto until = limits.wait_until(kStart, config);
    ASSERT_TRUE(until.has_value());
    EXPECT_GT(*until, kStart + milliseconds{90});
    EXPECT_LT(*until, kStart + milliseconds{110});
    EXPECT_EQ(limits.admit("a", *until, config), std::nullopt);
}

TEST(ConnectionLimits, ForgetsAddressesThatAreQuiet) {
    const config::BrokerConfig config;
    ConnectionLimits limits;
    Instant now = kStart;
    for (int i = 0; i < 20'000; ++i) {
        now += milliseconds{1};
        const std::string host = "host-" + std::to_string(i);
        EXPECT_EQ(limits.admit(host, now, config), std::nullopt);
        limits.gone(host);
    }
    EXPECT_LE(limits.known_hosts(), 8'192U);
}

TEST(ConnectionLimits, RefusesOverridesThatAreNone) {
    EXPECT_OK(ConnectionLimits::parse_overrides(""));
    EXPECT_ERRC(ConnectionLimits::parse_overrides("a"), Errc::kInvalidSetting);
    EXPECT_ERRC(ConnectionLimits::parse_overrides("a:x"), Errc::kInvalidSetting);
    EXPECT_ERRC(ConnectionLimits::parse_overrides(":3"), Errc::kInvalidSetting);
}

}  // namespace
}  // namespace leat::broker
