// SPDX-License-Identifier: Apache-2.0
// Nodes, stores and topics of joins of two streams. Each text is what Kafka Streams 4.2.1 (its
// TopologyTestDriver, caches off) printed for the same declarations.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"

namespace leat::streams {
namespace {

using std::string;

constexpr Duration ms(std::int64_t n) {
    return Duration{n};
}
/// What a Java lambda makes of a null.
string text(const string* value) {
    return value != nullptr ? *value : "null";
}
string both(const string& left, const string& right) {
    return left + right;
}
string left_and(const string& left, const string* right) {
    return left + text(right);
}
string either(const string* left, const string* right) {
    return text(left) + text(right);
}
string value_of(const string& value) {
    return value;
}

class DescribeStreamJoin : public testing::Test {
  protected:
    using Text = KStream<string, string>;
    using As = StreamJoined<string, string, string>;
    Text stream(const string& topic) { return builder_.stream<string, string>(topic); }
    void inner(const Text& l, const Text& r, JoinWindows w, const As& as = {}) {
        l.join(r, both, w, as).to("out");
    }
    void left(const Text& l, const Text& r, JoinWindows w, const As& as = {}) {
        l.left_join(r, left_and, w, as).to("out");
    }
    void outer(const Text& l, const Text& r, JoinWindows w, const As& as = {}) {
        l.outer_join(r, either, w, as).to("out");
    }
    string description() {
        const auto topology = builder_.build();
        return topology ? topology->describe() : string{topology.error().detail()};
    }
    Builder builder_;
    JoinWindows ten_and_five_ = within(ms(10)).grace(ms(5));
};

TEST_F(DescribeStreamJoin, NamesTheNodesOfInner) {
    inner(stream("l"), stream("r"), ten_and_five_);
    EXPECT_EQ(description(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [l])
      --> KSTREAM-WINDOWED-0000000002
    Source: KSTREAM-SOURCE-0000000001 (topics: [r])
      --> KSTREAM-WINDOWED-0000000003
    Processor: KSTREAM-WINDOWED-0000000002 (stores: [KSTREAM-JOINTHIS-0000000004-store])
      --> KSTREAM-JOINTHIS-0000000004
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-WINDOWED-0000000003 (stores: [KSTREAM-JOINOTHER-0000000005-store])
      --> KSTREAM-JOINOTHER-0000000005
      <-- KSTREAM-SOURCE-0000000001
    Processor: KSTREAM-JOINOTHER-0000000005 (stores: [KSTREAM-JOINTHIS-0000000004-store])
      --> KSTREAM-MERGE-0000000006
      <-- KSTREAM-WINDOWED-0000000003
    Processor: KSTREAM-JOINTHIS-0000000004 (stores: [KSTREAM-JOINOTHER-0000000005-store])
      --> KSTREAM-MERGE-0000000006
      <-- KSTREAM-WINDOWED-0000000002
    Processor: KSTREAM-MERGE-0000000006 (stores: [])
      --> KSTREAM-SINK-0000000007
      <-- KSTREAM-JOINTHIS-0000000004, KSTREAM-JOINOTHER-0000000005
    Sink: KSTREAM-SINK-0000000007 (topic: out)
      <-- KSTREAM-MERGE-0000000006

)");
}
TEST_F(DescribeStreamJoin, NamesTheNodesOfLeft) {
    left(stream("l"), stream("r"), ten_and_five_);
    EXPECT_EQ(description(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [l])
      --> KSTREAM-WINDOWED-0000000002
    Source: KSTREAM-SOURCE-0000000001 (topics: [r])
      --> KSTREAM-WINDOWED-0000000003
    Processor: KSTREAM-WINDOWED-0000000002 (stores: [KSTREAM-JOINTHIS-0000000004-store])
      --> KSTREAM-JOINTHIS-0000000004
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-WINDOWED-0000000003 (stores: [KSTREAM-OUTEROTHER-0000000005-store])
      --> KSTREAM-OUTEROTHER-0000000005
      <-- KSTREAM-SOURCE-0000000001
    Processor: KSTREAM-JOINTHIS-0000000004 (stores: [KSTREAM-OUTEROTHER-0000000005-store, KSTREAM-OUTERSHARED-0000000004-store])
      --> KSTREAM-MERGE-0000000006
      <-- KSTREAM-WINDOWED-0000000002
    Processor: KSTREAM-OUTEROTHER-0000000005 (stores: [KSTREAM-JOINTHIS-0000000004-store, KSTREAM-OUTERSHARED-0000000004-store])
      --> KSTREAM-MERGE-0000000006
      <-- KSTREAM-WINDOWED-0000000003
    Processor: KSTREAM-MERGE-0000000006 (stores: [])
      --> KSTREAM-SINK-0000000007
      <-- KSTREAM-JOINTHIS-0000000004, KSTREAM-OUTEROTHER-0000000005
    Sink: KSTREAM-SINK-0000000007 (topic: out)
      <-- KSTREAM-MERGE-0000000006

)");
}
TEST_F(DescribeStreamJoin, NamesTheNodesOfOuter) {
    outer(stream("l"), stream("r"), ten_and_five_);
    EXPECT_EQ(description(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [l])
      --> KSTREAM-WINDOWED-0000000002
    Source: KSTREAM-SOURCE-0000000001 (topics: [r])
      --> KSTREAM-WINDOWED-0000000003
    Processor: KSTREAM-WINDOWED-0000000002 (stores: [KSTREAM-OUTERTHIS-0000000004-store])
      --> KSTREAM-OUTERTHIS-0000000004
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-WINDOWED-0000000003 (stores: [KSTREAM-OUTEROTHER-0000000005-store])
      --> KSTREAM-OUTEROTHER-0000000005
      <-- KSTREAM-SOURCE-0000000001
    Processor: KSTREAM-OUTEROTHER-0000000005 (stores: [KSTREAM-OUTERTHIS-0000000004-store, KSTREAM-OUTERSHARED-0000000004-store])
      --> KSTREAM-MERGE-0000000006
      <-- KSTREAM-WINDOWED-0000000003
    Processor: KSTREAM-OUTERTHIS-0000000004 (stores: [KSTREAM-OUTEROTHER-0000000005-store, KSTREAM-OUTERSHARED-0000000004-store])
      --> KSTREAM-MERGE-0000000006
      <-- KSTREAM-WINDOWED-0000000002
    Processor: KSTREAM-MERGE-0000000006 (stores: [])
      --> KSTREAM-SINK-0000000007
      <-- KSTREAM-OUTERTHIS-0000000004, KSTREAM-OUTEROTHER-0000000005
    Sink: KSTREAM-SINK-0000000007 (topic: out)
      <-- KSTREAM-MERGE-0000000006

)");
}
TEST_F(DescribeStreamJoin, NamesTheNodesOfNamedInner) {
    inner(stream("l"), stream("r"), ten_and_five_, {.name = "jn"});
    EXPECT_EQ(description(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [l])
      --> jn-this-windowed
    Source: KSTREAM-SOURCE-0000000001 (topics: [r])
      --> jn-other-windowed
    Processor: jn-other-windowed (stores: [KSTREAM-JOINOTHER-0000000005-store])
      --> jn-other-join
      <-- KSTREAM-SOURCE-0000000001
    Processor: jn-this-windowed (stores: [KSTREAM-JOINTHIS-0000000004-store])
      --> jn-this-join
      <-- KSTREAM-SOURCE-0000000000
    Processor: jn-other-join (stores: [KSTREAM-JOINTHIS-0000000004-store])
      --> jn-merge
      <-- jn-other-windowed
    Processor: jn-this-join (stores: [KSTREAM-JOINOTHER-0000000005-store])
      --> jn-merge
      <-- jn-this-windowed
    Processor: jn-merge (stores: [])
      --> KSTREAM-SINK-0000000007
      <-- jn-this-join, jn-other-join
    Sink: KSTREAM-SINK-0000000007 (topic: out)
      <-- jn-merge

)");
}
TEST_F(DescribeStreamJoin, NamesTheNodesOfNamedLeft) {
    left(stream("l"), stream("r"), ten_and_five_, {.name = "jn"});
    EXPECT_EQ(description(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [l])
      --> jn-this-windowed
    Source: KSTREAM-SOURCE-0000000001 (topics: [r])
      --> jn-other-windowed
    Processor: jn-other-windowed (stores: [KSTREAM-OUTEROTHER-0000000005-store])
      --> jn-outer-other-join
      <-- KSTREAM-SOURCE-0000000001
    Processor: jn-this-windowed (stores: [KSTREAM-JOINTHIS-0000000004-store])
      --> jn-this-join
      <-- KSTREAM-SOURCE-0000000000
    Processor: jn-outer-other-join (stores: [KSTREAM-JOINTHIS-0000000004-store, KSTREAM-OUTERSHARED-0000000004-store])
      --> jn-merge
      <-- jn-other-windowed
    Processor: jn-this-join (stores: [KSTREAM-OUTEROTHER-0000000005-store, KSTREAM-OUTERSHARED-0000000004-store])
      --> jn-merge
      <-- jn-this-windowed
    Processor: jn-merge (stores: [])
      --> KSTREAM-SINK-0000000007
      <-- jn-this-join, jn-outer-other-join
    Sink: KSTREAM-SINK-0000000007 (topic: out)
      <-- jn-merge

)");
}
TEST_F(DescribeStreamJoin, NamesTheNodesOfNamedOuterWithStores) {
    outer(stream("l"), stream("r"), ten_and_five_, {.name = "jn", .store = "js"});
    EXPECT_EQ(description(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [l])
      --> jn-this-windowed
    Source: KSTREAM-SOURCE-0000000001 (topics: [r])
      --> jn-other-windowed
    Processor: jn-other-windowed (stores: [js-outer-other-join-store])
      --> jn-outer-other-join
      <-- KSTREAM-SOURCE-0000000001
    Processor: jn-this-windowed (stores: [js-outer-this-join-store])
      --> jn-outer-this-join
      <-- KSTREAM-SOURCE-0000000000
    Processor: jn-outer-other-join (stores: [js-outer-shared-join-store, js-outer-this-join-store])
      --> jn-merge
      <-- jn-other-windowed
    Processor: jn-outer-this-join (stores: [js-outer-shared-join-store, js-outer-other-join-store])
      --> jn-merge
      <-- jn-this-windowed
    Processor: jn-merge (stores: [])
      --> KSTREAM-SINK-0000000007
      <-- jn-outer-this-join, jn-outer-other-join
    Sink: KSTREAM-SINK-0000000007 (topic: out)
      <-- jn-merge

)");
}
TEST_F(DescribeStreamJoin, NamesTheNodesOfStoresOfALeftJoin) {
    left(stream("l"), stream("r"), ten_and_five_, {.store = "js"});
    EXPECT_EQ(description(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [l])
      --> KSTREAM-WINDOWED-0000000002
    Source: KSTREAM-SOURCE-0000000001 (topics: [r])
      --> KSTREAM-WINDOWED-0000000003
    Processor: KSTREAM-WINDOWED-0000000002 (stores: [js-this-join-store])
      --> KSTREAM-JOINTHIS-0000000004
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-WINDOWED-0000000003 (stores: [js-outer-other-join-store])
      --> KSTREAM-OUTEROTHER-0000000005
      <-- KSTREAM-SOURCE-0000000001
    Processor: KSTREAM-JOINTHIS-0000000004 (stores: [js-left-shared-join-store, js-outer-other-join-store])
      --> KSTREAM-MERGE-0000000006
      <-- KSTREAM-WINDOWED-0000000002
    Processor: KSTREAM-OUTEROTHER-0000000005 (stores: [js-left-shared-join-store, js-this-join-store])
      --> KSTREAM-MERGE-0000000006
      <-- KSTREAM-WINDOWED-0000000003
    Processor: KSTREAM-MERGE-0000000006 (stores: [])
      --> KSTREAM-SINK-0000000007
      <-- KSTREAM-JOINTHIS-0000000004, KSTREAM-OUTEROTHER-0000000005
    Sink: KSTREAM-SINK-0000000007 (topic: out)
      <-- KSTREAM-MERGE-0000000006

)");
}
TEST_F(DescribeStreamJoin, NamesTheNodesOfRepartitionedInner) {
    inner(stream("l").select_key(value_of), stream("r").select_key(value_of), ten_and_five_);
    EXPECT_EQ(description(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [l])
      --> KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])
      --> KSTREAM-FILTER-0000000005
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-FILTER-0000000005 (stores: [])
      --> KSTREAM-SINK-0000000004
      <-- KSTREAM-KEY-SELECT-0000000001
    Sink: KSTREAM-SINK-0000000004 (topic: KSTREAM-KEY-SELECT-0000000001-repartition)
      <-- KSTREAM-FILTER-0000000005

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000002 (topics: [r])
      --> KSTREAM-KEY-SELECT-0000000003
    Processor: KSTREAM-KEY-SELECT-0000000003 (stores: [])
      --> KSTREAM-FILTER-0000000008
      <-- KSTREAM-SOURCE-0000000002
    Processor: KSTREAM-FILTER-0000000008 (stores: [])
      --> KSTREAM-SINK-0000000007
      <-- KSTREAM-KEY-SELECT-0000000003
    Sink: KSTREAM-SINK-0000000007 (topic: KSTREAM-KEY-SELECT-0000000003-repartition)
      <-- KSTREAM-FILTER-0000000008

