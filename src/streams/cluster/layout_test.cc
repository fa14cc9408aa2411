// SPDX-License-Identifier: Apache-2.0
//
// Topologies by the DSL; counts of partitions by hand.
#include "streams/cluster/layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

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

TEST(Layout, NamesTopicsAsTheyAreOnTheCluster) {
    const Topology topology = word_count();
    const Layout layout{topology.parts(), "app"};
    ASSERT_EQ(layout.subtopologies().size(), 2U);
    EXPECT_EQ(layout.subtopologies()[0].sources, (std::vector<string>{"lines"}));
    EXPECT_EQ(layout.subtopologies()[0].sinks, (std::vector<string>{"app-by-word-repartition"}));
    EXPECT_EQ(layout.subtopologies()[1].sources, (std::vector<string>{"app-by-word-repartition"}));
    EXPECT_FALSE(layout.subtopologies()[0].is_stateful());
    EXPECT_TRUE(layout.subtopologies()[1].is_stateful());
    EXPECT_EQ(layout.external_sources(), (std::vector<string>{"lines"}));
}

std::int64_t shape_of(const std::function<void(Builder&)>& declare,
                      const std::vector<string>& topics = {}) {
    Builder b;
    declare(b);
    const auto topology = b.build();
    EXPECT_TRUE(topology) << topology.error().detail();
    return Layout{topology->parts(), "app", topics}.shape();
}

TEST(Layout, ShapeTellsTopologiesApartByTheirTasks) {
    const auto counted = [](const string& topic, const string& store) {
        return [=](Builder& b) {
            static_cast<void>(
                b.stream<string, string>(topic).group_by_key().count({.store = store}));
        };
    };
    const std::int64_t shape = shape_of(counted("in", "s"));
    EXPECT_EQ(shape, shape_of(counted("in", "s")));
    EXPECT_NE(shape, shape_of(counted("other", "s")));
    EXPECT_NE(shape, shape_of(counted("in", "other")));
    EXPECT_NE(shape, shape_of([](Builder& b) {
                  static_cast<void>(b.stream<string, string>("in").group_by_key().count(
                      {.store = "s", .logging = false}));
              }));
    EXPECT_NE(shape, shape_of([](Builder& b) {
                  static_cast<void>(b.stream<string, string>("in")
                                        .group_by_key()
                                        .windowed(tumbling(Duration{10}))
                                        .count({.store = "s"}));
              }));
    EXPECT_NE(shape, shape_of([&](Builder& b) {
                  counted("in", "s")(b);
                  b.stream<string, string>("more").to("out");
              }))
        << "one more sub-topology";
    // What a function does, and what an operator is called, may change while others run.
    EXPECT_EQ(shape, shape_of([](Builder& b) {
                  static_cast<void>(b.stream<string, string>("in", {.name = "named"})
                                        .filter([](const string&, const string&) { return true; })
                                        .group_by_key()
                                        .count({.store = "s"}));
              }));
}

TEST(Layout, ShapeIsThePatternsAndNotWhatTheyMatch) {
    const auto reads = [](Builder& b) { b.stream<string, string>(TopicPattern{"in.*"}).to("out"); };
    EXPECT_EQ(shape_of(reads), shape_of(reads, {"in-a", "in-b"}));
    EXPECT_NE(shape_of(reads), shape_of([](Builder& b) {
                  b.stream<string, string>(TopicPattern{"on.*"}).to("out");
              }));
}

TEST(Layout, RepartitionTopicIsAsWideAsItsWidestSource) {
    const Topology topology = word_count();
    const Layout layout{topology.parts(), "app"};
    const auto counts = layout.with_repartition({{"lines", 3}});
    ASSERT_TRUE(counts);
    EXPECT_EQ(counts->at("app-by-word-repartition"), 3);
    const auto tasks = layout.tasks(*counts);
    EXPECT_EQ(tasks.size(), 6U);
    EXPECT_EQ(tasks.at({1, 2}),
              (std::vector<client::TopicPartition>{{"app-by-word-repartition", 2}}));
}

