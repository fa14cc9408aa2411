// SPDX-License-Identifier: Apache-2.0
// The text is what Kafka Streams 4.2.1 prints for the same topology; what is refused, it refuses
// too (types aside, which it finds out when records arrive).
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"
#include "leat/streams/topology_builder.h"

namespace leat::streams {
namespace {

using std::string;
using testing::ElementsAre;
using testing::HasSubstr;
using Store = KeyValueStore<string, string>;
using Text = Record<string, string>;

class Pass final : public Processor<string, string> {
  public:
    Result<void> process(const Text& record) override { return context().forward(record); }
};
class Count final : public Processor<string, string, string, std::int64_t> {
  public:
    Result<void> process(const Text& record) override {
        return context().forward(
            {record.key, static_cast<std::int64_t>(record.value->size()), record.timestamp, {}});
    }
};
/// Puts what it reads into a store.
class Fill final : public Processor<string, string> {
  public:
    explicit Fill(string store) : name_(std::move(store)) {}
    Result<void> init(ProcessorContext<string, string>& c) override {
        LEAT_TRY(store_, c.store<Store>(name_));
        return {};
    }
    Result<void> process(const Text& record) override {
        return store_.put(*record.key, record.value);
    }

  private:
    string name_;
    Store store_;
};
/// Forwards what a store has under the record's key.
class Look final : public Processor<string, string> {
  public:
    Result<void> init(ProcessorContext<string, string>& c) override {
        LEAT_TRY_VOID(Processor::init(c));
        LEAT_TRY(store_, c.store<Store>("ro"));
        return {};
    }
    Result<void> process(const Text& record) override {
        LEAT_TRY(const auto found, store_.get(*record.key));
        return context().forward({record.key, found, record.timestamp, {}});
    }

