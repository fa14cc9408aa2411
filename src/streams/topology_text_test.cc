// SPDX-License-Identifier: Apache-2.0
//
// The text of topologies there and back, and their drawing, compared with what was written by hand.
#include <gtest/gtest.h>

#include "leat/streams/topology_description.h"

namespace leat::streams {
namespace {

constexpr std::string_view kText =
    "Topologies:\n"
    "   Sub-topology: 0\n"
    "    Source: lines-in (topics: [lines, more-lines])\n"
    "      --> key-by\n"
    "    Processor: key-by (stores: [])\n"
    "      --> to-counts\n"
    "      <-- lines-in\n"
    "    Sink: to-counts (topic: counts-repartition)\n"
    "      <-- key-by\n"
    "\n"
    "  Sub-topology: 1\n"
    "    Source: counts-in (topics: [counts-repartition])\n"
    "      --> count\n"
    "    Processor: count (stores: [counts, times])\n"
    "      --> out, log\n"
    "      <-- counts-in\n"
    "    Sink: log (extractor class: per record)\n"
    "      <-- count\n"
    "    Sink: out (topic: totals)\n"
    "      <-- count\n"
    "\n"
    "  Sub-topology: 2 for global store (will not generate tasks)\n"
    "    Source: all-in (topics: a(b|c).*)\n"
    "      --> all\n"
    "    Processor: all (stores: [everything])\n"
    "      --> none\n"
    "      <-- all-in\n";

TEST(TopologyText, ComesBackAsItWas) {
    const auto read = parse_topology(kText);
    ASSERT_TRUE(read) << read.error().detail();
    ASSERT_EQ(read->subtopologies.size(), 3U);
    const auto& counts = read->subtopologies[1].nodes;
    EXPECT_EQ(counts[1].stores, (std::vector<std::string>{"counts", "times"}));
    EXPECT_EQ(counts[1].successors, (std::vector<std::string>{"out", "log"}));
    EXPECT_TRUE(counts[2].topics.empty());
    EXPECT_TRUE(read->subtopologies[2].is_global);
    EXPECT_EQ(read->subtopologies[2].nodes[0].pattern, "a(b|c).*");
    EXPECT_EQ(text_of(*read), kText);
}

TEST(TopologyText, RefusesWhatIsNoneAndNamesTheLine) {
    for (const std::string_view bad :
         {"hello", "Source: a (topics: [b])", "Topologies:\n Sub-topology: x",
          "Sub-topology: 0\n Processor: a (stores: b)", "Sub-topology: 0\n --> a",
          "Sub-topology: 0\n Sink:  (topic: a)x", "Sub-topology: -1"}) {
        const auto read = parse_topology(bad);
        ASSERT_FALSE(read) << bad;
        EXPECT_EQ(read.error().code(), Errc::kMalformed);
    }
    const auto read = parse_topology("Sub-topology: 0\n\nnonsense");
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().detail().find("line 3"), std::string::npos) << read.error().detail();
}

TEST(Mermaid, DrawsNodesStoresAndTheTopicBetween) {
    const auto read = parse_topology(kText);
    ASSERT_TRUE(read);
    EXPECT_EQ(mermaid(*read),
              "flowchart TB\n"
              "    t5([\"/a(b|c).*/\"])\n"
              "    t3([\"chosen for each record\"])\n"
              "    t2([\"counts-repartition\"])\n"
              "    t0([\"lines\"])\n"
              "    t1([\"more-lines\"])\n"
              "    t4([\"totals\"])\n"
              "    subgraph s0[\"Sub-topology 0\"]\n"
              "        n0[\"lines-in\"]\n"
              "        n1[\"key-by\"]\n"
              "        n2[\"to-counts\"]\n"
              "    end\n"
              "    subgraph s1[\"Sub-topology 1\"]\n"
              "        n3[\"counts-in\"]\n"
              "        n4[\"count\"]\n"
              "        n5[\"log\"]\n"
              "        n6[\"out\"]\n"
              "        d0[(\"counts\")]\n"
              "        d1[(\"times\")]\n"
              "    end\n"
              "    subgraph s2[\"Global store 2\"]\n"
              "        n7[\"all-in\"]\n"
              "        n8[\"all\"]\n"
              "        d2[(\"everything\")]\n"
              "    end\n"
              "    t0 --> n0\n"
              "    t1 --> n0\n"
              "    n0 --> n1\n"
              "    n1 --> n2\n"
              "    n2 --> t2\n"
              "    t2 --> n3\n"
              "    n3 --> n4\n"
              "    n4 --> n6\n"
              "    n4 --> n5\n"
              "    n4 -.- d0\n"
              "    n4 -.- d1\n"
              "    n5 -.-> t3\n"
              "    n6 --> t4\n"
              "    t5 --> n7\n"
              "    n7 --> n8\n"
              "    n8 -.- d2\n");
}

TEST(Mermaid, QuotesWhatWouldEndALabel) {
    TopologyDescription odd;
    odd.subtopologies.push_back({.nodes = {{.name = "a\"]#<b>"}}});
    EXPECT_NE(mermaid(odd).find("n0[\"a#quot;]#35;#lt;b#gt;\"]"), std::string::npos);
}

}  // namespace
}  // namespace leat::streams
