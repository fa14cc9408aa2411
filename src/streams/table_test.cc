// SPDX-License-Identifier: Apache-2.0
// Outcomes are what Kafka Streams 4.2.1's TopologyTestDriver printed for the same declarations and
// inputs, with statestore.cache.max.bytes=0.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"
#include "streams/testing/tables.h"

namespace leat::streams::testing_tables {
namespace {

const std::vector<std::string> kTable = {"in a x 1", "in a yy 2", "in a z 1", "in - q 3",
                                         "in b - 4", "in a - 5",  "in a - 6", "in b yy 7"};

TEST(Table, TellsEachUpdateAndKeepsNothingUnread) {
    Builder b;
    b.table<Text, Text>("in").to_stream().to("out");
    Script script{b};
    EXPECT_EQ(script.run(kTable), (Lines{"out a x@1", "out a yy@2", "out a z@1", "out b null@4",
                                         "out a null@5", "out a null@6", "out b yy@7"}));
    EXPECT_EQ(script.dropped(), 1U);
}

TEST(Table, InANamedStoreLogsEachUpdate) {
    Builder b;
    b.table<Text, Text>("in", {}, {.store = "st"});
    Script script{b};
    EXPECT_EQ(script.run(kTable),
              (Lines{"app-st-changelog a x@1", "app-st-changelog a yy@2", "app-st-changelog a z@1",
                     "app-st-changelog b null@4", "app-st-changelog a null@5",
                     "app-st-changelog a null@6", "app-st-changelog b yy@7"}));
}

TEST(Table, ThatIsItsOwnChangelogLogsNothing) {
    Builder b;
    b.table<Text, Text>("in", {}, {.store = "st"});
    Script script{b, {.reuse_ktable_source_topics = true}};
    EXPECT_EQ(script.run(kTable), Lines{});
}

bool is_short(const Text& value) {
    return value.size() == 1;
}

TEST(TableFilter, TellsADeletionForWhatDoesNotPass) {
    Builder b;
    b.table<Text, Text>("in").filter(is_short).to_stream().to("out");
    EXPECT_EQ(Script{b}.run(kTable),
              (Lines{"out a x@1", "out a null@2", "out a z@1", "out b null@4", "out a null@5",
                     "out a null@6", "out b null@7"}));
}

TEST(TableFilter, InAStoreLogsWhatItTells) {
    Builder b;
    b.table<Text, Text>("in").filter(is_short, {.store = "f"}).to_stream().to("out");
    EXPECT_EQ(Script{b}.run({"in a x 1", "in a yy 2", "in b yy 7"}),
              (Lines{"app-f-changelog a x@1", "out a x@1", "app-f-changelog a null@2",
                     "out a null@2", "app-f-changelog b null@7", "out b null@7"}));
}

TEST(TableFilterNot, KeepsWhatFilterDeletes) {
    Builder b;
    b.table<Text, Text>("in").filter_not(is_short).map_values(shout).to_stream().to("out");
    EXPECT_EQ(Script{b}.run(kTable),
              (Lines{"out a null@1", "out a yy!@2", "out a null@1", "out b null@4", "out a null@5",
                     "out a null@6", "out b yy!@7"}));
}

TEST(TableMapValues, MayAnswerNull) {
    Builder b;
    b.table<Text, Text>("in")
        .map_values([](const Text& v) { return v == "yy" ? std::nullopt : std::optional{v + "!"}; })
        .to_stream()
        .to("out");
    EXPECT_EQ(Script{b}.run(kTable),
              (Lines{"out a x!@1", "out a null@2", "out a z!@1", "out b null@4", "out a null@5",
                     "out a null@6", "out b null@7"}));
}

TEST(TableTransformValues, SeesDeletionsByPointer) {
    Builder b;
    b.table<Text, Text>("in")
        .transform_values([](const Text*, const Text* v) { return "<" + (v ? *v : "null") + ">"; })
        .to_stream()
        .to("out");
    EXPECT_EQ(Script{b}.run(kTable),
              (Lines{"out a <x>@1", "out a <yy>@2", "out a <z>@1", "out b <null>@4",
                     "out a <null>@5", "out a <null>@6", "out b <yy>@7"}));
}

TEST(ToTable, DeletesOnNullAndDropsNullKeys) {
    Builder b;
    b.stream<Text, Text>("in").to_table().to_stream().to("out");
    Script script{b};
    EXPECT_EQ(script.run(kTable), (Lines{"out a x@1", "out a yy@2", "out a z@1", "out b null@4",
                                         "out a null@5", "out a null@6", "out b yy@7"}));
    EXPECT_EQ(script.dropped(), 1U);
}

TEST(ToTable, GoesThroughARepartitionTopicAfterAKeyChange) {
    Builder b;
    b.stream<Text, Text>("in")
        .select_key([](const Text*, const Text* v) { return v ? std::optional{*v} : std::nullopt; })
        .to_table()
        .to_stream()
        .to("out");
    EXPECT_EQ(Script{b}.run({"in a x 1", "in a - 2"}),
              (Lines{"app-KSTREAM-TOTABLE-0000000002-repartition x x@1", "out x x@1"}));
}

TEST(OldValues, AreComputedThroughTablesWithoutStores) {
    Builder b;
    auto left = b.table<Text, Text>("in").filter(is_short).map_values(shout);
    left.left_join(b.table<Text, Text>("r"), plus_right).to_stream().to("out");
    EXPECT_EQ(Script{b}.only("out", {"in a x 1", "in a yy 2", "in a zz 3", "in a z 4", "r a R 2",
                                     "in a yy 5", "in a - 6", "in a - 7", "in b - 1"}),
              (Lines{"out a x!+null@1", "out a null@2", "out a z!+null@4", "out a z!+R@4",
                     "out a null@5"}));
}

}  // namespace
}  // namespace leat::streams::testing_tables
