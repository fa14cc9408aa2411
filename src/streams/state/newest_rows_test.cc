// SPDX-License-Identifier: Apache-2.0
//
// A join's newest rows on their way to the database: whatever happens to a task, its rows and the
// offset from which its changelog is read again make up what was committed, also of a changelog
// whose old records the broker deletes. Databases are real ones in a temporary folder; a crash is a
// state that goes without settle().
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "leat/streams/detail/store.h"
#include "streams/state/ordered_bytes.h"
#include "streams/state/store_fixture.h"
#include "streams/state/task_state.h"
#include "streams/state/temp_folder.h"
#include "testkit/random.h"

namespace leat::streams::detail {
namespace {

constexpr std::int64_t kRetentionMs = 100'000;
/// How long the changelog is kept, and how often a task looks at the clock.
constexpr std::int64_t kKeptMs = 150'000;
constexpr std::int64_t kTickMs = 1'000;

StoreSpec joined() {
    return {.name = "joined",
            .kind = StoreSpec::Kind::kPlainWindow,
            .retention_ms = kRetentionMs,
            .retain_duplicates = true};
}

std::string windows_of(const WindowStore& store) {
    std::string out;
    EXPECT_TRUE(store.fetch_all(
        0, std::numeric_limits<std::int64_t>::max(),
        [&](std::string_view key, std::int64_t start, const Entry& entry) {
            out += std::string{key} + "@" + std::to_string(start) + "=" + entry.value + " ";
            return true;
        },
        Direction::kForward));
    return out;
}

struct Opened {
    explicit Opened(const std::string& path, std::shared_ptr<StateMemory> memory = {},
                    std::int64_t wall_ms = 0) {
        task.wall_ms = wall_ms;
        auto opened =
            TaskState::open({.directory = path, .memory = std::move(memory), .exactly_once = true});
        EXPECT_TRUE(opened) << opened.error().detail();
        state = *std::move(opened);
        stores.emplace("joined", make_store(joined(), *state));
        EXPECT_TRUE(state->ready());
        store = dynamic_cast<WindowStore*>(stores.at("joined").get());
        EXPECT_TRUE(store->open(task));
    }
    void put(std::string_view key, std::int64_t start, std::string_view value) {
        EXPECT_TRUE(store->put(key, start, value, start));
    }
    /// As a thread does between commits with nothing to do.
    void tick() {
        if (state->is_overdue(stores)) commit(*offset());
    }
    void commit(std::int64_t offset) { ASSERT_TRUE(state->commit(stores, {{"joined", offset}})); }
    [[nodiscard]] std::optional<std::int64_t> offset() const {
        return state->changelog_offset("joined");
    }

