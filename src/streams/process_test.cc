// SPDX-License-Identifier: Apache-2.0
// Texts and outcomes are what Kafka Streams 4.2.1 prints for the same processors.
#include <gmock/gmock.h>

#include <functional>
#include <stdexcept>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"

namespace leat::streams {
namespace {

using std::nullopt;
using std::string;
using testing::ElementsAre;
using testing::HasSubstr;
using Store = KeyValueStore<string, string>;
using Text = Record<string, string>;

string described(Builder& b) {
    const auto topology = b.build();
    return topology ? topology->describe() : string{topology.error().detail()};
}

class Pass final : public Processor<string, string> {
    Result<void> process(const Text& record) override { return context().forward(record); }
};
class PassValues final : public FixedKeyProcessor<string, string> {
    Result<void> process(const FixedKeyRecord<string, string>& record) override {
        return context().forward(record);
    }
};
/// Hands each record on with other headers, then as it came.
class Marks final : public FixedKeyProcessor<string, string> {
    Result<void> process(const FixedKeyRecord<string, string>& record) override {
        LEAT_TRY_VOID(context().forward(record.with_headers({{"seen", "twice"}})));
        return context().forward(record);
    }
};
const auto kPass = [] { return std::make_unique<Pass>(); };
const auto pass_values = [] { return std::make_unique<PassValues>(); };

/// A supplier that brings its store along.
struct WithStore {
    std::unique_ptr<Pass> operator()() const { return std::make_unique<Pass>(); }
    static std::vector<detail::StoreSpec> stores() {
        return {key_value_store<string, string>("prov").spec};
    }
};

TEST(Process, StoresJoinSubTopologiesAsInKafka) {
    Builder b;
    b.add_state_store(key_value_store<string, string>("st"));
    b.stream<string, string>("in")
        .process(kPass, {.stores = {"st"}})
        .process_values(pass_values, {.stores = {"st"}})
        .to("out");
    b.stream<string, string>("in2")
        .process(kPass, {.name = "pp", .stores = {"st"}})
        .group_by_key()
        .count();
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-PROCESSOR-0000000001
    Source: KSTREAM-SOURCE-0000000004 (topics: [in2])
      --> pp
    Processor: KSTREAM-PROCESSOR-0000000001 (stores: [st])
      --> KSTREAM-PROCESSVALUES-0000000002
      <-- KSTREAM-SOURCE-0000000000
    Processor: pp (stores: [st])
      --> KSTREAM-FILTER-0000000008
      <-- KSTREAM-SOURCE-0000000004
    Processor: KSTREAM-FILTER-0000000008 (stores: [])
      --> KSTREAM-SINK-0000000007
      <-- pp
    Processor: KSTREAM-PROCESSVALUES-0000000002 (stores: [st])
      --> KSTREAM-SINK-0000000003
      <-- KSTREAM-PROCESSOR-0000000001
    Sink: KSTREAM-SINK-0000000003 (topic: out)
      <-- KSTREAM-PROCESSVALUES-0000000002
    Sink: KSTREAM-SINK-0000000007 (topic: KSTREAM-AGGREGATE-STATE-STORE-0000000005-repartition)
      <-- KSTREAM-FILTER-0000000008

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000009 (topics: [KSTREAM-AGGREGATE-STATE-STORE-0000000005-repartition])
      --> KSTREAM-AGGREGATE-0000000006
    Processor: KSTREAM-AGGREGATE-0000000006 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000005])
      --> none
      <-- KSTREAM-SOURCE-0000000009

)");
}

TEST(Process, ASupplierMayBringItsStores) {
    Builder b;
    b.stream<string, string>("in").process(WithStore{}).to("out");
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-PROCESSOR-0000000001
    Processor: KSTREAM-PROCESSOR-0000000001 (stores: [prov])
      --> KSTREAM-SINK-0000000002
      <-- KSTREAM-SOURCE-0000000000
    Sink: KSTREAM-SINK-0000000002 (topic: out)
      <-- KSTREAM-PROCESSOR-0000000001

)");
}

