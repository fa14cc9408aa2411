// SPDX-License-Identifier: Apache-2.0
//
// Stores that are changed while they are visited: the visitor sees what was there when the visit
// began. Method: every kind of visit, in memory and on disk, with and without a small cache, in
// both directions, with visitors that change what they see, what they will see and what they have
// seen.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <tuple>
#include <vector>

#include "leat/streams/detail/store.h"
#include "streams/state/ordered_bytes.h"
#include "streams/state/record_cache.h"
#include "streams/state/store_fixture.h"
#include "streams/state/task_state.h"
#include "streams/state/temp_folder.h"

namespace leat::streams::detail {
namespace {

using Kind = StoreSpec::Kind;
enum class Look : std::uint8_t { kRows, kOneKeysWindows, kWindows, kOneKeysSessions, kSessions };
enum class Where : std::uint8_t { kMemory, kUncommitted, kCommitted };
using Case = std::tuple<Look, Where, bool, Direction>;

/// Two segments and more.
constexpr std::int64_t kStep = 60'000;
constexpr int kRows = 80;

/// Rows 0, 2, 4 .. 78 at first; odd ones are new.
class VisitsTest : public testing::TestWithParam<Case> {
  protected:
    using See = std::function<bool(int row, const std::string& value)>;
    using Seen = std::vector<std::pair<int, std::string>>;