    NotingTask task;
    std::unique_ptr<TaskState> state;
    Stores stores;
    WindowStore* store = nullptr;
};

TEST(NewestRows, OfACrashAreInTheChangelogAlone) {
    const TempFolder folder;
    {
        Opened task{folder.path()};
        task.put("k", 10, "a");
        task.commit(1);
        task.put("k", 20, "b");
        task.commit(2);
        EXPECT_EQ(task.offset(), 2) << "as far as the task itself is concerned";
        EXPECT_EQ(windows_of(*task.store), "k@10=a k@20=b ");
    }
    const Opened task{folder.path()};
    EXPECT_FALSE(task.offset().has_value());
    EXPECT_EQ(windows_of(*task.store), "");
    EXPECT_EQ(task.store->observed(), 20) << "time has moved nevertheless";
}

TEST(NewestRows, AreKeptWhenATaskEndsInGoodOrder) {
    const TempFolder folder;
    {
        Opened task{folder.path()};
        task.put("k", 10, "a");
        task.commit(1);
        task.put("k", 20, "not committed");
        ASSERT_TRUE(task.state->settle(task.stores));
    }
    const Opened task{folder.path()};
    EXPECT_EQ(task.offset(), 1);
    EXPECT_EQ(windows_of(*task.store), "k@10=a ");
}

TEST(NewestRows, OfAStoreWithoutChangelogAreInTheDatabaseAtEachCommit) {
    const TempFolder folder;
    StoreSpec spec = joined();
    spec.logging = false;
    for (const bool is_first : {true, false}) {
        auto state = *TaskState::open({.directory = folder.path()});
        Stores stores;
        NotingTask task;
        stores.emplace("joined", make_store(spec, *state));
        auto& store = dynamic_cast<WindowStore&>(*stores.at("joined"));
        ASSERT_TRUE(store.open(task));
        EXPECT_EQ(windows_of(store), is_first ? "" : "k@10=a ");
        ASSERT_TRUE(store.put("k", is_first ? 10 : 20, is_first ? "a" : "b", 10));
        if (is_first) ASSERT_TRUE(state->commit(stores, {}));
        EXPECT_EQ(windows_of(store), is_first ? "k@10=a " : "k@10=a k@20=b ");
    }
}

TEST(NewestRows, ThatNobodyReadsAnyMoreAreNotNeededAfterACrash) {
    const TempFolder folder;
    {
        Opened task{folder.path()};
        task.put("k", 10, "a");
        task.commit(1);
        task.put("k", kRetentionMs / 2, "b");
        task.commit(2);
        task.put("k", 2 * kRetentionMs, "c");
        task.put("k", 2 * kRetentionMs + 1, "d");
        task.commit(4);
        task.commit(5);
    }
    const Opened task{folder.path()};
    EXPECT_EQ(task.offset(), 2) << "a is too old, and so is b; c came behind the second commit";
}

TEST(NewestRows, ThatARecordWithoutCommitMadeTooOldComeFromTheChangelog) {
    const TempFolder folder;
    Opened task{folder.path()};
    task.put("k", 10, "a");
    task.commit(1);
    task.put("k", 10 * kRetentionMs, "not committed");
    ASSERT_TRUE(task.state->rollback(task.stores, task.task));
    EXPECT_FALSE(task.offset().has_value()) << "a is not here any more";
    EXPECT_EQ(task.store->observed(), 10);
    const ChangelogRecord a{.key = task.task.changes.front().key, .value = "a", .timestamp = 10};
    ASSERT_TRUE(task.state->restore(*task.store, {&a, 1}, 1));
    EXPECT_EQ(windows_of(*task.store), "k@10=a ");
    EXPECT_EQ(task.offset(), 1);
}

TEST(NewestRows, AreOnTheDiskAtOnceWhereNoTimeIsLater) {
    constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
    const TempFolder folder;
    {
        Opened task{folder.path()};
        task.put("k", kLast, "a");
        task.commit(1);
        ASSERT_TRUE(task.state->settle(task.stores));
    }
    Opened task{folder.path()};
    task.put("m", kLast, "b");
    task.commit(2);
    const std::string at = "@" + std::to_string(kLast);
    EXPECT_EQ(windows_of(*task.store), "k" + at + "=a m" + at + "=b ");
}

/// They are in memory still, in a part with others.
TEST(NewestRows, ThatARecordWithoutCommitMadeTooOldAreKept) {
    const TempFolder folder;
    Opened task{folder.path()};
    task.put("k", 10, "a");
    task.commit(1);
    task.put("k", kRetentionMs + 12, "not committed");
    ASSERT_TRUE(task.state->rollback(task.stores, task.task));
    EXPECT_EQ(task.offset(), 1);
    EXPECT_EQ(windows_of(*task.store), "k@10=a ");
}

TEST(NewestRows, ThatAreCommittedOutliveARollback) {
    const TempFolder folder;
    Opened task{folder.path()};
    task.put("k", 10, "a");
    task.commit(1);
    task.put("k", 20, "not committed");
    ASSERT_TRUE(task.state->rollback(task.stores, task.task));
    EXPECT_EQ(task.offset(), 1);
    EXPECT_EQ(windows_of(*task.store), "k@10=a ");
}

TEST(NewestRows, OfLongAgoAreInTheDatabaseAtEachCommit) {
    const TempFolder folder;
    {
        Opened task{folder.path(), {}, kKeptMs};
        task.store->know_changelog(kKeptMs);
        task.put("k", 10, "a");
        task.put("k", kKeptMs / 2 + 10, "of now");
        task.commit(2);
        task.put("k", 20, "not committed");
        EXPECT_EQ(windows_of(*task.store), "k@10=a k@20=not committed k@75010=of now ");
    }
    const Opened task{folder.path()};
    EXPECT_EQ(windows_of(*task.store), "k@10=a ");
    EXPECT_FALSE(task.offset().has_value()) << "the other one is in the changelog alone";
}

TEST(NewestRows, OfAStoreWhoseChangelogIsNotKeptAreInTheDatabaseAtEachCommit) {
    const TempFolder folder;
    {
        Opened task{folder.path()};
        task.store->know_changelog(0);
        task.put("k", 10, "a");
        task.commit(1);
    }
    const Opened task{folder.path()};
    EXPECT_EQ(windows_of(*task.store), "k@10=a ");
    EXPECT_EQ(task.offset(), 1);
}

TEST(NewestRows, ThatGrowOldInMemoryReachTheDatabaseThoughNothingHappens) {
    const TempFolder folder;
    {
        Opened task{folder.path()};
        task.store->know_changelog(kKeptMs);
        task.put("k", 10, "a");
        task.commit(1);
        task.task.wall_ms = kKeptMs / 2;
        EXPECT_FALSE(task.state->is_overdue(task.stores)) << "not older than half of it";
        task.task.wall_ms = kKeptMs / 2 + 11;
        EXPECT_TRUE(task.state->is_overdue(task.stores));
        task.tick();
        EXPECT_FALSE(task.state->is_overdue(task.stores));
        EXPECT_EQ(windows_of(*task.store), "k@10=a ") << "once";
    }
    const Opened task{folder.path()};
    EXPECT_EQ(windows_of(*task.store), "k@10=a ");
    EXPECT_EQ(task.offset(), 1);
}

TEST(NewestRows, OfTheFutureAreTakenForLoggedNow) {
    const TempFolder folder;
    Opened task{folder.path()};
    task.store->know_changelog(kKeptMs);
    task.put("k", 100 * kKeptMs, "a");
    task.commit(1);
    task.task.wall_ms = kKeptMs;
    EXPECT_TRUE(task.state->is_overdue(task.stores)) << "the broker's clock may have stamped it";
}

/// A commit that fails has taken rows out of memory, and they are not in the database.
TEST(NewestRows, OfACommitThatFailedComeFromTheChangelog) {
    const TempFolder folder;
    Opened task{folder.path()};
    task.store->know_changelog(kKeptMs);
    task.put("k", 10, "a");
    task.commit(1);
    task.task.wall_ms = kKeptMs;
    // A store that cannot save() is enough.
    class Broken final : public StateStore {
      public:
        Broken() : StateStore({.name = "zz"}, std::make_unique<MemoryBytes>()) {}
        Result<void> restore(std::span<const ChangelogRecord>) override { return {}; }
        Result<std::optional<std::int64_t>> note_commit(std::optional<std::int64_t>,
                                                        std::int64_t) override {
            return Error{Errc::kIoError, "broken"};
        }
    };
    task.stores.emplace("zz", std::make_unique<Broken>());
    EXPECT_FALSE(task.state->commit(task.stores, {{"joined", 1}, {"zz", 1}}));
    ASSERT_TRUE(task.state->settle(task.stores));
    EXPECT_FALSE(task.offset().has_value()) << "that is where a is";
}

/// The changelog of committed changes, and what comes of it. Its broker deletes from the front what
/// is older than it is to be kept, by segments; records are also of long ago, and the application
/// stands still or is away for as long as it may.
class Story {
  public:
    Story(std::size_t memory_bytes, std::int64_t kept_ms)
        : memory_bytes_(memory_bytes), kept_ms_(kept_ms) {
        open();
    }