  private:
    Store store_;
};
const auto kPass = [] { return std::make_unique<Pass>(); };
const auto kFill = [](const char* store) {
    return [store] { return std::make_unique<Fill>(store); };
};

TopologyBuilder sample() {
    TopologyBuilder t;
    t.add_source<string, string>("s1", {"b-topic", "a-topic"});
    t.add_source<string, string>("s2", TopicPattern{"x.*"}, {.reset = OffsetReset::latest()});
    t.add_processor("p1", kPass, {"s1"});
    t.add_processor("p2", kPass, {"s1", "p1"});
    t.add_state_store(key_value_store<string, string>("zz"), {"p1"});
    t.add_state_store(key_value_store<string, string>("aa"), {"p1", "p2"});
    t.connect("p2", {"zz"});
    t.add_sink<string, string>("k1", "out", {"p2", "s2"});
    t.add_processor("lone", kPass, {"s2"});
    t.add_source<string, string>("s3", {"q"});
    t.add_read_only_store<string, string>(key_value_store<string, string>("ro"),
                                          {"rosrc", "rotopic", "roproc"}, kFill("ro"));
    t.connect("lone", {"ro"});
    t.add_global_store<string, string>(key_value_store<string, string>("g"),
                                       {"gsrc", "gt", "gproc"}, kFill("g"));
    return t;
}
string text(const TopologyBuilder& t) {
    const auto topology = t.build();
    return topology ? topology->describe() : string{topology.error().detail()};
}

TEST(TopologyBuilder, DescribesSourcesStoresAndSinksAsKafkaDoes) {
    EXPECT_EQ(text(sample()), R"(Topologies:
   Sub-topology: 0
    Source: s1 (topics: [b-topic, a-topic])
      --> p1, p2
    Processor: p1 (stores: [zz, aa])
      --> p2
      <-- s1
    Source: s2 (topics: x.*)
      --> k1, lone
    Processor: p2 (stores: [aa, zz])
      --> k1
      <-- s1, p1
    Source: rosrc (topics: [rotopic])
      --> roproc
    Sink: k1 (topic: out)
      <-- p2, s2
    Processor: lone (stores: [ro])
      --> none
      <-- s2
    Processor: roproc (stores: [ro])
      --> none
      <-- rosrc

  Sub-topology: 1
    Source: s3 (topics: [q])
      --> none

  Sub-topology: 2 for global store (will not generate tasks)
    Source: gsrc (topics: [gt])
      --> gproc
    Processor: gproc (stores: [g])
      --> none
      <-- gsrc
)");
}

TEST(TopologyBuilder, TopicsMayBeListedInBraces) {
    TopologyBuilder t;
    t.add_source<string, string>("s", {"a", "b"})
        .add_source<string, string>("one", {"c"})
        .add_sink<string, string>("out", "o", {"s", "one"});
    const auto topology = t.build();
    ASSERT_TRUE(topology);
    EXPECT_THAT(topology->describe(), HasSubstr("Source: s (topics: [a, b])"));
    EXPECT_THAT(topology->describe(), HasSubstr("Source: one (topics: [c])"));
}

TEST(TopologyBuilder, SubTopologiesAreNumberedByTheirFirstNode) {
    TopologyBuilder t;
    t.add_source<string, string>("b", {"b1"});
    t.add_source<string, string>("a", {"a1"});
    t.add_source<string, string>("Z", {"z1"});
    EXPECT_EQ(text(t), R"(Topologies:
   Sub-topology: 0
    Source: b (topics: [b1])
      --> none

  Sub-topology: 1
    Source: a (topics: [a1])
      --> none

  Sub-topology: 2
    Source: Z (topics: [z1])
      --> none

)");
}

struct Refusal {
    const char* what;
    void (*act)(TopologyBuilder& t);
    const char* message;
};
class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, NamesTheNode) {
    auto t = sample();
    GetParam().act(t);
    EXPECT_THAT(text(t), HasSubstr(GetParam().message));
}

const Refusal kRefusals[] = {
    {"SameName", [](TopologyBuilder& t) { t.add_source<string, string>("s1", {"n"}); },
     "s1: two nodes have this name"},
    {"SameTopic", [](TopologyBuilder& t) { t.add_source<string, string>("n1", {"q"}); },
     "n1: the topic q is read by s3"},
    {"UnknownParent", [](TopologyBuilder& t) { t.add_processor("pp", kPass, {"nope"}); },
     "pp: there is no node nope before it"},
    {"NoParent", [](TopologyBuilder& t) { t.add_processor("pp", kPass, {}); },
     "pp: a processor needs a parent"},
    {"NamedTwiceSource",
     [](TopologyBuilder& t) { t.add_source<string, string>("ss", {"n"}, {.name = "other"}); },
     "ss: Consumed::name: the node has a name already"},
    {"NamedTwiceSink",
     [](TopologyBuilder& t) { t.add_sink<string, string>("kk", "o", {"p1"}, {.name = "other"}); },
     "kk: Produced::name: the node has a name already"},
    {"SinkWithoutParent", [](TopologyBuilder& t) { t.add_sink<string, string>("kk", "o", {}); },
     "kk: a sink needs a parent"},
    {"ParentIsASink", [](TopologyBuilder& t) { t.add_processor("pp", kPass, {"k1"}); },
     "pp: its parent k1 is a sink"},
    {"UnknownStore", [](TopologyBuilder& t) { t.connect("p1", {"none"}); },
     "p1: the store none is not added"},
    {"UnknownProcessor", [](TopologyBuilder& t) { t.connect("none", {"zz"}); },
     "none: there is no such node for the store zz"},
    {"SameStore",
     [](TopologyBuilder& t) { t.add_state_store(key_value_store<string, string>("zz")); },
     "zz: two stores have this name"},
    {"StoreOfASource",
     [](TopologyBuilder& t) { t.add_state_store(key_value_store<string, string>("yy"), {"s1"}); },
     "s1: only a processor has a store, yy"},
    {"GlobalStoreConnected", [](TopologyBuilder& t) { t.connect("p1", {"g"}); },
     "g: all processors may use a global store"},
    {"PatternTakesATopic",
     [](TopologyBuilder& t) { t.add_source<string, string>("n3", TopicPattern{"q.*"}); },
     "n3: the pattern takes in the topic q"},
    {"TopicOfAPattern", [](TopologyBuilder& t) { t.add_source<string, string>("n4", {"xyz"}); },
     "s2: the pattern takes in the topic xyz"},
    {"OtherTypes",
     [](TopologyBuilder& t) {
         t.add_processor("len", [] { return std::make_unique<Count>(); }, {"p1"});
         t.add_processor("pp", kPass, {"len"});
     },
     "pp: it takes records of another type than len yields"},
};
INSTANTIATE_TEST_SUITE_P(TopologyBuilder, Refused, testing::ValuesIn(kRefusals),
                         [](const auto& each) { return each.param.what; });

TEST(TopologyBuilder, ReadOnlyStoresWriteNoChangelog) {
    TopologyBuilder t;
    t.add_read_only_store<string, string>(key_value_store<string, string>("ro"),
                                          {"rosrc", "rotopic", "roproc"}, kFill("ro"));
    t.add_source<string, string>("in", {"in"});
    t.add_processor("look", [] { return std::make_unique<Look>(); }, {"in"});
    t.connect("look", {"ro"});
    t.add_sink<string, string>("out", "out", {"look"});
    const auto topology = t.build();
    ASSERT_TRUE(topology);
    auto driver = *TestDriver::open(*topology, {});
    ASSERT_TRUE((driver->pipe<string, string>("rotopic", "k", "v", {5})));
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "?", {6})));
    EXPECT_THAT((*driver->read<string, string>("out")), ElementsAre(Text{"k", "v", {6}, {}}));
    EXPECT_THAT(driver->produced_topics(), ElementsAre("out"));
}

