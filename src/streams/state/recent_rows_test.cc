// SPDX-License-Identifier: Apache-2.0
//
// The newest rows of a window store in memory: a store with them gives back what one without does.
#include "streams/state/recent_rows.h"

#include <gtest/gtest.h>

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

TEST(RecentRows, GivesBackByStartAndOfOneStartInTheOrderOfPuts) {
    RecentRows rows{std::make_shared<Budget>(kMany), 80};
    rows.begin(10);
    rows.put("k", 20, "a");
    rows.put("k", 12, "late");
    rows.put("k", 20, "b");
    rows.put("kk", 15, "other");
    rows.put("k", 9, "older than what it knows");
    EXPECT_EQ(found(rows, "k", 10, 99), "12=late 20=a 20=b ");
    EXPECT_EQ(found(rows, "k", 13, 20, Direction::kBackward), "20=b 20=a ");
    EXPECT_EQ(found(rows, "k", 13, 19), "");
    EXPECT_EQ(found(rows, "", 10, 99), "");
}

TEST(RecentRows, DropsTheOldestPartsAndKnowsFromWhenOn) {
    RecentRows rows{std::make_shared<Budget>(kMany), 80};
    rows.begin(0);
    for (std::int64_t at : {5, 15, 7, 25}) rows.put("k", at, "v");
    rows.put("gone", 8, "v");
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
        RecentRows rows{budget, 800};
        rows.begin(0);
        const std::string value(1000, 'v');
        for (std::int64_t at = 0; at < 2000; ++at) rows.put("k", at, value);
        EXPECT_GT(rows.from(), 1500);
        EXPECT_EQ(budget->holders, 1);
        EXPECT_LE(rows.bytes(), std::size_t{256} << 10U);
        std::int64_t count = 0;
        rows.fetch(
            "k", rows.from(), 5000, [&](auto, const auto&) { return ++count; },
            Direction::kForward);
        EXPECT_EQ(count, 2000 - rows.from());
        budget->left = 0;  // Others took it: one row that does not fit is not kept either.
        for (std::int64_t at = 2000; at < 2400; ++at) rows.put("k", at, value);
        EXPECT_GT(rows.from(), 2100);
    }
    EXPECT_GE(budget->left, std::size_t{192} << 10U) << "given back";
    EXPECT_EQ(budget->holders, 0);
}

std::string windows_of(const WindowStore& store, std::string_view key, std::int64_t from,
                       std::int64_t to, Direction direction) {
    std::string out;
    EXPECT_TRUE(store.fetch(
        key, from, to,
        [&](std::int64_t start, const Entry& entry) {
            out += std::to_string(start) + "=" + entry.value + " ";
            return true;
        },
        direction));
    return out;
}

struct Case {
    std::size_t budget;
    bool time_ordered;
};

class RecentWindows : public ::testing::TestWithParam<Case> {};

TEST_P(RecentWindows, AreThoseOfAStoreWithout) {
    StoreSpec spec{.name = "s", .kind = StoreSpec::Kind::kPlainWindow, .retention_ms = 100'000};
    spec.retain_duplicates = true;
    spec.time_ordered = GetParam().time_ordered;
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
        if (i % 1000 == 999) {  // As after changes that were dropped, and after a restore.
            ASSERT_TRUE(store.save());
            ASSERT_TRUE(i % 2000 == 999 ? store.open(task) : store.restore({}));
        }
    }
    EXPECT_EQ(task.changes, plain_task.changes);
}

INSTANTIATE_TEST_SUITE_P(RecentRows, RecentWindows,
                         ::testing::Values(Case{kMany, false}, Case{std::size_t{128} << 10U, false},
                                           Case{0, false}, Case{kMany, true}));

}  // namespace
}  // namespace leat::streams::detail