TEST(Process, AStoreThatNobodyUsesLeavesNoTrace) {
    Builder b;
    b.add_state_store(key_value_store<string, string>("st"));
    b.stream<string, string>("in").to("out");
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-SINK-0000000001
    Sink: KSTREAM-SINK-0000000001 (topic: out)
      <-- KSTREAM-SOURCE-0000000000

)");
}

TEST(Process, AStoreThatWasNotAddedIsRefused) {
    Builder b;
    b.stream<string, string>("in").process(kPass, {.stores = {"nope"}});
    EXPECT_THAT(described(b), HasSubstr("KSTREAM-PROCESSOR-0000000001: the store nope"));
}

TEST(Process, GlobalStoresAreDescribedAsByKafka) {
    Builder b;
    b.stream<string, string>("in").process(kPass).to("out");
    b.add_global_store<string, string>(key_value_store<string, string>("gs"), "gtopic", {}, kPass);
    b.stream<string, string>("in2").to("out2");
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [in])
      --> KSTREAM-PROCESSOR-0000000001
    Processor: KSTREAM-PROCESSOR-0000000001 (stores: [])
      --> KSTREAM-SINK-0000000002
      <-- KSTREAM-SOURCE-0000000000
    Sink: KSTREAM-SINK-0000000002 (topic: out)
      <-- KSTREAM-PROCESSOR-0000000001

  Sub-topology: 1 for global store (will not generate tasks)
    Source: KSTREAM-SOURCE-0000000003 (topics: [gtopic])
      --> KTABLE-SOURCE-0000000004
    Processor: KTABLE-SOURCE-0000000004 (stores: [gs])
      --> none
      <-- KSTREAM-SOURCE-0000000003
  Sub-topology: 2
    Source: KSTREAM-SOURCE-0000000005 (topics: [in2])
      --> KSTREAM-SINK-0000000006
    Sink: KSTREAM-SINK-0000000006 (topic: out2)
      <-- KSTREAM-SOURCE-0000000005

)");
}

TEST(Process, TheNameOfAGlobalStoreIsItsProcessors) {
    Builder b;
    b.add_global_store<string, string>(key_value_store<string, string>("gs"), "gtopic",
                                       {.name = "n"}, kPass);
    EXPECT_EQ(described(b), R"(Topologies:
   Sub-topology: 0 for global store (will not generate tasks)
    Source: n-source (topics: [gtopic])
      --> n
    Processor: n (stores: [gs])
      --> none
      <-- n-source
)");
}

/// Keeps the last value of each key, says where it came from, and makes punctuations of both kinds.
class Noting final : public Processor<string, string> {
  public:
    explicit Noting(std::vector<string>& notes) : notes_(&notes) {}
    Result<void> init(ProcessorContext<string, string>& c) override {
        LEAT_TRY_VOID(Processor::init(c));
        LEAT_TRY(store_, c.store<Store>("st"));
        notes_->push_back(c.application_id() + " " + c.task_id() + " " +
                          (c.record_metadata() ? "record" : "no record") + " st " +
                          std::to_string(c.stream_time().ms) + " wall " +
                          std::to_string(c.wall_time().ms));
        LEAT_TRY_VOID(c.schedule(Duration{10}, PunctuationType::kStreamTime, [&c](Timestamp t) {
            return c.forward(
                {"punct", "s" + std::to_string(t.ms) + (c.record_metadata() ? "!" : ""), t, {}});
        }));
        LEAT_TRY_VOID(c.schedule(Duration{100}, PunctuationType::kWallClockTime, [&c](Timestamp t) {
            return c.forward({"wall", "w" + std::to_string(t.ms), t, {}});
        }));
        return {};
    }
    Result<void> process(const Text& record) override {
        const auto from = *context().record_metadata();
        LEAT_TRY(const auto old, store_.get(*record.key));
        LEAT_TRY_VOID(store_.put(*record.key, record.value));
        Text out = record;
        out.value = *record.value + " old " + old.value_or("null") + " " + from.topic +
                    std::to_string(from.partition) + std::to_string(from.offset) + " st " +
                    std::to_string(context().stream_time().ms);
        out.headers.push_back({"n", "1"});
        context().commit();
        return context().forward(out);
    }

  private:
    std::vector<string>* notes_;
    Store store_;
};

