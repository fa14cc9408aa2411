// SPDX-License-Identifier: Apache-2.0
// Aggregates of streams in versioned stores. Outcomes and names are what Kafka Streams 4.2.1's
// TopologyTestDriver printed for the same declarations and inputs, with
// statestore.cache.max.bytes=0.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "streams/testing/tables.h"

namespace leat::streams::testing_tables {
namespace {

using testing::HasSubstr;

/// Out of order, a null value, a deletion, what is older than the deletion, what is older than the
/// history.
const std::vector<std::string> kInputs = {"in a x 5",    "in a y 3",  "in b z 20", "in a - 21",
                                          "in a del 22", "in a q 15", "in a r 11", "in a s 30",
                                          "in c del 31", "in c t 31", "in c u 10"};

Text empty() {
    return "";
}
std::optional<Text> append(const Text& /*key*/, const Text& value, const Text& sum) {
    return value == "del" ? std::nullopt : std::optional{sum + value};
}
Materialized<Text, Text> kept() {
    return {.store = "st", .history = Duration{10}};
}
KTable<Text, Text> appended(Builder& b) {
    return b.stream<Text, Text>("in").group_by_key().aggregate(empty, append, kept());
}

/// What is older than the history is logged and not told.
const Lines kAppended = {"app-st-changelog a x@5",
                         "out a x@5",
                         "app-st-changelog a xy@5",
                         "out a xy@5",
                         "app-st-changelog b z@20",
                         "out b z@20",
                         "app-st-changelog a null@22",
                         "out a null@22",
                         "app-st-changelog a q@15",
                         "out a q@15",
                         "app-st-changelog a r@11",
                         "app-st-changelog a s@30",
                         "out a s@30",
                         "app-st-changelog c null@31",
                         "out c null@31",
                         "app-st-changelog c t@31",
                         "out c t@31",
                         "app-st-changelog c tu@31",
                         "out c tu@31"};

TEST(VersionedAggregate, CountKeepsTheLatestTime) {
    Builder b;
    b.stream<Text, Text>("in")
        .group_by_key()
        .count({.store = "st", .history = Duration{10}})
        .to_stream()
        .map_values([](std::int64_t n) { return std::to_string(n); })
        .to("out");
    Script script{b};
    EXPECT_THAT(script.describe(),
                HasSubstr("Processor: KSTREAM-AGGREGATE-0000000001 (stores: [st])"));
    EXPECT_EQ(script.only("out", kInputs),
              (Lines{"out a 1@5", "out a 2@5", "out b 1@20", "out a 3@22", "out a 4@22",
                     "out a 5@22", "out a 6@30", "out c 1@31", "out c 2@31", "out c 3@31"}));
    EXPECT_EQ(script.dropped(), 1U);
}

TEST(VersionedAggregate, AggregateEndsAVersionByADeletion) {
    Builder b;
    appended(b).to_stream().to("out");
    Script script{b};
    EXPECT_EQ(script.run(kInputs), kAppended);
    EXPECT_EQ(script.dropped(), 2U);
}

TEST(VersionedAggregate, ReduceBeginsWithTheFirstValue) {
    Builder b;
    b.stream<Text, Text>("in")
        .group_by_key()
        .reduce([](const Text& a, const Text& value) { return a + value; }, kept())
        .to_stream()
        .to("out");
    Script script{b};
    EXPECT_EQ(script.only("out", {"in a x 5", "in a y 3", "in b z 20", "in c del 31", "in c t 31"}),
              (Lines{"out a x@5", "out a xy@5", "out b z@20", "out c del@31", "out c delt@31"}));
}

TEST(VersionedAggregate, CogroupDoesAsAggregate) {
    Builder b;
    b.stream<Text, Text>("in")
        .group_by_key()
        .cogroup<Text>(append)
        .aggregate(empty, kept())
        .to_stream()
        .to("out");
    Script script{b};
    EXPECT_THAT(script.describe(),
                HasSubstr("Processor: COGROUPKSTREAM-AGGREGATE-0000000001 (stores: [st])"));
    EXPECT_EQ(script.run(kInputs), kAppended);
}

TEST(VersionedAggregate, StreamsMeetItAsOfTheirTime) {
    Builder b;
    const auto stream = b.stream<Text, Text>("s");
    stream.join(appended(b), plus).to("out");
    EXPECT_EQ(Script{b}.only("out", {"in a x 5", "in a y 8", "s a p 5", "s a p 7", "s a p 9",
                                     "s a p 4", "in a z 40", "s a p 20"}),
              (Lines{"out a p+x@5", "out a p+x@7", "out a p+xy@9"}));
}

TEST(VersionedAggregate, OvertakenUpdatesChangeNoGroup) {
    Builder b;
    appended(b)
        .group_by([](const Text& /*key*/, const Text& value) {
            return KeyValue<Text, Text>{"all", value};
        })
        .count()
        .to_stream()
        .map_values([](std::int64_t n) { return std::to_string(n); })
        .to("out");
    EXPECT_EQ(Script{b}.only("out", kInputs),
              (Lines{"out all 1@5", "out all 1@5", "out all 1@20", "out all 0@22", "out all 0@30",
                     "out all -1@31", "out all -1@31", "out all -1@31"}));
}

}  // namespace
}  // namespace leat::streams::testing_tables
