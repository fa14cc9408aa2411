// SPDX-License-Identifier: Apache-2.0
//
// Method: each change to access rules with each outcome, and the deltas that it makes.
#include <gtest/gtest.h>

#include "metadata/controller.h"
#include "testkit/result_matchers.h"

namespace leat::metadata {
namespace {

Controller make(config::PlacedValues file = {}) {
    config::Layers layers;
    layers.file = std::move(file);
    auto image = Image::make({}, layers);
    EXPECT_OK(image);
    return Controller{*std::move(image), [] { return std::uint64_t{7}; }};
}

auth::Acl rule(std::string name) {
    return {.type = auth::ResourceType::kTopic,
            .name = std::move(name),
            .pattern = auth::PatternType::kLiteral,
            .principal = "User:a",
            .host = "*",
            .operation = auth::Operation::kRead,
            .permission = auth::Permission::kAllow};
}

TEST(CreateAcls, RuleThatIsThereIsNoChange) {
    Controller c = make();
    std::vector<Delta> deltas;
    const std::vector<auth::Acl> acls{rule("t"), rule("u"), rule("t")};
    for (const Outcome& outcome : c.create_acls(acls, deltas))
        EXPECT_EQ(outcome.error, Errc::kNone);
    EXPECT_EQ(deltas.size(), 1U);
    EXPECT_EQ(c.image().acls().all().size(), 2U);
    c.create_acls(acls, deltas);
    EXPECT_EQ(deltas.size(), 1U);
}

TEST(CreateAcls, BadRuleLeavesTheOthers) {
    Controller c = make();
    std::vector<Delta> deltas;
    const std::vector<auth::Acl> acls{rule(""), rule("u")};
    const auto outcomes = c.create_acls(acls, deltas);
    EXPECT_EQ(outcomes[0].error, Errc::kInvalidRequest);
    EXPECT_EQ(outcomes[1].error, Errc::kNone);
    EXPECT_TRUE(c.image().acls().contains(rule("u")));
}

TEST(CreateAcls, LimitIsKept) {
    Controller c = make({{"leat.acls.max", {"1", "f:1"}}});
    std::vector<Delta> deltas;
    const std::vector<auth::Acl> acls{rule("t"), rule("u")};
    const auto outcomes = c.create_acls(acls, deltas);
    EXPECT_EQ(outcomes[0].error, Errc::kNone);
    EXPECT_EQ(outcomes[1].error, Errc::kPolicyViolation);
}

TEST(DeleteAcls, EachFilterTellsWhatItMatched) {
    Controller c = make();
    std::vector<Delta> deltas;
    const std::vector<auth::Acl> acls{rule("t"), rule("u")};
    c.create_acls(acls, deltas);
    std::vector<auth::AclFilter> filters(2);
    filters[0].name = "t";
    const auto matched = c.delete_acls(filters, deltas);
    EXPECT_EQ(matched[0].size(), 1U);
    EXPECT_EQ(matched[1].size(), 2U);
    EXPECT_TRUE(c.image().acls().all().empty());
    c.delete_acls(filters, deltas);
    EXPECT_EQ(deltas.size(), 2U);
}

TEST(AlterClientMetrics, TakesPatternsThatKafkaTakes) {
    Controller c = make();
    const auto match = [&c](std::string text) {
        const ConfigChange change{.type = ResourceType::kClientMetrics,
                                  .name = "sub",
                                  .alterations = {{.name = "match",
                                                   .op = config::AlterOp::kSet,
                                                   .value = std::move(text)}},
                                  .replace_all = false};
        std::vector<Delta> deltas;
        const auto outcome = c.alter_configs({&change, 1}, false, deltas)[0];
        EXPECT_EQ(deltas.empty(), outcome.error != Errc::kNone);
        return outcome;
    };
    for (const char* good :
         {"client_id=app-.*", "client_id = a|b ,client_source_port=4.*", "client_id=a=", ""})
        EXPECT_EQ(match(good).error, Errc::kNone) << good;
    for (const char* bad : {"client_id=(", "client_id=a=b", "client_id", "client_id=", "=a",
                            "no_such=a", "client_id=a,client_id=[", "client_id=*"}) {
        const Outcome outcome = match(bad);
        EXPECT_EQ(outcome.error, Errc::kInvalidConfig) << bad;
        EXPECT_NE(outcome.message.find("Illegal client matching pattern"), std::string::npos)
            << outcome.message;
    }
}

TEST(AlterClientMetrics, RefusesWithKafkasCodes) {
    Controller c = make();
    const auto alter = [&c](std::string name, config::AlterOp op, std::string value) {
        const ConfigChange change{.type = ResourceType::kClientMetrics,
                                  .name = "sub",
                                  .alterations = {{std::move(name), op, std::move(value)}},
                                  .replace_all = false};
        std::vector<Delta> deltas;
        return c.alter_configs({&change, 1}, true, deltas)[0].error;
    };
    using enum config::AlterOp;
    EXPECT_EQ(alter("interval.ms", kSet, "100"), Errc::kNone);
    EXPECT_EQ(alter("interval.ms", kSet, "3600000"), Errc::kNone);
    EXPECT_EQ(alter("interval.ms", kSet, "99"), Errc::kInvalidRequest);
    EXPECT_EQ(alter("interval.ms", kSet, "3600001"), Errc::kInvalidRequest);
    EXPECT_EQ(alter("interval.ms", kSet, "x"), Errc::kInvalidConfig);
    EXPECT_EQ(alter("no.such", kSet, "1"), Errc::kInvalidRequest);
    EXPECT_EQ(alter("metrics", kAppend, "x."), Errc::kInvalidConfig);
    EXPECT_EQ(alter("no.such", kSubtract, "x."), Errc::kInvalidConfig);
}

TEST(AlterGroupConfigs, KeepsWhatLiesWithinTheBrokersBounds) {
    Controller c = make();
    std::vector<Delta> deltas;
    const auto set = [&](std::string name, std::string setting, std::string value) {
        const std::vector<ConfigChange> changes{
            {.type = ResourceType::kGroup,
             .name = std::move(name),
             .alterations = {{std::move(setting), config::AlterOp::kSet, std::move(value)}}}};
        return c.alter_configs(changes, false, deltas)[0];
    };
    EXPECT_EQ(set("g", "consumer.session.timeout.ms", "50000").error, Errc::kNone);
    EXPECT_EQ(set("g", "consumer.session.timeout.ms", "60001").error, Errc::kInvalidConfig);
    EXPECT_EQ(set("g", "consumer.session.timeout.ms", "44999").message,
              "consumer.session.timeout.ms must be greater than or equal to "
              "group.consumer.min.session.timeout.ms");
    EXPECT_EQ(set("g", "no.such", "1").message, "Unknown group config name: no.such");
    EXPECT_EQ(set("", "consumer.session.timeout.ms", "50000").error, Errc::kInvalidRequest);
    EXPECT_EQ(deltas.size(), 1U);
    EXPECT_EQ(c.image().group_configs().at("g").at("consumer.session.timeout.ms"), "50000");
}

}  // namespace
}  // namespace leat::metadata
