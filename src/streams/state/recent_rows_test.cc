// SPDX-License-Identifier: Apache-2.0
//
// The newest rows of a window store in memory: a store with them gives back what one without does,
// and what leaves them is what the database needs.
#include "streams/state/recent_rows.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "streams/state/ordered_bytes.h"
#include "streams/state/store_fixture.h"
#include "testkit/random.h"

namespace leat::streams::detail {
namespace {

class Budget final : public RowBudget {
  public:
    explicit Budget(std::size_t bytes) : left(bytes) {}
    void join() noexcept override { ++holders; }
    void leave() noexcept override { --holders; }
    bool take(std::size_t /*held*/, std::size_t bytes) override {
        if (bytes > left) return false;
        left -= bytes;
        return true;
    }
    void give_back(std::size_t bytes) noexcept override { left += bytes; }

    std::size_t left;
    int holders = 0;
};

constexpr std::size_t kMany = std::size_t{1} << 30U;

std::string found(const RecentRows& rows, std::string_view key, std::int64_t from, std::int64_t to,
                  Direction direction = Direction::kForward) {
    std::string out;
    rows.fetch(
        key, from, to,
        [&](std::int64_t start, const Entry& entry) {
            out += std::to_string(start) + "=" + entry.value + " ";
            return true;
        },
        direction);
    return out;
}

void put(RecentRows& rows, std::string_view key, std::int64_t start, std::string_view value,
         std::uint32_t number = 0) {
    if (rows.takes(start))
        EXPECT_TRUE(rows.put({.key = key, .start = start, .number = number, .value = value}, {}));
}

/// A row that is nowhere else, logged when it starts.
void put_alone(RecentRows& rows, std::string_view key, std::int64_t start, std::string_view value,
               std::uint32_t number = 0) {
    EXPECT_TRUE(rows.put({.key = key, .start = start, .number = number, .value = value}, start));
}

TEST(RecentRows, GivesBackByStartAndOfOneStartInTheOrderOfPuts) {
    RecentRows rows{std::make_shared<Budget>(kMany), 160};
    rows.begin(10);
    put(rows, "k", 20, "a");
    put(rows, "k", 12, "late");
    put(rows, "k", 20, "b");
    put(rows, "kk", 15, "other");
    EXPECT_FALSE(rows.takes(9)) << "older than what it knows";
    EXPECT_EQ(found(rows, "k", 10, 99), "12=late 20=a 20=b ");
    EXPECT_EQ(found(rows, "k", 13, 20, Direction::kBackward), "20=b 20=a ");
    EXPECT_EQ(found(rows, "k", 13, 19), "");
    EXPECT_EQ(found(rows, "", 10, 99), "");
}

TEST(RecentRows, DropsTheOldestPartsAndKnowsFromWhenOn) {
    RecentRows rows{std::make_shared<Budget>(kMany), 160};
    rows.begin(0);
    for (std::int64_t at : {5, 15, 7, 25}) put(rows, "k", at, "v");
    put(rows, "gone", 8, "v");
    rows.expire(9);
    EXPECT_EQ(rows.from(), 0) << "a part goes as a whole";
    rows.expire(10);
    EXPECT_EQ(rows.from(), 10);
    EXPECT_EQ(found(rows, "k", 10, 99), "15=v 25=v ");
    rows.expire(1000);
    EXPECT_EQ(rows.bytes(), 0U);
}

TEST(RecentRows, ForgetsTheOldestWhereTheBudgetEnds) {
    const auto budget = std::make_shared<Budget>(std::size_t{256} << 10U);
    {
        RecentRows rows{budget, 1600};
        rows.begin(0);
        const std::string value(1000, 'v');
        for (std::int64_t at = 0; at < 2000; ++at) put(rows, "k", at, value);
        EXPECT_GT(rows.from(), 1500);
        EXPECT_EQ(budget->holders, 1);
        EXPECT_LE(rows.bytes(), std::size_t{256} << 10U);
        std::int64_t count = 0;
        rows.fetch(
            "k", rows.from(), 5000, [&](auto, const auto&) { return ++count; },
            Direction::kForward);
        EXPECT_EQ(count, 2000 - rows.from());
        budget->left = 0;  // Others took it: one row that does not fit is not kept either.
        for (std::int64_t at = 2000; at < 2400; ++at) put(rows, "k", at, value);
        EXPECT_GT(rows.from(), 2100);
    }
    EXPECT_GE(budget->left, std::size_t{192} << 10U) << "given back";
    EXPECT_EQ(budget->holders, 0);
}

/// What a plain multimap finds, against chains of all lengths with rows at any place of them.
TEST(RecentRows, FindsInLongChainsWhatAnOrderedMapFinds) {
    RecentRows rows{std::make_shared<Budget>(kMany), 16'000};
    std::map<std::string, std::multimap<std::int64_t, std::string>> wanted;
    rows.begin(0);
    testkit::Random random;
    const std::string keys[] = {"a", "aa", "b", "", std::string(300, 'k')};
    for (std::int32_t i = 0; i < 6000; ++i) {
        const std::string& key = keys[random.between(0, 4)];
        const std::int64_t start =
            std::max<std::int64_t>(rows.from(), i * 4 - random.between(0, i % 3 == 0 ? 9000 : 40));
        const std::string value = std::to_string(i);
        put(rows, key, start, value);
        wanted[key].emplace(start, value);
        if (i % 500 == 499) rows.expire(i * 4 - 8000);
        const std::int64_t from = std::max<std::int64_t>(rows.from(), i * 4 - 7000);
        const std::int64_t to = from + random.between(0, 8000);
        std::string forward;
        std::string backward;
        const auto& all = wanted[key];
        for (auto at = all.lower_bound(from); at != all.upper_bound(to); ++at) {
            const std::string one = std::to_string(at->first) + "=" + at->second + " ";
            forward += one;
            backward.insert(0, one);
        }
        if (i % 10 != 0) continue;
        ASSERT_EQ(found(rows, key, from, to), forward);
        ASSERT_EQ(found(rows, key, from, to, Direction::kBackward), backward);
    }
    EXPECT_GT(rows.from(), 10'000) << "chains end in parts that are gone";
}

/// What leaves, in its order.
struct Left {
    RecentRows::VisitRow note() {
        return [this](const RecentRows::Seen& row) -> Result<void> {
            text += std::string{row.key} + std::to_string(row.start) + "#" +
                    std::to_string(row.number) + "=" + std::string{row.value} + " ";
            return {};
        };
    }
    std::string text;
};

TEST(RecentRows, WhatNobodyReadsAnyMoreDoesNotLeave) {
    Left left;
    RecentRows rows{std::make_shared<Budget>(kMany), 160, left.note()};
    rows.begin(0);
    put_alone(rows, "b", 14, "2", 2);
    put_alone(rows, "b", 12, "1", 1);
    put_alone(rows, "a", 14, "3", 3);
    put_alone(rows, "a", 5, "gone", 4);
    put_alone(rows, "a", 25, "4", 5);
    rows.expire(13);
    EXPECT_EQ(left.text, "");
    ASSERT_TRUE(rows.leave());
    EXPECT_EQ(left.text, "a14#3=3 b14#2=2 a25#5=4 ");
    EXPECT_FALSE(rows.has_begun());
}

TEST(RecentRows, WhatTheBudgetDoesNotHoldLeavesOldestFirst) {
    Left left;
    RecentRows rows{std::make_shared<Budget>(0), 160, left.note()};
    rows.begin(0);
    put_alone(rows, "a", 5, "1", 1);
    EXPECT_EQ(left.text, "a5#1=1 ");
    EXPECT_EQ(rows.from(), 10);
    EXPECT_EQ(rows.bytes(), 0U);
    EXPECT_EQ(found(rows, "a", 10, 99), "");
}

TEST(RecentRows, KnowFromWhereTheChangelogIsNeeded) {
    Left left;
    RecentRows rows{std::make_shared<Budget>(kMany), 160, left.note()};
    EXPECT_EQ(*rows.note_commit({.next = 5}), 5) << "nothing is here";
    rows.begin(0);
    put_alone(rows, "a", 5, "1");
    EXPECT_EQ(*rows.note_commit({.next = 6}), std::nullopt)
        << "nothing is noted before the first commit";
    put_alone(rows, "a", 15, "2");
    put_alone(rows, "a", 7, "2");
    EXPECT_EQ(*rows.note_commit({.before = 6, .next = 8}), std::nullopt);
    rows.expire(10);
    EXPECT_EQ(*rows.note_commit({.before = 8, .next = 8}), 6)
        << "the second part began behind the first commit";
    put_alone(rows, "a", 25, "3");
    rows.expire(20);
    EXPECT_EQ(*rows.note_commit({.before = 8, .next = 9}), 8);
    rows.expire(1000);
    EXPECT_EQ(*rows.note_commit({.before = 9, .next = 9}), 9);
}

TEST(RecentRows, SettleWhatIsCommittedIfAllOfItIsThere) {
    Left left;
    RecentRows rows{std::make_shared<Budget>(kMany), 160, left.note()};
    rows.begin(0);
    put_alone(rows, "a", 5, "1", 1);
    ASSERT_TRUE(rows.note_commit({.next = 6}));
    put_alone(rows, "a", 6, "not committed", 2);
    put_alone(rows, "b", 15, "not committed", 3);
    ASSERT_EQ(*rows.settle(), true);
    EXPECT_EQ(left.text, "a5#1=1 ");
    EXPECT_FALSE(rows.has_begun());

    left.text.clear();
    rows.begin(0);
    put_alone(rows, "a", 5, "1", 1);
    ASSERT_TRUE(rows.note_commit({.next = 6}));
    put_alone(rows, "a", 99, "2", 2);
    rows.expire(50);  // By a record that is not committed.
    ASSERT_EQ(*rows.settle(), false);
    EXPECT_EQ(left.text, "");
}

TEST(RecentRows, ThatWereLoggedTooLongAgoAreWrittenAtACommitAndStay) {
    Left left;
    RecentRows rows{std::make_shared<Budget>(kMany), 160, left.note()};
    rows.begin(0);
    put_alone(rows, "a", 5, "1", 1);
    put_alone(rows, "a", 15, "2", 2);
    EXPECT_TRUE(rows.has_alone_before(6));
    EXPECT_FALSE(rows.has_alone_before(5));
    EXPECT_EQ(*rows.note_commit({.before = 3, .next = 5, .relied_on_from = 6}), 3)
        << "the second part's rows are in the changelog from there on";
    EXPECT_EQ(left.text, "a5#1=1 ");
    EXPECT_FALSE(rows.has_alone_before(6)) << "they are written";
    EXPECT_EQ(found(rows, "a", 0, 99), "5=1 15=2 ");

    EXPECT_EQ(*rows.note_commit({.before = 5, .next = 6, .relied_on_from = 16}), 6);
    EXPECT_EQ(left.text, "a5#1=1 a15#2=2 ");
    put(rows, "a", 6, "written by others", 3);
    put_alone(rows, "a", 7, "late", 4);
    EXPECT_EQ(*rows.note_commit({.before = 6, .next = 8}), 6) << "a part has rows alone again";
    rows.expire(1000);
    EXPECT_EQ(left.text, "a5#1=1 a15#2=2 ");
    EXPECT_EQ(*rows.settle(), false) << "the late one left with what is not committed";
}

TEST(RecentRows, ThatAreWrittenAreNotMissedBySettle) {
    Left left;
    RecentRows rows{std::make_shared<Budget>(kMany), 160, left.note()};
    rows.begin(0);
    put_alone(rows, "a", 5, "1", 1);
    ASSERT_TRUE(rows.note_commit({.next = 6, .relied_on_from = 6}));
    rows.expire(50);
    EXPECT_EQ(*rows.settle(), true);
    EXPECT_EQ(left.text, "a5#1=1 ") << "once";
}

std::string all_windows_of(const WindowStore& store, std::int64_t from, std::int64_t to,
                           Direction direction) {
    std::string out;
    EXPECT_TRUE(store.fetch_all(
        from, to,
        [&](std::string_view key, std::int64_t start, const Entry& entry) {
            out += std::string{key} + std::to_string(start) + "=" + entry.value + " ";
            return out.size() < 5000;
        },
        direction));
    return out;
}

std::string windows_of(const WindowStore& store, std::string_view key, std::int64_t from,
                       std::int64_t to, Direction direction) {
    std::string out;
    EXPECT_TRUE(store.fetch(
        key, from, to,
        [&](std::int64_t start, const Entry& entry) {
            out += std::to_string(start) + "=" + entry.value + " ";
            return out.size() < 3000;
        },
        direction));
    return out;
}

struct Case {
    std::size_t budget;
    bool time_ordered;
    bool logging = true;
};

class RecentWindows : public ::testing::TestWithParam<Case> {};

TEST_P(RecentWindows, AreThoseOfAStoreWithout) {
    StoreSpec spec{.name = "s", .kind = StoreSpec::Kind::kPlainWindow, .retention_ms = 100'000};
    spec.retain_duplicates = true;
    spec.time_ordered = GetParam().time_ordered;
    spec.logging = GetParam().logging;
    MemoryBackend with;
    with.row_budget = std::make_shared<Budget>(GetParam().budget);
    MemoryBackend without;
    NotingTask task;
    NotingTask plain_task;
    const auto owner = make_store(spec, with);
    const auto plain_owner = make_store(spec, without);
    auto& store = dynamic_cast<WindowStore&>(*owner);
    auto& plain = dynamic_cast<WindowStore&>(*plain_owner);
    ASSERT_TRUE(store.open(task));
    ASSERT_TRUE(plain.open(plain_task));
    testkit::Random random;
    const auto below = [&](std::int32_t bound) {
        return std::int64_t{random.between(0, bound - 1)};
    };
    std::int64_t now = 0;
    for (int i = 0; i < 4000; ++i) {
        now += below(200);
        const std::string key = "k" + std::to_string(below(9));
        const std::int64_t at = std::max<std::int64_t>(0, now - below(i % 7 == 0 ? 130'000 : 500));
        std::optional<std::string> value;
        if (below(12) != 0) value = std::to_string(i) + std::string(100, '.');
        const auto kept = store.put(key, at, value, at);
        const auto plain_kept = plain.put(key, at, value, at);
        ASSERT_TRUE(kept && plain_kept);
        ASSERT_EQ(*kept, *plain_kept);
        const std::int64_t from = now - below(120'000);
        const std::int64_t to = from + below(40'000);
        const auto direction = below(2) == 0 ? Direction::kForward : Direction::kBackward;
        ASSERT_EQ(windows_of(store, key, from, to, direction),
                  windows_of(plain, key, from, to, direction));
        if (i % 50 == 0)
            ASSERT_EQ(all_windows_of(store, from, to, direction),
                      all_windows_of(plain, from, to, direction));
        if (i % 1000 == 999) {  // As after changes that were dropped, and after a restore.
            ASSERT_TRUE(store.save());
            ASSERT_TRUE(store.note_commit({}, 1));
            if (i % 2000 == 999) {
                ASSERT_EQ(*store.settle(), GetParam().logging);
                ASSERT_TRUE(store.open(task));
            } else {
                ASSERT_TRUE(store.restore({}));
            }
        }
    }
    EXPECT_EQ(task.changes, plain_task.changes);
}

INSTANTIATE_TEST_SUITE_P(RecentRows, RecentWindows,
                         ::testing::Values(Case{kMany, false}, Case{std::size_t{128} << 10U, false},
                                           Case{0, false}, Case{kMany, true},
                                           Case{std::size_t{128} << 10U, true},
                                           Case{kMany, false, false}));

TEST(RecentRows, AreFetchedAsTheyWereWhateverTheVisitorPuts) {
    for (const Direction direction : {Direction::kForward, Direction::kBackward}) {
        const auto budget = std::make_shared<Budget>(std::size_t{192} << 10U);
        RecentRows rows{budget, 160};
        rows.begin(0);
        std::string wanted;
        for (int start = 0; start < 40; ++start) {
            put(rows, "k", start, "v");
            const std::string one = std::to_string(start) + "=v ";
            wanted.insert(direction == Direction::kForward ? wanted.size() : 0, one);
        }
        std::string seen;
        int next = 40;
        rows.fetch(
            "k", 0, 1'000'000,
            [&](std::int64_t start, const Entry& entry) {
                seen += std::to_string(start) + "=" + entry.value + " ";
                put(rows, "k", start, "new");
                put(rows, "k", start - 1, "new");
                // So much that the first parts have to go.
                for (int i = 0; i < 10; ++i) put(rows, "k", next++, std::string(3'000, 'x'));
                return seen.size() < 1'000;
            },
            direction);
        EXPECT_EQ(seen, wanted);
        EXPECT_GT(rows.from(), 40);
    }
}

TEST(RecentRows, ThePartThatTimeEndsInIsNotOver) {
    constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
    RecentRows rows{std::make_shared<Budget>(kMany), 160};
    rows.begin(0);
    put(rows, "k", kEnd - 3, "a");
    rows.expire(kEnd - 20);
    EXPECT_EQ(found(rows, "k", kEnd - 20, kEnd), std::to_string(kEnd - 3) + "=a ");
    EXPECT_EQ(rows.from(), 0);
}

}  // namespace
}  // namespace leat::streams::detail