    void put() {
        now_ += random_.between(0, 60);
        task_->task.wall_ms = std::max(task_->task.wall_ms, now_);
        const std::int64_t late = random_.between(0, random_.between(0, 9) == 0 ? 150'000 : 300);
        const std::string key(1, static_cast<char>('a' + random_.between(0, 5)));
        const std::int64_t at = std::max<std::int64_t>(0, now_ - late);
        task_->put(key, at, std::to_string(++count_) + std::string(200, '.'));
    }
    void commit() {
        std::ranges::move(task_->task.changes, std::back_inserter(changelog_));
        task_->task.changes.clear();
        task_->commit(static_cast<std::int64_t>(changelog_.size()));
        delete_old();
    }
    /// Nothing comes, but the clock goes on; the next record is of now, or of where the input was.
    void idle() {
        for (std::int64_t ticks = random_.between(1, 300); ticks > 0; --ticks) {
            task_->task.wall_ms += kTickMs;
            if (task_->offset()) task_->tick();
            delete_old();
        }
        if (random_.between(0, 2) == 0) now_ = task_->task.wall_ms;
    }
    void crash() {
        task_->task.wall_ms += random_.between(0, 1) == 0 ? 0 : kept_ms_ / 2 - 20 * kTickMs;
        open();
    }
    void close() {
        ASSERT_TRUE(task_->state->settle(task_->stores));
        // However long, for all is in the database.
        if (!lost_) task_->task.wall_ms += random_.between(0, 3) * kept_ms_;
        open();
        EXPECT_TRUE(lost_ || restored_ == 0) << "all was kept";
    }
    void abort() {
        task_->task.changes.clear();
        ASSERT_TRUE(task_->state->rollback(task_->stores, task_->task));
        restore();
    }
    /// Against a store that has read the whole changelog.
    void check() {
        MemoryBackend backend;
        NotingTask task;
        const auto owner = make_store(joined(), backend);
        auto& wanted = dynamic_cast<WindowStore&>(*owner);
        ASSERT_TRUE(wanted.open(task));
        ASSERT_TRUE(wanted.restore(records(0)));
        ASSERT_EQ(windows_of(*task_->store), windows_of(wanted));
    }
    [[nodiscard]] std::size_t deleted() const { return begin_; }
    testkit::Random& random() { return random_; }
    /// Rows may have left memory without a commit.
    void may_lose(bool lost) { lost_ = lost; }

  private:
    void open() {
        const std::int64_t wall = task_ ? task_->task.wall_ms : 0;
        task_.reset();
        task_ = std::make_unique<Opened>(folder_.path(),
                                         std::make_shared<StateMemory>(memory_bytes_), wall);
        task_->store->know_changelog(kept_ms_);
        delete_old();
        restore();
    }
    void restore() {
        const auto from = static_cast<std::size_t>(task_->offset().value_or(0));
        ASSERT_LE(from, changelog_.size());
        // As the reader of changelogs does.
        const std::size_t first = std::max(from, begin_);
        restored_ = changelog_.size() - first;
        if (restored_ == 0) return;
        ASSERT_TRUE(task_->state->restore(*task_->store, records(first),
                                          static_cast<std::int64_t>(changelog_.size())));
    }
    void delete_old() {
        constexpr std::size_t kSegment = 20;
        const auto is_old = [&](const NotingTask::Logged& one) {
            return one.timestamp < task_->task.wall_ms - kept_ms_;
        };
        while (begin_ < changelog_.size()) {
            const auto first = changelog_.begin() + static_cast<std::ptrdiff_t>(begin_);
            const std::size_t size = std::min(kSegment, changelog_.size() - begin_);
            if (!std::all_of(first, first + static_cast<std::ptrdiff_t>(size), is_old)) return;
            begin_ += size;
        }
    }
    [[nodiscard]] std::vector<ChangelogRecord> records(std::size_t from) const {
        std::vector<ChangelogRecord> out;
        for (std::size_t i = from; i < changelog_.size(); ++i)
            out.push_back({.key = changelog_[i].key,
                           .value = *changelog_[i].value,
                           .timestamp = changelog_[i].timestamp});
        return out;
    }

    TempFolder folder_;
    std::size_t memory_bytes_;
    std::int64_t kept_ms_;
    testkit::Random random_;
    std::vector<NotingTask::Logged> changelog_;
    std::size_t begin_ = 0;  ///< Of what the broker still has.
    std::unique_ptr<Opened> task_;
    std::int64_t now_ = 0;
    int count_ = 0;
    std::size_t restored_ = 0;
    bool lost_ = false;
};

struct Kept {
    std::size_t memory_bytes = 0;
    std::int64_t by_changelog_ms = kKeptMs;
};
class NewestRowsOverTime : public ::testing::TestWithParam<Kept> {};

TEST_P(NewestRowsOverTime, AndTheChangelogAreWhatWasCommitted) {
    Story story{GetParam().memory_bytes, GetParam().by_changelog_ms};
    for (int i = 0; i < 100; ++i) {
        for (int commits = story.random().between(0, 6); commits > 0; --commits) {
            for (int puts = story.random().between(0, 150); puts > 0; --puts) story.put();
            story.commit();
        }
        if (story.random().between(0, 2) == 0) story.idle();
        const bool has_more = story.random().between(0, 1) == 0;
        if (has_more)
            for (int puts = story.random().between(1, 150); puts > 0; --puts) story.put();
        story.may_lose(has_more);
        switch (story.random().between(0, 2)) {
            case 0:
                story.crash();
                break;
            case 1:
                story.close();
                break;
            default:
                story.abort();
        }
        story.check();
        if (HasFailure()) return;
    }
    EXPECT_GT(story.deleted(), 1'000U);
}

/// Rows become too old while they are in memory alone where that may last longer than their time.
INSTANTIATE_TEST_SUITE_P(NewestRows, NewestRowsOverTime,
                         ::testing::Values(Kept{std::size_t{256} << 20U},
                                           Kept{std::size_t{1} << 20U},
                                           Kept{std::size_t{128} << 10U},
                                           Kept{std::size_t{256} << 20U, 3 * kRetentionMs},
                                           Kept{std::size_t{1} << 20U, 3 * kRetentionMs}));

}  // namespace
}  // namespace leat::streams::detail
