// SPDX-License-Identifier: Apache-2.0
// The texts are what Kafka Streams 4.2.1 prints for the same declarations with
// topology.optimization=all, where a test does not say otherwise.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"

namespace leat::streams {
namespace {

using std::string;
using testing::HasSubstr;

string described(Builder& b, const Optimization& optimization = Optimization::all()) {
    const auto topology = b.build(optimization);
    return topology ? topology->describe() : string{topology.error().detail()};
}
bool yes(const string&) {
    return true;
}
string same(const string& value) {
    return value;
}
string first(const string& a, const string&) {
    return a;
}

TEST(Optimize, OneTopicServesBothCountsBehindAKeyChange) {
    Builder b;
    const auto s = b.stream<string, string>("in").select_key(same);
    s.group_by_key().count().to_stream().to("o1");
    s.filter(yes).group_by_key().reduce(first).to_stream().to("o2");
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])
      --> KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition-filter
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition-filter (stores: [])
      --> KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition-sink
      <-- KSTREAM-KEY-SELECT-0000000001
    Sink: KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition-sink (topic: KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition)
      <-- KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition-filter

  Sub-topology: 1
    Source: KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition-source (topics: [KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition])
      --> KSTREAM-FILTER-0000000009, KSTREAM-AGGREGATE-0000000003
    Processor: KSTREAM-FILTER-0000000009 (stores: [])
      --> KSTREAM-REDUCE-0000000011
      <-- KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition-source
    Processor: KSTREAM-AGGREGATE-0000000003 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000002])
      --> KTABLE-TOSTREAM-0000000007
      <-- KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition-source
    Processor: KSTREAM-REDUCE-0000000011 (stores: [KSTREAM-REDUCE-STATE-STORE-0000000010])
      --> KTABLE-TOSTREAM-0000000015
      <-- KSTREAM-FILTER-0000000009
    Processor: KTABLE-TOSTREAM-0000000007 (stores: [])
      --> KSTREAM-SINK-0000000008
      <-- KSTREAM-AGGREGATE-0000000003
    Processor: KTABLE-TOSTREAM-0000000015 (stores: [])
      --> KSTREAM-SINK-0000000016
      <-- KSTREAM-REDUCE-0000000011
    Sink: KSTREAM-SINK-0000000008 (topic: o1)
      <-- KTABLE-TOSTREAM-0000000007
    Sink: KSTREAM-SINK-0000000016 (topic: o2)
      <-- KTABLE-TOSTREAM-0000000015

)");
}

TEST(Optimize, TheFirstNameOfSeveralStays) {
    Builder b;
    const auto s = b.stream<string, string>("in").map(
        [](const string& k, const string& v) { return KeyValue{v, k}; });
    s.group_by_key({.name = "one"}).count({.store = "c1"});
    s.filter(yes).group_by_key({.name = "two"}).count({.store = "c2"});
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-MAP-0000000001
    Processor: KSTREAM-MAP-0000000001 (stores: [])
      --> one-repartition-filter
      <-- KSTREAM-SOURCE-0000000000
    Processor: one-repartition-filter (stores: [])
      --> one-repartition-sink
      <-- KSTREAM-MAP-0000000001
    Sink: one-repartition-sink (topic: one-repartition)
      <-- one-repartition-filter

  Sub-topology: 1
    Source: one-repartition-source (topics: [one-repartition])
      --> KSTREAM-FILTER-0000000006, KSTREAM-AGGREGATE-0000000002
    Processor: KSTREAM-FILTER-0000000006 (stores: [])
      --> KSTREAM-AGGREGATE-0000000007
      <-- one-repartition-source
    Processor: KSTREAM-AGGREGATE-0000000002 (stores: [c1])
      --> none
      <-- one-repartition-source
    Processor: KSTREAM-AGGREGATE-0000000007 (stores: [c2])
      --> none
      <-- KSTREAM-FILTER-0000000006

)");
}

