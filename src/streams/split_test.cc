// SPDX-License-Identifier: Apache-2.0
// Texts and outcomes are what Kafka Streams 4.2.1 prints for the same declarations.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"

namespace leat::streams {
namespace {

using std::nullopt;
using std::string;
using testing::ElementsAre;
using testing::IsEmpty;
using Text = Record<string, string>;
using Stream = KStream<string, string>;

bool yes(const string&) {
    return true;
}
string same(const string& value) {
    return value;
}
Stream in(Builder& b, const string& topic = "in") {
    return b.stream<string, string>(topic);
}
string described(Builder& b) {
    const auto topology = b.build();
    return topology ? topology->describe() : string{topology.error().detail()};
}
std::vector<string> names(const BranchedKStream<string, string>::Branches& branches) {
    std::vector<string> out;
    out.reserve(branches.size());
    for (const auto& [name, stream] : branches) out.push_back(name);
    return out;
}

TEST(Split, BranchesAreNumberedUnlessNamed) {
    Builder b;
    const auto branches = in(b).split().branch(yes).branch(yes, {.name = "two"}).default_branch();
    EXPECT_THAT(names(branches),
                ElementsAre("KSTREAM-BRANCH-00000000010", "KSTREAM-BRANCH-00000000011",
                            "KSTREAM-BRANCH-0000000001two"));
    for (const auto& [name, stream] : branches) stream.to("out-" + name);
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-BRANCH-0000000001
    Processor: KSTREAM-BRANCH-0000000001 (stores: [])
      --> KSTREAM-BRANCH-00000000010, KSTREAM-BRANCH-00000000011, KSTREAM-BRANCH-0000000001two
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-BRANCH-00000000010 (stores: [])
      --> KSTREAM-SINK-0000000005
      <-- KSTREAM-BRANCH-0000000001
    Processor: KSTREAM-BRANCH-00000000011 (stores: [])
      --> KSTREAM-SINK-0000000006
      <-- KSTREAM-BRANCH-0000000001
    Processor: KSTREAM-BRANCH-0000000001two (stores: [])
      --> KSTREAM-SINK-0000000007
      <-- KSTREAM-BRANCH-0000000001
    Sink: KSTREAM-SINK-0000000005 (topic: out-KSTREAM-BRANCH-00000000010)
      <-- KSTREAM-BRANCH-00000000010
    Sink: KSTREAM-SINK-0000000006 (topic: out-KSTREAM-BRANCH-00000000011)
      <-- KSTREAM-BRANCH-00000000011
    Sink: KSTREAM-SINK-0000000007 (topic: out-KSTREAM-BRANCH-0000000001two)
      <-- KSTREAM-BRANCH-0000000001two

)");
}

TEST(Split, FunctionsAndConsumersTakeBranches) {
    Builder b;
    auto parts = in(b).split({.name = "s-"});
    parts.branch(yes,
                 {.name = "f", .function = [](const Stream& s) { return s.map_values(same); }});
    parts.branch(yes, {.name = "c", .consumer = [](const Stream& s) { s.to("c"); }});
    parts.branch(yes, {.function = [](const Stream&) { return nullopt; }});
    const auto branches = parts.branch(yes).no_default_branch();
    EXPECT_THAT(names(branches), ElementsAre("s-4", "s-f"));
    branches.at("s-f").to("f");
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> s-
    Processor: s- (stores: [])
      --> s-f, s-c, s-3, s-4
      <-- KSTREAM-SOURCE-0000000000
    Processor: s-f (stores: [])
      --> KSTREAM-MAPVALUES-0000000003
      <-- s-
    Processor: KSTREAM-MAPVALUES-0000000003 (stores: [])
      --> KSTREAM-SINK-0000000008
      <-- s-f
    Processor: s-c (stores: [])
      --> KSTREAM-SINK-0000000005
      <-- s-
    Sink: KSTREAM-SINK-0000000005 (topic: c)
      <-- s-c
    Sink: KSTREAM-SINK-0000000008 (topic: f)
      <-- KSTREAM-MAPVALUES-0000000003
    Processor: s-3 (stores: [])
      --> none
      <-- s-
    Processor: s-4 (stores: [])
      --> none
      <-- s-

)");
}

TEST(Split, NoBranchLeavesTheSplitterAlone) {
    Builder b;
    EXPECT_THAT(in(b).split().no_default_branch(), IsEmpty());
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-BRANCH-0000000001
    Processor: KSTREAM-BRANCH-0000000001 (stores: [])
      --> none
      <-- KSTREAM-SOURCE-0000000000

)");
}

