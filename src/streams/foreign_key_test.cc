// SPDX-License-Identifier: Apache-2.0
// Outcomes, bytes, names and hashes are what Kafka Streams 4.2.1 printed: its TopologyTestDriver
// for the same declarations and inputs, with statestore.cache.max.bytes=0, and its Murmur3.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "leat/streams/detail/foreign_key_nodes.h"
#include "streams/state/store_fixture.h"
#include "streams/testing/tables.h"

namespace leat::streams::testing_tables {
namespace {

using testing::HasSubstr;

std::optional<Text> first_letter(const Text& value) {
    if (value.starts_with("-")) return std::nullopt;
    return value.substr(0, 1);
}

/// Subscriptions before and after the right side's value, a change of the foreign key, a null one,
/// deletions of both sides, out-of-order and equal times, null keys.
const std::vector<std::string> kInputs = {
    "l k1 a1 1",  "r a A 2",   "l k1 a2 3", "l k2 a9 4", "r a B 1",   "l k1 b1 5",
    "r b X 6",    "l k1 -x 7", "l k1 - 8",  "l k2 - 9",  "l k2 - 9",  "r a - 10",
    "l k3 c1 11", "r c - 12",  "r - x 13",  "l - a 13",  "l k3 b1 2", "l k3 a7 14"};

TEST(ForeignKeyJoin, InnerYieldsLeftEntriesWithAValueOnTheRight) {
    Builder b;
    const auto left = b.table<Text, Text>("l");
    left.join_on(b.table<Text, Text>("r"), first_letter, plus).to_stream().to("out");
    Script script{b};
    EXPECT_EQ(script.only("out", kInputs),
              (Lines{"out k1 a1+A@2", "out k1 a2+A@3", "out k2 a9+A@4", "out k1 a2+B@1",
                     "out k2 a9+B@1", "out k1 null@5", "out k1 b1+X@6", "out k1 null@7",
                     "out k2 null@9", "out k3 null@12", "out k3 b1+X@6", "out k3 null@14"}));
    EXPECT_EQ(script.dropped(), 3U);
}

TEST(ForeignKeyJoin, LeftYieldsAllLeftEntries) {
    Builder b;
    const auto left = b.table<Text, Text>("l");
    left.left_join_on(b.table<Text, Text>("r"), first_letter, plus_right).to_stream().to("out");
    Script script{b};
    EXPECT_EQ(script.only("out", kInputs),
              (Lines{"out k1 a1+null@1", "out k1 a1+A@2", "out k1 a2+A@3", "out k2 a9+A@4",
                     "out k1 a2+B@1", "out k2 a9+B@1", "out k1 b1+null@5", "out k1 b1+X@6",
                     "out k1 -x+null@7", "out k1 null@8", "out k2 null@9", "out k3 c1+null@11",
                     "out k3 c1+null@12", "out k3 b1+X@6", "out k3 a7+null@14"}));
    EXPECT_EQ(script.dropped(), 2U);
}

TEST(ForeignKeyJoin, SpeaksKafkasBytes) {
    Builder b;
    const auto left = b.table<Text, Text>("l");
    left.left_join_on(b.table<Text, Text>("r"), first_letter, plus_right,
                      {.store = "fs", .name = "fj"});
    EXPECT_EQ(
        Script{b}.run({"l k1 a1 1", "r a A 2", "l k1 -x 7", "l k1 - 8"}),
        (Lines{
            R"(app-fj-subscription-registration-topic a \x01\x025>\x0eO:\xf5\xcek\x8f\xb8\x0c\x06\xf3\xfd\xc5\x84k1\x00\x00\x00\x00@1)",
            R"(app-fj-subscription-response-topic k1 \x005>\x0eO:\xf5\xcek\x8f\xb8\x0c\x06\xf3\xfd\xc5\x84@1)",
            R"(app-fj-subscription-store-changelog \x00\x00\x00\x01ak1 \x01\x025>\x0eO:\xf5\xcek\x8f\xb8\x0c\x06\xf3\xfd\xc5\x84k1\x00\x00\x00\x00@1)",
            "app-fs-changelog k1 a1+null@1", "app-l-STATE-STORE-0000000000-changelog k1 a1@1",
            R"(app-fj-subscription-response-topic k1 \x005>\x0eO:\xf5\xcek\x8f\xb8\x0c\x06\xf3\xfd\xc5\x84A@2)",
            "app-fs-changelog k1 a1+A@2", "app-r-STATE-STORE-0000000003-changelog a A@2",
            R"(app-fj-subscription-registration-topic a \x01\x00"^Y\x0c#\x1e\xab\x0a\xf9e\xefD4\x0auik1\x00\x00\x00\x00@7)",
            R"(app-fj-subscription-registration-topic null \x01\x02"^Y\x0c#\x1e\xab\x0a\xf9e\xefD4\x0auik1\x00\x00\x00\x00@7)",
            R"(app-fj-subscription-response-topic k1 \x00"^Y\x0c#\x1e\xab\x0a\xf9e\xefD4\x0aui@7)",
            R"(app-fj-subscription-store-changelog \x00\x00\x00\x01ak1 null@7)",
            "app-fs-changelog k1 -x+null@7", "app-l-STATE-STORE-0000000000-changelog k1 -x@7",
            R"(app-fj-subscription-registration-topic null \x81\x02k1\x00\x00\x00\x00@8)",
            R"(app-fj-subscription-response-topic k1 \x80@8)", "app-fs-changelog k1 null@8",
            "app-l-STATE-STORE-0000000000-changelog k1 null@8"}));
}

TEST(ForeignKeyJoin, NamesItsNodesAsKafkaStreams) {
    Builder b;
    const auto left = b.table<Text, Text>("l");
    left.join_on(b.table<Text, Text>("r"), first_letter, plus).to_stream().to("out");
    EXPECT_EQ(Script{b}.describe(), R"(Topologies:
   Sub-topology: 0
    Source: KTABLE-SOURCE-0000000016 (topics: [KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-0000000014-topic])
      --> KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-0000000017
    Source: KSTREAM-SOURCE-0000000001 (topics: [l])
      --> KTABLE-SOURCE-0000000002
    Processor: KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-0000000017 (stores: [l-STATE-STORE-0000000000])
      --> KTABLE-FK-JOIN-OUTPUT-0000000018
      <-- KTABLE-SOURCE-0000000016
    Processor: KTABLE-FK-JOIN-OUTPUT-0000000018 (stores: [])
      --> KTABLE-TOSTREAM-0000000020
      <-- KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-0000000017
    Processor: KTABLE-SOURCE-0000000002 (stores: [l-STATE-STORE-0000000000])
      --> KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000007
      <-- KSTREAM-SOURCE-0000000001
    Processor: KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000007 (stores: [])
      --> KTABLE-SINK-0000000008
      <-- KTABLE-SOURCE-0000000002
    Processor: KTABLE-TOSTREAM-0000000020 (stores: [])
      --> KSTREAM-SINK-0000000021
      <-- KTABLE-FK-JOIN-OUTPUT-0000000018
    Sink: KSTREAM-SINK-0000000021 (topic: out)
      <-- KTABLE-TOSTREAM-0000000020
    Sink: KTABLE-SINK-0000000008 (topic: KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000006-topic)
      <-- KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000007

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000004 (topics: [r])
      --> KTABLE-SOURCE-0000000005
    Source: KTABLE-SOURCE-0000000009 (topics: [KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000006-topic])
      --> KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-0000000011
    Processor: KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-0000000011 (stores: [KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-0000000010])
      --> KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-0000000012
      <-- KTABLE-SOURCE-0000000009
    Processor: KTABLE-SOURCE-0000000005 (stores: [r-STATE-STORE-0000000003])
      --> KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-0000000013
      <-- KSTREAM-SOURCE-0000000004
    Processor: KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-0000000012 (stores: [r-STATE-STORE-0000000003])
      --> KTABLE-SINK-0000000015
      <-- KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-0000000011
    Processor: KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-0000000013 (stores: [KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-0000000010])
      --> KTABLE-SINK-0000000015
      <-- KTABLE-SOURCE-0000000005
    Sink: KTABLE-SINK-0000000015 (topic: KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-0000000014-topic)
      <-- KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-0000000012, KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-0000000013

)");
}

TEST(ForeignKeyJoin, OfAVersionedTableTakesItsLatestUpdates) {
    Builder b;
    const auto left = b.table<Text, Text>("in", {}, {.store = "v", .history = Duration{10}});
    left.join_on(b.table<Text, Text>("r"), first_letter, plus).to_stream().to("out");
    EXPECT_EQ(Script{b}.only(
                  "out", {"in a x1 100", "r x R 1", "in a x2 105", "in a y3 102", "in a x4 110"}),
              (Lines{"out a x1+R@1", "out a x2+R@105", "out a x4+R@110"}));
}

TEST(ForeignKey, HashIsJavas) {
    using detail::hash_value;
    using detail::ValueHash;
    EXPECT_EQ(hash_value("a"), (ValueHash{0x3361634e7e0f5188, 0xe9c7dda24eae326b}));
    EXPECT_EQ(hash_value("hello"), (ValueHash{0x30bfb4f39919e764, 0x566aea857401d1c6}));
    EXPECT_EQ(hash_value("0123456789abcdef"), (ValueHash{0x1a6e941ec6a76967, 0xd7d82808f505d6b1}));
    EXPECT_EQ(hash_value("0123456789abcdefXYZ0123456789abcdefQ"),
              (ValueHash{0x74af1424e114a2d5, 0x24b4e793c78d7c56}));
}

TEST(ForeignKey, RecordsThatAreCutOffAreRefused) {
    using detail::parse_answer;
    using detail::parse_subscription;
    EXPECT_EQ(parse_subscription("\x02").error().code(), Errc::kInvalidRecord);
    EXPECT_EQ(parse_subscription("\x82\x02").error().code(), Errc::kUnsupportedVersion);
    EXPECT_EQ(parse_subscription("\x81\x04xxxx").error().code(), Errc::kInvalidRecord);
    EXPECT_EQ(parse_subscription("\x81\x02xxx").error().code(), Errc::kInvalidRecord);
    EXPECT_EQ(parse_subscription("\x01\x02xxxx").error().code(), Errc::kInvalidRecord);
    EXPECT_EQ(parse_answer("").error().code(), Errc::kInvalidRecord);
    EXPECT_EQ(parse_answer("\x81").error().code(), Errc::kUnsupportedVersion);
    EXPECT_EQ(parse_answer(std::string(16, '\0')).error().code(), Errc::kInvalidRecord);
}

/// The partition that each subscription asks to be answered at.
class Subscriptions final : public detail::Node {
  public:
    Subscriptions() : Node("wire") {}
    std::vector<std::optional<std::int32_t>> answer_at;

