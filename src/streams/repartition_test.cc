// SPDX-License-Identifier: Apache-2.0
// Which joins and aggregates share a repartition topic, and what goes through it. Texts and records
// are what Kafka Streams 4.2.1 printed for the same declarations.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"

namespace leat::streams {
namespace {

using std::string;
using testing::ElementsAre;

const auto pair = [](const string& a, const string& b) { return a + "&" + b; };
const auto maybe_pair = [](const string& a, const string* b) { return a + "&" + (b ? *b : "-"); };
/// The value is the new key; none for "b".
const auto by_value = [](const string*, const string* value) {
    return value != nullptr && *value != "b" ? std::optional<string>{*value} : std::nullopt;
};
const JoinWindows kWindows{Duration{5}, Duration{5}, Duration{0}};

string described(Builder& b, const Optimization& optimization = {}) {
    const auto topology = b.build(optimization);
    return topology ? topology->describe() : string{topology.error().detail()};
}

TEST(Repartition, AStreamJoinedWithItselfReadsOneTopic) {
    Builder b;
    const auto s = b.stream<string, string>("in1").select_key(by_value);
    s.join(s, pair, kWindows).to("out1");
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in1])
      --> KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])
      --> KSTREAM-FILTER-0000000003
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-FILTER-0000000003 (stores: [])
      --> KSTREAM-SINK-0000000002
      <-- KSTREAM-KEY-SELECT-0000000001
    Sink: KSTREAM-SINK-0000000002 (topic: KSTREAM-KEY-SELECT-0000000001-repartition)
      <-- KSTREAM-FILTER-0000000003

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000004 (topics: [KSTREAM-KEY-SELECT-0000000001-repartition])
      --> KSTREAM-WINDOWED-0000000008, KSTREAM-WINDOWED-0000000009
    Processor: KSTREAM-WINDOWED-0000000008 (stores: [KSTREAM-JOINTHIS-0000000010-store])
      --> KSTREAM-JOINTHIS-0000000010
      <-- KSTREAM-SOURCE-0000000004
    Processor: KSTREAM-WINDOWED-0000000009 (stores: [KSTREAM-JOINOTHER-0000000011-store])
      --> KSTREAM-JOINOTHER-0000000011
      <-- KSTREAM-SOURCE-0000000004
    Processor: KSTREAM-JOINOTHER-0000000011 (stores: [KSTREAM-JOINTHIS-0000000010-store])
      --> KSTREAM-MERGE-0000000012
      <-- KSTREAM-WINDOWED-0000000009
    Processor: KSTREAM-JOINTHIS-0000000010 (stores: [KSTREAM-JOINOTHER-0000000011-store])
      --> KSTREAM-MERGE-0000000012
      <-- KSTREAM-WINDOWED-0000000008
    Processor: KSTREAM-MERGE-0000000012 (stores: [])
      --> KSTREAM-SINK-0000000013
      <-- KSTREAM-JOINTHIS-0000000010, KSTREAM-JOINOTHER-0000000011
    Sink: KSTREAM-SINK-0000000013 (topic: out1)
      <-- KSTREAM-MERGE-0000000012

)");
}

