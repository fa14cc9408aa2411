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

}  // namespace
}  // namespace leat::streams