  private:
    Result<void> process(const detail::Flow& flow) override {
        LEAT_TRY(const auto sent,
                 detail::parse_subscription(flow.value_as<detail::WireOut>()->value));
        answer_at.push_back(sent.partition);
        return {};
    }
};

TEST(ForeignKeyJoin, IsAnsweredAtItsTasksPartitionAlsoWhenNoRecordIsProcessed) {
    detail::NotingTask task;
    task.identify({.task_id = "2_13"});
    detail::SubscriptionSendNode<Text, Text, Text> node{
        "send",
        {.extract = [](const Text& /*key*/, const Text& value) { return first_letter(value); },
         .key = serde_for<Text>(),
         .value = serde_for<Text>(),
         .foreign_key = serde_for<Text>()}};
    Subscriptions sent;
    node.add_child(sent);
    ASSERT_TRUE(node.open(task));
    ASSERT_TRUE(sent.open(task));
    const Text key = "k";
    const Text value = "a1";
    const detail::Change change{.now = &value};
    const detail::Flow flow{.key = &key, .value = &change, .timestamp = 5};
    ASSERT_TRUE(node.run(flow)) << "by the clock";
    task.now = {.topic = "l", .partition = 13, .offset = 4};
    ASSERT_TRUE(node.run(flow));
    EXPECT_THAT(sent.answer_at, testing::ElementsAre(13, 13));
}

/// Stores take its keys, subscriptions do not.
class OnlyStored final : public Codec<Text> {
  public:
    Result<void> encode(std::string_view topic, const Text& text, Text& out) const override {
        if (topic.find("SUBSCRIPTION-REGISTRATION") != std::string_view::npos)
            return Error{Errc::kInvalidRecord, "no key for others"};
        out += text;
        return {};
    }
    Result<Text> decode(std::string_view /*topic*/, std::string_view bytes) const override {
        return Text{bytes};
    }
};

TEST(ForeignKeyJoin, APrimaryKeyThatCannotBeWrittenIsAskedAboutAtTheSinkForEachSubscription) {
    Builder b;
    const auto left = b.table<Text, Text>("l", {.key = std::make_shared<OnlyStored>()});
    left.join_on(b.table<Text, Text>("r"), first_letter, plus).to_stream().to("out");
    Lines asked;
    const ErrorHandlers handlers{.processing =
                                     [&](const ErrorContext& /*context*/, const Error& /*why*/) {
                                         asked.emplace_back("processing");
                                         return ErrorAnswer{ErrorChoice::kFail, {}};
                                     },
                                 .production =
                                     [&](const ErrorContext& context, const Error& why) {
                                         asked.push_back(context.output->key.value_or("null") +
                                                         " " + std::string{why.detail()});
                                         EXPECT_THAT(context.output->topic,
                                                     HasSubstr("-SUBSCRIPTION-REGISTRATION-"));
                                         EXPECT_EQ(context.output->unencodable, RecordPart::kValue);
                                         EXPECT_EQ(context.output->value, std::nullopt);
                                         return ErrorAnswer{ErrorChoice::kContinue, {}};
                                     }};
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {.application_id = "a", .handlers = handlers});
    ASSERT_TRUE(driver->pipe("l", {"k", "a1", 1, {}}));
    EXPECT_EQ(asked, (Lines{"a no key for others"}));
    ASSERT_TRUE(driver->pipe("l", {"k", "b1", 2, {}}));
    EXPECT_EQ(asked, (Lines{"a no key for others", "a no key for others", "b no key for others"}));
    EXPECT_EQ(driver->dropped(), 3U);
}

}  // namespace
}  // namespace leat::streams::testing_tables
