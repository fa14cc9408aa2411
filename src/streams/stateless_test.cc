// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"
#include "streams/testing/words.h"

namespace leat::streams {
namespace {

using std::nullopt;
using std::string;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Text = Record<string, string>;
using Number = Record<string, std::int64_t>;

struct Uncompared {
    int value = 0;
};
/// Names what it holds, as a container does, and compares itself.
struct Tagged {
    using value_type = Uncompared;
    int tag = 0;
    bool operator==(const Tagged&) const = default;
};
static_assert(detail::IsComparable<Tagged>::value);
static_assert(detail::IsComparable<std::variant<int, string>>::value);
static_assert(!detail::IsComparable<std::variant<int, std::vector<Uncompared>>>::value);
static_assert(!detail::IsComparable<std::optional<std::vector<Uncompared>>>::value);
static_assert(detail::IsComparable<std::map<string, std::vector<string>>>::value);
static_assert(detail::IsComparable<std::optional<std::pair<int, string>>>::value);
static_assert(!detail::IsComparable<std::vector<Uncompared>>::value);
static_assert(!detail::IsComparable<std::map<string, Uncompared>>::value);
static_assert(!detail::IsComparable<std::pair<int, std::vector<Uncompared>>>::value);
static_assert(!detail::IsComparable<std::tuple<Uncompared>>::value);

/// A topology with one input "in" and one output "out", both text.
class Stateless : public testing::Test {
  protected:
    [[nodiscard]] KStream<string, string> in() { return builder_.stream<string, string>("in"); }
    void open() {
        auto topology = builder_.build();
        ASSERT_TRUE(topology);
        topology_ = *std::move(topology);
        auto driver = TestDriver::open(*topology_, {});
        ASSERT_TRUE(driver);
        driver_ = *std::move(driver);
    }
    void pipe(const std::optional<string>& key, const std::optional<string>& value,
              std::int64_t at = 1) {
        ASSERT_TRUE(driver_->pipe("in", key, value, {at}));
    }
    std::vector<Text> out(const string& topic = "out") {
        auto read = driver_->read<string, string>(topic);
        return read ? *std::move(read) : std::vector<Text>{};
    }
    Builder builder_;
    std::optional<Topology> topology_;
    std::unique_ptr<TestDriver> driver_;
};

TEST_F(Stateless, FilterByReferenceDropsNullValues) {
    in().filter([](const string& value) { return value != "no"; }).to("out");
    open();
    pipe("a", "yes");
    pipe("b", "no");
    pipe("c", nullopt);
    EXPECT_THAT(out(), ElementsAre(Text{"a", "yes", {1}, {}}));
}

TEST_F(Stateless, FilterByPointerSeesNullValues) {
    in().filter([](const string*, const string* value) { return value == nullptr; }).to("out");
    open();
    pipe("a", "yes");
    pipe("c", nullopt, 7);
    EXPECT_THAT(out(), ElementsAre(Text{"c", nullopt, {7}, {}}));
}

TEST_F(Stateless, FilterNotKeepsWhatFilterDrops) {
    in().filter_not([](const string& value) { return value == "no"; }).to("out");
    open();
    pipe("a", "yes");
    pipe("b", "no");
    EXPECT_THAT(out(), ElementsAre(Text{"a", "yes", {1}, {}}));
}

TEST_F(Stateless, MapValuesPassesNullOn) {
    in().map_values([](const string& value) { return value + "!"; }).to("out");
    open();
    pipe(nullopt, "x");
    pipe("k", nullopt);
    EXPECT_THAT(out(), ElementsAre(Text{nullopt, "x!", {1}, {}}, Text{"k", nullopt, {1}, {}}));
}

TEST_F(Stateless, MapValuesMayAnswerNull) {
    in().map_values(
            [](const string& value) { return value.empty() ? nullopt : std::optional{value}; })
        .to("out");
    open();
    pipe("a", "");
    pipe("b", "x");
    EXPECT_THAT(out(), ElementsAre(Text{"a", nullopt, {1}, {}}, Text{"b", "x", {1}, {}}));
}

TEST_F(Stateless, MapChangesKeyAndValue) {
    in().map([](const string& key, const string& value) { return KeyValue{value, key}; }).to("out");
    open();
    pipe("a", "b", 9);
    EXPECT_THAT(out(), ElementsAre(Text{"b", "a", {9}, {}}));
}

TEST_F(Stateless, FlatMapYieldsEachPairInOrder) {
    in().flat_map([](const string& key, const string& value) {
            std::vector<KeyValue<string, string>> all;
            for (const auto& word : testing_words::split(value)) all.push_back({word, key});
            return all;
        })
        .to("out");
    open();
    pipe("k", "x y");
    pipe("k", "");
    EXPECT_THAT(out(), ElementsAre(Text{"x", "k", {1}, {}}, Text{"y", "k", {1}, {}}));
}

TEST_F(Stateless, FlatMapValuesYieldsEachUnderItsKey) {
    in().flat_map_values([](const string& value) { return testing_words::split(value); }).to("out");
    open();
    pipe("k", "x y", 7);
    pipe("k", "");
    pipe(std::nullopt, "z");
    EXPECT_THAT(out(), ElementsAre(Text{"k", "x", {7}, {}}, Text{"k", "y", {7}, {}},
                                   Text{std::nullopt, "z", {1}, {}}));
}

TEST_F(Stateless, ANullKeyTakenByReferenceAndHandedOnIsNullAgain) {
    const auto pass = [](const string& key, const string&) { return key; };
    const auto pair = [](const string& key, const string& value) { return KeyValue{key, value}; };
    in().select_key(pass).to("selected");
    in().map(pair).to("mapped");
    in().flat_map([=](const string& k, const string& v) { return std::vector{pair(k, v)}; })
        .to("flat");
    in().group_by(pass).count({.store = "counts"}).to_stream().to("counted");
    open();
    pipe(nullopt, "v");
    for (const auto* topic : {"selected", "mapped", "flat"})
        EXPECT_THAT(out(topic), ElementsAre(Text{nullopt, "v", {1}, {}})) << topic;
    EXPECT_THAT(driver_->read("counted"), IsEmpty());
    pipe("", "v");
    EXPECT_THAT(out("selected"), ElementsAre(Text{"", "v", {1}, {}}));
}

TEST_F(Stateless, AFunctionThatDoesNotLookAtANullKeyIsCalled) {
    in().filter([](const string&, const string& v) { return v != "no"; })
        .select_key([](const string&, const string& v) { return v; })
        .to("out");
    open();
    pipe(nullopt, "v");
    EXPECT_THAT(out(), ElementsAre(Text{"v", "v", {1}, {}}));
}

/// A key that cannot be compared.
struct Place {
    string name;
};
class PlaceCodec final : public Codec<Place> {
  public:
    Result<void> encode(std::string_view, const Place& place, string& out) const override {
        out += place.name;
        return {};
    }
    Result<Place> decode(std::string_view, std::string_view bytes) const override {
        return Place{string{bytes}};
    }
};

TEST_F(Stateless, ANullKeyOfATypeWithoutComparisonStaysNull) {
    const Serde<Place> places = std::make_shared<PlaceCodec>();
    builder_.stream<Place, string>("in", {.key = places})
        .select_key([](const Place& place, const string&) { return place; })
        .to("out", {.key = places});
    open();
    pipe(nullopt, "v");
    pipe("here", "v");
    EXPECT_THAT(out(), ElementsAre(Text{nullopt, "v", {1}, {}}, Text{"here", "v", {1}, {}}));
}

TEST_F(Stateless, PeekSeesEachRecordOnItsWay) {
    std::vector<string> seen;
    in().peek([&seen](const string& value) { seen.push_back(value); }).to("out");
    open();
    pipe("a", "1");
    EXPECT_THAT(seen, ElementsAre("1"));
    EXPECT_THAT(out(), ElementsAre(Text{"a", "1", {1}, {}}));
}

TEST_F(Stateless, MergeHoldsTheRecordsOfBoth) {
    const auto all = in();
    all.filter([](const string& v) { return v == "1"; })
        .merge(all.filter([](const string& v) { return v == "2"; }))
        .to("out");
    open();
    pipe("a", "1");
    pipe("a", "3");
    pipe("a", "2");
    EXPECT_THAT(out(), ElementsAre(Text{"a", "1", {1}, {}}, Text{"a", "2", {1}, {}}));
}

TEST_F(Stateless, SinkMayChooseTheTopicOfARecord) {
    in().to([](const string* key, const string*) {
        return key != nullptr ? "topic-" + *key : string{"none"};
    });
    open();
    pipe("a", "1");
    pipe(nullopt, "2");
    EXPECT_THAT(out("topic-a"), ElementsAre(Text{"a", "1", {1}, {}}));
    EXPECT_THAT(out("none"), ElementsAre(Text{nullopt, "2", {1}, {}}));
}

TEST_F(Stateless, SinkMayChooseTheTopicByHeadersTimeAndOrigin) {
    in().map_values([](const string& v) { return v; })
        .to([](const string*, const string* value, const RecordContext& context) {
            string out = value != nullptr ? *value : "null";
            for (const Header& header : *context.headers)
                if (header.name == "region") out += "-" + header.value.value_or("none");
            return out + "-" + string{context.topic} + "-" + std::to_string(context.partition) +
                   "-" + std::to_string(context.offset) + "-" +
                   std::to_string(context.timestamp.ms);
        });
    open();
    pipe("a", "1");
    ASSERT_TRUE(driver_->pipe(
        "in",
        RawRecord{.key = "k", .timestamp = 3, .headers = {{"trace", "7"}, {"region", "eu"}}}));
    EXPECT_THAT(driver_->produced_topics(), ElementsAre("1-in-0-0-1", "null-eu-in-0-1-3"));
}

/// A session's result is a new record, as in Kafka Streams.
TEST_F(Stateless, SinkThatAsksForHeadersIsShownNoneWhereThereAreNone) {
    in().group_by_key()
        .windowed(session(Duration{5}))
        .count()
        .to_stream()
        .to([](const Windowed<string>*, const std::int64_t*, const RecordContext& context) {
            return "headers-" + std::to_string(context.headers->size());
        });
    open();
    ASSERT_TRUE(driver_->pipe(
        "in", RawRecord{.key = "k", .value = "v", .timestamp = 3, .headers = {{"trace", "7"}}}));
    EXPECT_THAT(driver_->produced_topics(), testing::Contains("headers-0"));
}

TEST_F(Stateless, WhatASinkCannotNameIsAMatterOfTheHandler) {
    in().to([](const string*, const string*, const RecordContext& context) -> Result<string> {
        if (context.headers->empty()) return Error{Errc::kInvalidRecord, "no headers"};
        return context.headers->front().name;
    });
    open();
    const auto done = driver_->pipe<string, string>("in", "k", "v", {1});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::kInvalidRecord);
    EXPECT_THAT(string{done.error().detail()}, HasSubstr("KSTREAM-SINK-0000000001: no headers"));
    ASSERT_TRUE(driver_->pipe(
        "in", RawRecord{.key = "k", .value = "v", .timestamp = 3, .headers = {{"to", "x"}}}));
    EXPECT_THAT(out("to"), ElementsAre(Text{"k", "v", {3}, {{"to", "x"}}}));
}

TEST_F(Stateless, HeadersTravelWithTheRecord) {
    in().map_values([](const string& v) { return v; }).to("out");
    open();
    const Headers headers{{"trace", "7"}, {"empty", nullopt}};
    ASSERT_TRUE(driver_->pipe(
        "in", RawRecord{.key = "k", .value = "v", .timestamp = 3, .headers = headers}));
    EXPECT_THAT(out(), ElementsAre(Text{"k", "v", {3}, headers}));
}

TEST_F(Stateless, WhatAFunctionThrowsNamesTheOperator) {
    in().map_values([](const string& v) -> string {
            throw std::runtime_error("bad " + v);  // tidy: right here, a user's function may throw.
        })
        .to("out");
    open();
    const auto done = driver_->pipe<string, string>("in", "k", "v", {1});
    ASSERT_FALSE(done);
    EXPECT_THAT(string{done.error().detail()}, HasSubstr("KSTREAM-MAPVALUES-0000000001: bad v"));
    EXPECT_THAT(out(), IsEmpty());
}

TEST_F(Stateless, BytesThatDoNotDecodeAreAnError) {
    builder_.stream<string, std::int64_t>("numbers").to("out");
    open();
    const auto done =
        driver_->pipe("numbers", RawRecord{.key = "k", .value = "short", .timestamp = 1});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::kInvalidRecord);
}

TEST_F(Stateless, ATopicThatNothingReadsIsAnError) {
    in().to("out");
    open();
    EXPECT_EQ((driver_->pipe<string, string>("other", "k", "v", {1})).error().code(),
              Errc::kUnknownTopicOrPartition);
}

TEST_F(Stateless, ANegativeTimestampIsAnError) {
    in().to("out");
    open();
    EXPECT_EQ((driver_->pipe<string, string>("in", "k", "v", {-1})).error().code(),
              Errc::kInvalidTimestamp);
}

}  // namespace
}  // namespace leat::streams