    void SetUp() override {
        StoreSpec spec{.name = "s", .persistent = where() != Where::kMemory, .retention_ms = -1};
        spec.caching = std::get<bool>(GetParam());
        if (look() != Look::kRows) {
            spec.kind = is_window() ? Kind::kWindow : Kind::kSession;
            spec.retention_ms = kStep * 3 * kRows;
            spec.segment_ms = kRows * kStep / 3;
        }
        auto opened = TaskState::open({.directory = folder_.path()});
        ASSERT_TRUE(opened);
        state_ = *std::move(opened);
        if (spec.caching)
            state_->cache_budget = std::make_shared<CacheBudget>(CacheBudget{.bytes_max = 1'000});
        stores_.emplace("s", make_store(spec, *state_));
        ASSERT_TRUE(state_->ready());
        store_ = stores_.at("s").get();
        ASSERT_TRUE(store_->open(task_));
        for (int row = 0; row < kRows; row += 2) {
            put(row, "v");
            if (row == kRows / 2 && where() == Where::kCommitted) {
                ASSERT_TRUE(store_->flush());
                ASSERT_TRUE(state_->commit(stores_, {}));
            }
        }
    }
    void put(int row, std::optional<std::string_view> value) {
        if (look() == Look::kRows)
            EXPECT_TRUE(at<KeyValueStore>().put(key_of(row), value, 1));
        else if (is_window())
            EXPECT_TRUE(at<WindowStore>().put("k", row * kStep, value, 1));
        else
            EXPECT_TRUE(at<SessionStore>().put("k", {row * kStep, row * kStep}, value, 1));
    }
    void put_all(std::optional<std::string_view> value) {
        for (int row = 0; row < kRows; ++row) put(row, value);
    }
    void visit(const See& see) {
        constexpr std::int64_t kEnd = kRows * kStep;
        const auto seen = [&](std::int64_t at, std::string_view value) {
            return see(static_cast<int>(at / kStep), std::string{value});
        };
        switch (look()) {
            case Look::kRows:
                EXPECT_TRUE(at<KeyValueStore>().all(
                    [&](std::string_view key, const Entry& entry) {
                        return see(std::stoi(std::string{key.substr(1)}), entry.value);
                    },
                    direction()));
                break;
            case Look::kOneKeysWindows:
                EXPECT_TRUE(at<WindowStore>().fetch(
                    "k", 0, kEnd, [&](auto time, const Entry& e) { return seen(time, e.value); },
                    direction()));
                break;
            case Look::kWindows:
                EXPECT_TRUE(at<WindowStore>().fetch_all(
                    0, kEnd,
                    [&](auto, auto time, const Entry& entry) { return seen(time, entry.value); },
                    direction()));
                break;
            case Look::kOneKeysSessions:
                EXPECT_TRUE(at<SessionStore>().find(
                    "k", 0, kEnd,
                    [&](Window session, auto value) { return seen(session.start, value); },
                    direction()));
                break;
            case Look::kSessions:
                EXPECT_TRUE(at<SessionStore>().find_ended(
                    0, kEnd, [&](auto, Window session, auto v) { return seen(session.start, v); },
                    direction()));
        }
    }
    /// What a visitor sees that does `act` at each row.
    Seen seen_by(const std::function<void(int row)>& act) {
        Seen out;
        visit([&](int row, const std::string& value) {
            out.emplace_back(row, value);
            act(row);
            return out.size() < std::size_t{3} * kRows;
        });
        return out;
    }
    [[nodiscard]] Seen rows() {
        return seen_by([](int) {});
    }
    /// Every row of a step, with that value.
    [[nodiscard]] static Seen all(const std::string& value, int step = 2) {
        Seen out;
        for (int row = 0; row < kRows; row += step) out.emplace_back(row, value);
        if (direction() == Direction::kBackward) std::ranges::reverse(out);
        return out;
    }
    static Look look() { return std::get<Look>(GetParam()); }
    static Where where() { return std::get<Where>(GetParam()); }
    static Direction direction() { return std::get<Direction>(GetParam()); }

  private:
    static bool is_window() { return look() == Look::kOneKeysWindows || look() == Look::kWindows; }
    static std::string key_of(int row) { return "k" + std::to_string(1'000 + row).substr(1); }
    template <class Store>
    Store& at() {
        return dynamic_cast<Store&>(*store_);
    }

    TempFolder folder_;
    NotingTask task_;
    std::unique_ptr<TaskState> state_;
    Stores stores_;
    StateStore* store_ = nullptr;
};

TEST_P(VisitsTest, ErasesWhatItSees) {
    EXPECT_EQ(seen_by([&](int row) { put(row, std::nullopt); }), all("v"));
    EXPECT_EQ(rows(), Seen{});
}

TEST_P(VisitsTest, PutsNewRowsAroundIt) {
    const Seen seen = seen_by([&](int row) {
        put(row + 1, "new");
        if (row > 0) put(row - 1, "new");
        put(row, "w");
    });
    EXPECT_EQ(seen, all("v"));
    EXPECT_EQ(rows().size(), static_cast<std::size_t>(kRows));
}

TEST_P(VisitsTest, PutsEveryRowAtEach) {
    EXPECT_EQ(seen_by([&](int row) { put_all("longer" + std::to_string(row)); }), all("v"));
    EXPECT_EQ(rows(), all("longer" + std::to_string(all("v").back().first), 1));
}

TEST_P(VisitsTest, ErasesEveryRowAtOnceAndPutsSomeAgain) {
    const Seen seen = seen_by([&](int /*row*/) {
        put_all(std::nullopt);
        for (int again = 0; again < kRows; again += 2) put(again, "again");
    });
    EXPECT_EQ(seen, all("v"));
    EXPECT_EQ(rows(), all("again"));
}

TEST_P(VisitsTest, VisitsAgainInAVisit) {
    int visits = 0;
    const Seen seen = seen_by([&](int row) {
        if (row % 8 != 0) return;
        const Seen before = rows();
        EXPECT_EQ(seen_by([&](int inner) { put(inner, std::nullopt); }), before);
        EXPECT_EQ(rows(), Seen{});
        put_all("round" + std::to_string(++visits));
    });
    EXPECT_EQ(seen, all("v"));
    EXPECT_EQ(rows(), all("round" + std::to_string(visits), 1));
}

/// Of stores whose rows get too old.
class TimedVisitsTest : public VisitsTest {};

TEST_P(TimedVisitsTest, LetsWhatIsOldGo) {
    // Every segment goes with the first row.
    EXPECT_EQ(seen_by([&](int) { put(20 * kRows, "late"); }), all("v"));
    EXPECT_EQ(rows(), Seen{});
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
    constexpr std::array kLooks{"rows", "one_keys_windows", "windows", "one_keys_sessions",
                                "sessions"};
    constexpr std::array kPlaces{"in_memory", "on_disk", "on_disk_committed"};
    const auto& [look, where, caching, direction] = info.param;
    return std::string{kLooks.at(static_cast<std::size_t>(look))} + "_" +
           kPlaces.at(static_cast<std::size_t>(where)) + (caching ? "_cached" : "") +
           (direction == Direction::kBackward ? "_backward" : "");
}

INSTANTIATE_TEST_SUITE_P(
    All, VisitsTest,
    testing::Combine(testing::Values(Look::kRows, Look::kOneKeysWindows, Look::kWindows,
                                     Look::kOneKeysSessions, Look::kSessions),
                     testing::Values(Where::kMemory, Where::kUncommitted, Where::kCommitted),
                     testing::Bool(), testing::Values(Direction::kForward, Direction::kBackward)),
    name_of);
INSTANTIATE_TEST_SUITE_P(
    All, TimedVisitsTest,
    testing::Combine(testing::Values(Look::kOneKeysWindows, Look::kWindows, Look::kOneKeysSessions,
                                     Look::kSessions),
                     testing::Values(Where::kMemory, Where::kUncommitted, Where::kCommitted),
                     testing::Bool(), testing::Values(Direction::kForward, Direction::kBackward)),
    name_of);

}  // namespace
}  // namespace leat::streams::detail
