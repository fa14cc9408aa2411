// SPDX-License-Identifier: Apache-2.0
// The texts are what Kafka Streams 4.2.1 prints for the same declarations.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"

namespace leat::streams {
namespace {

using std::string;
using testing::ElementsAre;
using testing::HasSubstr;
using Text = Record<string, string>;

string described(Builder& b) {
    const auto topology = b.build();
    return topology ? topology->describe() : string{topology.error().detail()};
}
KStream<string, string> in(Builder& b, const std::vector<string>& topics) {
    return b.stream<string, string>(topics);
}
string same(const string& value) {
    return value;
}

TEST(Sources, PatternsAndTopicsAreDescribedAsByKafka) {
    Builder b;
    b.stream<string, string>(TopicPattern{"a.*b"}).to("out");
    in(b, {"x", "a", "b"}).to("out2");
    b.stream<string, string>("y", {.name = "src", .reset = OffsetReset::latest()})
        .to([](const string*, const string*) { return string{"z"}; });
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: a.*b)
      --> KSTREAM-SINK-0000000001
    Sink: KSTREAM-SINK-0000000001 (topic: out)
      <-- KSTREAM-SOURCE-0000000000

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000002 (topics: [a, b, x])
      --> KSTREAM-SINK-0000000003
    Sink: KSTREAM-SINK-0000000003 (topic: out2)
      <-- KSTREAM-SOURCE-0000000002

  Sub-topology: 2
    Source: src (topics: [y])
      --> KSTREAM-SINK-0000000005
    Sink: KSTREAM-SINK-0000000005 (extractor class: per record)
      <-- src

)");
}

TEST(Sources, ATopicThatIsReadTwiceHasOneSource) {
    Builder b;
    in(b, {"in"}).to("o1");
    in(b, {"in"}).map_values(same).to("o2");
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-MAPVALUES-0000000003, KSTREAM-SINK-0000000001
    Processor: KSTREAM-MAPVALUES-0000000003 (stores: [])
      --> KSTREAM-SINK-0000000004
      <-- KSTREAM-SOURCE-0000000000
    Sink: KSTREAM-SINK-0000000001 (topic: o1)
      <-- KSTREAM-SOURCE-0000000000
    Sink: KSTREAM-SINK-0000000004 (topic: o2)
      <-- KSTREAM-MAPVALUES-0000000003

)");
}

TEST(Sources, TheOrderOfTopicsDoesNotMatter) {
    Builder b;
    in(b, {"x", "in"}).to("o1");
    in(b, {"in", "x"}).to("o2");
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in, x])
      --> KSTREAM-SINK-0000000001, KSTREAM-SINK-0000000003
    Sink: KSTREAM-SINK-0000000001 (topic: o1)
      <-- KSTREAM-SOURCE-0000000000
    Sink: KSTREAM-SINK-0000000003 (topic: o2)
      <-- KSTREAM-SOURCE-0000000000

)");
}

TEST(Sources, TopicsMayBeListedInBraces) {
    Builder listed;
    listed.stream<string, string>({"a", "b"}, {.name = "s"}).to("out");
    Builder named;
    in(named, {"a", "b"}).to("out");
    EXPECT_THAT(described(listed), HasSubstr("Source: s (topics: [a, b])"));
    EXPECT_THAT(described(named), HasSubstr("(topics: [a, b])"));
    Builder one;
    one.stream<string, string>({"a"}).to("out");
    EXPECT_THAT(described(one), HasSubstr("(topics: [a])"));
}

TEST(Sources, APatternThatIsReadTwiceHasOneSource) {
    Builder b;
    b.stream<string, string>(TopicPattern{"a.*"}).to("o1");
    b.stream<string, string>(TopicPattern{"a.*"}).to("o2");
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: a.*)
      --> KSTREAM-SINK-0000000001, KSTREAM-SINK-0000000003
    Sink: KSTREAM-SINK-0000000001 (topic: o1)
      <-- KSTREAM-SOURCE-0000000000
    Sink: KSTREAM-SINK-0000000003 (topic: o2)
      <-- KSTREAM-SOURCE-0000000000

)");
}

TEST(Sources, OverlappingSetsOfTopicsAreRefused) {
    Builder b;
    in(b, {"in"}).to("o1");
    in(b, {"in", "x"}).to("o2");
    EXPECT_THAT(described(b), HasSubstr("KSTREAM-SOURCE-0000000002: reads a topic that "
                                        "KSTREAM-SOURCE-0000000000 reads too"));
}

TEST(Sources, ATopicInAPatternOfAnotherIsRefused) {
    Builder b;
    b.stream<string, string>(TopicPattern{"a.*"}).to("o1");
    in(b, {"abc"}).to("o2");
    EXPECT_THAT(described(b), HasSubstr("the pattern takes in the topic abc"));
}

