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