TEST(Process, HeadersOfAFixedKeyRecordAreReplacedInACopy) {
    Builder b;
    b.stream<string, string>("in")
        .process_values([] { return std::make_unique<Marks>(); })
        .to("out");
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {.application_id = "a"});
    ASSERT_TRUE(driver->pipe("in", RawRecord{"k", "v", 60, {{"t", "7"}, {"u", nullopt}}}));
    ASSERT_TRUE(driver->pipe("in", RawRecord{nullopt, nullopt, 61, {}}));
    const Headers replaced{{"seen", "twice"}};
    EXPECT_THAT(
        (*driver->read<string, string>("out")),
        ElementsAre(Text{"k", "v", {60}, replaced},
                    Text{"k", "v", {60}, {{"t", "7"}, {"u", nullopt}}},
                    Text{nullopt, nullopt, {61}, replaced}, Text{nullopt, nullopt, {61}, {}}));
}

TEST(Process, RecordsPunctuationsAndStoresGoAsInKafka) {
    Builder b;
    std::vector<string> notes;
    b.add_state_store(key_value_store<string, string>("st"));
    b.stream<string, string>("in")
        .process([&notes] { return std::make_unique<Noting>(notes); }, {.stores = {"st"}})
        .to("out");
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {.application_id = "a", .wall_time_ms = 1000});
    EXPECT_THAT(notes, ElementsAre("a 0_0 no record st -1 wall 1000"));
    const std::vector<std::pair<string, std::int64_t>> arriving{{"a", 5},  {"b", 7},  {"c", 10},
                                                                {"d", 45}, {"e", 44}, {"f", 50}};
    for (const auto& [value, at] : arriving)
        ASSERT_TRUE((driver->pipe<string, string>("in", "k", value, {at})));
    ASSERT_TRUE(driver->pipe("in", RawRecord{"h", "x", 60, {{"t", "7"}}}));
    for (const int by : {99, 1, 350, 50}) ASSERT_TRUE(driver->advance_wall_time(Duration{by}));
    const Headers n{{"n", "1"}};
    EXPECT_THAT(
        (*driver->read<string, string>("out")),
        ElementsAre(Text{"k", "a old null in00 st 5", {5}, n}, Text{"punct", "s5", {5}, {}},
                    Text{"k", "b old a in01 st 7", {7}, n},
                    Text{"k", "c old b in02 st 10", {10}, n}, Text{"punct", "s10", {10}, {}},
                    Text{"k", "d old c in03 st 45", {45}, n}, Text{"punct", "s45", {45}, {}},
                    Text{"k", "e old d in04 st 45", {44}, n},
                    Text{"k", "f old e in05 st 50", {50}, n}, Text{"punct", "s50", {50}, {}},
                    Text{"h", "x old null in06 st 60", {60}, {{"t", "7"}, {"n", "1"}}},
                    Text{"punct", "s60", {60}, {}}, Text{"wall", "w1100", {1100}, {}},
                    Text{"wall", "w1450", {1450}, {}}, Text{"wall", "w1500", {1500}, {}}));
    EXPECT_THAT(
        (*driver->read<string, string>("a-st-changelog")),
        ElementsAre(Text{"k", "a", {5}, {}}, Text{"k", "b", {7}, {}}, Text{"k", "c", {10}, {}},
                    Text{"k", "d", {45}, {}}, Text{"k", "e", {44}, {}}, Text{"k", "f", {50}, {}},
                    Text{"h", "x", {60}, {}}));
}

/// To the child whose name is the key.
class ToChild final : public Processor<string, string> {
    Result<void> process(const Text& record) override {
        return context().forward(record, *record.key);
    }
};

TEST(Process, ForwardsToAChildByName) {
    Builder b;
    const auto s =
        b.stream<string, string>("in").process([] { return std::make_unique<ToChild>(); });
    s.map_values([](const string& v) { return v + "1"; }, {.name = "one"}).to("o1");
    s.map_values([](const string& v) { return v + "2"; }, {.name = "two"}).to("o2");
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {});
    ASSERT_TRUE((driver->pipe<string, string>("in", "one", "v", {5})));
    ASSERT_TRUE((driver->pipe<string, string>("in", "two", "v", {5})));
    const auto none = driver->pipe<string, string>("in", "none", "v", {5});
    ASSERT_FALSE(none);
    EXPECT_THAT(string{none.error().detail()},
                HasSubstr("KSTREAM-PROCESSOR-0000000001: it has no child none"));
    EXPECT_THAT((*driver->read<string, string>("o1")), ElementsAre(Text{"one", "v1", {5}, {}}));
    EXPECT_THAT((*driver->read<string, string>("o2")), ElementsAre(Text{"two", "v2", {5}, {}}));
}