Topology enrichment() {
    Builder b;
    const auto customers = b.table<string, string>("customers");
    b.stream<string, string>("orders")
        .select_key([](const string&, const string& value) { return value; })
        .join(customers, [](const string& a, const string& c) { return a + c; }, {.name = "by"})
        .to("out");
    return *b.build();
}

TEST(Layout, RepartitionTopicIsAsWideAsTheTableItMeets) {
    const Topology topology = enrichment();
    const Layout layout{topology.parts(), "app"};
    const auto counts = layout.with_repartition({{"orders", 6}, {"customers", 3}});
    ASSERT_TRUE(counts);
    EXPECT_EQ(counts->at("app-by-repartition"), 3);
}

TEST(Layout, JoinedTopicsOfDifferentWidthAreRefused) {
    Builder b;
    const auto customers = b.table<string, string>("customers");
    b.stream<string, string>("orders")
        .join(customers, [](const string& a, const string& c) { return a + c; })
        .to("out");
    const Topology topology = *b.build();
    const Layout layout{topology.parts(), "app"};
    EXPECT_TRUE(layout.with_repartition({{"orders", 3}, {"customers", 3}}));
    const auto counts = layout.with_repartition({{"orders", 4}, {"customers", 2}});
    ASSERT_FALSE(counts);
    EXPECT_EQ(counts.error().code(), Errc::kStreamsInvalidTopology);
    EXPECT_NE(counts.error().detail().find("orders has 4"), std::string_view::npos)
        << counts.error().detail();
}

TEST(Layout, MergedTopicsMayDiffer) {
    Builder b;
    b.stream<string, string>("a")
        .merge(b.stream<string, string>("b"))
        .group_by_key()
        .count({.store = "counts"});
    const Topology topology = *b.build();
    const Layout layout{topology.parts(), "app"};
    EXPECT_TRUE(layout.with_repartition({{"a", 4}, {"b", 2}}));
}

TEST(Layout, MissingSourceTopicIsNamed) {
    const Topology topology = word_count();
    const Layout layout{topology.parts(), "app"};
    const auto counts = layout.with_repartition({});
    ASSERT_FALSE(counts);
    EXPECT_EQ(counts.error().code(), Errc::kUnknownTopicOrPartition);
    EXPECT_NE(counts.error().detail().find("lines"), std::string_view::npos);
}

TEST(Layout, InternalTopicsHaveKafkasSettings) {
    const Topology topology = word_count();
    const Layout layout{topology.parts(), "app"};
    const auto topics = layout.internal_topics(*layout.with_repartition({{"lines", 2}}), 1000);
    ASSERT_EQ(topics.size(), 2U);
    EXPECT_EQ(topics[0].name, "app-by-word-repartition");
    EXPECT_EQ(topics[0].configs[0], (std::pair<string, string>{"cleanup.policy", "delete"}));
    EXPECT_EQ(topics[1].name, "app-counts-changelog");
    EXPECT_EQ(topics[1].partitions, 2);
    EXPECT_EQ(topics[1].configs[0], (std::pair<string, string>{"cleanup.policy", "compact"}));
}

/// The changelog of a store, with one partition of input.
InternalTopic changelog_of(const Topology& topology, const string& store = "s") {
    const Layout layout{topology.parts(), "app"};
    const auto counts = layout.with_repartition({{"in", 1}, {"other", 1}});
    EXPECT_TRUE(counts);
    for (const auto& topic : layout.internal_topics(*counts, 1000))
        if (topic.name == "app-" + store + "-changelog") return topic;
    ADD_FAILURE() << "no changelog of " << store;
    return {};
}
using Configs = std::vector<std::pair<string, string>>;

