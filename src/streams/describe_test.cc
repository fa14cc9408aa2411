// SPDX-License-Identifier: Apache-2.0
// The texts are what Kafka Streams 4.2.1 prints for the same declarations.
#include <gmock/gmock.h>

#include <string_view>

#include "leat/streams/builder.h"
#include "streams/testing/words.h"

namespace leat::streams {
namespace {

constexpr std::string_view kFourSubtopologies = R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [lines])
      --> KSTREAM-FLATMAPVALUES-0000000001
    Processor: KSTREAM-FLATMAPVALUES-0000000001 (stores: [])
      --> KSTREAM-KEY-SELECT-0000000002
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-KEY-SELECT-0000000002 (stores: [])
      --> counts-repartition-filter
      <-- KSTREAM-FLATMAPVALUES-0000000001
    Processor: counts-repartition-filter (stores: [])
      --> counts-repartition-sink
      <-- KSTREAM-KEY-SELECT-0000000002
    Sink: counts-repartition-sink (topic: counts-repartition)
      <-- counts-repartition-filter

  Sub-topology: 1
    Source: counts-repartition-source (topics: [counts-repartition])
      --> KSTREAM-AGGREGATE-0000000003
    Processor: KSTREAM-AGGREGATE-0000000003 (stores: [counts])
      --> KTABLE-TOSTREAM-0000000007
      <-- counts-repartition-source
    Processor: KTABLE-TOSTREAM-0000000007 (stores: [])
      --> KSTREAM-SINK-0000000008
      <-- KSTREAM-AGGREGATE-0000000003
    Sink: KSTREAM-SINK-0000000008 (topic: word-counts)
      <-- KTABLE-TOSTREAM-0000000007

  Sub-topology: 2
    Source: KSTREAM-SOURCE-0000000009 (topics: [x])
      --> KSTREAM-FILTER-0000000010, KSTREAM-KEY-SELECT-0000000011
    Processor: KSTREAM-FILTER-0000000010 (stores: [])
      --> KSTREAM-MERGE-0000000012
      <-- KSTREAM-SOURCE-0000000009
    Processor: KSTREAM-KEY-SELECT-0000000011 (stores: [])
      --> KSTREAM-MERGE-0000000012
      <-- KSTREAM-SOURCE-0000000009
    Processor: KSTREAM-MERGE-0000000012 (stores: [])
      --> KSTREAM-FILTER-0000000016
      <-- KSTREAM-FILTER-0000000010, KSTREAM-KEY-SELECT-0000000011
    Processor: KSTREAM-FILTER-0000000016 (stores: [])
      --> KSTREAM-SINK-0000000015
      <-- KSTREAM-MERGE-0000000012
    Sink: KSTREAM-SINK-0000000015 (topic: KSTREAM-AGGREGATE-STATE-STORE-0000000013-repartition)
      <-- KSTREAM-FILTER-0000000016

  Sub-topology: 3
    Source: KSTREAM-SOURCE-0000000017 (topics: [KSTREAM-AGGREGATE-STATE-STORE-0000000013-repartition])
      --> KSTREAM-AGGREGATE-0000000014
    Processor: KSTREAM-AGGREGATE-0000000014 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000013])
      --> KTABLE-TOSTREAM-0000000018
      <-- KSTREAM-SOURCE-0000000017
    Processor: KTABLE-TOSTREAM-0000000018 (stores: [])
      --> KSTREAM-SINK-0000000019
      <-- KSTREAM-AGGREGATE-0000000014
    Sink: KSTREAM-SINK-0000000019 (topic: y)
      <-- KTABLE-TOSTREAM-0000000018

)";

TEST(Describe, NamesNodesAsKafkaStreamsDoes) {
    Builder b;
    b.stream<std::string, std::string>("lines")
        .flat_map_values(testing_words::split)
        .group_by([](const auto&, const std::string& word) { return word; })
        .count({.store = "counts"})
        .to_stream()
        .to("word-counts");
    const auto x = b.stream<std::string, std::string>("x");
    x.filter([](const std::string&) { return true; })
        .merge(x.select_key([](const std::string& value) { return value; }))
        .group_by_key()
        .windowed(tumbling(Duration{10}).grace(Duration{5}))
        .count()
        .to_stream()
        .to("y");
    const auto topology = b.build();
    ASSERT_TRUE(topology);
    EXPECT_EQ(topology->describe(), kFourSubtopologies);
}

struct Opaque {};

TEST(Build, NamesTheOperatorWithoutSerde) {
    Builder b;
    b.stream<std::string, std::string>("in")
        .map_values([](const std::string&) { return Opaque{}; })
        .to("out");
    const auto topology = b.build();
    ASSERT_FALSE(topology);
    EXPECT_EQ(topology.error().code(), Errc::kStreamsInvalidTopology);
    EXPECT_THAT(std::string{topology.error().detail()},
                testing::HasSubstr("KSTREAM-SINK-0000000002"));
}

TEST(Build, RefusesAWindowThatAdvancesBeyondItsSize) {
    Builder b;
    b.stream<std::string, std::string>("in")
        .group_by_key()
        .windowed(hopping(Duration{10}, Duration{11}))
        .count();
    const auto topology = b.build();
    ASSERT_FALSE(topology);
    EXPECT_THAT(std::string{topology.error().detail()},
                testing::HasSubstr("KSTREAM-AGGREGATE-STATE-STORE-0000000001"));
}

}  // namespace
}  // namespace leat::streams
