// SPDX-License-Identifier: Apache-2.0
//
// Method: filters against single rules; what a client may not add.
#include "auth/acl.h"

#include <gtest/gtest.h>

#include "auth/decisions.h"

namespace leat::auth {
namespace {

Acl rule(std::string name, PatternType pattern = PatternType::kLiteral) {
    return {.type = ResourceType::kTopic,
            .name = std::move(name),
            .pattern = pattern,
            .principal = "User:a",
            .host = "*",
            .operation = Operation::kRead,
            .permission = Permission::kAllow};
}

TEST(AclFilter, MatchesAllThatAppliesToAName) {
    AclFilter filter;
    EXPECT_TRUE(filter.matches(rule("x")));
    filter.name = "orders";
    filter.pattern = PatternType::kMatch;
    EXPECT_TRUE(filter.matches(rule("orders")));
    EXPECT_TRUE(filter.matches(rule("*")));
    EXPECT_TRUE(filter.matches(rule("ord", PatternType::kPrefixed)));
    EXPECT_FALSE(filter.matches(rule("ord")));
    filter.pattern = PatternType::kAny;
    EXPECT_TRUE(filter.matches(rule("orders", PatternType::kPrefixed)));
    EXPECT_FALSE(filter.matches(rule("*")));
    filter.pattern = PatternType::kLiteral;
    EXPECT_FALSE(filter.matches(rule("orders", PatternType::kPrefixed)));
}

TEST(AclFilter, ComparesEachPart) {
    AclFilter filter;
    filter.operation = Operation::kWrite;
    EXPECT_FALSE(filter.matches(rule("x")));
    filter = {};
    filter.principal = "User:b";
    EXPECT_FALSE(filter.matches(rule("x")));
    filter = {};
    filter.host = "h";
    EXPECT_FALSE(filter.matches(rule("x")));
    filter = {};
    filter.permission = Permission::kDeny;
    EXPECT_FALSE(filter.matches(rule("x")));
    filter = {};
    filter.type = ResourceType::kGroup;
    EXPECT_FALSE(filter.matches(rule("x")));
}

TEST(Acl, IsRefusedWhenNoRuleCanLookLikeThat) {
    EXPECT_EQ(acl_error(rule("x")), "");
    EXPECT_EQ(acl_error(rule("")), "Invalid empty resource name");
    EXPECT_EQ(acl_error(rule("x", PatternType::kMatch)), "Invalid patternType MATCH");
    Acl acl = rule("x");
    acl.type = ResourceType::kCluster;
    EXPECT_NE(acl_error(acl), "");
    acl.name = kClusterName;
    EXPECT_EQ(acl_error(acl), "");
    acl.operation = Operation::kAny;
    EXPECT_EQ(acl_error(acl), "Invalid operation ANY");
    acl = rule("x");
    acl.principal = "alice";
    EXPECT_NE(acl_error(acl), "");
}

TEST(Acl, FilterOfWhatThereIsNotIsRefused) {
    EXPECT_EQ(filter_error({}), "");
    AclFilter filter;
    filter.type = static_cast<ResourceType>(99);
    EXPECT_EQ(filter_error(filter), "Unknown patternFilter.");
    filter = {};
    filter.pattern = PatternType::kUnknown;
    EXPECT_EQ(filter_error(filter), "Unknown patternFilter.");
    filter = {};
    filter.operation = static_cast<Operation>(99);
    EXPECT_EQ(filter_error(filter), "Unknown entryFilter.");
    filter = {};
    filter.permission = Permission::kUnknown;
    EXPECT_EQ(filter_error(filter), "Unknown entryFilter.");
}

TEST(Acl, TellsTheOperationsThatKafkaTells) {
    EXPECT_EQ(operations_of(ResourceType::kTopic), 3576);
    EXPECT_EQ(operations_of(ResourceType::kCluster), 8096);
}

TEST(Decisions, AreForgottenWithTheRulesTheyCameFrom) {
    Decisions decisions;
    EXPECT_EQ(decisions.get(1, Operation::kRead, ResourceType::kTopic, "t"), std::nullopt);
    decisions.put(Operation::kRead, ResourceType::kTopic, "t", true);
    decisions.put(Operation::kWrite, ResourceType::kTopic, "t", false);
    EXPECT_EQ(decisions.get(1, Operation::kRead, ResourceType::kTopic, "t"), true);
    EXPECT_EQ(decisions.get(1, Operation::kWrite, ResourceType::kTopic, "t"), false);
    EXPECT_EQ(decisions.get(1, Operation::kAlter, ResourceType::kTopic, "t"), std::nullopt);
    EXPECT_EQ(decisions.get(1, Operation::kRead, ResourceType::kGroup, "t"), std::nullopt);
    EXPECT_EQ(decisions.get(2, Operation::kRead, ResourceType::kTopic, "t"), std::nullopt);
    EXPECT_EQ(decisions.get(2, Operation::kRead, ResourceType::kTopic, "t"), std::nullopt);
}

}  // namespace
}  // namespace leat::auth