TEST(TopologyBuilder, GoesOnWithATopologyOfTheDsl) {
    Builder b;
    b.stream<string, string>("in").to("middle", {.name = "first"});
    TopologyBuilder t{*b.build()};
    t.add_source<string, string>("more", {"middle"});
    t.add_sink<string, string>("out", [](const string* k, const string*) { return "to-" + *k; },
                               {"more"});
    const auto topology = t.build();
    ASSERT_TRUE(topology);
    auto driver = *TestDriver::open(*topology, {});
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "v", {5})));
    EXPECT_THAT((*driver->read<string, string>("to-k")), ElementsAre(Text{"k", "v", {5}, {}}));
}

/// Twice a record, when it comes and by the clock.
class Twice final : public Processor<string, string> {
    Result<void> init(ProcessorContext<string, string>& context) override {
        LEAT_TRY(ticks_, context.schedule(Duration{10}, PunctuationType::kWallClockTime,
                                          [this](Timestamp) { return again(); }));
        return {};
    }
    Result<void> process(const Record<string, string>& record) override {
        last_ = record;
        return again();
    }
    Result<void> again() { return context().forward(last_); }

    Cancellable ticks_;
    Text last_;
};

TEST(TopologyBuilder, ASinkMayChooseTheTopicByTheContext) {
    TopologyBuilder t;
    t.add_source<string, string>("in", {"in"});
    t.add_processor("twice", [] { return std::make_unique<Twice>(); }, {"in"});
    t.add_sink<string, string>("out",
                               [](const string*, const string*, const RecordContext& context) {
                                   const string from =
                                       context.topic.empty() ? "nowhere" : string{context.topic};
                                   return from + "-" + std::to_string(context.offset) + "-" +
                                          context.headers->front().name;
                               },
                               {"twice"});
    const auto topology = t.build();
    ASSERT_TRUE(topology);
    auto driver = *TestDriver::open(*topology, {});
    ASSERT_TRUE(driver->pipe(
        "in", RawRecord{.key = "k", .value = "v", .timestamp = 5, .headers = {{"h", "1"}}}));
    ASSERT_TRUE(driver->advance_wall_time(Duration{10}));
    EXPECT_THAT(driver->produced_topics(), ElementsAre("in-0-h", "nowhere--1-h"));
}

}  // namespace
}  // namespace leat::streams
