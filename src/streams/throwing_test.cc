// SPDX-License-Identifier: Apache-2.0
//
// Users' code that throws, at each place where it is called: an error, or a handler's business.
#include <gmock/gmock.h>

#include <stdexcept>
#include <string>

#include "leat/streams/builder.h"
#include "leat/streams/query.h"
#include "leat/streams/test_driver.h"

namespace leat::streams {
namespace {

using std::string;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void blow(const string& what) {
    throw std::runtime_error(what);  // tidy: right here, a user's function may throw.
}

/// Text; throws at the words that are given.
class Touchy final : public Codec<string> {
  public:
    Touchy(string unwritable, string unreadable)
        : unwritable_(std::move(unwritable)), unreadable_(std::move(unreadable)) {}
    Result<void> encode(std::string_view /*topic*/, const string& value,
                        string& out) const override {
        if (value == unwritable_) blow("cannot write " + value);
        out += value;
        return {};
    }
    Result<string> decode(std::string_view /*topic*/, std::string_view bytes) const override {
        if (bytes == unreadable_) blow("cannot read " + string{bytes});
        return string{bytes};
    }

  private:
    string unwritable_;
    string unreadable_;
};
Serde<string> touchy(const string& unwritable, const string& unreadable) {
    return std::make_shared<Touchy>(unwritable, unreadable);
}

Topology built(Builder& builder) {
    auto topology = builder.build();
    EXPECT_TRUE(topology) << topology.error().detail();
    return *std::move(topology);
}
std::unique_ptr<TestDriver> driver_of(const Topology& topology, const ErrorHandlers& handlers = {},
                                      std::size_t cache_bytes = 0) {
    auto driver = TestDriver::open(topology, {.application_id = "a",
                                              .handlers = handlers,
                                              .cache_bytes = cache_bytes,
                                              .commit_each_record = cache_bytes == 0});
    EXPECT_TRUE(driver) << driver.error().detail();
    return *std::move(driver);
}
string why(const Result<void>& done) {
    return done ? "" : string{done.error().detail()};
}
std::vector<string> values(TestDriver& driver) {
    std::vector<string> out;
    for (const auto& record : driver.read("out")) out.push_back(*record.value);
    return out;
}

TEST(Throwing, ADecoderOfASourceIsTheDeserializationHandlersBusiness) {
    for (const string& bad : {string{"key"}, string{"value"}}) {
        Builder b;
        b.stream<string, string>("in", {.key = touchy("", "key"), .value = touchy("", "value")})
            .to("out");
        const RawRecord record{bad == "key" ? "key" : "k", bad == "key" ? "v" : "value", 5, {}};
        const Topology topology = built(b);
        const auto failing = driver_of(topology);
        EXPECT_EQ(why(failing->pipe("in", record)),
                  "KSTREAM-SOURCE-0000000000: cannot read " + bad);
        std::vector<string> asked;
        const auto driver = driver_of(
            topology, {.deserialization = [&](const ErrorContext& at, const Error& error) {
                asked.push_back(at.node + "|" + string{error.detail()});
                return continue_on_error(at, error);
            }});
        EXPECT_TRUE(driver->pipe("in", record));
        EXPECT_TRUE(driver->pipe("in", {"k", "good", 6, {}}));
        EXPECT_THAT(asked, ElementsAre("KSTREAM-SOURCE-0000000000|KSTREAM-SOURCE-0000000000: "
                                       "cannot read " +
                                       bad));
        EXPECT_THAT(values(*driver), ElementsAre("good"));
    }
}

TEST(Throwing, ADecoderBeforeATimestampExtractorToo) {
    Builder b;
    b.stream<string, string>(
         "in", {.value = touchy("", "bad"),
                .time = [](const Arrived<string, string>& record) -> Result<Timestamp> {
                    return record.timestamp;
                }})
        .to("out");
    const auto driver = driver_of(built(b), {.deserialization = continue_on_error});
    EXPECT_TRUE(driver->pipe("in", {"k", "bad", 5, {}}));
    EXPECT_TRUE(driver->pipe("in", {"k", "good", 6, {}}));
    EXPECT_THAT(values(*driver), ElementsAre("good"));
}

TEST(Throwing, ADecoderOfUpdatesOfAGroupedTableToo) {
    Builder b;
    b.table<string, string>("in")
        .group_by([](const string& k, const string& v) { return KeyValue{k, v}; },
                  {.name = "groups", .value = touchy("", "bad")})
        .count()
        .to_stream()
        .map_values([](const std::int64_t& count) { return std::to_string(count); })
        .to("out");
    const auto driver = driver_of(built(b), {.deserialization = continue_on_error});
    EXPECT_TRUE(driver->pipe("in", {"a", "bad", 5, {}}));
    EXPECT_TRUE(driver->pipe("in", {"b", "good", 6, {}}));
    EXPECT_THAT(values(*driver), ElementsAre("1"));
}

TEST(Throwing, AnEncoderOfASinkIsTheProductionHandlersBusiness) {
    Builder b;
    b.stream<string, string>("in").to("out", {.value = touchy("bad", "")});
    const Topology topology = built(b);
    const auto failing = driver_of(topology, {.processing = continue_on_error});
    EXPECT_THAT(why(failing->pipe("in", {"k", "bad", 5, {}})), HasSubstr("cannot write bad"));
    const auto driver = driver_of(topology, {.production = continue_on_error});
    EXPECT_TRUE(driver->pipe("in", {"k", "bad", 5, {}}));
    EXPECT_TRUE(driver->pipe("in", {"k", "good", 6, {}}));
    EXPECT_THAT(values(*driver), ElementsAre("good"));
}

TEST(Throwing, AnEncoderOfUpdatesOfAGroupedTableToo) {
    Builder b;
    b.table<string, string>("in")
        .group_by([](const string& k, const string& v) { return KeyValue{v, k}; },
                  {.name = "groups", .key = touchy("bad", ""), .value = touchy("worse", "")})
        .count()
        .to_stream()
        .map_values([](const std::int64_t& count) { return std::to_string(count); })
        .to("out");
    const Topology topology = built(b);
    const auto failing = driver_of(topology, {.processing = continue_on_error});
    EXPECT_THAT(why(failing->pipe("in", {"k", "bad", 5, {}})), HasSubstr("cannot write bad"));
    std::vector<string> asked;
    const auto driver =
        driver_of(topology, {.production = [&](const ErrorContext& at, const Error& error) {
                      const auto part = at.output->unencodable;
                      asked.push_back(at.output->topic + (part == RecordPart::kKey     ? " key"
                                                          : part == RecordPart::kValue ? " value"
                                                                                       : ""));
                      return continue_on_error(at, error);
                  }});
    EXPECT_TRUE(driver->pipe("in", {"k", "bad", 5, {}}));
    EXPECT_TRUE(driver->pipe("in", {"worse", "k", 5, {}}));
    EXPECT_TRUE(driver->pipe("in", {"good", "k", 6, {}}));
    EXPECT_THAT(asked, ElementsAre("a-groups-repartition key", "a-groups-repartition value"));
    EXPECT_THAT(values(*driver), ElementsAre("1"));
}

TEST(Throwing, WhatCachesTellAtACommitIsAnErrorOfTheCommit) {
    {
        Builder b;
        b.stream<string, string>("in")
            .group_by_key()
            .reduce([](const string&, const string& v) { return v; },
                    {.store = "s", .value = touchy("", "bad")})
            .to_stream()
            .to("out");
        const auto driver = driver_of(built(b), {}, 1'000'000);
        EXPECT_TRUE(driver->pipe("in", {"k", "bad", 5, {}}));
        EXPECT_THAT(why(driver->commit()), HasSubstr("cannot read bad"));
    }
    {
        Builder b;
        b.table<string, string>("in")
            .map_values([](const string& v) { return v; },
                        {.store = "s", .value = touchy("", "bad")})
            .to_stream()
            .to("out");
        const auto driver = driver_of(built(b), {}, 1'000'000);
        EXPECT_TRUE(driver->pipe("in", {"k", "bad", 5, {}}));
        EXPECT_THAT(why(driver->commit()), HasSubstr("cannot read bad"));
    }
    for (const bool by_session : {false, true}) {
        Builder b;
        const auto grouped = b.stream<string, string>("in").group_by_key();
        const auto last = [](const string&, const string& v) { return v; };
        const Materialized<string, string> kept{.store = "s", .value = touchy("", "bad")};
        if (by_session)
            static_cast<void>(
                grouped.windowed(session(Duration{10}).grace(Duration{0})).reduce(last, kept));
        else
            static_cast<void>(grouped.windowed(tumbling(Duration{10})).reduce(last, kept));
        const auto driver = driver_of(built(b), {}, 1'000'000);
        EXPECT_TRUE(driver->pipe("in", {"k", "bad", 5, {}}));
        EXPECT_THAT(why(driver->commit()), HasSubstr("cannot read bad"));
    }
}

class Idle final : public Processor<string, string> {
  public:
    Result<void> process(const Record<string, string>& /*record*/) override { return {}; }
};

TEST(Throwing, ASupplierIsAnErrorOfOpening) {
    for (const bool throws : {true, false}) {
        Builder b;
        b.stream<string, string>("in").process([throws]() -> std::unique_ptr<Idle> {
            if (throws) blow("nothing to supply");
            return nullptr;
        });
        const auto driver = TestDriver::open(built(b), {});
        ASSERT_FALSE(driver);
        EXPECT_THAT(string{driver.error().detail()},
                    HasSubstr(throws ? "a supplier: nothing to supply" : "made no processor"));
    }
}

TEST(Throwing, ADecoderOfAQueryIsItsError) {
    Builder b;
    static_cast<void>(b.table<string, string>("in", {}, {.store = "s"}));
    const auto driver = driver_of(built(b));
    EXPECT_TRUE(driver->pipe("in", {"k", "bad", 5, {}}));
    KeyQuery<string, string> question{"k"};
    question.value_serde = touchy("", "bad");
    const auto got = query(*driver, "s", question);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().detail(), "s: cannot read bad");
}

TEST(Throwing, AHandlerThatThrowsFails) {
    Builder b;
    b.stream<string, string>("in", {.value = touchy("", "bad")}).to("out");
    const auto driver =
        driver_of(built(b), {.deserialization = [](const ErrorContext&, const Error&) {
                      blow("no word of it");
                      return ErrorAnswer{};
                  }});
    EXPECT_THAT(why(driver->pipe("in", {"k", "bad", 5, {}})), HasSubstr("cannot read bad"));
    EXPECT_THAT(values(*driver), IsEmpty());
}

using Texts = KeyValueStore<string, string>;

/// Puts when stream time has moved.
Result<Cancellable> put_later(Context& context, Texts& store) {
    LEAT_TRY(store, context.store<Texts>("s"));
    return context.schedule(Duration{1}, PunctuationType::kStreamTime,
                            [&store](Timestamp /*now*/) { return store.put("k", "v"); });
}
class FailsAndPutsLater final : public Processor<string, string> {
  public:
    Result<void> init(ProcessorContext<string, string>& context) override {
        LEAT_TRY_VOID(put_later(context, store_));
        return {};
    }
    Result<void> process(const Record<string, string>& /*record*/) override {
        blow("not this one");
        return {};
    }