TEST(LayoutChangelogs, WindowsAreDeletedAfterTheirRetention) {
    Builder b;
    b.stream<string, string>("in")
        .group_by_key()
        .windowed(tumbling(Duration{10}).grace(Duration{5}))
        .count({.store = "s"});
    const auto topic = changelog_of(*b.build());
    EXPECT_EQ(topic.configs.front(),
              (std::pair<string, string>{"cleanup.policy", "compact,delete"}));
    EXPECT_EQ(topic.own_configs, (Configs{{"retention.ms", "1015"}}));
}

TEST(LayoutChangelogs, VersionsAreNeverDeletedAndCompactedLate) {
    Builder b;
    b.table<string, string>("in", {}, {.store = "s", .history = Duration{3'600'000}});
    const auto topic = changelog_of(*b.build());
    EXPECT_EQ(topic.configs,
              (Configs{{"cleanup.policy", "compact"}, {"message.timestamp.type", "CreateTime"}}));
    EXPECT_EQ(topic.own_configs, (Configs{{"min.compaction.lag.ms", "90000000"}}));
}

TEST(LayoutChangelogs, WindowsWithoutAnEndAreKeptForEver) {
    Builder b;
    b.stream<string, string>("in")
        .group_by_key()
        .windowed(UnlimitedWindows{})
        .count({.store = "s"});
    EXPECT_EQ(changelog_of(*b.build()).own_configs,
              (Configs{{"retention.ms", "9223372036854775807"}}));
}

TEST(LayoutChangelogs, RowsOfAStreamJoinAreNotCompacted) {
    Builder b;
    b.stream<string, string>("in").join(
        b.stream<string, string>("other"), [](const string& l, const string& r) { return l + r; },
        JoinWindows{.before_span = Duration{10}, .after_span = Duration{20}}, {.store = "s"});
    const Topology topology = *b.build();
    for (const string store : {"s-this-join-store", "s-other-join-store"})
        EXPECT_EQ(changelog_of(topology, store).own_configs,
                  (Configs{{"retention.ms", "1030"}, {"cleanup.policy", "delete"}}))
            << store;
}

TEST(Layout, ProcessorsThatShareAStoreMayHaveTopicsOfDifferentWidth) {
    class Nothing final : public Processor<string, string> {
        Result<void> process(const Record<string, string>& /*record*/) override { return {}; }
    };
    const auto nothing = [] { return std::make_unique<Nothing>(); };
    Builder b;
    b.add_state_store(key_value_store<string, string>("rules"));
    b.stream<string, string>("control").process(nothing, {.stores = {"rules"}});
    b.stream<string, string>("data")
        .select_key([](const string&, const string& value) { return value; })
        .repartition({.name = "by-value"})
        .process(nothing, {.stores = {"rules"}});
    const Topology topology = *b.build();
    const Layout layout{topology.parts(), "app"};
    const auto counts = layout.with_repartition({{"control", 1}, {"data", 12}});
    ASSERT_TRUE(counts) << counts.error().detail();
    EXPECT_EQ(counts->at("app-by-value-repartition"), 12);
    EXPECT_EQ(layout.tasks(*counts).at({0, 0}).size(), 2U);
    EXPECT_EQ(layout.tasks(*counts).at({0, 11}).size(), 1U);
}

TEST(Layout, TopicBehindAJoinIsAsWideAsKafkaStreamsMakesIt) {
    // Its turn comes before or after that of the join's own topic, by Java's hashes of all names.
    const auto behind = [](const string& app) {
        Builder b;
        b.stream<string, string>(app + ".in")
            .select_key([](const string&, const string& value) { return value; })
            .join(b.stream<string, string>(app + ".other"),
                  [](const string& l, const string& r) { return l + r; },
                  JoinWindows{Duration{3}, Duration{5}, Duration{7}}, {.name = "by"})
            .group_by([](const string& value) { return value; }, {.name = "behind"})
            .count({.store = "counts"});
        const Topology topology = *b.build();
        const auto counts =
            Layout{topology.parts(), app}.with_repartition({{app + ".in", 6}, {app + ".other", 3}});
        EXPECT_TRUE(counts);
        EXPECT_EQ(counts->at(app + "-by-left-repartition"), 3);
        return counts->at(app + "-behind-repartition");
    };
    EXPECT_EQ(behind("deep0"), 3);
    EXPECT_EQ(behind("deep1deep1"), 6);
    EXPECT_EQ(behind("deep2deep2deep2"), 6);
    EXPECT_EQ(behind("deep3"), 3);
    EXPECT_EQ(behind("deep4deep4"), 3);
    EXPECT_EQ(behind("deep6"), 6);
}

