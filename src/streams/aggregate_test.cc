// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"
#include "streams/testing/words.h"

namespace leat::streams {
namespace {

using std::nullopt;
using std::string;
using testing::ElementsAre;
using testing::IsEmpty;
using Number = Record<string, std::int64_t>;
using Text = Record<string, string>;
using WindowedNumber = Record<Windowed<string>, std::int64_t>;

std::unique_ptr<TestDriver> opened(Builder& builder, std::optional<Topology>& topology) {
    auto built = builder.build();
    if (!built) return nullptr;
    topology = *std::move(built);
    auto driver = TestDriver::open(*topology, {.application_id = "app"});
    return driver ? *std::move(driver) : nullptr;
}

class Aggregate : public testing::Test {
  protected:
    [[nodiscard]] KGroupedStream<string, string> by_key() {
        return builder_.stream<string, string>("in").group_by_key();
    }
    void open() { ASSERT_NE(driver_ = opened(builder_, topology_), nullptr); }
    void pipe(std::optional<string> key, std::optional<string> value, std::int64_t at) {
        ASSERT_TRUE(driver_->pipe("in", key, value, {at}));
    }
    template <class K, class V>
    std::vector<Record<K, V>> read(Serde<K> key = {}, const string& topic = "out") {
        auto got = driver_->read<K, V>(topic, key);
        return got ? *std::move(got) : std::vector<Record<K, V>>{};
    }
    Builder builder_;
    std::optional<Topology> topology_;
    std::unique_ptr<TestDriver> driver_;
};

TEST_F(Aggregate, CountGoesThroughARepartitionTopicAfterAKeyChange) {
    builder_.stream<string, string>("in")
        .flat_map_values(testing_words::split)
        .group_by([](const auto&, const string& word) { return word; })
        .count({.store = "counts"})
        .to_stream()
        .to("out");
    open();
    pipe(nullopt, "a b a", 5);
    EXPECT_THAT(
        (read<string, std::int64_t>()),
        ElementsAre(Number{"a", 1, {5}, {}}, Number{"b", 1, {5}, {}}, Number{"a", 2, {5}, {}}));
    EXPECT_THAT(driver_->produced_topics(),
                ElementsAre("app-counts-changelog", "app-counts-repartition", "out"));
}

TEST_F(Aggregate, CountDropsNullKeysAndNullValues) {
    by_key().count().to_stream().to("out");
    open();
    pipe(nullopt, "x", 1);
    pipe("k", nullopt, 1);
    EXPECT_THAT((read<string, std::int64_t>()), IsEmpty());
    EXPECT_EQ(driver_->dropped(), 2U);
}

TEST_F(Aggregate, ResultHasTheLargestTimestampOfItsRecords) {
    by_key().count().to_stream().to("out");
    open();
    pipe("k", "x", 10);
    pipe("k", "x", 3);
    EXPECT_THAT((read<string, std::int64_t>()),
                ElementsAre(Number{"k", 1, {10}, {}}, Number{"k", 2, {10}, {}}));
}

TEST_F(Aggregate, ReduceBeginsWithTheFirstValue) {
    by_key()
        .reduce([](const string& sum, const string& value) { return sum + value; })
        .to_stream()
        .to("out");
    open();
    pipe("k", "a", 1);
    pipe("k", "b", 2);
    EXPECT_THAT((read<string, string>()),
                ElementsAre(Text{"k", "a", {1}, {}}, Text{"k", "ab", {2}, {}}));
}

TEST_F(Aggregate, AnAggregatorThatAnswersNothingDeletes) {
    by_key()
        .aggregate([] { return std::int64_t{0}; },
                   [](const string&, const string& value, std::int64_t n) {
                       return value == "stop" ? nullopt : std::optional{n + 1};
                   })
        .to_stream()
        .to("out");
    open();
    pipe("k", "a", 1);
    pipe("k", "stop", 2);
    pipe("k", "a", 3);
    EXPECT_THAT((read<string, std::int64_t>()),
                ElementsAre(Number{"k", 1, {1}, {}}, Number{"k", nullopt, {2}, {}},
                            Number{"k", 1, {3}, {}}));
}

TEST_F(Aggregate, AChangelogHoldsTheValueAndTheTimestampOfItsRecord) {
    by_key().count({.store = "n"});
    open();
    pipe("k", "a", 4);
    EXPECT_THAT((read<string, std::int64_t>({}, "app-n-changelog")),
                ElementsAre(Number{"k", 1, {4}, {}}));
}

WindowedNumber in_window(const string& key, std::int64_t start, std::int64_t end, std::int64_t n,
                         std::int64_t at) {
    return {Windowed<string>{key, {start, end}}, n, {at}, {}};
}

TEST_F(Aggregate, HoppingWindowsThatHoldARecordEachCountIt) {
    by_key().windowed(hopping(Duration{10}, Duration{4})).count().to_stream().to("out");
    open();
    pipe("k", "x", 3);
    pipe("k", "x", 13);
    EXPECT_THAT((read<Windowed<string>, std::int64_t>(time_windowed<string>(Duration{10}))),
                ElementsAre(in_window("k", 0, 10, 1, 3), in_window("k", 4, 14, 1, 13),
                            in_window("k", 8, 18, 1, 13), in_window("k", 12, 22, 1, 13)));
}

TEST_F(Aggregate, AWindowTakesRecordsUntilItsGraceIsOver) {
    by_key().windowed(tumbling(Duration{10}).grace(Duration{5})).count().to_stream().to("out");
    open();
    pipe("k", "x", 9);
    pipe("k", "x", 14);  // stream time - grace = 9: [0, 10) is open
    pipe("k", "x", 1);
    pipe("k", "x", 15);  // closes it
    pipe("k", "x", 2);
    EXPECT_THAT((read<Windowed<string>, std::int64_t>(time_windowed<string>(Duration{10}))),
                ElementsAre(in_window("k", 0, 10, 1, 9), in_window("k", 10, 20, 1, 14),
                            in_window("k", 0, 10, 2, 9), in_window("k", 10, 20, 2, 15)));
    EXPECT_EQ(driver_->dropped(), 1U);
}

TEST_F(Aggregate, WindowsCountNullValuesAndDropNullKeys) {
    by_key().windowed(tumbling(Duration{10})).count().to_stream().to("out");
    open();
    pipe("k", nullopt, 1);
    pipe(nullopt, "x", 1);
    EXPECT_THAT((read<Windowed<string>, std::int64_t>(time_windowed<string>(Duration{10}))),
                ElementsAre(in_window("k", 0, 10, 1, 1)));
    EXPECT_EQ(driver_->dropped(), 1U);
}

}  // namespace
}  // namespace leat::streams
