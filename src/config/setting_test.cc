// SPDX-License-Identifier: Apache-2.0
//
// Method: every row against its own default and bounds; accepted and refused texts as a running
// Kafka 4.3.1 takes them for its topic settings.
#include "config/setting.h"

#include <gtest/gtest.h>

#include <set>

#include "config/broker_config.h"
#include "config/layers.h"
#include "config/topic_config.h"
#include "testkit/result_matchers.h"

namespace leat::config {
namespace {

std::string topic(std::string_view name, std::string_view text) {
    const auto checked = check_topic_overrides({{std::string{name}, std::string{text}}});
    return checked.has_value() ? "ok" : std::string{checked.error().detail()};
}

TEST(SettingTables, EveryDefaultIsValidAndNamesAreUnique) {
    for (const auto rows : {topic_settings(), broker_settings()}) {
        std::set<std::string_view> names;
        for (const Setting& row : rows) {
            EXPECT_TRUE(names.insert(row.name).second) << row.name;
            EXPECT_FALSE(row.doc.empty()) << row.name;
            if (row.fallback) EXPECT_OK(parse(row, *row.fallback)) << row.name;
        }
    }
}

TEST(SettingTables, TopicSettingIsEffectiveExactlyWhenItFillsAField) {
    for (const Setting& row : topic_settings())
        EXPECT_EQ(row.effective, row.into_topic != nullptr) << row.name;
}

TEST(SettingTables, BrokerSettingWithoutFieldIsSaidToBeWithoutEffect) {
    std::set<std::string_view> of_listeners;  // resolve_security() reads them.
    for (const Setting& row : security_settings()) of_listeners.insert(row.name);
    for (const Setting& row : broker_settings())
        EXPECT_EQ(row.effective, row.into_broker || row.into_topic || !row.unit_of.empty() ||
                                     of_listeners.contains(row.name))
            << row.name;
}

TEST(SettingParse, NumbersAreTakenAsKafkaTakesThem) {
    for (const char* good : {"5", " 5 ", "+7", "2147483647", "0"})
        EXPECT_EQ(topic("max.message.bytes", good), "ok") << good;
    for (const char* bad : {"", "1.5", "1e3", "0x10", "abc", "2147483648", "+-7", "5 5"})
        EXPECT_EQ(topic("max.message.bytes", bad),
                  std::string{"Invalid value "} + bad +
                      " for configuration max.message.bytes: Not a "
                      "number of type INT");
}

TEST(SettingParse, BoundsAreKafkas) {
    EXPECT_EQ(topic("segment.bytes", "1048576"), "ok");
    EXPECT_EQ(
        topic("segment.bytes", "1048575"),
        "Invalid value 1048575 for configuration segment.bytes: Value must be at least 1048576");
    // The number, not what stood around it.
    EXPECT_EQ(topic("segment.bytes", " 7 "),
              "Invalid value 7 for configuration segment.bytes: Value must be at least 1048576");
    EXPECT_EQ(
        topic("compression.lz4.level", "18"),
        "Invalid value 18 for configuration compression.lz4.level: Value must be no more than 17");
    EXPECT_EQ(
        topic("compression.gzip.level", "0"),
        "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 "
        "or equal to -1");
    EXPECT_EQ(topic("compression.zstd.level", "-131072"), "ok");
    EXPECT_NE(topic("compression.zstd.level", "23"), "ok");
    EXPECT_EQ(topic("retention.ms", "-1"), "ok");
    EXPECT_NE(topic("retention.ms", "-2"), "ok");
    EXPECT_EQ(topic("retention.bytes", "-9223372036854775808"), "ok");
    EXPECT_NE(topic("retention.bytes", "9223372036854775808"), "ok");
    EXPECT_EQ(topic("min.cleanable.dirty.ratio", "1.0"), "ok");
    EXPECT_NE(topic("min.cleanable.dirty.ratio", "1.01"), "ok");
}

TEST(SettingParse, ListsAndChoicesAreKafkas) {
    for (const char* good : {"", "delete", "compact, delete", "delete,delete"})
        EXPECT_EQ(topic("cleanup.policy", good), "ok") << good;
    EXPECT_EQ(topic("cleanup.policy", "DELETE"),
              "Invalid value DELETE for configuration cleanup.policy: String must be one of: "
              "compact, delete");
    EXPECT_NE(topic("cleanup.policy", ",delete"), "ok");
    EXPECT_NE(topic("compression.type", "none"), "ok");
    EXPECT_NE(topic("compression.type", "GZIP"), "ok");
    EXPECT_EQ(topic("preallocate", "TRUE"), "ok");
    EXPECT_NE(topic("preallocate", "yes"), "ok");
    EXPECT_EQ(topic("leader.replication.throttled.replicas", "0:1,1:2"), "ok");
    EXPECT_NE(topic("leader.replication.throttled.replicas", "0:x"), "ok");
    EXPECT_NE(topic("remote.storage.enable", "true"), "ok");
}

TEST(SettingParse, UnknownTopicSettingIsRefused) {
    EXPECT_EQ(topic("no.such.config", "1"), "Unknown topic config name: no.such.config");
    EXPECT_ERRC(check_topic_overrides({{"no.such.config", "1"}}), Errc::kInvalidConfig);
}

TEST(SettingParse, CompactionLagsMustNotCross) {
    EXPECT_ERRC(
        check_topic_overrides({{"min.compaction.lag.ms", "5"}, {"max.compaction.lag.ms", "4"}}),
        Errc::kInvalidConfig);
}

TEST(SettingText, ValuesPrintAsKafkaPrintsThem) {
    EXPECT_EQ(text_of(Value{}), std::nullopt);
    EXPECT_EQ(text_of(Value{true}), "true");
    EXPECT_EQ(text_of(Value{1.0}), "1.0");
    EXPECT_EQ(text_of(Value{0.5}), "0.5");
    EXPECT_EQ(text_of(Value{std::vector<std::string>{"a", "b"}}), "a,b");
}

}  // namespace
}  // namespace leat::config