TEST(Transform, OlderNamesDoWhatProcessDoes) {
    Builder b;
    b.stream<string, string>("in").transform(kPass).transform_values(pass_values).to("out");
    const auto topology = b.build();
    ASSERT_NE(topology->parts().find("KSTREAM-PROCESSOR-0000000001"), nullptr);
    ASSERT_NE(topology->parts().find("KSTREAM-PROCESSVALUES-0000000002"), nullptr);
    auto driver = *TestDriver::open(*topology, {});
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "v", {5})));
    EXPECT_THAT((*driver->read<string, string>("out")), ElementsAre(Text{"k", "v", {5}, {}}));
}

TEST(Process, AStoreThatIsNotConnectedCannotBeHad) {
    Builder b;
    std::vector<string> notes;
    const auto noting = [&notes] { return std::make_unique<Noting>(notes); };
    b.add_state_store(key_value_store<string, string>("st"));
    b.stream<string, string>("in2").process(kPass, {.stores = {"st"}});
    b.stream<string, string>("in").process(noting).to("out");
    const auto topology = b.build();
    const auto driver = TestDriver::open(*topology, {});
    ASSERT_FALSE(driver);
    EXPECT_THAT(string{driver.error().detail()},
                HasSubstr("KSTREAM-PROCESSOR-0000000003: the store st is not connected to it"));
}

/// Adds what the global store "gs" has, and the task's time.
class Looking final : public Processor<string, string> {
    Result<void> init(ProcessorContext<string, string>& c) override {
        LEAT_TRY_VOID(Processor::init(c));
        LEAT_TRY(store_, c.store<Store>("gs"));
        return {};
    }
    Result<void> process(const Text& record) override {
        LEAT_TRY(const auto found, store_.get(*record.key));
        Text out = record;
        out.value =
            *record.value + found.value_or("null") + std::to_string(context().stream_time().ms);
        return context().forward(out);
    }
    Store store_;
};
class Filling final : public Processor<string, string> {
    Result<void> init(ProcessorContext<string, string>& c) override {
        LEAT_TRY(store_, c.store<Store>("gs"));
        return {};
    }
    Result<void> process(const Text& record) override {
        return store_.put(*record.key, record.value);
    }
    Store store_;
};

TEST(Process, GlobalStoresAreReadWithoutConnection) {
    Builder b;
    b.add_global_store<string, string>(key_value_store<string, string>("gs"), "g", {},
                                       [] { return std::make_unique<Filling>(); });
    b.stream<string, string>("in").process([] { return std::make_unique<Looking>(); }).to("out");
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {.application_id = "a"});
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "v", {5})));
    ASSERT_TRUE((driver->pipe<string, string>("g", "k", "G", {100})));
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "v", {6})));
    EXPECT_THAT((*driver->read<string, string>("out")),
                ElementsAre(Text{"k", "vnull5", {5}, {}}, Text{"k", "vG6", {6}, {}}));
    EXPECT_THAT(driver->produced_topics(), ElementsAre("out"));
}

/// Changes a store that it may only read, and says what came of it.
template <class S>
class Changing final : public Processor<string, string> {
  public:
    Changing(std::vector<string>& notes, std::function<Result<void>(const S&)> change)
        : notes_(notes), change_(std::move(change)) {}
    Result<void> init(ProcessorContext<string, string>& c) override {
        LEAT_TRY(store_, c.store<S>("gs"));
        return {};
    }
    Result<void> process(const Text& /*record*/) override {
        const auto done = change_(store_);
        notes_.emplace_back(done ? "" : done.error().detail());
        return {};
    }

  private:
    std::vector<string>& notes_;
    std::function<Result<void>(const S&)> change_;
    S store_;
};

