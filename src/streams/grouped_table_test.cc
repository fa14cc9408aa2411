// SPDX-License-Identifier: Apache-2.0
// Outcomes, bytes and names are what Kafka Streams 4.2.1's TopologyTestDriver printed for the same
// declarations and inputs, with statestore.cache.max.bytes=0.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "streams/testing/tables.h"

namespace leat::streams::testing_tables {
namespace {

/// Moves between groups, repeats, deletions of what is there and of what is not, out-of-order and
/// equal times, a group key that is null.
const std::vector<std::string> kInputs = {"in a x 1", "in b x 2", "in a y 3", "in a y 4",
                                          "in b - 5", "in b - 6", "in a y 2", "in c - 7",
                                          "in d n 8", "in d x 9", "in d n 10"};

KeyValue<Text, Text> swapped(const Text& key, const Text& value) {
    return {value == "n" ? std::nullopt : std::optional{value}, key};
}
Text number(const std::int64_t& n) {
    return std::to_string(n);
}
Text with(const Text& sum, const Text& value) {
    return sum + value;
}
Text without(const Text& sum, const Text& value) {
    return sum + "-" + value;
}

TEST(GroupedTable, CountTakesOutOfOneGroupBeforeItAddsToAnother) {
    Builder b;
    b.table<Text, Text>("in").group_by(swapped).count().to_stream().map_values(number).to("out");
    EXPECT_EQ(Script{b}.only("out", kInputs),
              (Lines{"out x 1@1", "out x 2@2", "out x 1@3", "out y 1@3", "out y 1@4", "out x 0@5",
                     "out y 1@4", "out x 1@9", "out x 0@10"}));
}

TEST(GroupedTable, WritesUpdatesInKafkasBytes) {
    Builder b;
    b.table<Text, Text>("in").group_by(swapped, {.name = "gg"}).count({.store = "cs"});
    EXPECT_EQ(Script{b}.only("app-gg-repartition", kInputs),
              (Lines{R"(app-gg-repartition x a\x01@1)", R"(app-gg-repartition x b\x01@2)",
                     R"(app-gg-repartition x a\x00@3)", R"(app-gg-repartition y a\x01@3)",
                     R"(app-gg-repartition y \x02aa\x02@4)", R"(app-gg-repartition x b\x00@5)",
                     R"(app-gg-repartition y \x02aa\x02@2)", R"(app-gg-repartition x d\x01@9)",
                     R"(app-gg-repartition x d\x00@10)"}));
}

TEST(GroupedTable, ReduceSubtractsAndAdds) {
    Builder b;
    b.table<Text, Text>("in")
        .group_by(swapped)
        .reduce(with, without, {.store = "rs"})
        .to_stream()
        .to("out");
    EXPECT_EQ(
        Script{b}.only("out", kInputs),
        (Lines{"out x a@1", "out x ab@2", "out x ab-a@3", "out y a@3", "out y a-aa@4",
               "out x ab-a-b@5", "out y a-aa-aa@4", "out x ab-a-bd@9", "out x ab-a-bd-d@10"}));
}

TEST(GroupedTable, AnAggregateMayBeDeleted) {
    Builder b;
    b.table<Text, Text>("in")
        .group_by(swapped)
        .aggregate([] { return Text{"0"}; },
                   [](const Text&, const Text& v, const Text& sum) { return sum + "+" + v; },
                   [](const Text&, const Text& v, const Text& sum) {
                       return sum.ends_with("b") ? std::nullopt : std::optional{sum + "-" + v};
                   })
        .to_stream()
        .to("out");
    // Kafka's subtraction of "b" from "0+a+b" deletes x; what is not there is not subtracted from.
    EXPECT_EQ(
        Script{b}.only("out", kInputs),
        (Lines{"out x 0+a@1", "out x 0+a+b@2", "out x null@3", "out y 0+a@3", "out y 0+a-a+a@4",
               "out x null@5", "out y 0+a-a+a-a+a@4", "out x 0+d@9", "out x 0+d-d@10"}));
}

TEST(GroupedTable, ADeletionIsLoggedWithTheTimeOfItsRecord) {
    Builder b;
    b.table<Text, Text>("in")
        .group_by([](const Text&, const Text& v) { return KeyValue{Text{"c"}, v}; })
        .aggregate([] { return Text{}; },
                   [](const Text&, const Text& v, const Text& sum) {
                       return v == "x" ? std::nullopt : std::optional{sum + "," + v};
                   },
                   [](const Text&, const Text& v, const Text& sum) { return sum + "-" + v; },
                   {.store = "st"})
        .to_stream()
        .to("out");
    auto driver = *TestDriver::open(*b.build(), {.application_id = "app"});
    ASSERT_TRUE(driver->pipe("in", {"a", "ab", 44, {}}));
    ASSERT_TRUE(driver->pipe("in", {"b", "x", 38, {}}));
    // Kafka Streams tells the later of the two times and logs the record's own.
    EXPECT_EQ(driver->read("out").back().timestamp, 44);
    const auto logged = driver->read("app-st-changelog");
    ASSERT_EQ(logged.size(), 2U);
    EXPECT_EQ(logged.back().value, std::nullopt);
    EXPECT_EQ(logged.back().timestamp, 38);
    EXPECT_TRUE(driver->stored("st")->empty());
}

TEST(GroupedTable, AnAggregateOfAnAggregateGetsOldValues) {
    Builder b;
    b.table<Text, Text>("in")
        .group_by(swapped)
        .count()
        .group_by([](const Text&, const std::int64_t& n) { return KeyValue{Text{"all"}, n}; })
        .reduce([](std::int64_t sum, std::int64_t n) { return sum + n; },
                [](std::int64_t sum, std::int64_t n) { return sum - n; })
        .to_stream()
        .map_values(number)
        .to("out");
    Script script{b};
    EXPECT_THAT(script.describe(),
                testing::HasSubstr("Processor: KTABLE-REDUCE-0000000012 (stores: "
                                   "[KTABLE-AGGREGATE-STATE-STORE-0000000009])\n"));
    EXPECT_EQ(script.only("out", {"in a x 1", "in b x 2", "in b - 3"}),
              (Lines{"out all 1@1", "out all 2@2", "out all 1@3"}));
}

TEST(GroupedTable, OneNamedTopicServesAllAggregates) {
    Builder b;
    const auto grouped = b.table<Text, Text>("in").group_by(swapped, {.name = "gg"});
    grouped.count();
    grouped.reduce(with, without).to_stream().to("out");
    EXPECT_EQ(Script{b}.describe(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000001 (topics: [in])
      --> KTABLE-SOURCE-0000000002
    Processor: KTABLE-SOURCE-0000000002 (stores: [in-STATE-STORE-0000000000])
      --> gg
      <-- KSTREAM-SOURCE-0000000001
    Processor: gg (stores: [])
      --> KSTREAM-SINK-0000000005
      <-- KTABLE-SOURCE-0000000002
    Sink: KSTREAM-SINK-0000000005 (topic: gg-repartition)
      <-- gg

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000006 (topics: [gg-repartition])
      --> KTABLE-REDUCE-0000000011, KTABLE-AGGREGATE-0000000007
    Processor: KTABLE-REDUCE-0000000011 (stores: [KTABLE-AGGREGATE-STATE-STORE-0000000008])
      --> KTABLE-TOSTREAM-0000000012
      <-- KSTREAM-SOURCE-0000000006
    Processor: KTABLE-TOSTREAM-0000000012 (stores: [])
      --> KSTREAM-SINK-0000000013
      <-- KTABLE-REDUCE-0000000011
    Sink: KSTREAM-SINK-0000000013 (topic: out)
      <-- KTABLE-TOSTREAM-0000000012
    Processor: KTABLE-AGGREGATE-0000000007 (stores: [KTABLE-AGGREGATE-STATE-STORE-0000000004])
      --> none
      <-- KSTREAM-SOURCE-0000000006

)");
}

TEST(ChangeCodec, RoundTripsAndRefusesWhatIsCutOff) {
    const std::string value(200, 'x');
    std::string bytes;
    detail::append_change(bytes, {.now = value, .before = "o"});
    EXPECT_EQ(bytes, "\x90\x03" + value + "o\x02");
    const auto parsed = detail::parse_change(bytes);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, (detail::ChangeBytes{.now = value, .before = "o"}));
    for (const std::string bad :
         {"", "\x05", "\x06no\x02", "\x80\x80\x80\x80\x80\x01\x02", "\x01x\x02", "\x80\x02"})
        EXPECT_FALSE(detail::parse_change(bad)) << printed(bad);
}

}  // namespace
}  // namespace leat::streams::testing_tables
