// SPDX-License-Identifier: Apache-2.0
//
// Queries of each kind against a topology in the test driver, whose contents are known by hand; and
// which of several tasks answer, by views that are made here.
#include "streams/store_query.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <stdexcept>

#include "leat/streams/builder.h"
#include "leat/streams/query.h"
#include "leat/streams/test_driver.h"
#include "streams/state/record_cache.h"
#include "streams/state/store_fixture.h"
#include "streams/testing/own_stores.h"

namespace leat::streams {
namespace {

using std::chrono::milliseconds;
using Text = std::string;
using Count = std::int64_t;

class Queries : public testing::Test {
  protected:
    void SetUp() override {
        Builder builder;
        const auto stream = builder.stream<Text, Text>("in");
        const auto grouped = stream.group_by_key();
        static_cast<void>(grouped.count({.store = "counts"}));
        static_cast<void>(grouped.windowed(tumbling(milliseconds{100}).grace(milliseconds{1000}))
                              .count({.store = "windows"}));
        static_cast<void>(grouped.windowed(session(milliseconds{50}).grace(milliseconds{1000}))
                              .count({.store = "sessions"}));
        static_cast<void>(
            grouped.windowed(UnlimitedWindows{.start = 15}).count({.store = "for-ever"}));
        static_cast<void>(builder.table<Text, Text>(
            "table", {}, {.store = "versions", .history = milliseconds{1000}}));
        const auto topology = builder.build();
        ASSERT_TRUE(topology) << topology.error().detail();
        auto driver = TestDriver::open(*topology, {});
        ASSERT_TRUE(driver) << driver.error().detail();
        driver_ = *std::move(driver);
        for (const auto& [key, at] : std::vector<std::pair<Text, std::int64_t>>{
                 {"a", 10}, {"b", 20}, {"a", 30}, {"c", 120}, {"a", 250}})
            pipe("in", key, "x", at);
        pipe("table", "k", "one", 100);
        pipe("table", "k", "two", 200);
        pipe("table", "gone", "one", 200);
        pipe("table", "gone", std::nullopt, 300);
    }
    void pipe(std::string_view topic, std::optional<Text> key, std::optional<Text> value,
              std::int64_t at) {
        const auto done = driver_->pipe<Text, Text>(topic, key, value, {at});
        ASSERT_TRUE(done) << done.error().detail();
    }
    /// The value of the one partition there is.
    template <class Query>
    typename Query::Value ask(std::string_view store, const Query& question) {
        const auto got = query(*driver_, store, question);
        EXPECT_TRUE(got) << got.error().detail();
        EXPECT_EQ(got->partitions.size(), 1U);
        EXPECT_TRUE(got->partitions.front().value) << got->partitions.front().reason;
        return *got->partitions.front().value;
    }
    std::unique_ptr<TestDriver> driver_;
};

TEST_F(Queries, KeyHasItsValueAndTime) {
    EXPECT_EQ(ask("counts", KeyQuery<Text, Count>{"a"}), (Timed<Count>{3, {250}}));
    EXPECT_EQ(ask("counts", KeyQuery<Text, Count>{"z"}), std::nullopt);
}

TEST_F(Queries, RangeIncludesBothEndsInEitherOrder) {
    using Row = KeyValueRow<Text, Count>;
    const Row a{"a", {3, {250}}};
    const Row b{"b", {1, {20}}};
    const Row c{"c", {1, {120}}};
    EXPECT_EQ(ask("counts", RangeQuery<Text, Count>{}), (std::vector<Row>{a, b, c}));
    EXPECT_EQ(ask("counts", RangeQuery<Text, Count>{"a", "b"}), (std::vector<Row>{a, b}));
    EXPECT_EQ(ask("counts", RangeQuery<Text, Count>{"b", std::nullopt, true}),
              (std::vector<Row>{c, b}));
}

TEST_F(Queries, WindowsOfAKeyAndOfAll) {
    using Row = WindowRow<Text, Count>;
    EXPECT_EQ(ask("windows", WindowKeyQuery<Text, Count>{"a", {0}, {1000}}),
              (std::vector<Row>{{"a", {0, 100}, {2, {30}}}, {"a", {200, 300}, {1, {250}}}}));
    EXPECT_EQ(ask("windows", WindowRangeQuery<Text, Count>({0}, {100})).size(), 3U);
}

TEST_F(Queries, WindowWithoutAnEndEndsAtTheLargestTime) {
    using Row = WindowRow<Text, Count>;
    constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(ask("for-ever", WindowKeyQuery<Text, Count>{"a", {0}, {1000}}),
              (std::vector<Row>{{"a", {15, kForEver}, {2, {250}}}}));
}

TEST_F(Queries, SessionsOfAKey) {
    using Row = WindowRow<Text, Count>;
    EXPECT_EQ(ask("sessions", SessionQuery<Text, Count>{"a"}),
              (std::vector<Row>{{"a", {10, 30}, {2, {-1}}}, {"a", {250, 250}, {1, {-1}}}}));
}

TEST_F(Queries, KeysWithAPrefixAndHowManyThereAre) {
    using Row = KeyValueRow<Text, Count>;
    pipe("in", "ab", "x", 260);
    pipe("in", "ba", "x", 260);
    const Row a{"a", {3, {250}}};
    const Row ab{"ab", {1, {260}}};
    EXPECT_EQ(ask("counts", PrefixQuery<Text, Count>{"a"}), (std::vector<Row>{a, ab}));
    EXPECT_EQ(ask("counts", PrefixQuery<Text, Count>("a", true)), (std::vector<Row>{ab, a}));
    EXPECT_EQ(ask("counts", PrefixQuery<Text, Count>{"zz"}), (std::vector<Row>{}));
    EXPECT_EQ(ask("counts", CountQuery{}), 5U);
    const auto wrong = query(*driver_, "windows", CountQuery{});
    EXPECT_EQ(wrong->partitions.front().failure, QueryFailure::kUnknownQueryType);
}

TEST_F(Queries, WindowsBackwardsAndOfSomeKeys) {
    using Row = WindowRow<Text, Count>;
    const Row early{"a", {0, 100}, {2, {30}}};
    const Row late{"a", {200, 300}, {1, {250}}};
    EXPECT_EQ(ask("windows", WindowKeyQuery<Text, Count>{"a", {0}, {1000}, true}),
              (std::vector<Row>{late, early}));
    using Range = WindowRangeQuery<Text, Count>;
    EXPECT_EQ(ask("windows", Range(KeyBounds<Text>{"b", "c"}, {0}, {1000})),
              (std::vector<Row>{{"b", {0, 100}, {1, {20}}}, {"c", {100, 200}, {1, {120}}}}));
    EXPECT_EQ(ask("windows", Range(KeyBounds<Text>{std::nullopt, "a"}, {0}, {1000}, true)),
              (std::vector<Row>{late, early}));
    // By key within a segment, as Kafka Streams' on disk.
    EXPECT_EQ(ask("windows", Range({0}, {1000}, true)).front(), (Row{"c", {100, 200}, {1, {120}}}));
}

TEST_F(Queries, SessionsByTimesByKeysAndOne) {
    using Row = WindowRow<Text, Count>;
    const Row first{"a", {10, 30}, {2, {-1}}};
    const Row second{"a", {250, 250}, {1, {-1}}};
    using OfKey = SessionQuery<Text, Count>;
    EXPECT_EQ(ask("sessions", OfKey("a", {.descending = true})), (std::vector<Row>{second, first}));
    EXPECT_EQ(ask("sessions", OfKey("a", {.earliest_end = Timestamp{31}})),
              (std::vector<Row>{second}));
    EXPECT_EQ(ask("sessions", OfKey("a", {.latest_start = Timestamp{10}})),
              (std::vector<Row>{first}));
    using Range = SessionRangeQuery<Text, Count>;
    const Row b{"b", {20, 20}, {1, {-1}}};
    const Row c{"c", {120, 120}, {1, {-1}}};
    EXPECT_EQ(ask("sessions", Range{}), (std::vector<Row>{b, first, c, second}));
    EXPECT_EQ(ask("sessions", Range({"b", "c"}, {.descending = true})), (std::vector<Row>{c, b}));
    using One = OneSessionQuery<Text, Count>;
    EXPECT_EQ(ask("sessions", One("a", {10, 30})), 2);
    EXPECT_EQ(ask("sessions", One("a", {10, 31})), std::nullopt);
    // On disk older ones are still there, and are not found.
    pipe("in", "d", "x", 5'000);
    EXPECT_EQ(ask("sessions", Range{}), (std::vector<Row>{{"d", {5'000, 5'000}, {1, {-1}}}}));
}

TEST_F(Queries, VersionsLatestAsOfAndMany) {
    using Row = VersionRow<Text>;
    const Row one{"one", {100}, Timestamp{200}};
    const Row two{"two", {200}, std::nullopt};
    EXPECT_EQ(ask("versions", VersionedKeyQuery<Text, Text>{"k"}), two);
    EXPECT_EQ(ask("versions", VersionedKeyQuery<Text, Text>("k", Timestamp{150})), one);
    EXPECT_EQ(ask("versions", VersionedKeyQuery<Text, Text>("k", Timestamp{50})), std::nullopt);
    EXPECT_EQ(ask("versions", VersionedKeyQuery<Text, Text>{"gone"}), std::nullopt);
    const MultiVersionedKeyQuery<Text, Text> all{"k", std::nullopt, std::nullopt};
    EXPECT_EQ(ask("versions", all), (std::vector<Row>{two, one}));
    const MultiVersionedKeyQuery<Text, Text> up{"k", std::nullopt, std::nullopt, true};
    EXPECT_EQ(ask("versions", up), (std::vector<Row>{one, two}));
    // Before its history a store knows the latest version alone.
    pipe("table", "k", "three", 4'500);
    pipe("table", "later", "x", 5'000);
    for (const std::int64_t before : {-1, 250, 3'999}) {
        const MultiVersionedKeyQuery<Text, Text> early{"k", std::nullopt, Timestamp{before}};
        EXPECT_EQ(ask("versions", early), std::vector<Row>{}) << before;
    }
    const MultiVersionedKeyQuery<Text, Text> in_it{"k", std::nullopt, Timestamp{4'000}};
    EXPECT_EQ(ask("versions", in_it), (std::vector<Row>{{"two", {200}, Timestamp{4'500}}}));
}

TEST_F(Queries, OfTheWrongKindOrStoreAreRefused) {
    const auto wrong = query(*driver_, "windows", KeyQuery<Text, Count>{"a"});
    ASSERT_TRUE(wrong);
    EXPECT_EQ(wrong->partitions.front().failure, QueryFailure::kUnknownQueryType);
    const auto none = query(*driver_, "nothing", KeyQuery<Text, Count>{"a"});
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code(), Errc::kNotFound);
    const auto few = query(*driver_, "counts", RangeQuery<Text, Count>{}, {.rows_max = 2});
    ASSERT_TRUE(few);
    EXPECT_EQ(few->partitions.front().failure, QueryFailure::kStoreException);
    const auto here = query(*driver_, "counts", RangeQuery<Text, Count>{}, {.rows_max = 3});
    EXPECT_TRUE(here && here->partitions.front().value);
}

/// The key with the largest value, of those that begin with `prefix`.
struct Largest {
    using Store = ReadOnlyKeyValueStore<Text, Count>;
    using Value = std::optional<Text>;
    Text prefix;
    [[nodiscard]] Result<Value> run(const Store& store) const {
        Value out;
        Count most = 0;
        LEAT_TRY_VOID(store.prefix_scan(prefix, [&](const Text& key, const Timed<Count>& one) {
            if (one.value > most) out = key;
            most = std::max(most, one.value);
            return true;
        }));
        return out;
    }
};
/// A sum of all windows; what it finds cannot be copied.
struct SumOfWindows {
    using Store = ReadOnlyWindowStore<Text, Count>;
    using Value = std::unique_ptr<Count>;
    [[nodiscard]] static Result<Value> run(const Store& store) {
        auto out = std::make_unique<Count>(0);
        LEAT_TRY_VOID(store.all([&](const Windowed<Text>&, const Timed<Count>& one) {
            *out += one.value;
            return true;
        }));
        return out;
    }
};
struct LongestSession {
    using Store = ReadOnlySessionStore<Text, Count>;
    using Value = std::int64_t;
    Text key;
    [[nodiscard]] Result<Value> run(const Store& store) const {
        Value out = 0;
        LEAT_TRY_VOID(store.fetch(key, [&](const Windowed<Text>& session, const Count&) {
            out = std::max(out, session.window.end - session.window.start);
            return true;
        }));
        return out;
    }
};
/// What was valid, by a serde of the query's own.
struct ValidAt : QuerySerdes<Text, Text> {
    using Store = ReadOnlyVersionedKeyValueStore<Text, Text>;
    using Value = Text;
    std::int64_t at = 0;
    [[nodiscard]] Result<Value> run(const Store& store) const {
        LEAT_TRY(const auto found, store.get("k", {at}));
        return found ? found->value : Text{"none"};
    }
};

TEST_F(Queries, OfOnesOwnReadTheKindOfStoreThatTheySay) {
    EXPECT_EQ(ask("counts", Largest{""}), "a");
    EXPECT_EQ(ask("counts", Largest{"b"}), "b");
    EXPECT_EQ(ask("counts", Largest{"zz"}), std::nullopt);
    const auto sum = query(*driver_, "windows", SumOfWindows{});
    ASSERT_TRUE(sum && sum->partitions.front().value);
    EXPECT_EQ(**sum->partitions.front().value, 5);
    EXPECT_EQ(ask("sessions", LongestSession{"a"}), 20);
    ValidAt then;
    then.at = 150;
    EXPECT_EQ(ask("versions", then), "one");
}

TEST_F(Queries, OfOnesOwnGoThroughTheSameGates) {
    const Largest question{""};
    for (const char* other : {"windows", "sessions", "versions"}) {
        const auto wrong = query(*driver_, other, question);
        ASSERT_TRUE(wrong);
        EXPECT_EQ(wrong->partitions.front().failure, QueryFailure::kUnknownQueryType) << other;
    }
    const auto none = query(*driver_, "nothing", question);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code(), Errc::kNotFound);
    const auto here = query(*driver_, "counts", question, {.at_least = {{"in", {{0, 4}}}}});
    ASSERT_TRUE(here);
    EXPECT_EQ(here->partitions.front().position, (Position{{"in", {{0, 4}}}}));
    EXPECT_TRUE(here->partitions.front().value);
    const auto ahead = query(*driver_, "counts", question, {.at_least = {{"in", {{0, 5}}}}});
    ASSERT_TRUE(ahead);
    EXPECT_EQ(ahead->partitions.front().failure, QueryFailure::kNotUpToBound);
    EXPECT_FALSE(ahead->partitions.front().value);
    const auto elsewhere = query(*driver_, "counts", question, {.partitions = {7}});
    ASSERT_TRUE(elsewhere);
    EXPECT_EQ(elsewhere->partitions.front().failure, QueryFailure::kNotPresent);
}

struct Failing {
    using Store = ReadOnlyKeyValueStore<Text, Count>;
    using Value = int;
    bool throws = false;
    [[nodiscard]] Result<Value> run(const Store& /*store*/) const {
        if (throws) throw std::runtime_error{"too much"};  // tidy: right here, a user's may throw.
        return Error{Errc::kInvalidRequest, "not so"};
    }
};

TEST_F(Queries, OfOnesOwnThatFailAreStoreExceptions) {
    for (const bool throws : {false, true}) {
        const auto failed = query(*driver_, "counts", Failing{throws});
        ASSERT_TRUE(failed);
        const auto& one = failed->partitions.front();
        EXPECT_EQ(one.failure, QueryFailure::kStoreException);
        EXPECT_EQ(one.reason, throws ? "the query: too much" : "not so");
        EXPECT_FALSE(one.value);
    }
}

/// Asks the store itself, which is the user's.
struct RowsThere {
    using Store = testing_own::MapStore;
    using Value = std::size_t;
    [[nodiscard]] static Result<Value> run(const Store& store) { return store.rows.size(); }
};

TEST(KeyQueries, SkipTheCacheWhenAsked) {
    Builder builder;
    static_cast<void>(builder.table<Text, Text>("in", {}, {.store = "t"}));
    auto driver =
        *TestDriver::open(*builder.build(), {.cache_bytes = 100'000, .commit_each_record = false});
    const auto value = [&](const KeyQuery<Text, Text>& asked) {
        const auto found = query(*driver, "t", asked)->partitions.at(0).value.value();
        return found ? found->value + "@" + std::to_string(found->timestamp.ms) : "none";
    };
    const KeyQuery<Text, Text> key{"k"};
    ASSERT_TRUE((driver->pipe<Text, Text>("in", "k", "old", {1})));
    EXPECT_EQ(value(key), "old@1");
    EXPECT_EQ(value(key.skip_cache()), "none");
    ASSERT_TRUE(driver->commit());
    ASSERT_TRUE((driver->pipe<Text, Text>("in", "k", "new", {2})));
    EXPECT_EQ(value(key), "new@2");
    EXPECT_EQ(value(key.skip_cache()), "old@1");
}

TEST(OwnQueries, OfAStoreOfOnesOwnSeeWhatIsBelowTheCache) {
    using Counts = Materialized<Text, Count>;
    const auto diary = std::make_shared<testing_own::Diary>();
    Builder builder;
    const auto groups = builder.stream<Text, Text>("in").group_by_key();
    static_cast<void>(groups.count(Counts::as(map_store("own", diary))));
    static_cast<void>(groups.count({.store = "other"}));
    const auto driver =
        *TestDriver::open(*builder.build(), {.cache_bytes = 100'000, .commit_each_record = false});
    ASSERT_TRUE((driver->pipe<Text, Text>("in", "a", "x", {1})));
    EXPECT_EQ(query(*driver, "own", RowsThere{})->partitions.front().value, 0U);
    EXPECT_EQ(query(*driver, "own", Largest{""})->partitions.front().value, "a");
    ASSERT_TRUE(driver->commit());
    EXPECT_EQ(query(*driver, "own", RowsThere{})->partitions.front().value, 1U);
    EXPECT_EQ(query(*driver, "other", RowsThere{})->partitions.front().failure,
              QueryFailure::kUnknownQueryType);
}

TEST_F(Queries, AnswerHasThePositionAndHoldsItsBound) {
    const KeyQuery<Text, Count> question{"a"};
    const auto got = query(*driver_, "counts", question);
    ASSERT_TRUE(got);
    // Of what comes to this store, and of nothing else.
    EXPECT_EQ(got->partitions.front().position, (Position{{"in", {{0, 4}}}}));
    const auto table = query(*driver_, "versions", VersionedKeyQuery<Text, Text>{"k"});
    ASSERT_TRUE(table);
    EXPECT_EQ(table->partitions.front().position, (Position{{"table", {{0, 3}}}}));
    const auto elsewhere = query(*driver_, "counts", question, {.at_least = {{"table", {{0, 0}}}}});
    ASSERT_TRUE(elsewhere);
    EXPECT_EQ(elsewhere->partitions.front().failure, QueryFailure::kNotUpToBound);
    const auto enough = query(*driver_, "counts", question, {.at_least = {{"in", {{0, 4}}}}});
    EXPECT_TRUE(enough && enough->partitions.front().value);
    const auto ahead = query(*driver_, "counts", question, {.at_least = {{"in", {{0, 5}}}}});
    ASSERT_TRUE(ahead);
    EXPECT_EQ(ahead->partitions.front().failure, QueryFailure::kNotUpToBound);
}

/// It is on a thread that is none of the task's, perhaps in the middle of a scan.
TEST(QueriesOfAFullCache, WriteOutNothing) {
    detail::MemoryBackend backend;
    const auto budget = std::make_shared<detail::CacheBudget>();
    backend.cache_budget = budget;
    detail::NotingTask task;
    const auto owner = detail::make_store({.name = "s", .caching = true}, backend);
    auto& store = dynamic_cast<detail::KeyValueStore&>(*owner);
    ASSERT_TRUE(store.open(task));
    std::string forwarded;
    ASSERT_TRUE(store.forward_on_flush(
        [&](const detail::Flushed& update) -> Result<void> {
            forwarded += std::string{update.key} + " ";
            return {};
        },
        false));
    ASSERT_TRUE(store.put("cold", "1", 1));
    EXPECT_EQ(std::exchange(forwarded, {}), "cold ") << "there is no room at all";
    budget->bytes_max = 1'000;
    for (const char* key : {"a", "b"}) ASSERT_TRUE(store.put(key, "2", 2));
    budget->bytes_max = budget->bytes;
    detail::RawAnswer by_key;
    detail::answer(store, {.key = "cold"}, 10, by_key);
    ASSERT_EQ(by_key.rows.size(), 1U);
    EXPECT_EQ(by_key.rows.front().value, "1");
    EXPECT_EQ(forwarded, "");
    std::string seen;
    const detail::RawQuery own{
        .kind = detail::RawQuery::Kind::kOwn, .run = [&](detail::StateStore&) {
            EXPECT_TRUE(store.all([&](std::string_view key, const detail::Entry&) {
                detail::Entry cold;
                EXPECT_TRUE(*store.get("cold", cold));
                seen += std::string{key} + "/" + cold.value + " ";
                return true;
            }));
            return detail::RawQuery::Ran{std::shared_ptr<void>{}};
        }};
    detail::RawAnswer of_own;
    detail::answer(store, own, 10, of_own);
    EXPECT_EQ(seen, "a/1 b/1 cold/1 ");
    EXPECT_EQ(forwarded, "");
    // The task itself remembers what it reads.
    detail::Entry entry;
    EXPECT_TRUE(*store.get("cold", entry));
    EXPECT_EQ(forwarded, "a b ");
}

TEST(QueryDesk, AsksActiveTasksOrStandbysAndNamesWhatIsNotHere) {
    detail::MemoryBackend backend;
    detail::Stores stores;
    stores.emplace("s", detail::make_store({.name = "s"}, backend));
    const detail::TaskView active{.id = {0, 1}, .is_serving = true, .stores = &stores};
    const detail::TaskView standby{.id = {0, 2}, .is_serving = false, .stores = &stores};
    detail::QueryDesk desk;
    detail::QueryGate gate;
    desk.add(1, gate, [&](const detail::QueryDesk::Visit& visit) {
        visit(active);
        visit(standby);
    });
    const detail::RawQuery all{.kind = detail::RawQuery::Kind::kRange};
    const auto failures = [&](const QueryOptions& options) {
        std::string out;
        for (const auto& one : desk.ask("s", all, options))
            out += std::to_string(one.partition) + "=" +
                   (one.failure ? name_of(*one.failure) : "ok") + " ";
        return out;
    };
    EXPECT_EQ(failures({}), "1=ok 2=ok ");
    EXPECT_EQ(failures({.require_active = true}), "1=ok 2=NOT_ACTIVE ");
    EXPECT_EQ(failures({.partitions = {2, 7}}), "2=ok 7=NOT_PRESENT ");
    EXPECT_EQ(failures({.at_least = {{"in", {{2, 0}}}}}), "1=ok 2=NOT_UP_TO_BOUND ");
    ASSERT_TRUE(desk.ask_within("s", all, {.wait_max = milliseconds{0}}));
    gate.enter();
    const auto held_up = desk.ask_within("s", all, {.wait_max = milliseconds{0}});
    ASSERT_FALSE(held_up);
    EXPECT_EQ(held_up.error().code(), Errc::kTimedOut);
    gate.leave();
    desk.remove(1);
    EXPECT_EQ(failures({}), "");
}

/// An instance with an answer, a copy, a copy that is behind, a store of another kind, nothing, and
/// nothing where the group knows nobody either.
std::vector<detail::RawAnswer> some_answers() {
    std::vector<detail::RawAnswer> out;
    for (const std::optional<QueryFailure>& failure :
         {std::optional<QueryFailure>{}, std::optional{QueryFailure::kNotActive},
          std::optional{QueryFailure::kNotUpToBound},
          std::optional{QueryFailure::kUnknownQueryType}, std::optional{QueryFailure::kNotPresent},
          std::optional{QueryFailure::kNotPresent}})
        out.push_back({.partition = static_cast<std::int32_t>(out.size()), .failure = failure});
    return out;
}

TEST(Owners, AreNamedWhereAnotherInstanceMayAnswer) {
    std::vector<detail::RawAnswer> answers = some_answers();
    std::vector<KeyQueryMetadata> places;
    for (std::int32_t i = 0; i < 5; ++i)
        places.push_back(
            {.partition = i, .active = "a:" + std::to_string(i), .standby = {"b:1", "c:1"}});
    places.back().standby.clear();
    detail::name_owners(places, answers);
    std::string owners;
    for (const auto& one : answers)
        owners += std::to_string(one.partition) + "=" + one.owner + "+" +
                  std::to_string(one.standbys.size()) + " ";
    EXPECT_EQ(owners, "0=+0 1=a:1+2 2=a:2+2 3=+0 4=a:4+0 5=+0 ");
}

TEST(Owners, AreInTheAnswerThatAQueryGives) {
    struct Instance {
        static Result<std::vector<detail::RawAnswer>> ask(std::string_view /*store*/,
                                                          const detail::RawQuery& /*query*/,
                                                          const QueryOptions& /*options*/) {
            std::vector<detail::RawAnswer> out = some_answers();
            detail::name_owners({{.partition = 4, .active = "a:4", .standby = {"b:1"}}}, out);
            return out;
        }
    } instance;
    const auto found = query(instance, "counts", CountQuery{});
    ASSERT_TRUE(found) << found.error().detail();
    ASSERT_EQ(found->partitions.size(), 6U);
    EXPECT_EQ(found->partitions[4].owner, "a:4");
    EXPECT_EQ(found->partitions[4].standbys, (std::vector<Text>{"b:1"}));
    EXPECT_EQ(found->partitions[5].owner, "");
}

}  // namespace
}  // namespace leat::streams
