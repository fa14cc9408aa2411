// SPDX-License-Identifier: Apache-2.0
//
// Method: each rule of Kafka's StandardAuthorizer once, then random rules against a naive model
// that reads all of them for each question.
#include "auth/acl_table.h"

#include <gtest/gtest.h>

#include <array>

#include "testkit/random.h"

namespace leat::auth {
namespace {

using enum Operation;
constexpr auto kLiteral = PatternType::kLiteral;
constexpr auto kPrefixed = PatternType::kPrefixed;

Acl allow(std::string name, Operation operation, std::string principal = "User:a") {
    return {.type = ResourceType::kTopic,
            .name = std::move(name),
            .pattern = kLiteral,
            .principal = std::move(principal),
            .host = "*",
            .operation = operation,
            .permission = Permission::kAllow};
}

Acl deny(std::string name, Operation operation, std::string principal = "User:a") {
    Acl acl = allow(std::move(name), operation, std::move(principal));
    acl.permission = Permission::kDeny;
    return acl;
}

Acl prefixed(Acl acl) {
    acl.pattern = kPrefixed;
    return acl;
}

bool may(const AclTable& table, Operation operation, std::string_view name,
         std::string_view principal = "User:a", std::string_view host = "10.0.0.1",
         const Policy& policy = {}) {
    return table.allows(policy, {.principal = principal,
                                 .host = host,
                                 .operation = operation,
                                 .type = ResourceType::kTopic,
                                 .name = name});
}

AclTable with(std::initializer_list<Acl> acls) {
    AclTable table;
    for (const Acl& acl : acls) EXPECT_TRUE(table.insert(acl));
    return table;
}

TEST(AclTable, DeniesWhatNoRuleSpeaksOf) {
    EXPECT_FALSE(may(AclTable{}, kRead, "t"));
    const Policy open{.super_users = {}, .allows_without_rules = true};
    EXPECT_TRUE(may(AclTable{}, kRead, "t", "User:a", "h", open));
    const AclTable other = with({allow("t", kWrite, "User:b")});
    EXPECT_FALSE(may(other, kRead, "t", "User:a", "h", open));
    EXPECT_TRUE(may(other, kRead, "u", "User:a", "h", open));
}

TEST(AclTable, AllowsSuperUsersWhateverIsDenied) {
    const Policy policy{.super_users = {"User:root"}, .allows_without_rules = false};
    const AclTable table = with({deny("*", kAll, "User:*")});
    EXPECT_TRUE(may(table, kRead, "t", "User:root", "h", policy));
    EXPECT_FALSE(may(table, kRead, "t", "User:rooot", "h", policy));
}

TEST(AclTable, LetsDenyWinAtEachPattern) {
    EXPECT_FALSE(may(with({allow("t", kRead), deny("*", kRead)}), kRead, "t"));
    EXPECT_FALSE(may(with({allow("*", kAll), deny("t", kAll, "User:*")}), kRead, "t"));
    EXPECT_FALSE(may(with({allow("test", kRead), prefixed(deny("te", kRead))}), kRead, "test"));
    EXPECT_TRUE(may(with({allow("test", kRead), prefixed(deny("tex", kRead))}), kRead, "test"));
}

TEST(AclTable, ImpliesDescribeByWhatIsAllowedOnly) {
    for (const Operation held : {kRead, kWrite, kDelete, kAlter, kAll, kDescribe})
        EXPECT_TRUE(may(with({allow("t", held)}), kDescribe, "t"));
    for (const Operation held : {kCreate, kAlterConfigs, kDescribeConfigs})
        EXPECT_FALSE(may(with({allow("t", held)}), kDescribe, "t"));
    EXPECT_TRUE(may(with({allow("t", kAlterConfigs)}), kDescribeConfigs, "t"));
    EXPECT_FALSE(may(with({allow("t", kDescribe)}), kRead, "t"));
    EXPECT_TRUE(may(with({allow("t", kDescribe), deny("t", kRead)}), kDescribe, "t"));
    EXPECT_FALSE(may(with({allow("t", kDescribe), deny("t", kAll)}), kDescribe, "t"));
}

TEST(AclTable, TellsPrefixesApartByEachCharacter) {
    const AclTable table = with({prefixed(allow("team-", kWrite))});
    EXPECT_TRUE(may(table, kWrite, "team-"));
    EXPECT_TRUE(may(table, kWrite, "team-x"));
    EXPECT_FALSE(may(table, kWrite, "team"));
    EXPECT_FALSE(may(table, kWrite, "tean-x"));
    EXPECT_FALSE(may(with({prefixed(allow("*", kWrite))}), kWrite, "team"));
}

TEST(AclTable, AsksForTheHost) {
    Acl acl = allow("t", kRead);
    acl.host = "10.0.0.2";
    const AclTable table = with({acl});
    EXPECT_FALSE(may(table, kRead, "t"));
    EXPECT_TRUE(may(table, kRead, "t", "User:a", "10.0.0.2"));
}

TEST(AclTable, KnowsAnAddressInEachSpelling) {
    for (const char* told : {"0:0:0:0:0:0:0:1", "::1"}) {
        Acl denied = deny("t", kRead);
        denied.host = told;
        AclTable table = with({allow("t", kRead), denied});
        EXPECT_FALSE(may(table, kRead, "t", "User:a", "::1")) << told;
        EXPECT_TRUE(may(table, kRead, "t", "User:a", "::2")) << told;
        EXPECT_TRUE(may(table, kRead, "t", "User:a", "10.0.0.1")) << told;
        for (const auto& [host, is_allowed] : {std::pair{"::1", false}, std::pair{"::2", true}}) {
            const Access any{.principal = "User:a",
                             .host = host,
                             .operation = kRead,
                             .type = ResourceType::kTopic,
                             .name = {}};
            EXPECT_EQ(table.allows_any({}, any), is_allowed) << told;
        }
        EXPECT_TRUE(table.contains(denied));  // As it was told.
        EXPECT_TRUE(table.erase(denied));
        EXPECT_TRUE(may(table, kRead, "t", "User:a", "::1"));
    }
    Acl one = deny("t", kRead);
    one.host = "::1";
    Acl same = one;
    same.host = "0:0:0:0:0:0:0:1";
    AclTable both = with({allow("t", kRead), one, same});
    EXPECT_TRUE(both.erase(one));
    EXPECT_FALSE(may(both, kRead, "t", "User:a", "::1"));
    EXPECT_TRUE(both.erase(same));
    EXPECT_TRUE(may(both, kRead, "t", "User:a", "::1"));
}

TEST(AclTable, ForgetsWhatIsErased) {
    AclTable table = with({allow("t", kRead), prefixed(allow("t", kWrite))});
    const auto version = table.version();
    EXPECT_TRUE(table.erase(prefixed(allow("t", kWrite))));
    EXPECT_FALSE(table.erase(prefixed(allow("t", kWrite))));
    EXPECT_GT(table.version(), version);
    EXPECT_FALSE(may(table, kWrite, "t"));
    EXPECT_TRUE(may(table, kRead, "t"));
    EXPECT_FALSE(table.insert(allow("t", kRead)));
}

bool may_any(const AclTable& table, const Policy& policy = {}) {
    return table.allows_any(policy, {.principal = "User:a",
                                     .host = "h",
                                     .operation = kWrite,
                                     .type = ResourceType::kTopic,
                                     .name = {}});
}

TEST(AclTable, FindsOneResourceThatIsNotDenied) {
    EXPECT_FALSE(may_any(AclTable{}));
    EXPECT_TRUE(may_any(with({allow("t", kWrite)})));
    EXPECT_TRUE(may_any(with({prefixed(allow("t", kAll, "User:*"))})));
    EXPECT_FALSE(may_any(with({allow("t", kRead)})));
    EXPECT_FALSE(may_any(with({allow("t", kWrite), deny("t", kWrite)})));
    EXPECT_FALSE(may_any(with({allow("test", kWrite), prefixed(deny("te", kAll))})));
    EXPECT_TRUE(may_any(with({prefixed(allow("te", kWrite)), prefixed(deny("test", kAll))})));
    EXPECT_FALSE(may_any(with({allow("*", kWrite), deny("*", kWrite)})));
    EXPECT_TRUE(may_any(with({allow("*", kWrite), deny("x", kWrite)})));
}

/// The rules as Kafka's page tells them, one after the other.
bool naive(const std::vector<Acl>& acls, const Access& access) {
    bool allows = false;
    for (const Acl& acl : acls) {
        if (acl.type != access.type) continue;
        const bool is_name = acl.pattern == kPrefixed ? access.name.starts_with(acl.name)
                                                      : acl.name == "*" || acl.name == access.name;
        const bool is_who = acl.principal == "User:*" || acl.principal == access.principal;
        const bool is_where = acl.host == "*" || acl.host == access.host;
        if (!is_name || !is_who || !is_where) continue;
        const bool is_same = acl.operation == kAll || acl.operation == access.operation;
        if (acl.permission == Permission::kDeny && is_same) return false;
        if (acl.permission == Permission::kAllow)
            allows |= implies(acl.operation, access.operation);
    }
    return allows;
}

TEST(AclTable, AgreesWithTheNaiveModel) {
    testkit::Random random;
    const auto below = [&random](std::size_t count) {
        return static_cast<std::size_t>(random.between(0, static_cast<std::int32_t>(count) - 1));
    };
    const auto pick = [&below](const auto& from) { return from[below(std::size(from))]; };
    const std::array<std::string, 6> names{"*", "a", "ab", "abc", "b", "abcd"};
    const std::array<std::string, 3> principals{"User:a", "User:b", "User:*"};
    const std::array<std::string, 3> hosts{"*", "h1", "h2"};
    for (int round = 0; round < 60; ++round) {
        AclTable table;
        std::vector<Acl> acls;
        for (int i = 0; i < 12; ++i) {
            Acl acl{.type = pick(std::array{ResourceType::kTopic, ResourceType::kGroup}),
                    .name = pick(names),
                    .pattern = pick(std::array{kLiteral, kPrefixed}),
                    .principal = pick(principals),
                    .host = pick(hosts),
                    .operation = static_cast<Operation>(2 + below(10)),
                    .permission = pick(
                        std::array{Permission::kAllow, Permission::kAllow, Permission::kDeny})};
            if (table.insert(acl)) acls.push_back(acl);
        }
        for (int i = 0; i < 4 && !acls.empty(); ++i) {
            const auto gone = acls.begin() + static_cast<std::ptrdiff_t>(below(acls.size()));
            EXPECT_TRUE(table.erase(*gone));
            acls.erase(gone);
        }
        const AclTable copy = table.clone();
        for (int i = 0; i < 200; ++i) {
            const std::string name = pick(names);
            const Access access{
                .principal = pick(std::array{"User:a", "User:b"}),
                .host = pick(std::array{"h1", "h2", "h3"}),
                .operation = static_cast<Operation>(3 + below(9)),
                .type = pick(std::array{ResourceType::kTopic, ResourceType::kGroup}),
                .name = name};
            EXPECT_EQ(copy.allows({}, access), naive(acls, access)) << "round " << round;
        }
    }
}

}  // namespace
}  // namespace leat::auth
