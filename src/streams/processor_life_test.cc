// SPDX-License-Identifier: Apache-2.0
//
// What a processor may do before its first record, and what it forgot to do. Kafka Streams 4.2.1
// refuses forward() in init() too ("The processor is already closed", of the one below).
#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <string>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"

namespace leat::streams {
namespace {

using std::string;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Text = Record<string, string>;
using Store = KeyValueStore<string, string>;

/// What opening the topology and piping one record ended with.
string outcome(Builder& b, std::vector<Text>* out = nullptr) {
    const auto topology = b.build();
    if (!topology) return "build: " + string{topology.error().detail()};
    const auto driver = TestDriver::open(*topology, {});
    if (!driver) return "open: " + string{driver.error().detail()};
    const auto done = (*driver)->pipe<string, string>("in", "k", "v", {5});
    if (out != nullptr) *out = *(*driver)->read<string, string>("out");
    return done ? "ok" : string{done.error().detail()};
}

class Early final : public Processor<string, string> {
    Result<void> init(ProcessorContext<string, string>& c) override {
        return c.forward({"k", "too early", {1}, {}});
    }
    Result<void> process(const Text& record) override { return context().forward(record); }
};
class KeepsItself final : public FixedKeyProcessor<string, string> {
    Result<void> init(FixedKeyProcessorContext<string, string>& c) override {
        context_ = &c;
        return {};
    }
    Result<void> process(const FixedKeyRecord<string, string>& record) override {
        return context_->forward(record, "below");
    }
    FixedKeyProcessorContext<string, string>* context_ = nullptr;
};

TEST(ProcessorLife, NothingIsForwardedInInit) {
    for (const bool filters : {false, true}) {
        Builder b;
        const auto stream = b.stream<string, string>("in").process(
            [] { return std::make_unique<Early>(); }, {.name = "early"});
        if (filters)
            stream.filter([](const string&) { return true; }).to("out");
        else
            stream.to("out");
        EXPECT_THAT(outcome(b), StartsWith("open: early: forward() in init()"));
    }
}

TEST(ProcessorLife, AContextThatInitKeptForwards) {
    Builder b;
    b.stream<string, string>("in")
        .process_values([] { return std::make_unique<KeepsItself>(); })
        .map_values([](const string& value) { return value; }, {.name = "below"})
        .to("out");
    std::vector<Text> out;
    EXPECT_EQ(outcome(b, &out), "ok");
    EXPECT_THAT(out, ElementsAre(Text{"k", "v", {5}, {}}));
}

/// Has a context, whatever its own init() does.
class NoBase final : public Processor<string, string> {
    Result<void> init(ProcessorContext<string, string>& /*context*/) override { return {}; }
    Result<void> process(const Text& record) override { return context().forward(record); }
};
class NoBaseFixed final : public FixedKeyProcessor<string, string> {
    Result<void> init(FixedKeyProcessorContext<string, string>& /*context*/) override { return {}; }
    Result<void> process(const FixedKeyRecord<string, string>& record) override {
        return context().forward(record);
    }
};
class NoBaseTransformer final : public ValueTransformer<string, string> {
    Result<void> init(Context& /*context*/) override { return {}; }
    Result<std::optional<string>> transform(const string& /*key*/, const string* value) override {
        return value == nullptr ? std::optional<string>{} : *value + context().task_id();
    }
};

TEST(ProcessorLife, AnInitThatDoesNotCallTheBasesHasAContext) {
    Builder b;
    b.stream<string, string>("in")
        .process([] { return std::make_unique<NoBase>(); })
        .process_values([] { return std::make_unique<NoBaseFixed>(); })
        .to_table()
        .transform_values([] { return std::make_unique<NoBaseTransformer>(); })
        .to_stream()
        .to("out");
    std::vector<Text> out;
    EXPECT_EQ(outcome(b, &out), "ok");
    EXPECT_THAT(out, ElementsAre(Text{"k", "v0_0", {5}, {}}));
}

class Impatient final : public Processor<string, string> {
  public:
    Impatient() { context().commit(); }
    Result<void> process(const Text& record) override { return context().forward(record); }
};

TEST(ProcessorLife, AConstructorHasNoContext) {
    Builder b;
    b.stream<string, string>("in").process([] { return std::make_unique<Impatient>(); }).to("out");
    EXPECT_THAT(outcome(b), HasSubstr("context() before init()"));
}

/// Runs a function for each record.
class Runs final : public Processor<string, string> {
  public:
    explicit Runs(std::function<Result<void>()> run) : run_(std::move(run)) {}
    Result<void> process(const Text& /*record*/) override { return run_(); }

