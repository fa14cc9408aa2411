// SPDX-License-Identifier: Apache-2.0
// Outcomes and names are what Kafka Streams 4.2.1's TopologyTestDriver printed for the same
// declarations and inputs, with statestore.cache.max.bytes=0.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "streams/testing/tables.h"

namespace leat::streams::testing_tables {
namespace {

using testing::HasSubstr;

/// Before and after the table has the key, out of order, null keys and values on both sides, a
/// deletion.
const std::vector<std::string> kInputs = {"s a 1 5", "r a R 9", "s a 2 3", "s - 3 4",
                                          "s a - 5", "r a - 6", "s a 4 1", "r - x 7"};

TEST(StreamTableJoin, InnerMeetsWhatTheTableHolds) {
    Builder b;
    const auto stream = b.stream<Text, Text>("s");
    stream.join(b.table<Text, Text>("r"), plus).to("out");
    Script script{b};
    EXPECT_EQ(script.only("out", kInputs), Lines{"out a 2+R@3"});
    EXPECT_EQ(script.dropped(), 3U);
}

TEST(StreamTableJoin, LeftYieldsEachRecordThatHasAValue) {
    Builder b;
    const auto stream = b.stream<Text, Text>("s");
    stream.left_join(b.table<Text, Text>("r"), plus_right).to("out");
    Script script{b};
    EXPECT_EQ(script.only("out", kInputs),
              (Lines{"out a 1+null@5", "out a 2+R@3", "out null 3+null@4", "out a 4+null@1"}));
    EXPECT_EQ(script.dropped(), 2U);
}

TEST(StreamTableJoin, LeftTakesNullKeysThroughARepartitionTopic) {
    Builder b;
    const auto stream = b.stream<Text, Text>("s").select_key([](const Text* key, const Text*) {
        return key != nullptr ? std::optional{*key} : std::nullopt;
    });
    stream.left_join(b.table<Text, Text>("r"), plus_right).to("out");
    Script script{b};
    EXPECT_THAT(script.describe(), HasSubstr("Sink: KSTREAM-SINK-0000000005 (topic: "
                                             "KSTREAM-KEY-SELECT-0000000001-repartition)\n"));
    EXPECT_EQ(
        script.run({"s - 3 4"}),
        (Lines{"app-KSTREAM-KEY-SELECT-0000000001-repartition null 3@4", "out null 3+null@4"}));
}

TEST(StreamTableJoin, ReadsATableThatIsInNoStore) {
    Builder b;
    const auto stream = b.stream<Text, Text>("s");
    stream
        .join(b.table<Text, Text>("r")
                  .filter([](const Text& v) { return v == "R"; })
                  .map_values(shout),
              plus)
        .to("out");
    Script script{b};
    EXPECT_THAT(
        script.describe(),
        HasSubstr("Processor: KSTREAM-JOIN-0000000006 (stores: [r-STATE-STORE-0000000001])"));
    EXPECT_EQ(script.only("out", kInputs), Lines{"out a 2+R!@3"});
}

TEST(StreamTableJoin, ReadsAVersionedTableAsOfTheRecordsTime) {
    Builder b;
    const auto stream = b.stream<Text, Text>("s");
    stream
        .left_join(b.table<Text, Text>("in", {}, {.store = "v", .history = Duration{10}}),
                   plus_right)
        .to("out");
    EXPECT_EQ(
        Script{b}.only("out", {"in a x 100", "in a y 105", "s a 1 99", "s a 2 100", "s a 3 104",
                               "s a 4 105", "s a 5 200", "in a - 110", "s a 6 120", "s a 7 107",
                               "in a z 130", "s a 8 101", "s a 9 118"}),
        (Lines{"out a 1+null@99", "out a 2+x@100", "out a 3+x@104", "out a 4+y@105",
               "out a 5+y@200", "out a 6+null@120", "out a 7+y@107", "out a 8+null@101",
               "out a 9+null@118"}));
}

/// Values that pass and that do not, after either; deletions of what is there and of what is not.
const std::vector<std::string> kPassing = {"in a yy 1", "in a x 2", "in a yy 3", "in a zz 4",
                                           "in b - 5",  "in a - 6", "in a z 7",  "in a - 8"};
bool is_letter(const Text& value) {
    return value.size() == 1;
}

TEST(FilterOfAKeptTable, DoesNotDeleteWhatDidNotPass) {
    const Lines expected{"out a x@2", "out a null@3", "out a z@7", "out a null@8"};
    Builder named;
    named.table<Text, Text>("in", {}, {.store = "st"})
        .map_values([](const Text& v) { return v; })
        .filter(is_letter)
        .to_stream()
        .to("out");
    EXPECT_EQ(Script{named}.only("out", kPassing), expected);
    Builder in_store;
    in_store.table<Text, Text>("in", {}, {.store = "st"})
        .filter(is_letter, {.store = "f"})
        .to_stream()
        .to("out");
    EXPECT_EQ(Script{in_store}.only("out", kPassing), expected);
    Builder read;
    const auto table = read.table<Text, Text>("in");
    read.stream<Text, Text>("s").join(table, plus).to("o2");
    table.filter(is_letter).to_stream().to("out");
    EXPECT_EQ(Script{read}.only("out", kPassing), expected);
    Builder joined;
    joined.table<Text, Text>("in")
        .outer_join(joined.table<Text, Text>("r"),
                    [](const Text* left, const Text*) {
                        return left != nullptr ? std::optional{*left} : std::nullopt;
                    })
        .filter(is_letter)
        .to_stream()
        .to("out");
    EXPECT_EQ(Script{joined}.only("out", kPassing), expected);
}

TEST(FilterOfAKeptTable, IsNoneWhenTheTableIsReadLater) {
    Builder b;
    const auto table = b.table<Text, Text>("in");
    table.filter(is_letter).to_stream().to("out");
    b.stream<Text, Text>("s").join(table, plus).to("o2");
    EXPECT_EQ(Script{b}.only("out", {"in a yy 1", "in a x 2", "in b - 5"}),
              (Lines{"out a null@1", "out a x@2", "out b null@5"}));
}

/// Waiting, late and dropped records; several of one time.
const std::vector<std::string> kWaiting = {
    "in a v1 1", "s a 1 10", "in a v2 15", "s a 2 12", "s a 3 17", "s a 4 9",    "s a 5 12",
    "s b 6 30",  "s a - 31", "s - 7 32",   "s a 8 25", "s a 9 24", "in a v3 40", "s c x 60"};

TEST(StreamTableJoin, WithGraceWaitsForTheTable) {
    Builder b;
    const auto stream = b.stream<Text, Text>("s");
    stream
        .join(b.table<Text, Text>("in", {}, {.store = "v", .history = Duration{10}}), plus,
              {.name = "j", .grace = Duration{5}})
        .to("out");
    Script script{b};
    EXPECT_THAT(script.describe(), HasSubstr("Processor: j (stores: [j-Buffer, v])\n"));
    EXPECT_EQ(script.only("out", kWaiting),
              (Lines{"out a 1+v1@10", "out a 2+v1@12", "out a 4+v1@9", "out a 5+v1@12",
                     "out a 3+v2@17", "out a 8+v2@25", "out a 9+v2@24"}));
    EXPECT_EQ(script.dropped(), 2U);
}

TEST(StreamTableJoin, LogsWhatWaitsInKafkasBytes) {
    Builder b;
    const auto stream = b.stream<Text, Text>("s");
    stream
        .join(b.table<Text, Text>("in", {}, {.store = "v", .history = Duration{10}}), plus,
              {.name = "j", .grace = Duration{5}})
        .to("out");
    EXPECT_EQ(
        Script{b}.only("app-j-Buffer-changelog", {"s a 1 10", "s a 3 17"}),
        (Lines{
            R"(app-j-Buffer-changelog \x00\x00\x00\x00\x00\x00\x00\x00\x0aa\x00\x00\x00\x01 \x00\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01s\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x011\x00\x00\x00\x00\x00\x00\x00\x00@-1)",
            R"(app-j-Buffer-changelog \x00\x00\x00\x00\x00\x00\x00\x00\x11a\x00\x00\x00\x02 \x00\x00\x00\x00\x00\x00\x00\x11\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01s\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x013\x00\x00\x00\x00\x00\x00\x00\x00@-1)",
            R"(app-j-Buffer-changelog \x00\x00\x00\x00\x00\x00\x00\x00\x0aa\x00\x00\x00\x01 null@-1)"}));
}

TEST(StreamTableJoin, WithGraceANullKeyWaitsForNothingUnlessAsInKafka) {
    Builder b;
    const auto table = b.table<Text, Text>("t", {}, {.store = "st", .history = Duration{100}});
    b.stream<Text, Text>("s")
        .left_join(table, [](const Text& l, const Text* r) { return l + "&" + (r ? *r : "-"); },
                   {.name = "j", .grace = Duration{5}})
        .to("out");
    const auto topology = *b.build();
    const auto without_key = [&topology](bool lose) {
        auto driver = *TestDriver::open(topology, {.lose_as_kafka = lose});
        const auto done = driver->pipe("s", {std::nullopt, "v", 12, {}});
        const auto out = driver->read("out");
        return done ? out.empty() ? "nothing" : *out.front().value : Text{done.error().detail()};
    };
    EXPECT_EQ(without_key(false), "v&-");
    // A NullPointerException there.
    EXPECT_EQ(without_key(true), "j: key cannot be null");
}

TEST(StreamTableJoin, WithGraceNeedsAVersionedTable) {
    Builder b;
    const auto stream = b.stream<Text, Text>("s");
    stream.join(b.table<Text, Text>("in"), plus, {.name = "j", .grace = Duration{5}}).to("out");
    const auto topology = b.build();
    ASSERT_FALSE(topology);
    EXPECT_EQ(topology.error().code(), Errc::kStreamsInvalidTopology);
    EXPECT_THAT(std::string{topology.error().detail()}, HasSubstr("j: a grace period needs"));
}

const std::vector<std::string> kVersions = {"in a x 100", "in a y 105", "in a z 102", "in a w 80",
                                            "in a - 103", "in a - 110", "in a q 107", "in b - 95"};

TEST(VersionedTable, TellsOvertakenUpdatesAndNotWhatIsOlderThanItsHistory) {
    Builder b;
    b.table<Text, Text>("in", {}, {.store = "v", .history = Duration{10}}).to_stream().to("out");
    Script script{b};
    EXPECT_EQ(script.only("out", kVersions),
              (Lines{"out a x@100", "out a y@105", "out a z@102", "out a null@103",
                     "out a null@110", "out a q@107"}));
    EXPECT_EQ(script.dropped(), 2U);
}

TEST(VersionedTable, GroupsOnlyItsLatestUpdates) {
    Builder b;
    b.table<Text, Text>("in", {}, {.store = "v", .history = Duration{10}})
        .group_by([](const Text& key, const Text& value) { return KeyValue{value, key}; })
        .count()
        .to_stream()
        .map_values([](const std::int64_t& n) { return std::to_string(n); })
        .to("out");
    EXPECT_EQ(Script{b}.only("out", kVersions),
              (Lines{"out x 1@100", "out x 0@105", "out y 1@105", "out y 0@110"}));
}

TEST(VersionedTable, JoinsOnlyItsLatestUpdates) {
    Builder b;
    const auto versions = b.table<Text, Text>("in", {}, {.store = "v", .history = Duration{10}});
    versions.left_join(b.table<Text, Text>("r"), plus_right, {.store = "j"}).to_stream().to("out");
    EXPECT_EQ(Script{b}.only("out", {"in a x 100", "r a R 1", "in a y 105", "in a z 102",
                                     "in a - 110", "in a q 107", "in a w 111"}),
              (Lines{"out a x+null@100", "out a x+R@100", "out a y+R@105", "out a null@110",
                     "out a w+R@111"}));
}

std::optional<Text> unless_zz(const Text&, const Text& value) {
    return value == "zz" ? std::nullopt : std::optional{value};
}
/// Keys that are null, keys that the selector refuses, a deletion.
const std::vector<std::string> kGlobal = {"g a R 9",  "s k a 3", "s - a 4",  "s k - 5",
                                          "s k x 6",  "s - x 7", "s k zz 8", "s - zz 9",
                                          "g a - 10", "s k a 11"};

TEST(StreamGlobalTableJoin, InnerMeetsTheSelectedKey) {
    Builder b;
    const auto global = b.global_table<Text, Text>("g");
    b.stream<Text, Text>("s").join(global, unless_zz, plus).to("out");
    Script script{b};
    EXPECT_EQ(script.describe(), R"(Topologies:
   Sub-topology: 0 for global store (will not generate tasks)
    Source: KSTREAM-SOURCE-0000000001 (topics: [g])
      --> KTABLE-SOURCE-0000000002
    Processor: KTABLE-SOURCE-0000000002 (stores: [g-STATE-STORE-0000000000])
      --> none
      <-- KSTREAM-SOURCE-0000000001
  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000003 (topics: [s])
      --> KSTREAM-LEFTJOIN-0000000004
    Processor: KSTREAM-LEFTJOIN-0000000004 (stores: [])
      --> KSTREAM-SINK-0000000005
      <-- KSTREAM-SOURCE-0000000003
    Sink: KSTREAM-SINK-0000000005 (topic: out)
      <-- KSTREAM-LEFTJOIN-0000000004

)");
    EXPECT_EQ(script.run(kGlobal), (Lines{"out k a+R@3", "out null a+R@4"}));
    EXPECT_EQ(script.dropped(), 3U);
}

TEST(StreamGlobalTableJoin, ANullKeyTakenByReferenceSelectsNothing) {
    Builder b;
    const auto global = b.global_table<Text, Text>("g");
    b.stream<Text, Text>("s")
        .join(
            global, [](const Text& key, const Text&) { return key; }, plus)
        .to("out");
    Script script{b};
    EXPECT_EQ(script.run({"g  G 1", "s - v 2"}), Lines{});
    EXPECT_EQ(script.dropped(), 1U);
}

TEST(StreamGlobalTableJoin, LeftYieldsEachRecordThatHasAValue) {
    Builder b;
    const auto global = b.global_table<Text, Text>("g", {}, {.store = "gs"});
    b.stream<Text, Text>("s").left_join(global, unless_zz, plus_right, {.name = "jn"}).to("out");
    Script script{b};
    EXPECT_EQ(script.run(kGlobal),
              (Lines{"out k a+R@3", "out null a+R@4", "out k x+null@6", "out null x+null@7",
                     "out k zz+null@8", "out null zz+null@9", "out k a+null@11"}));
    EXPECT_EQ(script.dropped(), 1U);
}

}  // namespace
}  // namespace leat::streams::testing_tables