TEST(Optimize, NoTopicMovesOverAChangeOfTheValue) {
    Builder b;
    const auto s = b.stream<string, string>("in").select_key(same);
    s.map_values(same).group_by_key().count();
    s.group_by_key().count();
    s.filter(yes).group_by_key().count();
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])
      --> KSTREAM-MAPVALUES-0000000002, KSTREAM-AGGREGATE-STATE-STORE-0000000008-repartition-filter
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-MAPVALUES-0000000002 (stores: [])
      --> KSTREAM-FILTER-0000000006
      <-- KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-AGGREGATE-STATE-STORE-0000000008-repartition-filter (stores: [])
      --> KSTREAM-AGGREGATE-STATE-STORE-0000000008-repartition-sink
      <-- KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-FILTER-0000000006 (stores: [])
      --> KSTREAM-SINK-0000000005
      <-- KSTREAM-MAPVALUES-0000000002
    Sink: KSTREAM-AGGREGATE-STATE-STORE-0000000008-repartition-sink (topic: KSTREAM-AGGREGATE-STATE-STORE-0000000008-repartition)
      <-- KSTREAM-AGGREGATE-STATE-STORE-0000000008-repartition-filter
    Sink: KSTREAM-SINK-0000000005 (topic: KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition)
      <-- KSTREAM-FILTER-0000000006

  Sub-topology: 1
    Source: KSTREAM-AGGREGATE-STATE-STORE-0000000008-repartition-source (topics: [KSTREAM-AGGREGATE-STATE-STORE-0000000008-repartition])
      --> KSTREAM-FILTER-0000000013, KSTREAM-AGGREGATE-0000000009
    Processor: KSTREAM-FILTER-0000000013 (stores: [])
      --> KSTREAM-AGGREGATE-0000000015
      <-- KSTREAM-AGGREGATE-STATE-STORE-0000000008-repartition-source
    Processor: KSTREAM-AGGREGATE-0000000009 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000008])
      --> none
      <-- KSTREAM-AGGREGATE-STATE-STORE-0000000008-repartition-source
    Processor: KSTREAM-AGGREGATE-0000000015 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000014])
      --> none
      <-- KSTREAM-FILTER-0000000013

  Sub-topology: 2
    Source: KSTREAM-SOURCE-0000000007 (topics: [KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition])
      --> KSTREAM-AGGREGATE-0000000004
    Processor: KSTREAM-AGGREGATE-0000000004 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000003])
      --> none
      <-- KSTREAM-SOURCE-0000000007

)");
}

TEST(Optimize, AMergeOfKeyChangesSharesATopic) {
    Builder b;
    const auto s = b.stream<string, string>("in").select_key(same);
    const auto merged = s.merge(b.stream<string, string>("in2").select_key(same));
    merged.group_by_key().count();
    merged.filter(yes).group_by_key().count();
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-KEY-SELECT-0000000001
    Source: KSTREAM-SOURCE-0000000002 (topics: [in2])
      --> KSTREAM-KEY-SELECT-0000000003
    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])
      --> KSTREAM-MERGE-0000000004
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-KEY-SELECT-0000000003 (stores: [])
      --> KSTREAM-MERGE-0000000004
      <-- KSTREAM-SOURCE-0000000002
    Processor: KSTREAM-MERGE-0000000004 (stores: [])
      --> KSTREAM-AGGREGATE-STATE-STORE-0000000005-repartition-filter
      <-- KSTREAM-KEY-SELECT-0000000001, KSTREAM-KEY-SELECT-0000000003
    Processor: KSTREAM-AGGREGATE-STATE-STORE-0000000005-repartition-filter (stores: [])
      --> KSTREAM-AGGREGATE-STATE-STORE-0000000005-repartition-sink
      <-- KSTREAM-MERGE-0000000004
    Sink: KSTREAM-AGGREGATE-STATE-STORE-0000000005-repartition-sink (topic: KSTREAM-AGGREGATE-STATE-STORE-0000000005-repartition)
      <-- KSTREAM-AGGREGATE-STATE-STORE-0000000005-repartition-filter

  Sub-topology: 1
    Source: KSTREAM-AGGREGATE-STATE-STORE-0000000005-repartition-source (topics: [KSTREAM-AGGREGATE-STATE-STORE-0000000005-repartition])
      --> KSTREAM-FILTER-0000000010, KSTREAM-AGGREGATE-0000000006
    Processor: KSTREAM-FILTER-0000000010 (stores: [])
      --> KSTREAM-AGGREGATE-0000000012
      <-- KSTREAM-AGGREGATE-STATE-STORE-0000000005-repartition-source
    Processor: KSTREAM-AGGREGATE-0000000006 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000005])
      --> none
      <-- KSTREAM-AGGREGATE-STATE-STORE-0000000005-repartition-source
    Processor: KSTREAM-AGGREGATE-0000000012 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000011])
      --> none
      <-- KSTREAM-FILTER-0000000010

)");
}