TEST(Repartition, JoinsOfOneStreamShareATopic) {
    Builder b;
    const auto one = b.stream<string, string>("in1");
    const auto two = b.stream<string, string>("in2");
    const auto s = one.select_key(by_value);
    s.join(two, pair, kWindows).to("out1");
    s.left_join(b.table<string, string>("in3"), maybe_pair).to("out2");
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in1])
      --> KSTREAM-KEY-SELECT-0000000002
    Processor: KSTREAM-KEY-SELECT-0000000002 (stores: [])
      --> KSTREAM-FILTER-0000000004
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-FILTER-0000000004 (stores: [])
      --> KSTREAM-SINK-0000000003
      <-- KSTREAM-KEY-SELECT-0000000002
    Sink: KSTREAM-SINK-0000000003 (topic: KSTREAM-KEY-SELECT-0000000002-repartition)
      <-- KSTREAM-FILTER-0000000004

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000005 (topics: [KSTREAM-KEY-SELECT-0000000002-repartition])
      --> KSTREAM-WINDOWED-0000000006, KSTREAM-LEFTJOIN-0000000018
    Source: KSTREAM-SOURCE-0000000001 (topics: [in2])
      --> KSTREAM-WINDOWED-0000000007
    Processor: KSTREAM-WINDOWED-0000000006 (stores: [KSTREAM-JOINTHIS-0000000008-store])
      --> KSTREAM-JOINTHIS-0000000008
      <-- KSTREAM-SOURCE-0000000005
    Processor: KSTREAM-WINDOWED-0000000007 (stores: [KSTREAM-JOINOTHER-0000000009-store])
      --> KSTREAM-JOINOTHER-0000000009
      <-- KSTREAM-SOURCE-0000000001
    Processor: KSTREAM-JOINOTHER-0000000009 (stores: [KSTREAM-JOINTHIS-0000000008-store])
      --> KSTREAM-MERGE-0000000010
      <-- KSTREAM-WINDOWED-0000000007
    Processor: KSTREAM-JOINTHIS-0000000008 (stores: [KSTREAM-JOINOTHER-0000000009-store])
      --> KSTREAM-MERGE-0000000010
      <-- KSTREAM-WINDOWED-0000000006
    Processor: KSTREAM-LEFTJOIN-0000000018 (stores: [in3-STATE-STORE-0000000012])
      --> KSTREAM-SINK-0000000019
      <-- KSTREAM-SOURCE-0000000005
    Processor: KSTREAM-MERGE-0000000010 (stores: [])
      --> KSTREAM-SINK-0000000011
      <-- KSTREAM-JOINTHIS-0000000008, KSTREAM-JOINOTHER-0000000009
    Source: KSTREAM-SOURCE-0000000013 (topics: [in3])
      --> KTABLE-SOURCE-0000000014
    Sink: KSTREAM-SINK-0000000011 (topic: out1)
      <-- KSTREAM-MERGE-0000000010
    Sink: KSTREAM-SINK-0000000019 (topic: out2)
      <-- KSTREAM-LEFTJOIN-0000000018
    Processor: KTABLE-SOURCE-0000000014 (stores: [in3-STATE-STORE-0000000012])
      --> none
      <-- KSTREAM-SOURCE-0000000013

)");
}

TEST(Repartition, ANamedGroupingUsesItsTopicAgain) {
    Builder b;
    const auto grouped = b.stream<string, string>("in1").group_by(by_value, {.name = "g"});
    const auto first = grouped.count();
    b.stream<string, string>("in2").to("out9");
    const auto second = grouped.count();
    first.to_stream().to("out1");
    second.to_stream().to("out2");
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in1])
      --> g
    Processor: g (stores: [])
      --> g-repartition-filter
      <-- KSTREAM-SOURCE-0000000000
    Processor: g-repartition-filter (stores: [])
      --> g-repartition-sink
      <-- g
    Sink: g-repartition-sink (topic: g-repartition)
      <-- g-repartition-filter

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000007 (topics: [in2])
      --> KSTREAM-SINK-0000000008
    Sink: KSTREAM-SINK-0000000008 (topic: out9)
      <-- KSTREAM-SOURCE-0000000007

  Sub-topology: 2
    Source: g-repartition-source (topics: [g-repartition])
      --> KSTREAM-AGGREGATE-0000000010, KSTREAM-AGGREGATE-0000000003
    Processor: KSTREAM-AGGREGATE-0000000003 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000002])
      --> KTABLE-TOSTREAM-0000000014
      <-- g-repartition-source
    Processor: KSTREAM-AGGREGATE-0000000010 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000009])
      --> KTABLE-TOSTREAM-0000000016
      <-- g-repartition-source
    Processor: KTABLE-TOSTREAM-0000000014 (stores: [])
      --> KSTREAM-SINK-0000000015
      <-- KSTREAM-AGGREGATE-0000000003
    Processor: KTABLE-TOSTREAM-0000000016 (stores: [])
      --> KSTREAM-SINK-0000000017
      <-- KSTREAM-AGGREGATE-0000000010
    Sink: KSTREAM-SINK-0000000015 (topic: out1)
      <-- KTABLE-TOSTREAM-0000000014
    Sink: KSTREAM-SINK-0000000017 (topic: out2)
      <-- KTABLE-TOSTREAM-0000000016

)");
}