TEST(Process, GlobalStoresAreChangedOnlyByThoseWhoFeedThem) {
    Builder b;
    b.add_global_store<string, string>(key_value_store<string, string>("gs"), "g", {},
                                       [] { return std::make_unique<Filling>(); });
    std::vector<string> notes;
    const auto s = b.stream<string, string>("in");
    const auto try_to = [&](const std::function<Result<void>(const Store&)>& change) {
        s.process([&notes, change] { return std::make_unique<Changing<Store>>(notes, change); });
    };
    try_to([](const Store& store) { return store.put("k", "mine"); });
    try_to([](const Store& store) -> Result<void> {
        LEAT_TRY_VOID(store.put_if_absent("other", "mine"));
        return {};
    });
    try_to([](const Store& store) -> Result<void> {
        LEAT_TRY_VOID(store.erase("k"));
        return {};
    });
    const auto topology = b.build();
    auto driver = *TestDriver::open(*topology, {.application_id = "a"});
    ASSERT_TRUE((driver->pipe<string, string>("g", "k", "G", {1})));
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "v", {5})));
    EXPECT_THAT(notes, testing::SizeIs(3));
    EXPECT_THAT(notes, testing::Each(HasSubstr("the global store gs is only read here")));
    ASSERT_EQ(driver->stored("gs")->size(), 1U);
    EXPECT_EQ(driver->stored("gs")->front().value, "G");
}

/// Puts what it reads into windows of the store "w" and writes down what comes of it.
class Keeping final : public Processor<string, string> {
  public:
    explicit Keeping(std::vector<string>& notes) : notes_(notes) {}
    Result<void> init(ProcessorContext<string, string>& c) override {
        LEAT_TRY(store_, (c.store<WindowStore<string, string>>("w")));
        return {};
    }
    Result<void> process(const Text& record) override {
        LEAT_TRY(const bool kept, store_.put(*record.key, record.timestamp, record.value));
        LEAT_TRY(const auto found, store_.get(*record.key, record.timestamp));
        string note = (kept ? "kept " : "late ") + found.value_or("null");
        const auto add = [&note](Timestamp start, const string& value) {
            note += " " + std::to_string(start.ms) + "=" + value;
            return true;
        };
        LEAT_TRY_VOID(store_.fetch(*record.key, {0}, record.timestamp, add));
        notes_.push_back(note);
        return {};
    }

  private:
    std::vector<string>& notes_;
    WindowStore<string, string> store_;
};

TEST(Process, AWindowStoreTellsWhatItDoesNotKeep) {
    Builder b;
    std::vector<string> notes;
    b.add_state_store(window_store<string, string>("w", Duration{100}, Duration{10}));
    b.stream<string, string>("in").process([&] { return std::make_unique<Keeping>(notes); },
                                           {.stores = {"w"}});
    const auto topology = b.build();
    ASSERT_TRUE(topology);
    auto driver = *TestDriver::open(*topology, {});
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "a", {5})));
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "b", {10})));
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", nullopt, {10})));
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "c", {1000000})));
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "d", {5})));
    EXPECT_THAT(notes, ElementsAre("kept a 5=a", "kept b 5=a 10=b", "kept null 5=a",
                                   "kept c 1000000=c", "late null"));
}

/// Asks for a call every ten milliseconds, and notes its name at each.
class Ticking final : public Processor<string, string> {
  public:
    Ticking(std::vector<string>& notes, string name) : notes_(&notes), name_(std::move(name)) {}
    Result<void> init(ProcessorContext<string, string>& c) override {
        LEAT_TRY_VOID(c.schedule(Duration{10}, PunctuationType::kStreamTime, [this](Timestamp t) {
            notes_->push_back(name_ + std::to_string(t.ms));
            return Result<void>{};
        }));
        return Processor::init(c);
    }
    Result<void> process(const Text&) override { return {}; }

  private:
    std::vector<string>* notes_;
    string name_;
};

