// SPDX-License-Identifier: Apache-2.0
//
// Topics of an application by their names, and by a topology. What is internal was asked of Kafka's
// own reset tool.
#include "apps/stream_topics.h"

#include <gtest/gtest.h>

namespace leat::apps {
namespace {

TEST(StreamTopics, InternalOnesHaveTheApplicationInFrontAndAKnownEnd) {
    for (const char* name :
         {"app-a-changelog", "app-a-repartition", "app--changelog",
          "app-x-subscription-registration-topic", "app-x-subscription-response-topic",
          "app-KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000003-topic",
          "app-KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-0000000011-topic"})
        EXPECT_TRUE(is_internal_topic("app", name)) << name;
    for (const char* name :
         {"app", "app-a", "apps-a-changelog", "a-changelog", "app-changelogs", "appa-changelog",
          "app-KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-x-topic",
          "app-KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION--topic", "app-topic"})
        EXPECT_FALSE(is_internal_topic("app", name)) << name;
}

TEST(StreamTopics, AreDeletedByAResetUnlessTheUserNamesThemAsHisOwn) {
    const std::set<std::string> existing{"app-a-changelog", "app-b-repartition",
                                         "app-orders-changelog", "in"};
    EXPECT_EQ(deleted_by_reset("app", existing, {"in", "app-orders-changelog"}),
              (std::vector<std::string>{"app-a-changelog", "app-b-repartition"}));
    EXPECT_EQ(deleted_by_reset("app", existing, {}).size(), 3U);
}

TEST(StreamTopics, AreFoundByNameWithoutATopology) {
    EXPECT_EQ(stream_topics("app", {"in", "out", "app-c-changelog", "app-r-repartition"},
                            {"in", "app-r-repartition"}, nullptr),
              (std::vector<StreamTopic>{{"in", TopicRole::kSource, {}},
                                        {"app-r-repartition", TopicRole::kRepartition, {}},
                                        {"app-c-changelog", TopicRole::kChangelog, {}}}));
}

TEST(StreamTopics, BelongToTheSubTopologyThatReadsOrKeepsThem) {
    const auto topology = streams::parse_topology(
        "Sub-topology: 0\n Source: a (topics: [in, gone])\n Sink: b (topic: r-repartition)\n"
        "Sub-topology: 1\n Source: c (topics: [r-repartition])\n Processor: d (stores: [c, none])\n"
        "Sub-topology: 2\n Source: e (topics: in.*)\n"
        "Sub-topology: 3 for global store (will not generate tasks)\n Source: g (topics: [all])\n");
    ASSERT_TRUE(topology);
    EXPECT_EQ(stream_topics("app", {"in", "in2", "all", "app-c-changelog", "app-r-repartition"},
                            {"in", "in2", "app-r-repartition"}, &*topology),
              (std::vector<StreamTopic>{{"in", TopicRole::kSource, 0},
                                        {"app-r-repartition", TopicRole::kRepartition, 1},
                                        {"app-c-changelog", TopicRole::kChangelog, 1},
                                        {"in", TopicRole::kSource, 2},
                                        {"in2", TopicRole::kSource, 2}}));
}

}  // namespace
}  // namespace leat::apps