  private:
    Texts store_;
};
class RefusesAndPutsLater final : public ValueTransformer<string, string> {
  public:
    Result<void> init(Context& context) override {
        LEAT_TRY_VOID(put_later(context, store_));
        return {};
    }
    Result<std::optional<string>> transform(const string& /*key*/,
                                            const string* /*value*/) override {
        return Error{Errc::kInvalidRecord, "not this one"};
    }

  private:
    Texts store_;
};

/// Bytes that are held back after a record with these headers has failed and something was put.
double held_after(const Topology& topology, const Headers& headers) {
    auto driver = *TestDriver::open(topology, {.handlers = {.processing = continue_on_error},
                                               .cache_bytes = 1'000'000,
                                               .commit_each_record = false,
                                               .record_all = true});
    EXPECT_TRUE(driver->pipe("in", {"k", "v", 5, headers}));
    EXPECT_EQ(driver->dropped(), 1U);
    for (const MetricValue& one : driver->metrics())
        if (one.name == "cache-size-bytes-total") return one.value;
    return 0;
}

TEST(Throwing, APutBehindARecordThatFailedDoesNotHaveItsHeaders) {
    for (const bool in_table : {false, true}) {
        Builder b;
        b.add_state_store(key_value_store<string, string>("s", {.caching = true}));
        if (in_table)
            static_cast<void>(b.table<string, string>("in").transform_values(
                [] { return std::make_unique<RefusesAndPutsLater>(); }, {}, {"s"}));
        else
            b.stream<string, string>("in").process(
                [] { return std::make_unique<FailsAndPutsLater>(); }, {.stores = {"s"}});
        const Topology topology = built(b);
        const double without = held_after(topology, {});
        EXPECT_GT(without, 0);
        EXPECT_EQ(held_after(topology, {{"name", "value"}}), without);
    }
}

TEST(Throwing, AJoinerOfARecordWithoutAMatchRepeatsOnlyWhatWasInFrontOfIt) {
    Builder b;
    b.stream<string, string>("l")
        .left_join(
            b.stream<string, string>("r"),
            [](const string& l, const string* r) {
                if (r == nullptr && l == "bad") blow(l);
                return l;
            },
            within(Duration{10}).grace(Duration{5}))
        .to("out");
    const auto driver = driver_of(built(b), {.processing = continue_on_error});
    const auto pipe = [&](const string& value, std::int64_t at) {
        EXPECT_TRUE(driver->pipe("l", {"k", value, at, {}}));
    };
    pipe("a", 100);
    pipe("b", 101);
    pipe("c", 101);
    pipe("bad", 102);
    pipe("d", 103);
    pipe("x", 500);
    EXPECT_THAT(values(*driver), ElementsAre("a", "b", "c"));
    pipe("y", 501);
    EXPECT_THAT(values(*driver), ElementsAre("b", "c")) << "records of one time go together";
}

}  // namespace
}  // namespace leat::streams
