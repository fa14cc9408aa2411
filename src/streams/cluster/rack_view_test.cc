// SPDX-License-Identifier: Apache-2.0
// Method: a word count on a cluster that is written down.
#include "streams/cluster/rack_view.h"

#include <gtest/gtest.h>

#include <utility>

#include "leat/streams/builder.h"

namespace leat::streams {
namespace {

using std::string;

Topology word_count() {
    Builder b;
    b.stream<string, string>("lines")
        .group_by([](const string& word) { return word; }, {.name = "by-word"})
        .count({.store = "counts"})
        .to_stream()
        .to("word-counts");
    return *b.build();
}

client::PartitionInfo on(std::int32_t id, std::vector<std::int32_t> replicas) {
    client::PartitionInfo out;
    out.id = id;
    out.replicas = std::move(replicas);
    return out;
}

/// Brokers 1 in r1, 2 in r2, and 3 that tells no rack.
client::ClusterInfo cluster() {
    client::ClusterInfo out;
    for (std::int32_t id = 1; id <= 3; ++id) {
        client::BrokerInfo& broker = out.brokers.emplace_back();
        broker.id = id;
        if (id < 3) broker.rack = "r" + std::to_string(id);
    }
    client::TopicInfo& topic = out.topics.emplace_back();
    topic.name = "t";
    topic.partitions = {on(0, {1}), on(1, {2, 1}), on(2, {1, 3}), on(3, {})};
    return out;
}

TEST(RackView, ChangelogsAreThoseOfTasksWithState) {
    const Topology topology = word_count();
    const Layout layout{topology.parts(), "app"};
    const TaskPartitions tasks = layout.tasks({{"lines", 1}, {"app-by-word-repartition", 2}});
    ASSERT_EQ(tasks.size(), 3U);
    const TaskPartitions expected{{{1, 0}, {{"app-counts-changelog", 0}}},
                                  {{1, 1}, {{"app-counts-changelog", 1}}}};
    EXPECT_EQ(changelogs_of(layout, tasks), expected);
}

TEST(RackView, RacksAreThoseOfAllReplicas) {
    const auto found =
        racks_in(cluster(), {{{0, 0}, {{"t", 0}, {"t", 1}}}}, {{{0, 0}, {{"t", 1}}}});
    ASSERT_TRUE(found) << found.error().detail();
    const TaskRacks::Partitions inputs{{"r1"}, {"r1", "r2"}};
    EXPECT_EQ(found->inputs.at({0, 0}), inputs);
    EXPECT_EQ(found->changelogs.at({0, 0}).size(), 1U);
}

TEST(RackView, ABrokerWithoutARackIsNamed) {
    const auto found = racks_in(cluster(), {{{0, 2}, {{"t", 2}}}}, {});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), Errc::kInvalidConfig);
    EXPECT_EQ(found.error().detail(), "broker 3 has no broker.rack");
}

TEST(RackView, ABrokerThatIsDownDoesNotCount) {
    client::ClusterInfo seen = cluster();
    seen.brokers.pop_back();
    seen.brokers.pop_back();
    const auto found = racks_in(seen, {{{0, 1}, {{"t", 1}}}, {{0, 2}, {{"t", 2}}}}, {});
    ASSERT_TRUE(found) << found.error().detail();
    const TaskRacks::Partitions inputs{{"r1"}};
    EXPECT_EQ(found->inputs.at({0, 1}), inputs);
    EXPECT_EQ(found->inputs.at({0, 2}), inputs);
}

TEST(RackView, APartitionWhoseBrokersAreAllDownMayBeSeenLater) {
    client::ClusterInfo seen = cluster();
    seen.brokers.erase(seen.brokers.begin());
    const auto found = racks_in(seen, {{{0, 0}, {{"t", 0}}}}, {});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), Errc::kUnknownTopicOrPartition);
    EXPECT_EQ(found.error().detail(), "t-0");
}

TEST(RackView, APartitionThatIsNotToBeSeenYetMayBeLater) {
    for (const std::int32_t partition : {3, 4}) {
        const auto found = racks_in(cluster(), {}, {{{0, 0}, {{"t", partition}}}});
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().code(), Errc::kUnknownTopicOrPartition);
    }
}

}  // namespace
}  // namespace leat::streams