/// A java.util.PriorityQueue by time alone, walked through by hand.
TEST(Process, CallsThatAreDueAtOneTimeHaveJavasOrder) {
    std::vector<string> notes;
    Builder b;
    const auto in = b.stream<string, string>("in");
    for (const char* name : {"a", "b", "c"})
        in.process([&notes, name] { return std::make_unique<Ticking>(notes, name); });
    const auto driver = *TestDriver::open(*b.build(), {.application_id = "a"});
    for (const std::int64_t at : {10, 20})
        ASSERT_TRUE((driver->pipe<string, string>("in", "k", "v", {at})));
    EXPECT_THAT(notes, ElementsAre("a10", "c10", "b10", "c20", "b20", "a20"));
}

/// Asks for calls on a grid through 3 and through the time it is told, and for settings.
class OnAGrid final : public Processor<string, string> {
  public:
    OnAGrid(std::vector<string>& notes, std::int64_t start) : notes_(notes), start_(start) {}
    Result<void> init(ProcessorContext<string, string>& c) override {
        LEAT_TRY_VOID(c.schedule({3}, Duration{10}, PunctuationType::kStreamTime, note("s")));
        LEAT_TRY_VOID(
            c.schedule({start_}, Duration{100}, PunctuationType::kWallClockTime, note("w")));
        for (const auto& [name, value] : c.app_configs_with_prefix("my."))
            notes_.push_back(name + "=" + value);
        notes_.push_back(std::to_string(c.app_configs().size()) + c.state_dir());
        return {};
    }
    Result<void> process(const Text&) override { return {}; }

  private:
    Punctuator note(const string& kind) {
        return [this, kind](Timestamp t) -> Result<void> {
            notes_.push_back(kind + std::to_string(t.ms));
            return {};
        };
    }
    std::vector<string>& notes_;
    std::int64_t start_;
};

std::vector<string> calls_on_a_grid(std::int64_t start) {
    Builder b;
    std::vector<string> notes;
    b.stream<string, string>("in").process(
        [&, start] { return std::make_unique<OnAGrid>(notes, start); });
    const auto topology = b.build();
    auto driver = *TestDriver::open(
        *topology, {.wall_time_ms = 1000, .properties = {{"my.own", "1"}, {"state.dir", "/x"}}});
    for (const std::int64_t at : {2, 4, 12, 13})
        EXPECT_TRUE((driver->pipe<string, string>("in", "k", "v", {at})));
    for (int i = 0; i < 6; ++i) EXPECT_TRUE(driver->advance_wall_time(Duration{25}));
    return notes;
}

TEST(Process, CallsMayBeAskedForOnAGrid) {
    EXPECT_THAT(calls_on_a_grid(1050), ElementsAre("own=1", "2", "s4", "s13", "w1050", "w1150"));
    // What is over counts as a time of the grid: the next are 1020 and 1120.
    EXPECT_THAT(calls_on_a_grid(20), ElementsAre("own=1", "2", "s4", "s13", "w1025", "w1125"));
}

/// Writes down its calls; does not open, or throws at its end.
class Ending final : public Processor<string, string> {
  public:
    Ending(std::vector<string>& notes, bool opens) : notes_(notes), opens_(opens) {}
    Result<void> init(ProcessorContext<string, string>& c) override {
        notes_.emplace_back("init");
        if (!opens_) return Error{Errc::kInvalidRequest, "does not open"};
        return Processor::init(c);
    }
    Result<void> process(const Text& record) override { return context().forward(record); }
    void close() override {
        notes_.emplace_back("close");
        throw std::runtime_error("at the end");  // tidy: right here, a user's function may throw.
    }

  private:
    std::vector<string>& notes_;
    bool opens_;
};
std::vector<string> calls_of_two(bool opens) {
    Builder b;
    std::vector<string> notes;
    const auto ending = [&] { return std::make_unique<Ending>(notes, opens); };
    b.stream<string, string>("in").process(ending).process(ending).to("out");
    const auto topology = b.build();
    EXPECT_EQ(static_cast<bool>(TestDriver::open(*topology, {})), opens);
    return notes;
}

TEST(Process, WhatCloseThrowsEndsNothing) {
    EXPECT_THAT(calls_of_two(true), ElementsAre("init", "init", "close", "close"));
}

TEST(Process, NothingIsClosedThatDidNotOpen) {
    EXPECT_THAT(calls_of_two(false), ElementsAre("init"));
}

}  // namespace
}  // namespace leat::streams
