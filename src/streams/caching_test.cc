// SPDX-License-Identifier: Apache-2.0
//
// What tables tell when their stores hold updates back: the last update of each key, at a commit or
// when the budget is used up. Outcomes by the rules of Kafka Streams' caching stores.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"
#include "streams/testing/play.h"

namespace leat::streams {
namespace {

using std::string;

/// Steps as in testing/play.h, and "commit"; "key=value@time " of all that comes to "out".
string told(Builder& builder, const string& input, std::size_t cache_bytes = 1'000'000) {
    const auto topology = builder.build();
    if (!topology) return "build: " + string{topology.error().detail()};
    auto driver = TestDriver::open(
        *topology,
        {.application_id = "app", .cache_bytes = cache_bytes, .commit_each_record = false});
    if (!driver) return "open: " + string{driver.error().detail()};
    string out;
    std::istringstream steps{input};
    for (string step; std::getline(steps, step, ';');) {
        std::istringstream words{step};
        string topic;
        string key;
        string value;
        std::int64_t at = 0;
        words >> topic >> key >> value >> at;
        if (topic == "commit") {
            EXPECT_TRUE((*driver)->commit());
        } else {
            const std::optional<string> text =
                value == "-" ? std::nullopt : std::optional<string>{value};
            EXPECT_TRUE((*driver)->pipe(topic, std::optional{key}, text, {at}));
        }
        for (const auto& record : (*driver)->read("out"))
            out += record.key.value_or("null") + "=" + record.value.value_or("null") + "@" +
                   std::to_string(record.timestamp) + " ";
        if (topic == "commit") out += "| ";
    }
    return out;
}

string text_of(const std::int64_t& number) {
    return std::to_string(number);
}

TEST(Caching, ATableTellsTheLastUpdateOfEachKeyAtACommit) {
    Builder builder;
    builder.stream<string, string>("in").group_by_key().count().map_values(text_of).to_stream().to(
        "out");
    EXPECT_EQ(told(builder, "in a x 1; in b x 2; in a x 3; commit; in b x 1; commit; commit"),
              "b=1@2 a=2@3 | b=2@2 | | ");
}

TEST(Caching, ARowThatIsPutAgainMovesBehindTheOthers) {
    Builder builder;
    builder.stream<string, string>("in")
        .flat_map([](const string& /*key*/, const string& value) {
            return std::vector<KeyValue<string, string>>{{"a", value}, {"b", value}, {"a", value}};
        })
        .group_by_key()
        .count()
        .map_values(text_of)
        .to_stream()
        .to("out");
    EXPECT_EQ(told(builder, "in k x 1; commit"), "b=1@1 a=2@1 | ");
}

TEST(Caching, HeadersOfTheLastUpdateGoAlong) {
    for (const bool windows : {false, true}) {
        Builder builder;
        const auto grouped = builder.stream<string, string>("in").group_by_key();
        if (windows) {
            testing_play::show(grouped.windowed(tumbling(Duration{100})).count());
        } else {
            grouped.count().to_stream().to("out");
        }
        const auto topology = *builder.build();
        auto driver = *TestDriver::open(
            topology,
            {.application_id = "app", .cache_bytes = 100'000, .commit_each_record = false});
        ASSERT_TRUE(driver->pipe("in", {"a", "x", 1, {{"h", "first"}}}));
        ASSERT_TRUE(driver->pipe("in", {"a", "x", 2, {{"h", "last"}}}));
        ASSERT_TRUE(driver->commit());
        const auto told = driver->read("out");
        ASSERT_EQ(told.size(), 1);
        ASSERT_EQ(told[0].headers.size(), 1);
        EXPECT_EQ(told[0].headers[0].value, "last");
    }
}

TEST(Caching, WithoutCachingEachUpdateIsTold) {
    Builder builder;
    builder.stream<string, string>("in")
        .group_by_key()
        .count({.caching = false})
        .map_values(text_of)
        .to_stream()
        .to("out");
    EXPECT_EQ(told(builder, "in a x 1; in a x 2; commit"), "a=1@1 a=2@2 | ");
}

TEST(Caching, AFullCacheTellsBeforeACommit) {
    Builder builder;
    builder.stream<string, string>("in").group_by_key().count().map_values(text_of).to_stream().to(
        "out");
    // The oldest goes and takes what else is dirty along.
    EXPECT_EQ(told(builder, "in a x 1; in b x 2; in c x 3; commit", 200), "a=1@1 b=1@2 c=1@3 | ");
    Builder other;
    other.stream<string, string>("in").group_by_key().count().map_values(text_of).to_stream().to(
        "out");
    EXPECT_EQ(told(other, "in a x 1; in a x 2; commit", 1), "a=1@1 a=2@2 | ");
}

// The rest is what Kafka Streams 4.2.1 wrote on a cluster for the same records: the one "|" is the
// commit when it was closed.
constexpr const char* kRecords =
    "in a x 1; in b x 2; in a x 3; in c x 4; in b x 5; in d x 6; in a x 7; in e x 8; in b x 9; "
    "in c x 10; commit";

TEST(Caching, StoresAreFlushedInTheOrderOfTheTopology) {
    const auto joined = [](const string& one, const string& two) { return one + two; };
    const auto marked = [](const std::int64_t& number) { return "z" + std::to_string(number); };
    Builder chain;
    auto counted = chain.stream<string, string>("in")
                       .group_by_key()
                       .count({.store = "z"})
                       .to_stream()
                       .map_values(marked);
    counted.to("out");
    counted.group_by_key().reduce(joined, {.store = "a"}).to_stream().to("out");
    EXPECT_EQ(told(chain, kRecords),
              "d=z1@6 a=z3@7 e=z1@8 b=z3@9 c=z2@10 d=z1@6 a=z3@7 e=z1@8 b=z3@9 c=z2@10 | ");
    Builder both;
    auto grouped = both.stream<string, string>("in").group_by_key();
    grouped.count({.store = "zz"}).to_stream().map_values(marked).to("out");
    grouped.reduce(joined, {.store = "aa"}).to_stream().to("out");
    EXPECT_EQ(told(both, kRecords),
              "d=z1@6 a=z3@7 e=z1@8 b=z3@9 c=z2@10 d=x@6 a=xxx@7 e=x@8 b=xxx@9 c=xx@10 | ");
}

TEST(Caching, TheBudgetIsCountedAsKafkaStreamsDoes) {
    // There the topic's name has 11 bytes, here 2: five entries of 73 bytes are nine shorter each.
    constexpr std::size_t kShorter = std::size_t{5} * 9;
    const auto with = [](std::size_t bytes) {
        Builder builder;
        builder.stream<string, string>("in")
            .group_by_key()
            .count({.store = "s"})
            .map_values(text_of)
            .to_stream()
            .to("out");
        return told(builder, kRecords, bytes - kShorter);
    };
    EXPECT_EQ(with(363), "c=1@4 b=2@5 d=1@6 a=3@7 e=1@8 b=3@9 c=2@10 | ");
    EXPECT_EQ(with(364), "c=1@4 b=2@5 d=1@6 a=3@7 e=1@8 b=3@9 c=2@10 | ");
    EXPECT_EQ(with(365), "d=1@6 a=3@7 e=1@8 b=3@9 c=2@10 | ");
}

TEST(Caching, WindowsAndSessionsAsKafkaStreamsWritesThem) {
    Builder windows;
    testing_play::show(windows.stream<string, string>("in")
                           .group_by_key()
                           .windowed(tumbling(Duration{5}))
                           .count());
    EXPECT_EQ(told(windows, kRecords),
              "b[0,5]=1@2 a[0,5]=2@3 c[0,5]=1@4 d[5,10]=1@6 a[5,10]=1@7 e[5,10]=1@8 b[5,10]=2@9 "
              "c[10,15]=1@10 | ");
    Builder sessions;
    testing_play::show(sessions.stream<string, string>("in")
                           .group_by_key()
                           .windowed(session(Duration{4}))
                           .count());
    EXPECT_EQ(told(sessions, kRecords),
              "c[4,4]=1@4 d[6,6]=1@6 a[1,7]=3@7 e[8,8]=1@8 b[2,9]=3@9 c[10,10]=1@10 | ");
}

TEST(Caching, ATableThatIsReadTellsOnlyWhatIsLeft) {
    Builder builder;
    builder.table<string, string>("in", {}, {.store = "t"}).to_stream().to("out");
    EXPECT_EQ(told(builder,
                   "in a 1 1; in b 1 2; in a - 3; in c 1 4; in b 2 5; in c - 6; in d 1 7; "
                   "commit"),
              "b=2@5 d=1@7 | ");
}

TEST(Caching, AChainOfTablesIsToldInOneCommit) {
    Builder builder;
    // By their names the second store would be flushed first.
    builder.stream<string, string>("in")
        .group_by_key()
        .count({.store = "z"})
        .map_values(text_of)
        .to_stream()
        .group_by_key()
        .reduce([](const string& one, const string& two) { return one + two; }, {.store = "a"})
        .to_stream()
        .to("out");
    EXPECT_EQ(told(builder, "in k x 1; in k x 2; commit; in k x 3; commit"), "k=2@2 | k=23@3 | ");
}

TEST(Caching, WhatWasNeverToldIsNotTakenBack) {
    Builder builder;
    builder.table<string, string>("in")
        .group_by([](const string& key, const string& value) {
            return KeyValue<string, string>{value, key};
        })
        .reduce([](const string& one, const string& two) { return one + two; },
                [](const string& one, const string& two) { return one + "-" + two; })
        .to_stream()
        .to("out");
    // "k" moves from g to h unseen. One commit for the table, one for what is grouped.
    EXPECT_EQ(told(builder, "in k g 1; in k h 2; commit; commit; in k i 3; commit; commit"),
              "| h=k@2 | | h=k-k@3 i=k@3 | ");
}

TEST(Caching, ADeletionOfWhatWasNeverToldIsNotTold) {
    Builder builder;
    builder.table<string, string>("in", {}, {.store = "t"}).to_stream().to("out");
    EXPECT_EQ(told(builder, "in a 1 1; in b 1 2; in a - 3; commit; in b - 4; commit"),
              "b=1@2 | b=null@4 | ");
}

TEST(Caching, WindowsAreToldByKeyAndWindow) {
    Builder builder;
    testing_play::show(builder.stream<string, string>("in")
                           .group_by_key()
                           .windowed(tumbling(Duration{10}).grace(Duration{100}))
                           .count());
    EXPECT_EQ(told(builder, "in a x 1; in a x 12; in a x 3; in b x 5; commit"),
              "a[10,20]=1@12 a[0,10]=2@3 b[0,10]=1@5 | ");
}

TEST(Caching, SessionsThatCameAndWentAreNotTold) {
    Builder builder;
    testing_play::show(builder.stream<string, string>("in")
                           .group_by_key()
                           .windowed(session(Duration{10}))
                           .count());
    EXPECT_EQ(told(builder, "in a x 1; in a x 5; commit; in a x 9; commit"),
              "a[1,5]=2@5 | a[1,5]=null@5 a[1,9]=3@9 | ");
}

TEST(Caching, WindowsThatAreToldOnCloseAreReadFromTheCache) {
    Builder builder;
    testing_play::show(builder.stream<string, string>("in")
                           .group_by_key()
                           .windowed(tumbling(Duration{10}))
                           .emit(Emit::kOnWindowClose)
                           .count());
    EXPECT_EQ(told(builder, "in a x 1; in a x 2; in a x 12; commit; commit"), "a[0,10]=2@2 | | ");
}

/// How many changes the store logs of two updates of a window by one record.
template <class W>
std::size_t changes_told_on_close(W windows) {
    Builder builder;
    testing_play::show(
        builder.stream<string, string>("in")
            .flat_map_values([](const string& value) { return std::vector{value, value}; })
            .group_by_key()
            .windowed(windows)
            .emit(Emit::kOnWindowClose)
            .count({.store = "st"}));
    const auto topology = *builder.build();
    auto driver = *TestDriver::open(topology, {.application_id = "app", .cache_bytes = 1'000'000});
    EXPECT_TRUE(driver->pipe("in", {"a", "x", 100, {}}));
    return driver->read("app-st-changelog").size();
}

TEST(Caching, OfWindowsToldOnCloseOnlyThoseOfAFixedPlaceAreHeldBack) {
    EXPECT_EQ(changes_told_on_close(tumbling(Duration{10})), 1);
    EXPECT_EQ(changes_told_on_close(hopping(Duration{10}, Duration{5})), 2);
    EXPECT_EQ(changes_told_on_close(sliding(Duration{10})), 2);
    EXPECT_EQ(changes_told_on_close(session(Duration{10})), 2);
}

/// Puts what it gets into the table's store.
class Fills final : public Processor<string, string> {
  public:
    Result<void> init(ProcessorContext<string, string>& context) override {
        LEAT_TRY(store_, (context.store<TimestampedKeyValueStore<string, string>>("st")));
        return Processor::init(context);
    }
    Result<void> process(const Record<string, string>& record) override {
        return store_.put(*record.key, Timed<string>{*record.value, record.timestamp});
    }

  private:
    TimestampedKeyValueStore<string, string> store_;
};

TEST(Caching, WhatAProcessorPutGoesWithItsRecordsHeaders) {
    Builder builder;
    builder.table<string, string>("table", {}, {.store = "st"}).to_stream().to("out");
    builder.stream<string, string>("in").process([] { return std::make_unique<Fills>(); },
                                                 {.stores = {"st"}});
    const auto topology = *builder.build();
    auto driver = *TestDriver::open(
        topology, {.application_id = "app", .cache_bytes = 100'000, .commit_each_record = false});
    ASSERT_TRUE(driver->pipe("in", {"a", "x", 1, {{"h", "1"}}}));
    ASSERT_TRUE(driver->commit());
    const auto told = driver->read("out");
    ASSERT_EQ(told.size(), 1);
    ASSERT_EQ(told[0].headers.size(), 1);
    EXPECT_EQ(told[0].headers[0].value, "1");
}

/// Notes what is in the table when it hears of an update.
class Lists final : public Processor<string, string> {
  public:
    explicit Lists(std::vector<string>& notes) : notes_(&notes) {}
    Result<void> init(ProcessorContext<string, string>& context) override {
        LEAT_TRY(store_, (context.store<TimestampedKeyValueStore<string, string>>("st")));
        return Processor::init(context);
    }
    Result<void> process(const Record<string, string>& record) override {
        string note = *record.key + ":";
        LEAT_TRY_VOID(store_.all([&](const string& key, const Timed<string>& value) {
            note += " " + key + value.value;
            return true;
        }));
        LEAT_TRY(const auto one, store_.get("b"));
        note += " b is " + (one ? one->value : "not there");
        notes_->push_back(note);
        return {};
    }

  private:
    std::vector<string>* notes_;
    TimestampedKeyValueStore<string, string> store_;
};

TEST(Caching, WhoReadsATableDuringAFlushSeesAllOfIt) {
    const auto notes_of = [](const string& input, std::size_t cache_bytes) {
        std::vector<string> notes;
        Builder builder;
        builder.table<string, string>("in", {}, {.store = "st"})
            .to_stream()
            .process([&] { return std::make_unique<Lists>(notes); }, {.stores = {"st"}});
        told(builder, input, cache_bytes);
        return notes;
    };
    const string rounds =
        "in a 1 1; in b 1 1; commit; in a 2 2; in b 2 2; commit; in a 3 3; in b - 3; commit";
    EXPECT_EQ(
        notes_of(rounds, 1'000'000),
        (std::vector<string>{"a: a1 b1 b is 1", "b: a1 b1 b is 1", "a: a2 b2 b is 2",
                             "b: a2 b2 b is 2", "a: a3 b is not there", "b: a3 b is not there"}));
    // One that has to leave the cache is the first to be written.
    const auto tight = notes_of("in b 1 1; in a 1 1; in c 1 1; in d 1 1; commit", 150);
    ASSERT_FALSE(tight.empty());
    EXPECT_EQ(tight.front(), "b: a1 b1 c1 b is 1");
}

/// The last value of each key in what told() says, without what a last join put behind it.
std::map<string, string> last_of(const string& all) {
    std::map<string, string> out;
    std::istringstream words{all};
    for (string word; words >> word;)
        if (const auto at = word.find('='); at != string::npos)
            out[word.substr(0, at)] = word.substr(at + 1, word.rfind('v') - at - 1);
    return out;
}

/// A read that misses makes room, which tells of a table, which reaches the suppressed one while
/// that tells. What it is then joined with may be older in a tight cache, as in Kafka Streams: a
/// row that leaves it in a flush is read as it was before, until it is written.
TEST(Caching, ASuppressedTableIsReachedAgainAsItTells) {
    string input;
    std::uint32_t random = 1;
    const auto below = [&](std::uint32_t limit) {
        random = random * 1'664'525 + 1'013'904'223;
        return std::to_string((random >> 16U) % limit);
    };
    for (int at = 1; at <= 600; ++at)
        input += (below(2) == "0" ? "a k" : "b k") + below(12) + " v" + std::to_string(at) + " " +
                 std::to_string(at) + "; ";
    // The last ones that wait are told by then.
    input += "commit; a z x 9000; b z x 9000; commit; commit";
    const auto run = [&](std::size_t cache_bytes) {
        Builder builder;
        const auto both = [](const string& left, const string& right) { return left + right; };
        const auto a = builder.table<string, string>("a", {}, {.store = "sa"});
        const auto b = builder.table<string, string>("b", {}, {.store = "sb"});
        a.join(b, both)
            .suppress(until_time_limit(Duration{5}, unbounded()))
            .join(b, both)
            .to_stream()
            .to("out");
        return last_of(told(builder, input, cache_bytes));
    };
    const auto plain = run(0);
    EXPECT_EQ(plain.size(), 12U);
    for (const std::size_t tight : std::array<std::size_t, 4>{200, 400, 800, 100'000})
        EXPECT_EQ(run(tight), plain) << tight;
}

TEST(Caching, ADeadLetterHasTheRecordThatMadeTheUpdate) {
    Builder builder;
    builder.stream<string, string>("in")
        .group_by_key()
        .reduce([](const string& /*before*/, const string& now) { return now; })
        .map_values([](const string& value) {
            if (value == "boom") throw std::runtime_error("boom");  // tidy: right here, a user's.
            return value;
        })
        .to_stream()
        .to("out");
    const auto topology = *builder.build();
    ErrorHandlers handlers{.processing = continue_on_error};
    handlers.dead_letter_topic = "dead";
    auto driver = *TestDriver::open(topology, {.application_id = "app",
                                               .handlers = handlers,
                                               .cache_bytes = 100'000,
                                               .commit_each_record = false});
    ASSERT_TRUE(driver->pipe("in", {"a", "x", 1, {{"h", "first"}}}));
    ASSERT_TRUE(driver->pipe("in", {"a", "boom", 2, {{"h", "second"}}}));
    ASSERT_TRUE(driver->pipe("in", {"b", "y", 3, {{"h", "third"}}}));
    ASSERT_TRUE(driver->commit());
    const auto dead = driver->read("dead");
    ASSERT_EQ(dead.size(), 1U);
    EXPECT_EQ(dead[0].key, "a");
    EXPECT_EQ(dead[0].value, "boom");
    EXPECT_EQ(dead[0].headers.at(0).value, "second");
}

}  // namespace
}  // namespace leat::streams
