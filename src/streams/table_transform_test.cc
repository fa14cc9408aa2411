// SPDX-License-Identifier: Apache-2.0
// Outcomes are what Kafka Streams 4.2.1's TopologyTestDriver printed for the same declarations and
// inputs, with statestore.cache.max.bytes=0.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "leat/streams/processor.h"
#include "leat/streams/test_driver.h"
#include "streams/testing/tables.h"

namespace leat::streams::testing_tables {
namespace {

using testing::HasSubstr;

/// All values of a key so far, by a store of its own; a deletion stays one.
class Gathering final : public ValueTransformer<Text, Text> {
  public:
    Result<void> init(Context& context) override {
        LEAT_TRY_VOID((ValueTransformer::init(context)));
        LEAT_TRY(seen_, (context.store<KeyValueStore<Text, Text>>("seen")));
        return {};
    }
    Result<std::optional<Text>> transform(const Text& key, const Text* value) override {
        if (value != nullptr && *value == "bad") return Error{Errc::kInvalidRecord, "a bad value"};
        LEAT_TRY(const auto before, seen_.get(key));
        const Text all = before.value_or("") + (value != nullptr ? *value : "-");
        LEAT_TRY_VOID(seen_.put(key, all));
        return value != nullptr ? std::optional{all} : std::nullopt;
    }

  private:
    KeyValueStore<Text, Text> seen_;
};
std::unique_ptr<Gathering> gathering() {
    return std::make_unique<Gathering>();
}

const std::vector<std::string> kInput = {"in a x 1", "in a yy 2", "in b - 4", "in a - 5",
                                         "in b z 7"};

TEST(TableTransformer, HasStoresAndAContext) {
    Builder b;
    b.add_state_store(key_value_store<Text, Text>("seen"));
    b.table<Text, Text>("in").transform_values(gathering, {}, {"seen"}).to_stream().to("out");
    Script script{b};
    EXPECT_EQ(script.describe(), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000001 (topics: [in])
      --> KTABLE-SOURCE-0000000002
    Processor: KTABLE-SOURCE-0000000002 (stores: [])
      --> KTABLE-TRANSFORMVALUES-0000000003
      <-- KSTREAM-SOURCE-0000000001
    Processor: KTABLE-TRANSFORMVALUES-0000000003 (stores: [seen])
      --> KTABLE-TOSTREAM-0000000004
      <-- KTABLE-SOURCE-0000000002
    Processor: KTABLE-TOSTREAM-0000000004 (stores: [])
      --> KSTREAM-SINK-0000000005
      <-- KTABLE-TRANSFORMVALUES-0000000003
    Sink: KSTREAM-SINK-0000000005 (topic: out)
      <-- KTABLE-TOSTREAM-0000000004

)");
    EXPECT_EQ(
        script.run(kInput),
        (Lines{"app-seen-changelog a x@1", "out a x@1", "app-seen-changelog a xyy@2", "out a xyy@2",
               "app-seen-changelog b -@4", "out b null@4", "app-seen-changelog a xyy-@5",
               "out a null@5", "app-seen-changelog b -z@7", "out b -z@7"}));
}

TEST(TableTransformer, KeepsWhatItYieldsInANamedStore) {
    Builder b;
    b.add_state_store(key_value_store<Text, Text>("seen"));
    b.table<Text, Text>("in")
        .transform_values(gathering, {.store = "kept"}, {"seen"})
        .group_by([](const Text&, const Text& v) { return KeyValue{Text{"g"}, v}; })
        .reduce([](const Text& a, const Text& v) { return a + "+" + v; },
                [](const Text& a, const Text& v) { return a + "~" + v; }, {.store = "red"})
        .to_stream()
        .to("out");
    Script script{b};
    EXPECT_THAT(script.describe(),
                HasSubstr("KTABLE-TRANSFORMVALUES-0000000003 (stores: [kept, seen])"));
    EXPECT_EQ(script.only("out", kInput), (Lines{"out g x@1", "out g x~x+xyy@2",
                                                 "out g x~x+xyy~xyy@5", "out g x~x+xyy~xyy+-z@7"}));
    EXPECT_EQ(script.only("app-kept-changelog", {"in c v 8"}), (Lines{"app-kept-changelog c v@8"}));
}

TEST(TableTransformer, IsAskedForTheValueBeforeWhereItHasNoStore) {
    Builder b;
    b.add_state_store(key_value_store<Text, Text>("seen"));
    b.table<Text, Text>("in")
        .transform_values(gathering, {}, {"seen"})
        .group_by([](const Text&, const Text& v) { return KeyValue{Text{"g"}, v}; })
        .reduce([](const Text& a, const Text& v) { return a + "+" + v; },
                [](const Text& a, const Text& v) { return a + "~" + v; }, {.store = "red"})
        .to_stream()
        .to("out");
    Script script{b};
    EXPECT_THAT(script.describe(),
                HasSubstr("KTABLE-SOURCE-0000000002 (stores: [in-STATE-STORE-0000000000])"));
    EXPECT_EQ(script.only("out", kInput),
              (Lines{"out g x@1", "out g x~x-yyx+x-yy@2", "out g x~x-yyx+x-yy~x-yyx-yy@5",
                     "out g x~x-yyx+x-yy~x-yyx-yy+--z@7"}));
}

TEST(TableTransformer, ItsErrorIsTheNodes) {
    Builder b;
    b.add_state_store(key_value_store<Text, Text>("seen"));
    b.table<Text, Text>("in").transform_values(gathering, {}, {"seen"}).to_stream().to("out");
    const auto topology = b.build();
    ASSERT_TRUE(topology);
    std::vector<std::string> asked;
    auto driver = *TestDriver::open(
        *topology, {.handlers = {.processing = [&](const ErrorContext& at, const Error& error) {
                        asked.push_back(at.node + ": " + std::string{error.detail()});
                        return continue_on_error(at, error);
                    }}});
    EXPECT_TRUE((driver->pipe<Text, Text>("in", "k", "bad", {1})));
    EXPECT_THAT(asked, testing::ElementsAre("KTABLE-TRANSFORMVALUES-0000000003: a bad value"));
}

TEST(TableTransformer, WithoutAStoreItCannotBeReadByKey) {
    Builder b;
    b.add_state_store(key_value_store<Text, Text>("seen"));
    const auto table = b.table<Text, Text>("in").transform_values(gathering, {}, {"seen"});
    b.stream<Text, Text>("s").join(table, [](const Text& v, const Text&) { return v; }).to("out");
    const auto topology = b.build();
    ASSERT_FALSE(topology);
    EXPECT_THAT(std::string{topology.error().detail()},
                HasSubstr("KTABLE-TRANSFORMVALUES-0000000003 cannot be read by key"));
}

TEST(TableTransformer, AFunctionHasNoStores) {
    Builder b;
    static_cast<void>(b.table<Text, Text>("in").transform_values([](const Text& v) { return v; },
                                                                 {.name = "tv"}, {"seen"}));
    const auto topology = b.build();
    ASSERT_FALSE(topology);
    EXPECT_THAT(std::string{topology.error().detail()}, HasSubstr("tv: a function has no stores"));
}

}  // namespace
}  // namespace leat::streams::testing_tables
