// SPDX-License-Identifier: Apache-2.0
//
// Stores in a processor's hands: each kind that can be declared, and what the DSL keeps. Method: a
// processor that runs a function of the test for each record.
#include <gmock/gmock.h>

#include "leat/streams/builder.h"
#include "leat/streams/test_driver.h"

namespace leat::streams {
namespace {

using std::nullopt;
using std::string;
using testing::ElementsAre;
using testing::IsEmpty;
using Text = Record<string, string>;

template <class S>
using Use = std::function<Result<void>(const S& store, const Text& record)>;

template <class S>
class Using final : public Processor<string, string> {
  public:
    Using(string name, Use<S> use) : name_(std::move(name)), use_(std::move(use)) {}
    Result<void> init(ProcessorContext<string, string>& c) override {
        LEAT_TRY(store_, c.store<S>(name_));
        return Processor::init(c);
    }
    Result<void> process(const Text& record) override { return use_(store_, record); }

  private:
    string name_;
    Use<S> use_;
    S store_;
};

/// A topic "in" whose records are given to `use`, with a store of one's own.
template <class S>
std::unique_ptr<TestDriver> driver_of(const StoreRef<S>& ref, const Use<S>& use) {
    Builder b;
    b.add_state_store(ref);
    b.stream<string, string>("in").process(
        [=] { return std::make_unique<Using<S>>(ref.spec.name, use); },
        {.stores = {ref.spec.name}});
    const auto topology = b.build();
    EXPECT_TRUE(topology) << topology.error().detail();
    auto driver = TestDriver::open(*topology, {.application_id = "a"});
    EXPECT_TRUE(driver) << driver.error().detail();
    return *std::move(driver);
}

void pipe(TestDriver& driver, const string& key, const std::optional<string>& value,
          std::int64_t at) {
    const auto done = driver.pipe<string, string>("in", key, value, {at});
    EXPECT_TRUE(done) << done.error().detail();
}

std::vector<string> changes(TestDriver& driver, const string& topic) {
    std::vector<string> out;
    for (const auto& record : driver.read(topic))
        out.push_back(record.key->substr(0, 1) + "=" + record.value.value_or("null"));
    return out;
}

TEST(ProcessorStores, KeyValueHasAllOfKafkasCalls) {
    using Store = KeyValueStore<string, string>;
    std::vector<string> seen;
    const auto driver = driver_of<Store>(
        key_value_store<string, string>("s"), [&](const Store& s, const Text&) -> Result<void> {
            const Store::Visit note = [&](const string& key, const string& value) {
                seen.push_back(key + value);
                return true;
            };
            LEAT_TRY_VOID(s.put_all({{"a", "1"}, {"ab", "2"}, {"b", "3"}, {"c", nullopt}}));
            LEAT_TRY_VOID(s.all(note, true));
            LEAT_TRY_VOID(s.range("ab", nullopt, note));
            LEAT_TRY_VOID(s.range(nullopt, "ab", note, true));
            LEAT_TRY_VOID(s.prefix_scan(string{"a"}, note));
            LEAT_TRY(const auto count, s.count());
            seen.push_back(std::to_string(count));
            EXPECT_FALSE(s.put_all({{nullopt, "x"}}));
            return {};
        });
    pipe(*driver, "k", "v", 5);
    EXPECT_THAT(seen, ElementsAre("b3", "ab2", "a1", "ab2", "b3", "ab2", "a1", "a1", "ab2", "3"));
}

TEST(ProcessorStores, TimestampedHasTheSameCalls) {
    using Store = TimestampedKeyValueStore<string, string>;
    std::vector<string> seen;
    const auto driver = driver_of<Store>(
        timestamped_key_value_store<string, string>("s"),
        [&](const Store& s, const Text&) -> Result<void> {
            const Store::Visit note = [&](const string& key, const Timed<string>& value) {
                seen.push_back(key + value.value + std::to_string(value.timestamp.ms));
                return true;
            };
            LEAT_TRY_VOID(s.put("a", {"1", {7}}));
            LEAT_TRY(const auto before, s.put_if_absent("a", {"2", {8}}));
            EXPECT_EQ(before, (Timed<string>{"1", {7}}));
            LEAT_TRY(const auto none, s.put_if_absent("b", {"2", {8}}));
            EXPECT_EQ(none, nullopt);
            LEAT_TRY_VOID(s.range(nullopt, nullopt, note, true));
            LEAT_TRY_VOID(s.prefix_scan(string{"b"}, note));
            LEAT_TRY_VOID(s.put("b", nullopt));
            LEAT_TRY(const auto erased, s.erase("a"));
            EXPECT_EQ(erased, (Timed<string>{"1", {7}}));
            LEAT_TRY(const auto count, s.count());
            EXPECT_EQ(count, 0U);
            return {};
        });
    pipe(*driver, "k", "v", 5);
    EXPECT_THAT(seen, ElementsAre("b28", "a17", "b28"));
}

TEST(ProcessorStores, LruMapForgetsWhatWasNotUsedForTheLongestTime) {
    using Store = KeyValueStore<string, string>;
    const auto driver = driver_of<Store>(lru_map<string, string>("s", 2),
                                         [&](const Store& s, const Text& r) -> Result<void> {
                                             if (!r.value) {
                                                 LEAT_TRY_VOID(s.get(*r.key));
                                                 return {};
                                             }
                                             return s.put(*r.key, r.value);
                                         });
    pipe(*driver, "a", "1", 1);
    pipe(*driver, "b", "2", 2);
    pipe(*driver, "a", nullopt, 3);  // Reads it.
    pipe(*driver, "c", "3", 4);
    const auto rows = driver->stored("s");
    ASSERT_EQ(rows->size(), 2U);
    EXPECT_EQ(rows->front().key, "a");
    EXPECT_EQ(rows->back().key, "c");
    // As Kafka Streams logs it: what goes, then what came.
    EXPECT_THAT(changes(*driver, "a-s-changelog"), ElementsAre("a=1", "b=2", "b=null", "c=3"));
}

TEST(ProcessorStores, VersionedKnowsWhatWasValid) {
    using Store = VersionedKeyValueStore<string, string>;
    using Row = VersionRow<string>;
    const auto driver =
        driver_of<Store>(versioned_key_value_store<string, string>("s", Duration{1000}),
                         [&](const Store& s, const Text&) -> Result<void> {
                             LEAT_TRY(const auto first, s.put("k", "one", {100}));
                             EXPECT_EQ(first, (VersionPut{true, nullopt}));
                             LEAT_TRY_VOID(s.put("k", "three", {300}));
                             LEAT_TRY(const auto late, s.put("k", "two", {200}));
                             EXPECT_EQ(late, (VersionPut{true, Timestamp{300}}));
                             LEAT_TRY(const auto latest, s.get("k"));
                             EXPECT_EQ(latest, (Row{"three", {300}, nullopt}));
                             LEAT_TRY(const auto then, s.get("k", {250}));
                             EXPECT_EQ(then, (Row{"two", {200}, Timestamp{300}}));
                             LEAT_TRY(const auto before, s.get("k", {50}));
                             EXPECT_EQ(before, nullopt);
                             LEAT_TRY(const auto erased, s.erase("k", {400}));
                             EXPECT_EQ(erased, (Row{"three", {300}, nullopt}));
                             LEAT_TRY(const auto none, s.get("k"));
                             EXPECT_EQ(none, nullopt);
                             LEAT_TRY_VOID(s.put("m", "still", {100}));
                             LEAT_TRY_VOID(s.put("other", "x", {5000}));
                             LEAT_TRY(const auto old, s.put("k", "late", {1}));
                             EXPECT_FALSE(old.stored);
                             LEAT_TRY(const auto kept, s.erase("m", {101}));
                             EXPECT_EQ(kept, nullopt);
                             LEAT_TRY(const auto still, s.get("m", {101}));
                             EXPECT_EQ(still, (Row{"still", {100}, nullopt}));
                             return {};
                         });
    pipe(*driver, "k", "v", 5);
    EXPECT_THAT(
        changes(*driver, "a-s-changelog"),
        ElementsAre("k=one", "k=three", "k=two", "k=null", "m=still", "o=x", "k=late", "m=null"));
}

TEST(ProcessorStores, TimestampedWindowsAreReadInEitherOrderAndByKeys) {
    using Store = TimestampedWindowStore<string, string>;
    std::vector<string> seen;
    const auto driver = driver_of<Store>(
        timestamped_window_store<string, string>("s", Duration{1000}, Duration{10}),
        [&](const Store& s, const Text&) -> Result<void> {
            const Store::Visit one = [&](Timestamp start, const Timed<string>& value) {
                seen.push_back(std::to_string(start.ms) + value.value +
                               std::to_string(value.timestamp.ms));
                return true;
            };
            const Store::VisitAll all = [&](const Windowed<string>& key,
                                            const Timed<string>& value) {
                seen.push_back(key.key + std::to_string(key.window.end) + value.value);
                return true;
            };
            for (const auto& [key, start] : std::vector<std::pair<string, std::int64_t>>{
                     {"a", 0}, {"b", 10}, {"a", 20}, {"c", 30}})
                LEAT_TRY_VOID(s.put(key, {start}, {"v", {start + 3}}));
            LEAT_TRY_VOID(s.fetch("a", {0}, {100}, one, true));
            LEAT_TRY(const auto found, s.get("b", {10}));
            EXPECT_EQ(found, (Timed<string>{"v", {13}}));
            LEAT_TRY_VOID(s.fetch_keys("b", nullopt, {0}, {100}, all));
            LEAT_TRY_VOID(s.fetch_all({10}, {20}, all));
            LEAT_TRY_VOID(s.erase("a", {20}));
            LEAT_TRY_VOID(s.all(all, true));
            return {};
        });
    pipe(*driver, "k", "v", 5);
    EXPECT_THAT(
        seen, ElementsAre("20v23", "0v3", "b20v", "c40v", "a30v", "b20v", "c40v", "b20v", "a10v"));
}

TEST(ProcessorStores, SessionsAreFoundByKeysAndTimes) {
    using Store = SessionStore<string, string>;
    std::vector<string> seen;
    const auto driver = driver_of<Store>(
        session_store<string, string>("s", Duration{1000}),
        [&](const Store& s, const Text&) -> Result<void> {
            const Store::Visit note = [&](const Windowed<string>& session, const string& value) {
                seen.push_back(session.key + std::to_string(session.window.end) + value);
                return true;
            };
            LEAT_TRY_VOID(s.put({"a", {0, 5}}, "1"));
            LEAT_TRY_VOID(s.put({"b", {2, 8}}, "2"));
            LEAT_TRY_VOID(s.put({"a", {20, 25}}, "3"));
            LEAT_TRY(const auto one, s.get({"b", {2, 8}}));
            EXPECT_EQ(one, "2");
            LEAT_TRY_VOID(s.fetch("a", note, true));
            LEAT_TRY_VOID(s.find("a", {6}, {100}, note));
            LEAT_TRY_VOID(s.find_keys(nullopt, "b", {0}, {10}, note));
            LEAT_TRY_VOID(s.find_ended({6}, {25}, note, true));
            LEAT_TRY_VOID(s.remove({"a", {0, 5}}));
            LEAT_TRY_VOID(s.fetch("a", note));
            // Segments on disk are a minute, and go as a whole.
            LEAT_TRY_VOID(s.put({"z", {200'000, 200'000}}, "x"));
            LEAT_TRY(const bool kept, s.put({"a", {0, 5}}, "late"));
            EXPECT_FALSE(kept);
            return {};
        });
    pipe(*driver, "k", "v", 5);
    EXPECT_THAT(seen, ElementsAre("a253", "a51", "a253", "a51", "b82", "a253", "b82", "a253"));
}

TEST(ProcessorStores, NoKeyHasASessionThatIsOver) {
    using Store = SessionStore<string, string>;
    for (const bool persistent : {true, false}) {
        std::vector<string> seen;
        auto ref = session_store<string, string>("s", Duration{1000});
        ref.spec.persistent = persistent;
        const auto driver = driver_of<Store>(ref, [&](const Store& s, const Text&) -> Result<void> {
            const Store::Visit note = [&](const Windowed<string>& session, const string&) {
                seen.push_back(session.key + std::to_string(session.window.end));
                return true;
            };
            for (const std::int64_t end : {48'999, 49'000, 49'001, 50'000})
                LEAT_TRY_VOID(s.put({"a", {end, end}}, "v"));
            LEAT_TRY_VOID(s.fetch("a", note));
            LEAT_TRY_VOID(s.find_keys(nullopt, nullopt, {0}, {INT64_MAX}, note));
            return {};
        });
        pipe(*driver, "k", "v", 5);
        EXPECT_THAT(seen, ElementsAre("a49001", "a50000", "a49001", "a50000")) << persistent;
    }
}

/// What a processor beside a DSL store reads of it at a record of "ask".
template <class S>
void ask_of(Builder& b, const string& store, const Use<S>& use) {
    b.stream<string, string>("ask").process([=] { return std::make_unique<Using<S>>(store, use); },
                                            {.stores = {store}});
}

TEST(ProcessorStores, WhatTheDslKeepsCanBeRead) {
    Builder b;
    const auto grouped = b.stream<string, string>("in").group_by_key();
    static_cast<void>(grouped.windowed(tumbling(Duration{10})).count({.store = "windows"}));
    static_cast<void>(grouped.windowed(session(Duration{5})).count({.store = "sessions"}));
    static_cast<void>(
        b.table<string, string>("table", {}, {.store = "versions", .history = Duration{1000}}));
    using Windows = TimestampedWindowStore<string, std::int64_t>;
    using Sessions = SessionStore<string, std::int64_t>;
    using Versions = VersionedKeyValueStore<string, string>;
    std::optional<Timed<std::int64_t>> window;
    std::optional<std::int64_t> of_session;
    std::optional<VersionRow<string>> version;
    ask_of<Windows>(b, "windows", [&](const Windows& s, const Text&) -> Result<void> {
        LEAT_TRY(window, s.get("k", {10}));
        return {};
    });
    ask_of<Sessions>(b, "sessions", [&](const Sessions& s, const Text&) -> Result<void> {
        LEAT_TRY(of_session, s.get({"k", {11, 13}}));
        return {};
    });
    ask_of<Versions>(b, "versions", [&](const Versions& s, const Text&) -> Result<void> {
        LEAT_TRY(version, s.get("k", {15}));
        return {};
    });
    const auto topology = b.build();
    ASSERT_TRUE(topology) << topology.error().detail();
    const auto driver = *TestDriver::open(*topology, {});
    pipe(*driver, "k", "v", 11);
    pipe(*driver, "k", "v", 13);
    ASSERT_TRUE((driver->pipe<string, string>("table", "k", "old", {14})));
    ASSERT_TRUE((driver->pipe<string, string>("table", "k", "new", {16})));
    ASSERT_TRUE((driver->pipe<string, string>("ask", "k", "v", {20})));
    EXPECT_EQ(window, (Timed<std::int64_t>{2, {13}}));
    EXPECT_EQ(of_session, 2);
    EXPECT_EQ(version, (VersionRow<string>{"old", {14}, Timestamp{16}}));
}

template <class S>
string mistake_of(const StoreRef<S>& ref) {
    Builder b;
    b.add_state_store(ref);
    b.stream<string, string>("in").process(
        [] {
            return std::make_unique<Using<S>>(
                "s", [](const S&, const Text&) -> Result<void> { return {}; });
        },
        {.stores = {"s"}});
    const auto topology = b.build();
    return topology ? "" : string{topology.error().detail()};
}

TEST(ProcessorStores, NegativeTimesAreRefused) {
    using testing::HasSubstr;
    EXPECT_THAT(mistake_of(session_store<string, string>("s", Duration{-1})),
                HasSubstr("is not negative"));
    EXPECT_THAT(mistake_of(versioned_key_value_store<string, string>("s", Duration{-1})),
                HasSubstr("is not negative"));
    EXPECT_THAT(mistake_of(session_store<string, string>("s", Duration{0})), IsEmpty());
}

/// Every ten milliseconds of its input's time it removes what is older than that.
class Tidying final : public Processor<string, string> {
  public:
    using Store = TimestampedKeyValueStore<string, string>;
    explicit Tidying(std::vector<string>& removed) : removed_(&removed) {}
    Result<void> init(ProcessorContext<string, string>& c) override {
        LEAT_TRY(store_, c.store<Store>("s"));
        LEAT_TRY_VOID(c.schedule(Duration{10}, PunctuationType::kStreamTime, [this](Timestamp now) {
            return store_.all([&, this](const string& key, const Timed<string>& value) {
                if (value.timestamp.ms > now.ms - 10) return true;
                removed_->push_back(key);
                return store_.put(key, nullopt).has_value();
            });
        }));
        return Processor::init(c);
    }
    Result<void> process(const Text& record) override {
        return store_.put(*record.key, Timed<string>{*record.value, record.timestamp});
    }

