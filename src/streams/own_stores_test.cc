// SPDX-License-Identifier: Apache-2.0
//
// Stores of a user's own making under the DSL and processors. Method: the same topology and records
// on such a store and on one in memory that comes with it; all that comes out, changelogs included,
// is the same.
#include "streams/testing/own_stores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "leat/streams/builder.h"
#include "leat/streams/query.h"
#include "leat/streams/store_suppliers.h"
#include "leat/streams/test_driver.h"
#include "streams/testing/own_windows.h"
#include "streams/testing/play.h"

namespace leat::streams {
namespace {

using std::string;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing_own::Diary;
using testing_play::play;
using Count = std::int64_t;
using Counts = Materialized<string, Count>;

constexpr const char* kRecords =
    "in a x 100; in b x 150; in a x 130; in ab x 190; in a x 205; in - x 206; in b x 120; "
    "in a x 100500; in b x 100; in c x 100501; in a x 300000";

/// What `declare` lets come out, with the option it is given.
template <class Option>
string told(const std::function<void(Builder&, const Option&)>& declare, const Option& option,
            std::size_t cache_bytes = 0) {
    Builder builder;
    declare(builder, option);
    return play(builder, kRecords, {.cache_bytes = cache_bytes});
}

class OwnStores : public testing::TestWithParam<std::size_t> {
  protected:
    std::shared_ptr<Diary> diary = std::make_shared<Diary>();
};
INSTANTIATE_TEST_SUITE_P(CachingOffAndOn, OwnStores, testing::Values(0, 100'000));

TEST_P(OwnStores, CountsAsInMemory) {
    const auto declare = [](Builder& b, const Counts& as) {
        b.stream<string, string>("in")
            .group_by_key()
            .count(as)
            .to_stream()
            .map_values([](const Count* count) {
                return count != nullptr ? std::to_string(*count) : string{"none"};
            })
            .to("out");
    };
    const string own = told<Counts>(declare, Counts::as(map_store("s", diary)), GetParam());
    EXPECT_EQ(own, told<Counts>(declare, {.store = "s", .persistent = false}, GetParam()));
    EXPECT_THAT(own, HasSubstr("s-changelog"));
    EXPECT_EQ(diary->made, 1);
    EXPECT_EQ(diary->closed, 1);
    ASSERT_EQ(diary->contexts.size(), 1U);
    EXPECT_EQ(diary->contexts[0].application_id, "app");
    EXPECT_EQ(diary->contexts[0].task_id, "0_0");
    EXPECT_EQ(diary->contexts[0].state_dir, "") << "nothing is on disk";
}

TEST_P(OwnStores, WindowsAsInMemory) {
    for (const Emit emit : {Emit::kOnWindowUpdate, Emit::kOnWindowClose}) {
        const auto declare = [emit](Builder& b, const Counts& as) {
            testing_play::show(
                b.stream<string, string>("in")
                    .group_by_key()
                    .windowed(hopping(milliseconds{100}, milliseconds{50}).grace(milliseconds{50}))
                    .emit(emit)
                    .count(as));
        };
        const auto supplier = map_windows("s", diary, milliseconds{1'000}, milliseconds{100});
        EXPECT_EQ(
            told<Counts>(declare, Counts::as(supplier), GetParam()),
            told<Counts>(declare,
                         {.store = "s", .retention = milliseconds{1'000}, .persistent = false},
                         GetParam()));
    }
    EXPECT_FALSE(diary->expired.empty()) << "what is over is told";
}

TEST_P(OwnStores, SlidingWindowsAsInMemory) {
    const auto declare = [](Builder& b, const Counts& as) {
        testing_play::show(b.stream<string, string>("in")
                               .group_by_key()
                               .windowed(sliding(milliseconds{100}).grace(milliseconds{50}))
                               .count(as));
    };
    const auto supplier = map_windows("s", diary, milliseconds{1'000}, milliseconds{100});
    EXPECT_EQ(
        told<Counts>(declare, Counts::as(supplier), GetParam()),
        told<Counts>(declare, {.store = "s", .retention = milliseconds{1'000}, .persistent = false},
                     GetParam()));
}

TEST_P(OwnStores, SessionsAsInMemory) {
    for (const Emit emit : {Emit::kOnWindowUpdate, Emit::kOnWindowClose}) {
        const auto declare = [emit](Builder& b, const Counts& as) {
            testing_play::show(b.stream<string, string>("in")
                                   .group_by_key()
                                   .windowed(session(milliseconds{40}).grace(milliseconds{50}))
                                   .emit(emit)
                                   .count(as));
        };
        const auto supplier = map_sessions("s", diary, milliseconds{1'000});
        EXPECT_EQ(
            told<Counts>(declare, Counts::as(supplier), GetParam()),
            told<Counts>(declare,
                         {.store = "s", .retention = milliseconds{1'000}, .persistent = false},
                         GetParam()));
    }
    EXPECT_FALSE(diary->expired.empty());
}

TEST_P(OwnStores, JoinStreamsAsInMemory) {
    using Join = StreamJoined<string, string, string>;
    const auto declare = [](Builder& b, const Join& as) {
        const auto left = b.stream<string, string>("in");
        const auto right = left.map_values([](const string& value) { return value + "!"; });
        const auto pair = [](const string* l, const string* r) {
            return (l != nullptr ? *l : "-") + (r != nullptr ? *r : "-");
        };
        left.outer_join(right, pair, within(milliseconds{60}).grace(milliseconds{20}), as)
            .to("out");
    };
    auto left = map_windows("l", diary, milliseconds{140}, milliseconds{120});
    auto right = map_windows("r", diary, milliseconds{140}, milliseconds{120});
    left.retain_duplicates = right.retain_duplicates = true;
    const string own = told<Join>(declare, {.this_store = left, .other_store = right}, GetParam());
    string in_memory = told<Join>(declare, {.persistent = false}, GetParam());
    const auto rename = [&](const string& from, const string& to) {
        for (auto at = in_memory.find(from); at != string::npos; at = in_memory.find(from))
            in_memory.replace(at, from.size(), to);
    };
    rename("KSTREAM-OUTERTHIS-0000000004-store-changelog", "l-changelog");
    rename("KSTREAM-OUTEROTHER-0000000005-store-changelog", "r-changelog");
    const auto lines = [](const string& text, std::string_view topic) {
        std::istringstream all{text};
        string out;
        for (string line; std::getline(all, line);)
            if (line.find(topic) != string::npos) out += line + "\n";
        return out;
    };
    for (const char* topic : {" out |", " l-changelog", " r-changelog", "dropped"})
        EXPECT_EQ(lines(own, topic), lines(in_memory, topic)) << own << in_memory;
    EXPECT_NE(lines(own, " out |"), "");
    EXPECT_EQ(diary->made, 2);
}

TEST(OwnStoresOfJoins, MustKeepWhatTheJoinNeeds) {
    const auto diary = std::make_shared<Diary>();
    const auto why = [&](WindowBytesStoreSupplier left, WindowBytesStoreSupplier right) {
        Builder b;
        const auto stream = b.stream<string, string>("a");
        stream
            .join(b.stream<string, string>("b"),
                  [](const string& l, const string& r) { return l + r; }, within(milliseconds{5}),
                  {.this_store = std::move(left), .other_store = std::move(right)})
            .to("out");
        const auto built = b.build();
        return built ? string{} : string{built.error().detail()};
    };
    auto good = map_windows("l", diary, milliseconds{10}, milliseconds{10});
    good.retain_duplicates = true;
    auto other = good;
    other.name = "r";
    EXPECT_EQ(why(good, other), "");
    EXPECT_THAT(why(good, good), HasSubstr("names of their own"));
    auto wrong = other;
    wrong.retain_duplicates = false;
    EXPECT_THAT(why(good, wrong), HasSubstr("must retain duplicates"));
    wrong = other;
    wrong.retention_period = milliseconds{11};
    EXPECT_THAT(why(good, wrong), HasSubstr("must be those of the join's windows"));
    wrong = other;
    wrong.window_size = milliseconds{9};
    EXPECT_THAT(why(wrong, other), HasSubstr("must be those of the join's windows"));
}

TEST(OwnStore, OfAnotherKindOrWithoutWhatItNeedsIsRefused) {
    const auto diary = std::make_shared<Diary>();
    const auto why = [](const Counts& as, bool windows) {
        Builder b;
        const auto groups = b.stream<string, string>("in").group_by_key();
        if (windows)
            static_cast<void>(groups.windowed(tumbling(milliseconds{10})).count(as));
        else
            static_cast<void>(groups.count(as));
        const auto built = b.build();
        return built ? string{} : string{built.error().detail()};
    };
    const auto rows = map_store("s", diary);
    const auto windows = map_windows("s", diary, milliseconds{10}, milliseconds{10});
    EXPECT_EQ(why(Counts::as(rows), false), "");
    EXPECT_EQ(why(Counts::as(windows), true), "");
    EXPECT_THAT(why(Counts::as(windows), false), HasSubstr("another kind"));
    EXPECT_THAT(why(Counts::as(rows), true), HasSubstr("another kind"));
    EXPECT_THAT(why(Counts::as(map_sessions("s", diary, milliseconds{10})), true),
                HasSubstr("another kind"));
    EXPECT_THAT(why(Counts::as(KeyValueBytesStoreSupplier{.name = "s"}), false),
                HasSubstr("has no get"));
    EXPECT_THAT(why({.supplier = rows}, false), HasSubstr("Materialized::as()"));
    EXPECT_THAT(why({.store = "s", .persistent = true, .supplier = rows}, false),
                HasSubstr("said by its supplier"));
    EXPECT_THAT(why({.store = "s", .history = milliseconds{1}, .supplier = rows}, false),
                HasSubstr("said by its supplier"));
    EXPECT_THAT(why(Counts::as(map_windows("s", diary, milliseconds{9}, milliseconds{9})), true),
                HasSubstr("shorter than its windows"));
    auto twice = windows;
    twice.retain_duplicates = true;
    EXPECT_THAT(why(Counts::as(twice), true), HasSubstr("retains duplicates"));
}

/// Puts each record into the store and tells all that is in it.
template <class Store>
string told_by_processor(const StoreRef<Store>& ref,
                         const std::function<Result<void>(const Store&, const string&)>& use) {
    struct Calls : Processor<string, string, string, string> {
        Calls(StoreRef<Store> of, std::function<Result<void>(const Store&, const string&)> how)
            : ref(std::move(of)), use(std::move(how)) {}
        Result<void> init(ProcessorContext<string, string>& context) override {
            LEAT_TRY(store, context.store(ref));
            return {};
        }
        Result<void> process(const Record<string, string>& record) override {
            return use(store, *record.value);
        }
        StoreRef<Store> ref;
        std::function<Result<void>(const Store&, const string&)> use;
        Store store;
    };
    Builder b;
    b.add_state_store(ref);
    static_cast<void>(b.stream<string, string>("in").process(
        [=] { return std::make_unique<Calls>(ref, use); }, {.stores = {ref.spec.name}}));
    return play(b, "in k a 1; in k b 2; in k ab 3; in k b 90000");
}

TEST(OwnStore, OfAProcessorHasAllCalls) {
    const auto diary = std::make_shared<Diary>();
    using Rows = KeyValueStore<string, string>;
    string seen;
    const std::function<Result<void>(const Rows&, const string&)> use =
        [&](const Rows& rows, const string& value) -> Result<void> {
        const Rows::Visit note = [&](const string& key, const string& inside) {
            seen += key + inside + " ";
            return true;
        };
        LEAT_TRY(const auto before, rows.put_if_absent(value, "x" + value));
        seen += before.value_or("none") + ": ";
        LEAT_TRY_VOID(rows.range("a", "ab", note, true));
        LEAT_TRY_VOID(rows.prefix_scan(string{"b"}, note));
        LEAT_TRY(const auto erased, rows.erase("ab"));
        seen += erased.value_or("none") + "; ";
        return {};
    };
    const string own =
        told_by_processor(key_value_store<string, string>(map_store("s", diary)), use);
    const string seen_there = std::exchange(seen, "");
    EXPECT_EQ(own,
              told_by_processor(key_value_store<string, string>("s", {.persistent = false}), use));
    EXPECT_EQ(seen_there, seen);
    EXPECT_EQ(seen,
              "none: axa none; none: axa bxb none; none: abxab axa bxb xab; "
              "xb: axa bxb none; ");
}

TEST(OwnStore, OfWindowsAndSessionsOfAProcessor) {
    const auto diary = std::make_shared<Diary>();
    using Windows = WindowStore<string, string>;
    string seen;
    const std::function<Result<void>(const Windows&, const string&)> use =
        [&](const Windows& rows, const string& value) -> Result<void> {
        LEAT_TRY(const bool kept, rows.put(value, {value == "ab" ? 1 : 80'000}, value));
        seen += kept ? "kept " : "gone ";
        return rows.all([&](const Windowed<string>& key, const string& inside) {
            seen += key.key + std::to_string(key.window.start) + inside + " ";
            return true;
        });
    };
    auto supplier = map_windows("s", diary, milliseconds{60'000}, milliseconds{10});
    supplier.retain_duplicates = true;
    static_cast<void>(told_by_processor(window_store<string, string>(supplier), use));
    EXPECT_EQ(seen,
              "kept a80000a kept a80000a b80000b gone a80000a b80000b "
              "kept a80000a b80000b b80000b ");
    using Sessions = SessionStore<string, string>;
    seen.clear();
    const std::function<Result<void>(const Sessions&, const string&)> use_sessions =
        [&](const Sessions& rows, const string& value) -> Result<void> {
        LEAT_TRY_VOID(rows.put({value, {5, 10}}, value));
        LEAT_TRY(const auto found, rows.get({"b", {5, 10}}));
        seen += found.value_or("none") + " ";
        return rows.fetch("a", [&](const Windowed<string>& key, const string&) {
            seen += key.key + std::to_string(key.window.end) + " ";
            return true;
        });
    };
    static_cast<void>(told_by_processor(
        session_store<string, string>(map_sessions("s", diary, milliseconds{100})), use_sessions));
    EXPECT_EQ(seen, "none a10 b a10 b a10 b a10 ");
}

TEST(OwnStore, ThatIsPersistentForgetsTimesUnlessItSaysOtherwise) {
    const auto time_of = [](StoreTraits traits) {
        Builder b;
        static_cast<void>(
            b.table<string, string>("in", {},
                                    Materialized<string, string>::as(map_store(
                                        "s", std::make_shared<Diary>(), std::move(traits)))));
        const auto driver = *TestDriver::open(*b.build(), {});
        EXPECT_TRUE((driver->pipe<string, string>("in", "k", "v", {7})));
        const auto rows = *driver->stored("s");
        EXPECT_EQ(rows.size(), 1U);
        EXPECT_EQ(rows[0].value, "v");
        return rows[0].timestamp;
    };
    EXPECT_EQ(time_of({}), 7);
    EXPECT_EQ(time_of({.persistent = true}), -1);
    EXPECT_EQ(time_of({.persistent = true, .timestamped = true}), 7);
    EXPECT_EQ(time_of({.timestamped = false}), -1);
}

TEST(OwnStore, WhatItThrowsIsTheProcessingHandlersBusiness) {
    const auto diary = std::make_shared<Diary>();
    Builder b;
    static_cast<void>(
        b.stream<string, string>("in").group_by_key().count(Counts::as(map_store("s", diary))));
    const Topology topology = *b.build();
    const auto failing = *TestDriver::open(topology, {});
    diary->throws = true;
    const auto failed = failing->pipe<string, string>("in", "k", "v", {1});
    ASSERT_FALSE(failed);
    EXPECT_THAT(string{failed.error().detail()}, HasSubstr("the store s: the disk is full"));
    const auto driver =
        *TestDriver::open(topology, {.handlers = {.processing = continue_on_error}});
    EXPECT_TRUE((driver->pipe<string, string>("in", "k", "v", {1})));
    diary->throws = false;
    EXPECT_TRUE((driver->pipe<string, string>("in", "k", "v", {2})));
    EXPECT_EQ(driver->stored("s")->size(), 1U);
}

TEST(OwnStore, WithoutAStoreTheTaskDoesNotOpen) {
    const auto why = [](const std::function<std::unique_ptr<KeyValueBytesStore>()>& get) {
        Builder b;
        static_cast<void>(b.stream<string, string>("in").group_by_key().count(
            Counts::as(KeyValueBytesStoreSupplier{.name = "s", .get = get})));
        const auto driver = TestDriver::open(*b.build(), {});
        return driver ? string{} : string{driver.error().detail()};
    };
    EXPECT_THAT(why([] { return nullptr; }), HasSubstr("its supplier made none"));
    const auto throwing = []() -> std::unique_ptr<KeyValueBytesStore> {
        throw std::runtime_error{"no memory"};  // tidy: right here, a user's may throw.
    };
    EXPECT_THAT(why(throwing), HasSubstr("the store s: no memory"));
}

TEST(OwnStore, HoldsAGlobalTable) {
    const auto diary = std::make_shared<Diary>();
    Builder b;
    const auto names = b.global_table<string, string>(
        "names", {}, Materialized<string, string>::as(map_store("s", diary)));
    b.stream<string, string>("in")
        .join(
            names, [](const string& key, const string&) { return key; },
            [](const string& value, const string& name) { return value + name; })
        .to("out");
    EXPECT_THAT(play(b, "names a Ann 1; in a x 2"), HasSubstr("out | a | xAnn @2"));
    EXPECT_EQ(diary->made, 1);
}

TEST(OwnStore, ServesTheDslWhereItLeavesItOpen) {
    const auto diary = std::make_shared<Diary>();
    const auto declare = [](Builder& b) {
        const auto groups = b.stream<string, string>("in").group_by_key();
        testing_play::show(groups.windowed(tumbling(milliseconds{100})).count({.store = "w"}));
        static_cast<void>(groups.count({.store = "c"}));
        static_cast<void>(groups.windowed(session(milliseconds{10}))
                              .count({.store = "disk", .persistent = true}));
    };
    const DslStores own = [&](const DslStore& store) -> DslStoreChoice {
        if (store.kind == DslStore::Kind::kWindow)
            return map_windows("", diary, store.retention, store.window);
        return map_store("", diary);
    };
    Builder b;
    declare(b);
    Builder other;
    declare(other);
    EXPECT_EQ(play(b, kRecords, {.dsl_stores = own}),
              play(other, kRecords, {.dsl_store = StoreType::kInMemory}));
    EXPECT_EQ(diary->made, 2);
    Builder wrong;
    declare(wrong);
    const DslStores windows = [&](const DslStore&) { return map_windows("", diary, {}, {}); };
    EXPECT_THAT(play(wrong, kRecords, {.dsl_stores = windows}), HasSubstr("another kind"));
}

TEST(OwnStore, IsAskedAndMeasuredAsOthersAre) {
    const auto diary = std::make_shared<Diary>();
    Builder b;
    static_cast<void>(b.stream<string, string>("in").group_by_key().count(
        Counts::as(map_store("s", diary, {.metrics_scope = "map"}))));
    const auto driver = *TestDriver::open(*b.build(), {.record_all = true});
    for (const char* key : {"a", "b", "a"})
        EXPECT_TRUE((driver->pipe<string, string>("in", key, "x", {5})));
    const auto found = query(*driver, "s", RangeQuery<string, Count>{});
    ASSERT_TRUE(found);
    const auto& one = found->partitions.front();
    EXPECT_EQ(one.value,
              (std::vector<KeyValueRow<string, Count>>{{"a", {2, {5}}}, {"b", {1, {5}}}}));
    EXPECT_EQ(one.position, (Position{{"in", {{0, 2}}}}));
    const auto metrics = driver->metrics();
    EXPECT_TRUE(std::ranges::any_of(metrics, [](const MetricValue& metric) {
        const auto tag = metric.tags.find("map-state-id");
        return metric.name == "put-rate" && tag != metric.tags.end() && tag->second == "s";
    }));
}

}  // namespace
}  // namespace leat::streams
