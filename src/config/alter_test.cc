// SPDX-License-Identifier: Apache-2.0
//
// Method: one example for each operation and refusal; codes as Kafka 4.3.1 answers them.
#include "config/alter.h"

#include <gtest/gtest.h>

#include "testkit/result_matchers.h"

namespace leat::config {
namespace {

TEST(Alter, ListOperationsStartFromTheDefault) {
    Values values;
    ASSERT_OK(alter_topic(values, {"cleanup.policy", AlterOp::kAppend, "compact"}));
    EXPECT_EQ(values["cleanup.policy"], "delete,compact");
    ASSERT_OK(alter_topic(values, {"cleanup.policy", AlterOp::kAppend, "compact"}));
    EXPECT_EQ(values["cleanup.policy"], "delete,compact");
    ASSERT_OK(alter_topic(values, {"cleanup.policy", AlterOp::kSubtract, "delete,x"}));
    EXPECT_EQ(values["cleanup.policy"], "compact");
    ASSERT_OK(alter_topic(values, {"cleanup.policy", AlterOp::kDelete, {}}));
    EXPECT_TRUE(values.empty());
}

TEST(Alter, TopicRefusals) {
    Values values;
    EXPECT_ERRC(alter_topic(values, {"no.such", AlterOp::kSet, "1"}), Errc::kInvalidConfig);
    EXPECT_OK(alter_topic(values, {"no.such", AlterOp::kDelete, {}}));
    EXPECT_ERRC(alter_topic(values, {"segment.bytes", AlterOp::kAppend, "1"}),
                Errc::kInvalidConfig);
    EXPECT_TRUE(values.empty());
}

TEST(Alter, TypeIsAskedBeforeTheName) {
    Values values;
    const auto refused = alter_topic(values, {"no.such", AlterOp::kAppend, "1"});
    EXPECT_ERRC(refused, Errc::kInvalidConfig);
    EXPECT_EQ(refused.error().detail(),
              "Can't APPEND to key no.such because its type is not LIST.");
}

TEST(Alter, LimitsOfAddressesAreChecked) {
    Values values;
    const auto set = [&values](const char* text) {
        return alter_broker(values, {"max.connections.per.ip.overrides", AlterOp::kSet, text},
                            true);
    };
    for (const char* good : {"", "10.0.0.7:50", "a:1, ::1:0"}) EXPECT_OK(set(good)) << good;
    for (const char* bad : {"a", "a:", ":5", "a:x", "a:-1", "a:12345678901"})
        EXPECT_ERRC(set(bad), Errc::kInvalidRequest) << bad;
}

TEST(Alter, SettingsOfForeignPartsAreCheckedAndKept) {
    Values values;
    EXPECT_OK(alter_broker(values, {"num.io.threads", AlterOp::kSet, "9"}, true));
    EXPECT_EQ(values["num.io.threads"], "9");
    EXPECT_ERRC(alter_broker(values, {"num.io.threads", AlterOp::kSet, "0"}, true),
                Errc::kInvalidRequest);
}

TEST(Alter, ListShapeIsChecked) {
    const std::vector<Alteration> twice{{"a", AlterOp::kSet, "1"}, {"a", AlterOp::kDelete, {}}};
    EXPECT_ERRC(check_alterations(twice), Errc::kInvalidRequest);
    const std::vector<Alteration> null{{"a", AlterOp::kSet, {}}};
    EXPECT_ERRC(check_alterations(null), Errc::kInvalidRequest);
    const std::vector<Alteration> odd{{"a", static_cast<AlterOp>(9), "1"}};
    EXPECT_ERRC(check_alterations(odd), Errc::kInvalidRequest);
    const std::vector<Alteration> good{{"a", AlterOp::kSet, "1"}, {"b", AlterOp::kDelete, {}}};
    EXPECT_OK(check_alterations(good));
}

TEST(Alter, TheSecurityOfAListenerNeedsARestart) {
    Values values{{"listener.name.ssl.ssl.keystore.location", "/of/an/older/version"}};
    for (const char* name :
         {"listener.name.ssl.ssl.client.auth", "listener.name.no.such.ssl.keystore.location",
          "listener.name.out.plain.sasl.jaas.config", "listener.name.ssl.ssl.keystore.location"}) {
        const auto refused = alter_broker(values, {name, AlterOp::kSet, "x"}, false);
        EXPECT_ERRC(refused, Errc::kInvalidRequest);
        EXPECT_EQ(refused.error().detail(),
                  "Cannot update these configs dynamically: [" + std::string{name} + "]");
    }
    EXPECT_OK(alter_broker(
        values, {"listener.name.ssl.ssl.keystore.location", AlterOp::kDelete, {}}, false));
    EXPECT_TRUE(values.empty());
    EXPECT_OK(alter_broker(values, {"listener.name.ssl.of.mine", AlterOp::kSet, "x"}, false));
}

TEST(Alter, BrokerRefusals) {
    Values values;
    EXPECT_ERRC(alter_broker(values, {"num.partitions", AlterOp::kSet, "4"}, false),
                Errc::kInvalidRequest);
    EXPECT_ERRC(alter_broker(values, {"max.connections", AlterOp::kSet, "abc"}, true),
                Errc::kInvalidRequest);
    EXPECT_ERRC(alter_broker(values, {"max.connections", AlterOp::kAppend, "1"}, true),
                Errc::kInvalidConfig);
    EXPECT_TRUE(values.empty());
    EXPECT_OK(alter_broker(values, {"no.such.thing", AlterOp::kSet, "4"}, false));
    EXPECT_OK(alter_broker(values, {"log.cleanup.policy", AlterOp::kAppend, "compact"}, true));
    EXPECT_EQ(values["log.cleanup.policy"], "delete,compact");
}

}  // namespace
}  // namespace leat::config