TEST(Layout, StreamsThatAreJoinedOrCogroupedMustBeOfOneWidth) {
    const auto joined = [](auto how) {
        Builder b;
        how(b.stream<string, string>("a"), b.stream<string, string>("b"));
        const Topology topology = *b.build();
        return Layout{topology.parts(), "app"}.with_repartition({{"a", 4}, {"b", 2}});
    };
    using Stream = KStream<string, string>;
    const auto add = [](const string&, const string& value, const string& all) {
        return all + value;
    };
    EXPECT_FALSE(joined([](const Stream& a, const Stream& b) {
        a.join(
            b, [](const string& l, const string& r) { return l + r; },
            JoinWindows{.before_span = Duration{10}, .after_span = Duration{20}});
    }));
    EXPECT_FALSE(joined([&](const Stream& a, const Stream& b) {
        a.group_by_key().cogroup<string>(add).cogroup(b.group_by_key(), add).aggregate([] {
            return string{};
        });
    }));
}

TEST(Layout, ChangelogsHaveTheSettingsOfTheirStores) {
    const std::map<string, string> own{{"cleanup.policy", "compact"}};
    Builder b;
    const auto grouped = b.stream<string, string>("lines").group_by_key();
    static_cast<void>(grouped.count({.store = "counts", .changelog = own})
                          .suppress(until_time_limit(Duration{5}, max_records(5).with_logging(own),
                                                     {.name = "waits"})));
    static_cast<void>(
        grouped.reduce([](const string& a, const string&) { return a; }, {.store = "plain"}));
    static_cast<void>(b.stream<string, string>("a").join(
        b.stream<string, string>("b"), [](const string& l, const string& r) { return l + r; },
        within(Duration{5}), {.store = "joined", .changelog = own}));
    const Topology topology = *b.build();
    const Layout layout{topology.parts(), "app"};
    std::set<string> with;
    const auto counts = layout.with_repartition({{"lines", 1}, {"a", 1}, {"b", 1}});
    for (const auto& topic : layout.internal_topics(*counts, 1000))
        if (topic.own_configs.size() <= 2 &&
            std::ranges::count(topic.own_configs,
                               std::pair{string{"cleanup.policy"}, string{"compact"}}) == 1)
            with.insert(topic.name);
    EXPECT_EQ(with, (std::set<string>{"app-counts-changelog", "app-waits-store-changelog",
                                      "app-joined-this-join-store-changelog",
                                      "app-joined-other-join-store-changelog"}));
}

TEST(Layout, TopicsOfOneSubtopologyShareItsTasks) {
    Builder b;
    b.stream<string, string>(std::vector<string>{"a", "b"}).to("out");
    const Topology topology = *b.build();
    const Layout layout{topology.parts(), "app"};
    const auto tasks = layout.tasks({{"a", 1}, {"b", 2}});
    ASSERT_EQ(tasks.size(), 2U);
    EXPECT_EQ(tasks.at({0, 0}), (std::vector<client::TopicPartition>{{"a", 0}, {"b", 0}}));
    EXPECT_EQ(tasks.at({0, 1}), (std::vector<client::TopicPartition>{{"b", 1}}));
}

