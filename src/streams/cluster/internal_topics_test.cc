// SPDX-License-Identifier: Apache-2.0
//
// Settings over what a topic has of its own, by hand. What Kafka Streams makes of whole topologies
// is compared in tests/streams (topics.py).
#include "streams/cluster/internal_topics.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <string>

namespace leat::streams {
namespace {

std::map<std::string, std::string> configs_of(const InternalTopic& topic,
                                              const Settings& settings) {
    std::map<std::string, std::string> out;
    for (const auto& one : creation_of(topic, settings).configs) {
        EXPECT_TRUE(out.emplace(one.name, one.value).second) << one.name << " twice";
    }
    return out;
}

TEST(InternalTopics, SettingsCountMoreThanTheLibraryAndLessThanTheStore) {
    const InternalTopic topic{.name = "app-s-changelog",
                              .partitions = 2,
                              .configs = {{"cleanup.policy", "compact,delete"}},
                              .own_configs = {{"retention.ms", "1015"}}};
    Settings settings;
    settings.replication_factor = 3;
    EXPECT_EQ(configs_of(topic, settings),
              (std::map<std::string, std::string>{{"cleanup.policy", "compact,delete"},
                                                  {"retention.ms", "1015"}}));
    settings.topic = {{"cleanup.policy", "compact"}, {"retention.ms", "1"}, {"segment.ms", "7"}};
    EXPECT_EQ(configs_of(topic, settings),
              (std::map<std::string, std::string>{
                  {"cleanup.policy", "compact"}, {"retention.ms", "1015"}, {"segment.ms", "7"}}));
    EXPECT_EQ(creation_of(topic, settings).replication_factor, 3);
    EXPECT_EQ(creation_of(topic, settings).partitions, 2);
}

TEST(InternalTopics, KeepRecordsForAsLongAsTheirSettingsSay) {
    constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(kept_ms({{"cleanup.policy", "delete"}, {"retention.ms", "700"}}), 700);
    EXPECT_EQ(kept_ms({{"cleanup.policy", "compact,delete"}, {"retention.ms", "700"}}), 700);
    EXPECT_EQ(kept_ms({{"cleanup.policy", "compact"}, {"retention.ms", "700"}}), kForEver);
    EXPECT_EQ(kept_ms({{"cleanup.policy", "delete"}, {"retention.ms", "-1"}}), kForEver);
    EXPECT_EQ(kept_ms({{"cleanup.policy", "delete"}}), 0) << "nothing is known";
    EXPECT_EQ(kept_ms({{"retention.ms", "much"}}), 0);
    EXPECT_EQ(kept_ms({{"retention.ms", "700"}, {"retention.bytes", "-1"}}), 700);
    EXPECT_EQ(kept_ms({{"retention.ms", "700"}, {"retention.bytes", "0"}}), 0)
        << "how much comes is not known";
}

}  // namespace
}  // namespace leat::streams
