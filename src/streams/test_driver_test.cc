// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/test_driver.h"

#include <gmock/gmock.h>

#include <stdexcept>
#include <string>

#include "leat/streams/builder.h"

namespace leat::streams {
namespace {

using std::nullopt;
using std::string;
using testing::ElementsAre;
using testing::HasSubstr;
using Text = Record<string, string>;

/// Text in brackets. Throws at "throw", writing and reading.
class Bracketed final : public Codec<string> {
  public:
    Result<void> encode(std::string_view /*topic*/, const string& value,
                        string& out) const override {
        check(value);
        out += "<" + value + ">";
        return {};
    }
    Result<string> decode(std::string_view topic, std::string_view bytes) const override {
        if (bytes.size() < 2 || bytes.front() != '<')
            return Error{Errc::kInvalidRecord, string{topic} + ": no brackets"};
        string value{bytes.substr(1, bytes.size() - 2)};
        check(value);
        return value;
    }

  private:
    static void check(const string& value) {
        if (value == "throw")
            throw std::runtime_error("as asked");  // tidy: right here, users' serdes may throw.
    }
};
const Serde<string> kBrackets = std::make_shared<Bracketed>();

std::unique_ptr<TestDriver> driver_of(Builder& builder) {
    auto topology = builder.build();
    EXPECT_TRUE(topology) << topology.error().detail();
    auto driver = TestDriver::open(*topology);
    EXPECT_TRUE(driver) << driver.error().detail();
    return *std::move(driver);
}

TEST(TestDriver, PipesRecordsWithSerdesAndHeadersOfTheirOwn) {
    Builder b;
    b.stream<string, string>("in", {.value = kBrackets}).to("out", {.value = kBrackets});
    const auto driver = driver_of(b);
    const Text record{"k", "v", {5}, {{"trace", "7"}}};
    ASSERT_TRUE(driver->pipe("in", record, {}, kBrackets));
    const auto out = driver->read<string, string>("out", {}, kBrackets);
    ASSERT_TRUE(out);
    EXPECT_THAT(*out, ElementsAre(record));
    // With the serde of the type the source reads no brackets.
    EXPECT_FALSE(driver->pipe("in", record));
}

TEST(TestDriver, AnswersWhatASerdeThrows) {
    Builder b;
    b.stream<string, string>("in").to("out");
    const auto driver = driver_of(b);
    const auto piped = driver->pipe("in", Text{"k", "throw", {5}, {}}, {}, kBrackets);
    ASSERT_FALSE(piped);
    EXPECT_EQ(piped.error().detail(), "in: as asked");
    ASSERT_TRUE(driver->pipe("in", Text{"k", "<throw>", {5}, {}}));
    const auto read = driver->read<string, string>("out", {}, kBrackets);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().detail(), "out: as asked");
}

TEST(TestDriver, SaysThatATypeHasNoSerde) {
    struct Unknown {};
    Builder b;
    b.stream<string, string>("in").to("out");
    const auto driver = driver_of(b);
    const auto piped = driver->pipe("in", Record<string, Unknown>{"k", Unknown{}, {5}, {}});
    ASSERT_FALSE(piped);
    EXPECT_EQ(piped.error().code(), Errc::kInvalidRequest);
}

TEST(TestDriver, StoresCanBeWrittenToSetAScene) {
    Builder b;
    const auto prices = b.table<string, std::int64_t>("prices", {}, {.store = "prices"});
    b.stream<string, string>("in")
        .join(prices, [](const string& v, const std::int64_t& n) { return v + std::to_string(n); })
        .to("out");
    const auto driver = driver_of(b);
    const auto store = driver->store<TimestampedKeyValueStore<string, std::int64_t>>("prices");
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->put("k", Timed<std::int64_t>{7, {3}}));
    ASSERT_TRUE(driver->pipe("in", Text{"k", "v", {5}, {}}));
    const auto out = driver->read<string, string>("out");
    ASSERT_TRUE(out);
    EXPECT_THAT(*out, ElementsAre(Text{"k", "v7", {5}, {}}));
    const auto held = store->get("k");
    ASSERT_TRUE(held && *held);
    EXPECT_EQ(**held, (Timed<std::int64_t>{7, {3}}));
    EXPECT_TRUE(store->erase("k"));
    EXPECT_TRUE(driver->pipe("in", Text{"k", "v", {6}, {}}));
    EXPECT_TRUE(driver->read("out").empty());
}

TEST(TestDriver, WhatIsPutIntoAStoreHasTheTimeOfTheStreamAndIsLogged) {
    class Idle final : public Processor<string, string> {
      public:
        Result<void> process(const Text& /*record*/) override { return {}; }
    };
    const auto ref = key_value_store<string, string>("kept");
    Builder b;
    b.add_state_store(ref);
    b.stream<string, string>("in").process([] { return std::make_unique<Idle>(); },
                                           {.stores = {"kept"}});
    const auto driver = driver_of(b);
    const auto store = driver->store(ref);
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->put("before", "1"));
    ASSERT_TRUE(driver->pipe("in", Text{"k", "v", {50}, {}}));
    ASSERT_TRUE(store->put("after", "2"));
    const auto log = driver->read<string, string>("test-kept-changelog");
    ASSERT_TRUE(log);
    EXPECT_THAT(*log, ElementsAre(Text{"before", "1", {0}, {}}, Text{"after", "2", {50}, {}}));
}

TEST(TestDriver, RefusesAStoreOfAnotherNameOrKind) {
    Builder b;
    static_cast<void>(b.table<string, string>("in", {}, {.store = "s"}));
    const auto driver = driver_of(b);
    const auto other = driver->store<KeyValueStore<string, string>>("s");
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().detail(), "the store s is of another kind");
    const auto none = driver->store<TimestampedKeyValueStore<string, string>>("t");
    ASSERT_FALSE(none);
    EXPECT_THAT(string{none.error().detail()}, HasSubstr("no store t"));
}

TEST(TestDriver, TakesTheRecordThatIsOldestByTheExtractorsTime) {
    Builder b;
    const auto in = b.stream<string, string>("in");
    in.to("a");
    in.to("b");
    const auto at = [](std::int64_t time) {
        return [time](const Arrived<string, string>& record) -> Result<Timestamp> {
            return Timestamp{record.value == nullptr ? -1 : time};
        };
    };
    const auto named = [](const string& name) {
        return [name](const string& value) { return name + value; };
    };
    const auto a = b.stream<string, string>("a", {.time = at(9)}).map_values(named("a"));
    const auto other = b.stream<string, string>("b", {.time = at(5)}).map_values(named("b"));
    a.merge(other).to("out");
    const auto driver = driver_of(b);
    ASSERT_TRUE(driver->pipe("in", {"k", "1", 100, {}}));
    const auto out = driver->read("out");
    ASSERT_EQ(out.size(), 2U);
    EXPECT_EQ(*out[0].value + *out[1].value, "b1a1");
    EXPECT_EQ(out[0].timestamp, 5);
    // What has no time is dropped before the choice, from both.
    ASSERT_TRUE(driver->pipe("in", {"k", nullopt, 100, {}}));
    EXPECT_EQ(driver->dropped(), 2U);
    ASSERT_TRUE(driver->pipe("a", {"k", "2", 100, {}}));
    EXPECT_EQ(driver->read("out").size(), 1U);
}

}  // namespace
}  // namespace leat::streams
