// SPDX-License-Identifier: Apache-2.0
// Outcomes and texts are what Kafka Streams 4.2.1's TopologyTestDriver printed for the same
// declarations and inputs, with statestore.cache.max.bytes=0.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "streams/testing/tables.h"

namespace leat::streams::testing_tables {
namespace {

/// Both orders, out-of-order and equal times, deletions of what is there and of what is not, a null
/// key.
const std::vector<std::string> kInputs = {
    "l a x 1", "r a y 3", "l a z 2", "l a - 4",  "l a - 4",   "r a y2 5", "l b - 6", "r b - 6",
    "l - q 7", "r c w 8", "l c v 9", "r c - 10", "l c v2 11", "r c - 12", "l c - 13"};

TEST(TableJoin, InnerYieldsKeysThatBothHold) {
    Builder b;
    b.table<Text, Text>("l").join(b.table<Text, Text>("r"), plus).to_stream().to("out");
    Script script{b};
    EXPECT_EQ(script.only("out", kInputs),
              (Lines{"out a x+y@3", "out a z+y@3", "out a null@4", "out a null@4", "out c v+w@9",
                     "out c null@10", "out c null@12"}));
    EXPECT_EQ(script.dropped(), 1U);
}

TEST(TableJoin, LeftYieldsKeysThatTheLeftOneHolds) {
    Builder b;
    b.table<Text, Text>("l").left_join(b.table<Text, Text>("r"), plus_right).to_stream().to("out");
    EXPECT_EQ(Script{b}.only("out", kInputs),
              (Lines{"out a x+null@1", "out a x+y@3", "out a z+y@3", "out a null@4", "out a null@4",
                     "out c v+w@9", "out c v+null@10", "out c v2+null@11", "out c v2+null@12",
                     "out c null@13"}));
}

TEST(TableJoin, OuterYieldsKeysThatEitherHolds) {
    Builder b;
    b.table<Text, Text>("l").outer_join(b.table<Text, Text>("r"), plus_both).to_stream().to("out");
    EXPECT_EQ(Script{b}.only("out", kInputs),
              (Lines{"out a x+null@1", "out a x+y@3", "out a z+y@3", "out a null+y@4",
                     "out a null+y@4", "out a null+y2@5", "out c null+w@8", "out c v+w@9",
                     "out c v+null@10", "out c v2+null@11", "out c v2+null@12", "out c null@13"}));
}

TEST(TableJoin, InAStoreLogsWhatItTells) {
    Builder b;
    b.table<Text, Text>("l")
        .join(b.table<Text, Text>("r"), plus, {.store = "j"})
        .to_stream()
        .to("out");
    EXPECT_EQ(Script{b}.run({"l a x 1", "r a y 3", "l a - 4"}),
              (Lines{"app-l-STATE-STORE-0000000000-changelog a x@1", "app-j-changelog a x+y@3",
                     "app-r-STATE-STORE-0000000003-changelog a y@3", "out a x+y@3",
                     "app-j-changelog a null@4", "app-l-STATE-STORE-0000000000-changelog a null@4",
                     "out a null@4"}));
}

TEST(TableJoin, ReadsAJoinThatIsInNoStore) {
    Builder b;
    b.table<Text, Text>("l")
        .join(b.table<Text, Text>("r"), plus)
        .outer_join(b.table<Text, Text>("in"), plus_both)
        .to_stream()
        .to("out");
    Script script{b};
    EXPECT_EQ(script.describe(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000001 (topics: [l])
      --> KTABLE-SOURCE-0000000002
    Source: KSTREAM-SOURCE-0000000004 (topics: [r])
      --> KTABLE-SOURCE-0000000005
    Processor: KTABLE-SOURCE-0000000002 (stores: [l-STATE-STORE-0000000000])
      --> KTABLE-JOINTHIS-0000000007
      <-- KSTREAM-SOURCE-0000000001
    Processor: KTABLE-SOURCE-0000000005 (stores: [r-STATE-STORE-0000000003])
      --> KTABLE-JOINOTHER-0000000008
      <-- KSTREAM-SOURCE-0000000004
    Source: KSTREAM-SOURCE-0000000010 (topics: [in])
      --> KTABLE-SOURCE-0000000011
    Processor: KTABLE-JOINOTHER-0000000008 (stores: [l-STATE-STORE-0000000000])
      --> KTABLE-MERGE-0000000006
      <-- KTABLE-SOURCE-0000000005
    Processor: KTABLE-JOINTHIS-0000000007 (stores: [r-STATE-STORE-0000000003])
      --> KTABLE-MERGE-0000000006
      <-- KTABLE-SOURCE-0000000002
    Processor: KTABLE-MERGE-0000000006 (stores: [])
      --> KTABLE-JOINTHIS-0000000013
      <-- KTABLE-JOINTHIS-0000000007, KTABLE-JOINOTHER-0000000008
    Processor: KTABLE-SOURCE-0000000011 (stores: [in-STATE-STORE-0000000009])
      --> KTABLE-JOINOTHER-0000000014
      <-- KSTREAM-SOURCE-0000000010
    Processor: KTABLE-JOINOTHER-0000000014 (stores: [r-STATE-STORE-0000000003, l-STATE-STORE-0000000000])
      --> KTABLE-MERGE-0000000012
      <-- KTABLE-SOURCE-0000000011
    Processor: KTABLE-JOINTHIS-0000000013 (stores: [in-STATE-STORE-0000000009])
      --> KTABLE-MERGE-0000000012
      <-- KTABLE-MERGE-0000000006
    Processor: KTABLE-MERGE-0000000012 (stores: [])
      --> KTABLE-TOSTREAM-0000000015
      <-- KTABLE-JOINTHIS-0000000013, KTABLE-JOINOTHER-0000000014
    Processor: KTABLE-TOSTREAM-0000000015 (stores: [])
      --> KSTREAM-SINK-0000000016
      <-- KTABLE-MERGE-0000000012
    Sink: KSTREAM-SINK-0000000016 (topic: out)
      <-- KTABLE-TOSTREAM-0000000015

)");
    EXPECT_EQ(script.only("out", {"l a x 1", "r a y 2", "in a z 3", "l a - 4", "in a - 5",
                                  "in b q 6", "in b - 7"}),
              (Lines{"out a x+y+null@2", "out a x+y+z@3", "out a null+z@4", "out a null@5",
                     "out b null+q@6", "out b null@7"}));
}

TEST(TableJoin, NamesItsNodesAndStoreAsKafkaStreams) {
    Builder b;
    b.table<Text, Text>("l")
        .left_join(b.table<Text, Text>("r"), plus_right, {.value = serde_for<Text>(), .name = "jj"})
        .to_stream()
        .to("out");
    const auto text = Script{b}.describe();
    EXPECT_THAT(text,
                testing::HasSubstr("Processor: jj (stores: [KTABLE-MERGE-STATE-STORE-0000000006])\n"
                                   "      --> KTABLE-TOSTREAM-0000000010\n"
                                   "      <-- jj-join-this, jj-join-other\n"));
}

}  // namespace
}  // namespace leat::streams::testing_tables