TEST(Split, BranchesRememberThatTheKeyChanged) {
    Builder b;
    in(b)
        .select_key(same)
        .split()
        .branch(yes)
        .default_branch()
        .at("KSTREAM-BRANCH-00000000021")
        .group_by_key()
        .count();
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])
      --> KSTREAM-BRANCH-0000000002
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-BRANCH-0000000002 (stores: [])
      --> KSTREAM-BRANCH-00000000021, KSTREAM-BRANCH-00000000020
      <-- KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-BRANCH-00000000021 (stores: [])
      --> KSTREAM-FILTER-0000000008
      <-- KSTREAM-BRANCH-0000000002
    Processor: KSTREAM-FILTER-0000000008 (stores: [])
      --> KSTREAM-SINK-0000000007
      <-- KSTREAM-BRANCH-00000000021
    Processor: KSTREAM-BRANCH-00000000020 (stores: [])
      --> none
      <-- KSTREAM-BRANCH-0000000002
    Sink: KSTREAM-SINK-0000000007 (topic: KSTREAM-AGGREGATE-STATE-STORE-0000000005-repartition)
      <-- KSTREAM-FILTER-0000000008

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000009 (topics: [KSTREAM-AGGREGATE-STATE-STORE-0000000005-repartition])
      --> KSTREAM-AGGREGATE-0000000006
    Processor: KSTREAM-AGGREGATE-0000000006 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000005])
      --> none
      <-- KSTREAM-SOURCE-0000000009

)");
}

std::vector<string> values(TestDriver& driver, const string& topic) {
    std::vector<string> out;
    for (const auto& record : driver.read(topic)) out.push_back(record.value.value_or("null"));
    return out;
}

TEST(Split, TheFirstBranchThatIsTrueTakesTheRecord) {
    Builder b;
    const auto has = [](const char* what) {
        return [what](const string& v) { return v.find(what) != string::npos; };
    };
    const auto branches = in(b)
                              .split({.name = "s"})
                              .branch(has("a"), {.name = "a"})
                              .branch(has("b"), {.name = "b"})
                              .default_branch({.name = "rest"});
    for (const auto& [name, stream] : branches) stream.to(name);
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {});
    for (const char* value : {"ab", "b", "c"})
        ASSERT_TRUE((driver->pipe<string, string>("in", "k", value, {1})));
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", nullopt, {1})));
    EXPECT_THAT(values(*driver, "sa"), ElementsAre("ab"));
    EXPECT_THAT(values(*driver, "sb"), ElementsAre("b"));
    EXPECT_THAT(values(*driver, "srest"), ElementsAre("c", "null"));
}

TEST(Split, WithoutDefaultTheRestGoesNowhere) {
    Builder b;
    in(b)
        .split()
        .branch([](const string& v) { return v == "x"; },
                {.consumer = [](const Stream& s) { s.to("out"); }})
        .no_default_branch();
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {});
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "y", {5})));
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "x", {6})));
    EXPECT_THAT(values(*driver, "out"), ElementsAre("x"));
    EXPECT_EQ(driver->dropped(), 0U);
}

TEST(Branch, OlderFormYieldsTheBranchesInOrder) {
    Builder b;
    const auto branches = in(b).branch([](const string& v) { return v == "x"; }, yes);
    ASSERT_EQ(branches.size(), 2U);
    branches[0].to("first");
    branches[1].to("second");
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {});
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "y", {5})));
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "x", {6})));
    EXPECT_THAT(values(*driver, "first"), ElementsAre("x"));
    EXPECT_THAT(values(*driver, "second"), ElementsAre("y"));
}