  private:
    std::function<Result<void>()> run_;
};
string error_of(const std::function<Result<void>()>& run) {
    Builder b;
    b.stream<string, string>("in").process([run] { return std::make_unique<Runs>(run); });
    return outcome(b);
}
template <class T>
Result<void> ended(const Result<T>& done) {
    if (done) return {};
    return Error{done.error().code(), done.error().detail()};
}

string unassigned(const string& kind) {
    return "a " + kind +
           " store is used that was never assigned: init() keeps what context.store() answers";
}

TEST(ProcessorLife, AStoreThatWasNeverAssignedIsAnError) {
    const auto any = [](const auto&, const auto&) { return true; };
    const Store rows;
    const TimestampedKeyValueStore<string, string> timed;
    for (const auto& run : std::vector<std::function<Result<void>()>>{
             [&] { return ended(rows.get("k")); }, [&] { return rows.put("k", "v"); },
             [&] { return rows.put("k", std::nullopt); }, [&] { return ended(rows.erase("k")); },
             [&] { return ended(rows.put_if_absent("k", "v")); }, [&] { return rows.all(any); },
             [&] { return rows.range("a", "b", any); }, [&] { return ended(rows.count()); },
             [&] { return rows.prefix_scan(string{"k"}, any); },
             // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): it goes with the Error.
             [&] { return timed.put("k", std::nullopt); }})
        EXPECT_EQ(error_of(run), unassigned("key-value"));
    const WindowStore<string, string> windows;
    for (const auto& run : std::vector<std::function<Result<void>()>>{
             [&] { return ended(windows.get("k", {0})); },
             [&] { return ended(windows.put("k", {0}, "v")); },
             [&] { return windows.fetch("k", {0}, {1}, any); }, [&] { return windows.all(any); }})
        EXPECT_EQ(error_of(run), unassigned("window"));
    const SessionStore<string, string> sessions;
    for (const auto& run : std::vector<std::function<Result<void>()>>{
             [&] { return ended(sessions.get({"k", {0, 1}})); },
             [&] { return ended(sessions.put({"k", {0, 1}}, "v")); },
             [&] { return sessions.fetch("k", any); },
             [&] { return sessions.find_keys(std::nullopt, std::nullopt, {0}, {1}, any); },
             [&] { return sessions.find_ended({0}, {1}, any); }})
        EXPECT_EQ(error_of(run), unassigned("session"));
    const VersionedKeyValueStore<string, string> versions;
    EXPECT_EQ(error_of([&] { return ended(versions.get("k")); }), unassigned("versioned"));
    EXPECT_EQ(error_of([&] { return ended(versions.put("k", "v", {1})); }),
              unassigned("versioned"));
}

/// Ends its punctuation with the first record.
class Once final : public Processor<string, string> {
  public:
    Result<void> init(ProcessorContext<string, string>& c) override {
        unused_.cancel();
        LEAT_TRY(each_, c.schedule(Duration{1}, PunctuationType::kWallClockTime,
                                   [&c](Timestamp t) { return c.forward({"k", "tick", t, {}}); }));
        return {};
    }
    Result<void> process(const Text& /*record*/) override {
        each_.cancel();
        return {};
    }

  private:
    Cancellable each_;
    Cancellable unused_;
};

TEST(ProcessorLife, ACancellableIsAMemberAndEndsNothingUntilItIsAssigned) {
    Builder b;
    b.stream<string, string>("in").process([] { return std::make_unique<Once>(); }).to("out");
    const auto topology = b.build();
    const auto driver = *TestDriver::open(*topology, {.wall_time_ms = 0});
    ASSERT_TRUE(driver->advance_wall_time(Duration{1}));
    ASSERT_TRUE((driver->pipe<string, string>("in", "k", "v", {5})));
    ASSERT_TRUE(driver->advance_wall_time(Duration{1}));
    EXPECT_THAT((*driver->read<string, string>("out")), ElementsAre(Text{"k", "tick", {1}, {}}));
}

}  // namespace
}  // namespace leat::streams