TEST(Layout, TopicsOfAForeignKeyJoinAreAsWideAsTheTablesTheyLeadTo) {
    Builder b;
    const auto right = b.table<string, string>("customers");
    b.table<string, string>("orders")
        .join_on(
            right, [](const string& order) { return order; },
            [](const string& order, const string& customer) { return order + customer; },
            {.name = "by"})
        .to_stream()
        .to("out");
    const Topology topology = *b.build();
    const Layout layout{topology.parts(), "app"};
    const auto counts = layout.with_repartition({{"orders", 2}, {"customers", 5}});
    ASSERT_TRUE(counts) << counts.error().detail();
    EXPECT_EQ(counts->at("app-by-subscription-registration-topic"), 5);
    EXPECT_EQ(counts->at("app-by-subscription-response-topic"), 2);
    EXPECT_EQ(layout.tasks(*counts).size(), 7U);
}

Topology by_pattern() {
    Builder b;
    b.stream<string, string>(TopicPattern{"in-.*"}, {.reset = OffsetReset::latest()})
        .group_by([](const string& word) { return word; }, {.name = "by-word"})
        .count({.store = "in-counts"})
        .to_stream()
        .to("out");
    return *b.build();
}

TEST(LayoutPatterns, TakeInWhatTheClusterHasButNotWhatIsInternal) {
    const Topology topology = by_pattern();
    const Layout plain{topology.parts(), "in-app"};
    EXPECT_TRUE(plain.has_patterns());
    EXPECT_TRUE(plain.external_sources().empty());
    const Layout layout{
        topology.parts(),
        "in-app",
        {"in-a", "in-b", "other", "in-app-by-word-repartition", "in-app-in-counts-changelog"}};
    EXPECT_EQ(layout.external_sources(), (std::vector<string>{"in-a", "in-b"}));
    const auto counts = layout.with_repartition({{"in-a", 1}, {"in-b", 3}});
    ASSERT_TRUE(counts);
    EXPECT_EQ(counts->at("in-app-by-word-repartition"), 3);
    EXPECT_EQ(layout.task_counts(*counts), (std::vector<std::int32_t>{3, 3}));
    EXPECT_EQ(layout.tasks(*counts).at({0, 0}),
              (std::vector<client::TopicPartition>{{"in-a", 0}, {"in-b", 0}}));
}

TEST(LayoutPatterns, AreKnownToThoseWhoRunTheTasks) {
    const Topology topology = by_pattern();
    const Layout layout{topology.parts(), "in-app"};
    EXPECT_TRUE(layout.reads(0, "in-new"));
    EXPECT_FALSE(layout.reads(0, "new"));
    EXPECT_FALSE(layout.reads(0, "in-app-by-word-repartition"));
    EXPECT_TRUE(layout.reads(1, "in-app-by-word-repartition"));
    EXPECT_EQ(layout.reset_of("in-new"), OffsetReset::latest());
    EXPECT_EQ(layout.reset_of("in-app-by-word-repartition"), OffsetReset::earliest());
}

TEST(LayoutPatterns, WithoutATopicHaveNoTask) {
    Builder b;
    b.stream<string, string>(TopicPattern{"in-.*"}).to("out");
    const Topology topology = *b.build();
    const Layout layout{topology.parts(), "app"};
    const auto counts = layout.with_repartition({});
    ASSERT_TRUE(counts);
    EXPECT_TRUE(layout.tasks(*counts).empty());
}

TEST(LayoutNames, NumberedOnesAreNamedWhenTheyMustNotBe) {
    Builder b;
    b.stream<string, string>("in")
        .group_by([](const string& word) { return word; })
        .count()
        .to_stream()
        .to("out");
    const Topology numbered = *b.build();
    const auto found = Layout(numbered.parts(), "app").check_names();
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), Errc::kStreamsInvalidTopology);
    EXPECT_NE(found.error().detail().find("-repartition, KSTREAM-AGGREGATE-STATE-STORE-"),
              std::string_view::npos)
        << found.error().detail();
    const Topology named = word_count();
    EXPECT_TRUE(Layout(named.parts(), "app").check_names());
}

}  // namespace
}  // namespace leat::streams