TEST(Repartition, TakesANumberOrAName) {
    Builder unnamed;
    in(unnamed).repartition().to("out");
    EXPECT_EQ(described(unnamed), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-FILTER-0000000003
    Processor: KSTREAM-FILTER-0000000003 (stores: [])
      --> KSTREAM-SINK-0000000002
      <-- KSTREAM-SOURCE-0000000000
    Sink: KSTREAM-SINK-0000000002 (topic: KSTREAM-REPARTITION-0000000001-repartition)
      <-- KSTREAM-FILTER-0000000003

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000004 (topics: [KSTREAM-REPARTITION-0000000001-repartition])
      --> KSTREAM-SINK-0000000005
    Sink: KSTREAM-SINK-0000000005 (topic: out)
      <-- KSTREAM-SOURCE-0000000004

)");
    Builder named;
    in(named).repartition({.name = "rep", .partitions = 3}).group_by_key().count({.store = "s"});
    const auto topology = named.build();
    ASSERT_TRUE(topology);
    EXPECT_EQ(topology->describe(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> rep-repartition-filter
    Processor: rep-repartition-filter (stores: [])
      --> rep-repartition-sink
      <-- KSTREAM-SOURCE-0000000000
    Sink: rep-repartition-sink (topic: rep-repartition)
      <-- rep-repartition-filter

  Sub-topology: 1
    Source: rep-repartition-source (topics: [rep-repartition])
      --> KSTREAM-AGGREGATE-0000000004
    Processor: KSTREAM-AGGREGATE-0000000004 (stores: [s])
      --> none
      <-- rep-repartition-source

)");
    EXPECT_EQ(topology->parts().repartition_topics().at("rep-repartition").partitions, 3);
}

TEST(Repartition, EndsTheNeedForAnother) {
    Builder b;
    in(b).select_key(same).repartition({.name = "rep"}).map_values(same).group_by_key().count();
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])
      --> rep-repartition-filter
      <-- KSTREAM-SOURCE-0000000000
    Processor: rep-repartition-filter (stores: [])
      --> rep-repartition-sink
      <-- KSTREAM-KEY-SELECT-0000000001
    Sink: rep-repartition-sink (topic: rep-repartition)
      <-- rep-repartition-filter

  Sub-topology: 1
    Source: rep-repartition-source (topics: [rep-repartition])
      --> KSTREAM-MAPVALUES-0000000005
    Processor: KSTREAM-MAPVALUES-0000000005 (stores: [])
      --> KSTREAM-AGGREGATE-0000000007
      <-- rep-repartition-source
    Processor: KSTREAM-AGGREGATE-0000000007 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000006])
      --> none
      <-- KSTREAM-MAPVALUES-0000000005

)");
}

TEST(Repartition, DropsNullKeysButNotNullValues) {
    Builder b;
    in(b).repartition({.name = "r"}).to("out");
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {.application_id = "a"});
    ASSERT_TRUE((driver->pipe<string, string>("in", nullopt, "v", {5})));
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", nullopt, {6})));
    EXPECT_THAT((*driver->read<string, string>("a-r-repartition")),
                ElementsAre(Text{"k", nullopt, {6}, {}}));
    EXPECT_THAT((*driver->read<string, string>("out")), ElementsAre(Text{"k", nullopt, {6}, {}}));
    EXPECT_EQ(driver->dropped(), 0U);
}

TEST(Through, WritesAndReadsTheTopic) {
    Builder b;
    in(b).map_values(same).through("middle").to("out");
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {});
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "v", {5})));
    EXPECT_THAT((*driver->read<string, string>("middle")), ElementsAre(Text{"k", "v", {5}, {}}));
    EXPECT_THAT((*driver->read<string, string>("out")), ElementsAre(Text{"k", "v", {5}, {}}));
    EXPECT_EQ(topology->parts().subtopologies().size(), 2U);
}

TEST(Print, NodesAreDescribedAsByKafka) {
    Builder b;
    in(b).print();
    in(b, "in2").print({.name = "pp"});
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-PRINTER-0000000001
    Processor: KSTREAM-PRINTER-0000000001 (stores: [])
      --> none
      <-- KSTREAM-SOURCE-0000000000

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000002 (topics: [in2])
      --> pp
    Processor: pp (stores: [])
      --> none
      <-- KSTREAM-SOURCE-0000000002

)");
}

TEST(Print, LinesHaveTheLabelOrTheNodeBefore) {
    Builder b;
    string lines;
    const auto out = [&lines](std::string_view line) { lines += line; };
    in(b).map_values(same).print({.out = out});
    in(b).print({.label = "L", .out = out});
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {});
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "y", {5})));
    ASSERT_TRUE((driver->pipe<string, string>("in", nullopt, nullopt, {6})));
    EXPECT_EQ(lines,
              "[KSTREAM-MAPVALUES-0000000001]: k, y\n[L]: k, y\n"
              "[KSTREAM-MAPVALUES-0000000001]: null, null\n[L]: null, null\n");
}

TEST(Print, WindowedKeysAreShownAsInJava) {
    Builder b;
    string lines;
    in(b)
        .group_by_key()
        .windowed(tumbling(Duration{10}))
        .count()
        .to_stream()
        .print({.label = "L", .out = [&lines](std::string_view line) { lines += line; }});
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {});
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "y", {15})));
    EXPECT_EQ(lines, "[L]: [k@10/20], 1\n");
}

}  // namespace
}  // namespace leat::streams