  Sub-topology: 2
    Source: KSTREAM-SOURCE-0000000006 (topics: [KSTREAM-KEY-SELECT-0000000001-repartition])
      --> KSTREAM-WINDOWED-0000000010
    Source: KSTREAM-SOURCE-0000000009 (topics: [KSTREAM-KEY-SELECT-0000000003-repartition])
      --> KSTREAM-WINDOWED-0000000011
    Processor: KSTREAM-WINDOWED-0000000010 (stores: [KSTREAM-JOINTHIS-0000000012-store])
      --> KSTREAM-JOINTHIS-0000000012
      <-- KSTREAM-SOURCE-0000000006
    Processor: KSTREAM-WINDOWED-0000000011 (stores: [KSTREAM-JOINOTHER-0000000013-store])
      --> KSTREAM-JOINOTHER-0000000013
      <-- KSTREAM-SOURCE-0000000009
    Processor: KSTREAM-JOINOTHER-0000000013 (stores: [KSTREAM-JOINTHIS-0000000012-store])
      --> KSTREAM-MERGE-0000000014
      <-- KSTREAM-WINDOWED-0000000011
    Processor: KSTREAM-JOINTHIS-0000000012 (stores: [KSTREAM-JOINOTHER-0000000013-store])
      --> KSTREAM-MERGE-0000000014
      <-- KSTREAM-WINDOWED-0000000010
    Processor: KSTREAM-MERGE-0000000014 (stores: [])
      --> KSTREAM-SINK-0000000015
      <-- KSTREAM-JOINTHIS-0000000012, KSTREAM-JOINOTHER-0000000013
    Sink: KSTREAM-SINK-0000000015 (topic: out)
      <-- KSTREAM-MERGE-0000000014

)");
}
TEST_F(DescribeStreamJoin, NamesTheNodesOfRepartitionedNamedLeft) {
    left(stream("l").select_key(value_of), stream("r").select_key(value_of), ten_and_five_,
         {.name = "jn"});
    EXPECT_EQ(description(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [l])
      --> KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])
      --> jn-left-repartition-filter
      <-- KSTREAM-SOURCE-0000000000
    Processor: jn-left-repartition-filter (stores: [])
      --> jn-left-repartition-sink
      <-- KSTREAM-KEY-SELECT-0000000001
    Sink: jn-left-repartition-sink (topic: jn-left-repartition)
      <-- jn-left-repartition-filter

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000002 (topics: [r])
      --> KSTREAM-KEY-SELECT-0000000003
    Processor: KSTREAM-KEY-SELECT-0000000003 (stores: [])
      --> jn-right-repartition-filter
      <-- KSTREAM-SOURCE-0000000002
    Processor: jn-right-repartition-filter (stores: [])
      --> jn-right-repartition-sink
      <-- KSTREAM-KEY-SELECT-0000000003
    Sink: jn-right-repartition-sink (topic: jn-right-repartition)
      <-- jn-right-repartition-filter

  Sub-topology: 2
    Source: jn-left-repartition-source (topics: [jn-left-repartition])
      --> jn-this-windowed
    Source: jn-right-repartition-source (topics: [jn-right-repartition])
      --> jn-other-windowed
    Processor: jn-other-windowed (stores: [KSTREAM-OUTEROTHER-0000000013-store])
      --> jn-outer-other-join
      <-- jn-right-repartition-source
    Processor: jn-this-windowed (stores: [KSTREAM-JOINTHIS-0000000012-store])
      --> jn-this-join
      <-- jn-left-repartition-source
    Processor: jn-outer-other-join (stores: [KSTREAM-OUTERSHARED-0000000012-store, KSTREAM-JOINTHIS-0000000012-store])
      --> jn-merge
      <-- jn-other-windowed
    Processor: jn-this-join (stores: [KSTREAM-OUTERSHARED-0000000012-store, KSTREAM-OUTEROTHER-0000000013-store])
      --> jn-merge
      <-- jn-this-windowed
    Processor: jn-merge (stores: [])
      --> KSTREAM-SINK-0000000015
      <-- jn-this-join, jn-outer-other-join
    Sink: KSTREAM-SINK-0000000015 (topic: out)
      <-- jn-merge

)");
}

}  // namespace
}  // namespace leat::streams