TEST(Sources, OtherOffsetResetsForATopicAreRefused) {
    Builder b;
    in(b, {"in"}).to("o1");
    b.stream<string, string>("in", {.reset = OffsetReset::latest()}).to("o2");
    EXPECT_THAT(described(b), HasSubstr("another offset reset"));
}

TEST(Sources, OtherTypesForATopicAreRefused) {
    Builder b;
    in(b, {"in"}).to("o1");
    b.stream<string, std::int64_t>("in").to("o2");
    EXPECT_THAT(described(b), HasSubstr("KSTREAM-SOURCE-0000000002: reads the topics of"));
}

TEST(Sources, APatternThatIsNoneIsRefused) {
    Builder b;
    b.stream<string, string>(TopicPattern{"a("}).to("o1");
    EXPECT_THAT(described(b), HasSubstr("KSTREAM-SOURCE-0000000000: its topics' pattern"));
}

TEST(Sources, APatternReadsEachTopicItMatchesWhole) {
    Builder b;
    b.stream<string, string>(TopicPattern{"a[0-9]+"}).to("out");
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {});
    ASSERT_TRUE((driver->pipe<string, string>("a1", "k", "v", {1})));
    ASSERT_TRUE((driver->pipe<string, string>("a22", "k", "w", {2})));
    EXPECT_EQ((driver->pipe<string, string>("xa1", "k", "v", {1})).error().code(),
              Errc::kUnknownTopicOrPartition);
    EXPECT_THAT((*driver->read<string, string>("out")),
                ElementsAre(Text{"k", "v", {1}, {}}, Text{"k", "w", {2}, {}}));
}

/// What "in" becomes in "out" when these records arrive, and how many of them are dropped.
struct Stamped {
    std::vector<std::int64_t> times;
    std::uint64_t dropped = 0;
    bool failed = false;
};
Stamped stamped(const TimestampExtractor<string, string>& time,
                const std::vector<std::int64_t>& arriving) {
    Builder b;
    b.stream<string, string>("in", {.time = time}).to("out");
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {});
    Stamped out;
    for (const auto at : arriving)
        out.failed |= !driver->pipe("in", RawRecord{.key = "k", .value = "77", .timestamp = at});
    for (const auto& record : driver->read("out")) out.times.push_back(record.timestamp);
    out.dropped = driver->dropped();
    return out;
}

TEST(Timestamps, FailOnInvalidFails) {
    const auto got = stamped(FailOnInvalidTimestamp{}, {5, -1});
    EXPECT_TRUE(got.failed);
    EXPECT_THAT(got.times, ElementsAre(5));
}

TEST(Timestamps, LogAndSkipDropsTheRecord) {
    const auto got = stamped(LogAndSkipOnInvalidTimestamp{}, {5, -1, 3});
    EXPECT_FALSE(got.failed);
    EXPECT_THAT(got.times, ElementsAre(5, 3));
    EXPECT_EQ(got.dropped, 1U);
}

TEST(Timestamps, UsePartitionTimeTakesTheLargestSoFar) {
    const auto got = stamped(UsePartitionTimeOnInvalidTimestamp{}, {5, 3, -1});
    EXPECT_FALSE(got.failed);
    EXPECT_THAT(got.times, ElementsAre(5, 3, 5));
    EXPECT_TRUE(stamped(UsePartitionTimeOnInvalidTimestamp{}, {-1}).failed);
}

TEST(Timestamps, WallclockAsksTheClock) {
    const auto got = stamped(WallclockTimestampExtractor{[] { return 42; }}, {5});
    EXPECT_THAT(got.times, ElementsAre(42));
}

TEST(Timestamps, AFunctionOfTheValueYieldsTheTime) {
    const auto of_value = [](const string& value) { return Timestamp{std::stoll(value)}; };
    EXPECT_THAT(stamped(of_value, {5}).times, ElementsAre(77));
    const auto of_both = [](const string& key, const string& value) {
        return Timestamp{static_cast<std::int64_t>(key.size() + value.size())};
    };
    EXPECT_THAT(stamped(of_both, {5}).times, ElementsAre(3));
}

TEST(Timestamps, AFunctionOfAllThatArrivedSeesWhereItIsAndWhoGaveItsTime) {
    const auto of_all = [](const Arrived<string, string>& arrived) {
        EXPECT_EQ(arrived.topic, "in");
        EXPECT_EQ(arrived.partition, 0);
        EXPECT_EQ(arrived.timestamp_type, TimestampType::kCreateTime);
        return Timestamp{100 * (arrived.offset + 1) + arrived.timestamp.ms};
    };
    EXPECT_THAT(stamped(of_all, {5, 3}).times, ElementsAre(105, 203));
}

