// SPDX-License-Identifier: Apache-2.0
// Several grouped streams that change one aggregate. Each text is what Kafka Streams 4.2.1 (its
// TopologyTestDriver, caches off) printed for the same topology and records; see testing/play.h for
// the notation.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "streams/testing/play.h"

namespace leat::streams {
namespace {

using std::string;
using testing_play::play;
using testing_play::show;

constexpr const char* kInput = "a k x 1; b k y 2; a k - 3; b - z 4; b k w 15; a k v 3; a j u 40";

constexpr Duration ms(std::int64_t n) {
    return Duration{n};
}
string empty() {
    return "";
}
/// What a Java lambda makes of a null.
string text(const string* value) {
    return value != nullptr ? *value : "null";
}
string one(const string& /*key*/, const string* value, const string& sum) {
    return sum + text(value);
}
string two(const string& /*key*/, const string* value, const string& sum) {
    return sum + "-" + text(value);
}
string value_of(const string& value) {
    return value;
}

class Cogroup : public testing::Test {
  protected:
    KStream<string, string> stream(const string& topic) {
        return builder_.stream<string, string>(topic);
    }
    CogroupedKStream<string, string> both() {
        const auto a = stream("a").group_by_key().cogroup<string>(one);
        return a.cogroup(stream("b").group_by_key(), two);
    }
    string description() {
        const auto topology = builder_.build();
        return topology ? topology->describe() : string{topology.error().detail()};
    }
    Builder builder_;
};

TEST_F(Cogroup, BothStreamsChangeOneAggregate) {
    both().aggregate(empty, {.store = "st"}).to_stream().to("out");
    EXPECT_EQ(play(builder_, kInput), R"(
  > a k x 1
    st-changelog | k | x @1
    out | k | x @1
  > b k y 2
    st-changelog | k | x-y @2
    out | k | x-y @2
  > a k - 3
  > b - z 4
  > b k w 15
    st-changelog | k | x-y-w @15
    out | k | x-y-w @15
  > a k v 3
    st-changelog | k | x-y-wv @15
    out | k | x-y-wv @15
  > a j u 40
    st-changelog | j | u @40
    out | j | u @40
  dropped 2
)");
}

TEST_F(Cogroup, BothStreamsChangeOneWindow) {
    show(both().windowed(tumbling(ms(10)).grace(ms(5))).aggregate(empty, {.store = "st"}));
    EXPECT_EQ(play(builder_, kInput), R"(
  > a k x 1
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | x @1
    out | k[0,10] | x @1
  > b k y 2
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | x-y @2
    out | k[0,10] | x-y @2
  > a k - 3
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | x-ynull @3
    out | k[0,10] | x-ynull @3
  > b - z 4
  > b k w 15
    st-changelog | k\00\00\00\00\00\00\00\0a\00\00\00\00 | -w @15
    out | k[10,20] | -w @15
  > a k v 3
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | x-ynullv @3
    out | k[0,10] | x-ynullv @3
  > a j u 40
    st-changelog | j\00\00\00\00\00\00\00(\00\00\00\00 | u @40
    out | j[40,50] | u @40
  dropped 1
)");
}

TEST_F(Cogroup, BothStreamsChangeSlidingWindows) {
    show(both().windowed(sliding(ms(10)).grace(ms(5))).aggregate(empty, {.store = "st"}));
    EXPECT_EQ(play(builder_, kInput), R"(
  > a k x 1
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | x @1
    out | k[0,10] | x @1
  > b k y 2
    st-changelog | k\00\00\00\00\00\00\00\02\00\00\00\00 | -y @2
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | x-y @2
    out | k[2,12] | -y @2
    out | k[0,10] | x-y @2
  > a k - 3
  > b - z 4
  > b k w 15
    st-changelog | k\00\00\00\00\00\00\00\05\00\00\00\00 | -w @15
    out | k[5,15] | -w @15
  > a k v 3
    st-changelog | k\00\00\00\00\00\00\00\02\00\00\00\00 | -yv @3
    st-changelog | k\00\00\00\00\00\00\00\03\00\00\00\00 | v @3
    st-changelog | k\00\00\00\00\00\00\00\00\00\00\00\00 | x-yv @3
    out | k[2,12] | -yv @3
    out | k[3,13] | v @3
    out | k[0,10] | x-yv @3
  > a j u 40
    st-changelog | j\00\00\00\00\00\00\00\1e\00\00\00\00 | u @40
    out | j[30,40] | u @40
  dropped 2
)");
}

TEST_F(Cogroup, BothStreamsChangeSessions) {
    show(both()
             .windowed(session(ms(10)).grace(ms(5)))
             .aggregate(empty, [](const string& a, const string& b) { return a + b; },
                        {.store = "st"}));
    EXPECT_EQ(play(builder_, kInput), R"(
  > a k x 1
    st-changelog | k\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\01 | x @1
    out | k[1,1] | x @1
  > b k y 2
    st-changelog | k\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\01 | null @2
    st-changelog | k\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\01 | x-y @2
    out | k[1,1] | null @1
    out | k[1,2] | x-y @2
  > a k - 3
    st-changelog | k\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\01 | null @3
    st-changelog | k\00\00\00\00\00\00\00\03\00\00\00\00\00\00\00\01 | x-ynull @3
    out | k[1,2] | null @2
    out | k[1,3] | x-ynull @3
  > b - z 4
  > b k w 15
    st-changelog | k\00\00\00\00\00\00\00\0f\00\00\00\00\00\00\00\0f | -w @15
    out | k[15,15] | -w @15
  > a k v 3
    st-changelog | k\00\00\00\00\00\00\00\03\00\00\00\00\00\00\00\01 | null @3
    st-changelog | k\00\00\00\00\00\00\00\03\00\00\00\00\00\00\00\01 | x-ynullv @3
    out | k[1,3] | null @3
    out | k[1,3] | x-ynullv @3
  > a j u 40
    st-changelog | j\00\00\00\00\00\00\00(\00\00\00\00\00\00\00( | u @40
    out | j[40,40] | u @40
  dropped 1
)");
}

TEST_F(Cogroup, DescribeNumbersStoreAggregatesAndMerge) {
    both().aggregate(empty).to_stream().to("out");
    EXPECT_EQ(description(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [a])
      --> COGROUPKSTREAM-AGGREGATE-0000000003
    Source: KSTREAM-SOURCE-0000000001 (topics: [b])
      --> COGROUPKSTREAM-AGGREGATE-0000000004
    Processor: COGROUPKSTREAM-AGGREGATE-0000000003 (stores: [COGROUPKSTREAM-AGGREGATE-STATE-STORE-0000000002])
      --> COGROUPKSTREAM-MERGE-0000000005
      <-- KSTREAM-SOURCE-0000000000
    Processor: COGROUPKSTREAM-AGGREGATE-0000000004 (stores: [COGROUPKSTREAM-AGGREGATE-STATE-STORE-0000000002])
      --> COGROUPKSTREAM-MERGE-0000000005
      <-- KSTREAM-SOURCE-0000000001
    Processor: COGROUPKSTREAM-MERGE-0000000005 (stores: [])
      --> KTABLE-TOSTREAM-0000000006
      <-- COGROUPKSTREAM-AGGREGATE-0000000003, COGROUPKSTREAM-AGGREGATE-0000000004
    Processor: KTABLE-TOSTREAM-0000000006 (stores: [])
      --> KSTREAM-SINK-0000000007
      <-- COGROUPKSTREAM-MERGE-0000000005
    Sink: KSTREAM-SINK-0000000007 (topic: out)
      <-- KTABLE-TOSTREAM-0000000006

)");
}

TEST_F(Cogroup, DescribeOfOneStream) {
    stream("a").group_by_key().cogroup<string>(one).aggregate(empty).to_stream().to("out");
    EXPECT_EQ(description(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [a])
      --> COGROUPKSTREAM-AGGREGATE-0000000002
    Processor: COGROUPKSTREAM-AGGREGATE-0000000002 (stores: [COGROUPKSTREAM-AGGREGATE-STATE-STORE-0000000001])
      --> COGROUPKSTREAM-MERGE-0000000003
      <-- KSTREAM-SOURCE-0000000000
    Processor: COGROUPKSTREAM-MERGE-0000000003 (stores: [])
      --> KTABLE-TOSTREAM-0000000004
      <-- COGROUPKSTREAM-AGGREGATE-0000000002
    Processor: KTABLE-TOSTREAM-0000000004 (stores: [])
      --> KSTREAM-SINK-0000000005
      <-- COGROUPKSTREAM-MERGE-0000000003
    Sink: KSTREAM-SINK-0000000005 (topic: out)
      <-- KTABLE-TOSTREAM-0000000004

)");
}

TEST_F(Cogroup, DescribeShowsAGivenName) {
    both().aggregate(empty, {.name = "cg"}).to_stream().to("out");
    EXPECT_EQ(description(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [a])
      --> cg-cogroup-agg-0
    Source: KSTREAM-SOURCE-0000000001 (topics: [b])
      --> cg-cogroup-agg-1
    Processor: cg-cogroup-agg-0 (stores: [COGROUPKSTREAM-AGGREGATE-STATE-STORE-0000000002])
      --> cg-cogroup-merge
      <-- KSTREAM-SOURCE-0000000000
    Processor: cg-cogroup-agg-1 (stores: [COGROUPKSTREAM-AGGREGATE-STATE-STORE-0000000002])
      --> cg-cogroup-merge
      <-- KSTREAM-SOURCE-0000000001
    Processor: cg-cogroup-merge (stores: [])
      --> KTABLE-TOSTREAM-0000000006
      <-- cg-cogroup-agg-0, cg-cogroup-agg-1
    Processor: KTABLE-TOSTREAM-0000000006 (stores: [])
      --> KSTREAM-SINK-0000000007
      <-- cg-cogroup-merge
    Sink: KSTREAM-SINK-0000000007 (topic: out)
      <-- KTABLE-TOSTREAM-0000000006

)");
}

TEST_F(Cogroup, DescribeOfWindows) {
    show(both().windowed(tumbling(ms(10)).grace(ms(5))).aggregate(empty));
    EXPECT_EQ(description(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [a])
      --> COGROUPKSTREAM-AGGREGATE-0000000003
    Source: KSTREAM-SOURCE-0000000001 (topics: [b])
      --> COGROUPKSTREAM-AGGREGATE-0000000004
    Processor: COGROUPKSTREAM-AGGREGATE-0000000003 (stores: [COGROUPKSTREAM-AGGREGATE-STATE-STORE-0000000002])
      --> COGROUPKSTREAM-MERGE-0000000005
      <-- KSTREAM-SOURCE-0000000000
    Processor: COGROUPKSTREAM-AGGREGATE-0000000004 (stores: [COGROUPKSTREAM-AGGREGATE-STATE-STORE-0000000002])
      --> COGROUPKSTREAM-MERGE-0000000005
      <-- KSTREAM-SOURCE-0000000001
    Processor: COGROUPKSTREAM-MERGE-0000000005 (stores: [])
      --> KTABLE-TOSTREAM-0000000006
      <-- COGROUPKSTREAM-AGGREGATE-0000000003, COGROUPKSTREAM-AGGREGATE-0000000004
    Processor: KTABLE-TOSTREAM-0000000006 (stores: [])
      --> KSTREAM-MAP-0000000007
      <-- COGROUPKSTREAM-MERGE-0000000005
    Processor: KSTREAM-MAP-0000000007 (stores: [])
      --> KSTREAM-SINK-0000000008
      <-- KTABLE-TOSTREAM-0000000006
    Sink: KSTREAM-SINK-0000000008 (topic: out)
      <-- KSTREAM-MAP-0000000007

)");
}

TEST_F(Cogroup, EachInputGoesThroughItsOwnRepartitionTopic) {
    const auto a =
        stream("a").select_key(value_of).group_by_key({.name = "ga"}).cogroup<string>(one);
    a.cogroup(stream("b").group_by(value_of, {.name = "gb"}), two)
        .aggregate(empty, {.store = "st"})
        .to_stream()
        .to("out");
    EXPECT_EQ(description(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [a])
      --> KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])
      --> ga-repartition-filter
      <-- KSTREAM-SOURCE-0000000000
    Processor: ga-repartition-filter (stores: [])
      --> ga-repartition-sink
      <-- KSTREAM-KEY-SELECT-0000000001
    Sink: ga-repartition-sink (topic: ga-repartition)
      <-- ga-repartition-filter

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000002 (topics: [b])
      --> gb
    Processor: gb (stores: [])
      --> gb-repartition-filter
      <-- KSTREAM-SOURCE-0000000002
    Processor: gb-repartition-filter (stores: [])
      --> gb-repartition-sink
      <-- gb
    Sink: gb-repartition-sink (topic: gb-repartition)
      <-- gb-repartition-filter

  Sub-topology: 2
    Source: ga-repartition-source (topics: [ga-repartition])
      --> COGROUPKSTREAM-AGGREGATE-0000000010
    Source: gb-repartition-source (topics: [gb-repartition])
      --> COGROUPKSTREAM-AGGREGATE-0000000011
    Processor: COGROUPKSTREAM-AGGREGATE-0000000010 (stores: [st])
      --> COGROUPKSTREAM-MERGE-0000000012
      <-- ga-repartition-source
    Processor: COGROUPKSTREAM-AGGREGATE-0000000011 (stores: [st])
      --> COGROUPKSTREAM-MERGE-0000000012
      <-- gb-repartition-source
    Processor: COGROUPKSTREAM-MERGE-0000000012 (stores: [])
      --> KTABLE-TOSTREAM-0000000013
      <-- COGROUPKSTREAM-AGGREGATE-0000000010, COGROUPKSTREAM-AGGREGATE-0000000011
    Processor: KTABLE-TOSTREAM-0000000013 (stores: [])
      --> KSTREAM-SINK-0000000014
      <-- COGROUPKSTREAM-MERGE-0000000012
    Sink: KSTREAM-SINK-0000000014 (topic: out)
      <-- KTABLE-TOSTREAM-0000000013

)");
}

TEST_F(Cogroup, AGroupThatComesTwiceHasTheLastAdder) {
    const auto a = stream("a").select_key(value_of).group_by_key();
    a.cogroup<string>(one).cogroup(a, two).aggregate(empty, {.store = "st"}).to_stream().to("out");
    EXPECT_EQ(description(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [a])
      --> KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])
      --> st-repartition-filter
      <-- KSTREAM-SOURCE-0000000000
    Processor: st-repartition-filter (stores: [])
      --> st-repartition-sink
      <-- KSTREAM-KEY-SELECT-0000000001
    Sink: st-repartition-sink (topic: st-repartition)
      <-- st-repartition-filter

  Sub-topology: 1
    Source: st-repartition-source (topics: [st-repartition])
      --> COGROUPKSTREAM-AGGREGATE-0000000005
    Processor: COGROUPKSTREAM-AGGREGATE-0000000005 (stores: [st])
      --> COGROUPKSTREAM-MERGE-0000000006
      <-- st-repartition-source
    Processor: COGROUPKSTREAM-MERGE-0000000006 (stores: [])
      --> KTABLE-TOSTREAM-0000000007
      <-- COGROUPKSTREAM-AGGREGATE-0000000005
    Processor: KTABLE-TOSTREAM-0000000007 (stores: [])
      --> KSTREAM-SINK-0000000008
      <-- COGROUPKSTREAM-MERGE-0000000006
    Sink: KSTREAM-SINK-0000000008 (topic: out)
      <-- KTABLE-TOSTREAM-0000000007

)");
}

TEST_F(Cogroup, TwoUnnamedRepartitionTopicsAreRefused) {
    const auto a = stream("a").select_key(value_of).group_by_key().cogroup<string>(one);
    a.cogroup(stream("b").group_by(value_of), two).aggregate(empty).to_stream().to("out");
    EXPECT_THAT(description(),
                testing::HasSubstr("COGROUPKSTREAM-AGGREGATE-STATE-STORE-0000000004"));
}

}  // namespace
}  // namespace leat::streams