TEST(Repartition, NamesOfAJoinGiveEachSideItsOwnTopic) {
    Builder b;
    const auto s = b.stream<string, string>("in1").select_key(by_value);
    s.join(s, pair, kWindows, {.name = "j"}).to("out1");
    const string text = described(b);
    EXPECT_THAT(text, testing::HasSubstr("(topic: j-left-repartition)"));
    EXPECT_THAT(text, testing::HasSubstr("(topic: j-right-repartition)"));
}

/// Keys that went through the one repartition topic of a topology.
std::vector<std::optional<string>> keys_through(Builder& b, const string& topic) {
    const auto topology = b.build();
    EXPECT_TRUE(topology) << topology.error().detail();
    auto driver = *TestDriver::open(*topology, {.application_id = "app"});
    for (const auto& [value, at] : std::vector<std::pair<string, std::int64_t>>{{"v", 1}, {"b", 2}})
        EXPECT_TRUE(driver->pipe("in1", {"k", value, at, {}}));
    std::vector<std::optional<string>> out;
    for (const auto& record : driver->read("app-" + topic)) out.push_back(record.key);
    return out;
}

TEST(Repartition, NullKeysGoThroughAboveALeftJoinHoweverFar) {
    Builder b;
    b.stream<string, string>("in1")
        .select_key(by_value)
        .group_by_key({.name = "g"})
        .count()
        .to_stream()
        .map_values([](std::int64_t n) { return std::to_string(n); })
        .left_join(b.table<string, string>("in3"), maybe_pair)
        .to("out2");
    EXPECT_THAT(keys_through(b, "g-repartition"), ElementsAre("v", std::nullopt));
}

TEST(Repartition, NullKeysStopWhereNothingTakesThem) {
    Builder b;
    const auto s = b.stream<string, string>("in1").select_key(by_value);
    s.group_by_key({.name = "g"}).count();
    s.left_join(b.table<string, string>("in3"), maybe_pair).to("out2");
    EXPECT_THAT(keys_through(b, "g-repartition"), ElementsAre("v"));
}

class Pass final : public Processor<string, string> {
    Result<void> process(const Record<string, string>& record) override {
        return context().forward(record);
    }
};

TEST(Repartition, AProcessorIsNoChangeOfTheKeyToTheOptimizer) {
    Builder b;
    const auto s = b.stream<string, string>("in1").process([] { return std::make_unique<Pass>(); });
    s.group_by_key({.name = "one"}).count();
    s.group_by_key({.name = "two"}).count();
    const string text = described(b, Optimization::all());
    EXPECT_THAT(text, testing::HasSubstr("(topic: one-repartition)"));
    EXPECT_THAT(text, testing::HasSubstr("(topic: two-repartition)"));
}

TEST(Repartition, ALateRecordIsNotJoinedWithItselfOnOneStore) {
    Builder b;
    const auto s = b.stream<string, string>("in1");
    s.join(s, pair, JoinWindows{Duration{1}, Duration{3}, Duration{3}}).to("out1");
    const auto topology = b.build(Optimization::all());
    ASSERT_TRUE(topology);
    auto driver = *TestDriver::open(*topology, {});
    ASSERT_TRUE(driver->pipe("in1", {"k", "a", 43, {}}));
    EXPECT_EQ(driver->read("out1").size(), 1U);
    ASSERT_TRUE(driver->pipe("in1", {"k", "b", 0, {}}));
    EXPECT_EQ(driver->read("out1").size(), 0U);
}

TEST(Repartition, AFilterOfATableWithAHistoryTellsEveryDeletion) {
    Builder b;
    b.table<string, string>("in1", {}, {.store = "st", .history = Duration{100}})
        .filter([](const string& value) { return value == "a"; })
        .to_stream()
        .to("out1");
    auto driver = *TestDriver::open(*b.build(), {});
    ASSERT_TRUE(driver->pipe("in1", {"k", "b", 5, {}}));
    const auto told = driver->read("out1");
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told.front().value, std::nullopt);
}

}  // namespace
}  // namespace leat::streams