TEST(Names, TwoNodesOfOneNameAreRefused) {
    Builder b;
    in(b, {"in"}).map_values(same, {.name = "n"}).map_values(same, {.name = "n"});
    EXPECT_THAT(described(b), HasSubstr("n: two nodes have this name"));
}

TEST(Names, ABlankInANameIsRefused) {
    Builder b;
    in(b, {"in"}).map_values(same, {.name = "n n"});
    EXPECT_THAT(described(b), HasSubstr("n n: a name has letters"));
}

TEST(Names, NeighboursAreInTheOrderOfJavasSets) {
    Builder b;
    const auto s = in(b, {"in"});
    s.flat_map([](const string& k, const string& v) { return std::vector{KeyValue{k, v}}; })
        .merge(s.filter_not([](const string&) { return true; }))
        .peek([](const string&) {})
        .foreach ([](const string&) {});
    s.to("x", {.name = "sink"});
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-FILTER-0000000002, KSTREAM-FLATMAP-0000000001, sink
    Processor: KSTREAM-FILTER-0000000002 (stores: [])
      --> KSTREAM-MERGE-0000000003
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-FLATMAP-0000000001 (stores: [])
      --> KSTREAM-MERGE-0000000003
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-MERGE-0000000003 (stores: [])
      --> KSTREAM-PEEK-0000000004
      <-- KSTREAM-FLATMAP-0000000001, KSTREAM-FILTER-0000000002
    Processor: KSTREAM-PEEK-0000000004 (stores: [])
      --> KSTREAM-FOREACH-0000000005
      <-- KSTREAM-MERGE-0000000003
    Processor: KSTREAM-FOREACH-0000000005 (stores: [])
      --> none
      <-- KSTREAM-PEEK-0000000004
    Sink: sink (topic: x)
      <-- KSTREAM-SOURCE-0000000000

)");
}

/// A type without a serde of its own.
struct Bare {};

/// What Kafka Streams 4.2.1's test driver did with the same keys.
TEST(Sources, AnEmptyWindowedKeyIsNullAndAShortOneDoesNotDecode) {
    using Key = Windowed<string>;
    for (const Serde<Key>& serde :
         {time_windowed<string>(std::chrono::milliseconds{10}), session_windowed<string>()}) {
        Builder b;
        std::vector<string> seen;
        const auto stream = b.stream<Key, string>("in", {.key = serde});
        stream.foreach ([&](const Key* key, const string&) {
            seen.push_back(key == nullptr ? "null" : key->key);
        });
        static_cast<void>(stream.group_by_key({.key = serde}).count({.key = serde}));
        static_cast<void>(b.table<Key, string>("table", {.key = serde}, {.store = "rows"}));
        const auto topology = b.build();
        ASSERT_TRUE(topology) << topology.error().detail();
        auto driver = *TestDriver::open(*topology, {});
        const auto piped = [&](const char* topic, std::size_t key_bytes) {
            return driver->pipe(topic,
                                {.key = string(key_bytes, '\0'), .value = "v", .timestamp = 5});
        };
        ASSERT_TRUE(piped("in", 0));
        ASSERT_TRUE(piped("table", 0));
        EXPECT_THAT(seen, ElementsAre("null"));
        EXPECT_EQ(driver->dropped(), 2U) << "by the count and by the table";
        ASSERT_TRUE(piped("in", 16));
        EXPECT_EQ(seen.size(), 2U);
        const auto broken = piped("in", 4);
        ASSERT_FALSE(broken);
        EXPECT_EQ(broken.error().code(), Errc::kInvalidRecord);
    }
}

TEST(TestDriver, ReadsNothingWithoutASerde) {
    Builder b;
    b.stream<string, string>("in").to("out");
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {});
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "v", {5})));
    const auto read = driver->read<string, Bare>("out");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), Errc::kInvalidRequest);
    EXPECT_EQ(driver->read("out").size(), 1U);  // Nothing was taken.
}

TEST(TestDriver, OutlivesTheTopologyThatItWasGiven) {
    std::weak_ptr<const detail::Parts> parts;
    std::unique_ptr<TestDriver> driver;
    {
        Builder b;
        b.stream<string, string>("in").repartition({.name = "r"}).to("out");
        const auto topology = b.build();
        const auto shared = std::make_shared<const detail::Parts>(topology->parts());
        parts = shared;
        driver = *TestDriver::open(Topology{shared}, {});
    }
    EXPECT_FALSE(parts.expired());
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "v", {5})));
    EXPECT_EQ(driver->read("out").size(), 1U);
}

}  // namespace
}  // namespace leat::streams