  private:
    std::vector<string>* removed_;
    Store store_;
};

TEST(ProcessorStores, APunctuationRemovesWhatItVisits) {
    for (const bool persistent : {false, true}) {
        std::vector<string> removed;
        Builder b;
        auto ref = timestamped_key_value_store<string, string>("s");
        ref.spec.persistent = persistent;
        b.add_state_store(ref);
        b.stream<string, string>("in").process([&] { return std::make_unique<Tidying>(removed); },
                                               {.stores = {"s"}});
        const auto topology = b.build();
        ASSERT_TRUE(topology) << topology.error().detail();
        const auto driver = TestDriver::open(*topology, {.application_id = "a"});
        ASSERT_TRUE(driver) << driver.error().detail();
        std::vector<string> keys;
        for (int i = 0; i < 400; ++i) {
            keys.push_back(std::to_string(1'000 + i));
            pipe(**driver, keys.back(), "v", 1);
        }
        pipe(**driver, "9999", "stays", 50);
        EXPECT_EQ(removed, keys);
    }
}

TEST(ProcessorStores, ValuesOfNegativeTimesAreRefused) {
    const string refused = "s: no value is from before 0";
    const auto of = [](const auto& put) { return put ? "" : string{put.error().detail()}; };
    using Versions = VersionedKeyValueStore<string, string>;
    const auto versions =
        driver_of<Versions>(versioned_key_value_store<string, string>("s", Duration{1000}),
                            [&](const Versions& s, const Text& r) -> Result<void> {
                                LEAT_TRY_VOID(s.put(*r.key, "v", {0}));
                                EXPECT_EQ(of(s.put(*r.key, "w", {-1})), refused);
                                EXPECT_EQ(of(s.put(*r.key, nullopt, {-1})), refused);
                                EXPECT_EQ(of(s.erase(*r.key, {-1})), refused);
                                LEAT_TRY(const auto left, s.get(*r.key, {0}));
                                EXPECT_EQ(left->value, "v");
                                return {};
                            });
    pipe(*versions, "k", "v", 5);
    EXPECT_THAT(changes(*versions, "a-s-changelog"), ElementsAre("k=v"));
    using Rows = TimestampedKeyValueStore<string, string>;
    const auto rows = driver_of<Rows>(timestamped_key_value_store<string, string>("s"),
                                      [&](const Rows& s, const Text& r) -> Result<void> {
                                          const Timed<string> early{"v", {-1}};
                                          EXPECT_EQ(of(s.put(*r.key, early)), refused);
                                          EXPECT_EQ(of(s.put_if_absent(*r.key, early)), refused);
                                          return {};
                                      });
    pipe(*rows, "k", "v", 5);
    EXPECT_THAT(changes(*rows, "a-s-changelog"), IsEmpty());
    using Windows = TimestampedWindowStore<string, string>;
    const auto windows = driver_of<Windows>(
        timestamped_window_store<string, string>("s", Duration{1000}, Duration{10}),
        [&](const Windows& s, const Text& r) -> Result<void> {
            EXPECT_EQ(of(s.put(*r.key, {3}, {"v", {-1}})), refused);
            return {};
        });
    pipe(*windows, "k", "v", 5);
    EXPECT_THAT(changes(*windows, "a-s-changelog"), IsEmpty());
}

TEST(ProcessorStores, WindowsAndSessionsOfNegativeTimesAreRefused) {
    const auto refused = [](const Result<bool>& put) {
        EXPECT_FALSE(put);
        return put ? "" : string{put.error().detail()};
    };
    using Windows = WindowStore<string, string>;
    const auto windows = driver_of<Windows>(
        window_store<string, string>("s", Duration{1000}, Duration{10}),
        [&](const Windows& s, const Text& r) -> Result<void> {
            EXPECT_EQ(refused(s.put(*r.key, {-1}, "v")), "s: no window starts before 0");
            EXPECT_EQ(refused(s.put(*r.key, {-1}, nullopt)), "s: no window starts before 0");
            return {};
        });
    pipe(*windows, "k", "v", 5);
    EXPECT_THAT(changes(*windows, "a-s-changelog"), IsEmpty());
    using Sessions = SessionStore<string, string>;
    const auto sessions = driver_of<Sessions>(
        session_store<string, string>("s", Duration{1000}),
        [&](const Sessions& s, const Text& r) -> Result<void> {
            for (const Window& window : {Window{-2, -1}, Window{-1, 4}, Window{4, 3}})
                EXPECT_THAT(
                    refused(s.put({*r.key, window}, "v")),
                    testing::HasSubstr("s: no session starts before 0 or ends before it starts"));
            return {};
        });
    pipe(*sessions, "k", "v", 5);
    EXPECT_THAT(changes(*sessions, "a-s-changelog"), IsEmpty());
}

}  // namespace
}  // namespace leat::streams