TEST(Optimize, MergesOfMergesFindNoSingleTopic) {
    // Kafka Streams ends with an error of its own there, and finds the topic in the other order.
    const auto mistake = [](bool merges_first) {
        Builder b;
        const auto one = b.stream<string, string>("in");
        const auto inner =
            b.stream<string, string>("in2").merge(b.stream<string, string>("in3").select_key(same));
        (merges_first ? inner.merge(one) : one.merge(inner)).group_by_key().count();
        const auto topology = b.build(Optimization::all());
        return topology ? string{} : string{topology.error().detail()};
    };
    EXPECT_THAT(mistake(false), testing::HasSubstr("merges of merges"));
    EXPECT_EQ(mistake(true), "");
}

TEST(Optimize, ATopicMovesUpToItsKeyChange) {
    Builder b;
    b.stream<string, string>("in").select_key(same).filter(yes).group_by_key().count();
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])
      --> KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition-filter
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition-filter (stores: [])
      --> KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition-sink
      <-- KSTREAM-KEY-SELECT-0000000001
    Sink: KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition-sink (topic: KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition)
      <-- KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition-filter

  Sub-topology: 1
    Source: KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition-source (topics: [KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition])
      --> KSTREAM-FILTER-0000000002
    Processor: KSTREAM-FILTER-0000000002 (stores: [])
      --> KSTREAM-AGGREGATE-0000000004
      <-- KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition-source
    Processor: KSTREAM-AGGREGATE-0000000004 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000003])
      --> none
      <-- KSTREAM-FILTER-0000000002

)");
}

TEST(Optimize, NothingMovesUnlessAskedFor) {
    Builder b;
    b.stream<string, string>("in").select_key(same).filter(yes).group_by_key().count();
    EXPECT_EQ(described(b, {}), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])
      --> KSTREAM-FILTER-0000000002
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-FILTER-0000000002 (stores: [])
      --> KSTREAM-FILTER-0000000006
      <-- KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-FILTER-0000000006 (stores: [])
      --> KSTREAM-SINK-0000000005
      <-- KSTREAM-FILTER-0000000002
    Sink: KSTREAM-SINK-0000000005 (topic: KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition)
      <-- KSTREAM-FILTER-0000000006

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000007 (topics: [KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition])
      --> KSTREAM-AGGREGATE-0000000004
    Processor: KSTREAM-AGGREGATE-0000000004 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000003])
      --> none
      <-- KSTREAM-SOURCE-0000000007

)");
}

TEST(Optimize, TheSettingNamesItsValues) {
    EXPECT_TRUE(Optimization::parse("all")->single_store_self_join);
    EXPECT_FALSE(Optimization::parse("none")->merge_repartition_topics);
    const auto two = Optimization::parse("merge.repartition.topics, reuse.ktable.source.topics");
    ASSERT_TRUE(two);
    EXPECT_TRUE(two->merge_repartition_topics);
    EXPECT_TRUE(two->reuse_ktable_source_topics);
    EXPECT_FALSE(two->single_store_self_join);
    const auto bad = Optimization::parse("merge.repartition.topics,foo");
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code(), Errc::kInvalidConfig);
    EXPECT_THAT(string{bad.error().detail()}, HasSubstr("\"foo\""));
}

}  // namespace
}  // namespace leat::streams
