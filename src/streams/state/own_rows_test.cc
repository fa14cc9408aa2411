// SPDX-License-Identifier: Apache-2.0
//
// Stores of the user's in a task's state: what they have after restoring, commits, and an end with
// and without order, at least and exactly once. Method: rows in a file, folders and databases that
// are real.
#include "streams/state/own_rows.h"

#include <gtest/gtest.h>
#include <rocksdb/statistics.h>

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leat/streams/detail/store.h"
#include "streams/state/database.h"
#include "streams/state/failing_db.h"
#include "streams/state/row_bytes.h"
#include "streams/state/store_fixture.h"
#include "streams/state/task_state.h"
#include "streams/state/temp_folder.h"
#include "streams/testing/own_stores.h"
#include "streams/testing/own_windows.h"
#include "testkit/random.h"

namespace leat::streams::detail {
namespace {

namespace fs = std::filesystem;
using Kind = StoreSpec::Kind;
using testing_own::Diary;
using testing_own::FileStore;

StoreSpec spec_of(const StoreSupplier& own, Kind kind, std::int64_t retention_ms = -1) {
    return {.name = "s",
            .kind = kind,
            .persistent = own.traits().persistent,
            .retention_ms = retention_ms,
            .own = own};
}
StoreSupplier file_store(const std::shared_ptr<Diary>& diary) {
    return KeyValueBytesStoreSupplier{
        .name = "s", .get = testing_own::maker<FileStore>(diary), .traits = {.persistent = true}};
}

/// A task with one store, which keeps its rows in a file.
struct Opened {
    Opened(const std::string& path, const std::shared_ptr<Diary>& diary, bool exactly_once,
           bool logging = true) {
        auto opened = TaskState::open({.directory = path, .exactly_once = exactly_once});
        EXPECT_TRUE(opened) << opened.error().detail();
        state = *std::move(opened);
        StoreSpec spec = spec_of(file_store(diary), Kind::kPlainKeyValue);
        spec.logging = logging;
        stores.emplace("s", make_store(spec, *state));
        EXPECT_TRUE(state->ready());
        const auto done = stores.at("s")->open(task);
        EXPECT_TRUE(done) << done.error().detail();
    }
    [[nodiscard]] KeyValueStore& rows() const {
        return dynamic_cast<KeyValueStore&>(*stores.at("s"));
    }
    void put(std::string_view key, std::string_view value) {
        EXPECT_TRUE(rows().put(key, value, 1));
    }
    void commit(std::int64_t next) {
        const auto done = state->commit(stores, {{"s", next}});
        EXPECT_TRUE(done) << done.error().detail();
    }
    void restore(std::vector<ChangelogRecord> records, std::int64_t next) {
        const auto done = state->restore(*stores.at("s"), records, next);
        EXPECT_TRUE(done) << done.error().detail();
    }
    [[nodiscard]] std::string all() const {
        std::string out;
        EXPECT_TRUE(rows().all([&](std::string_view key, const Entry& entry) {
            out += std::string{key} + "=" + entry.value + " ";
            return true;
        }));
        return out;
    }
    /// As a task that is closed; else it is as if the process had been killed.
    void close() { EXPECT_TRUE(state->settle(stores)); }
    [[nodiscard]] std::optional<std::int64_t> offset() const {
        return state->changelog_offset("s");
    }

    NotingTask task;
    std::unique_ptr<TaskState> state;
    Stores stores;
};

TEST(OwnState, AtLeastOnceIsWhereTheLastCommitWas) {
    const TempFolder folder;
    const auto diary = std::make_shared<Diary>();
    {
        Opened task{folder.path(), diary, false};
        EXPECT_EQ(diary->contexts.back().state_dir, folder.path() + "/own/s");
        EXPECT_TRUE(fs::is_directory(folder.path() + "/own/s"));
        EXPECT_EQ(task.offset(), std::nullopt);
        task.put("a", "1");
        task.commit(5);
        EXPECT_EQ(diary->flushed, 1) << "before its place is noted";
        task.commit(5);
        EXPECT_EQ(diary->flushed, 1) << "nothing was put";
        task.put("b", "2");
    }
    EXPECT_EQ(diary->closed, 1);
    Opened task{folder.path(), diary, false};
    EXPECT_EQ(task.offset(), 5);
    EXPECT_EQ(task.all(), "a=1 ");
    EXPECT_EQ((*TaskState::peek(folder.path() + "/none")).size(), 0U);
}

TEST(OwnState, WithoutAPlaceInTheChangelogItsFolderIsEmptied) {
    const TempFolder folder;
    const auto diary = std::make_shared<Diary>();
    {
        Opened task{folder.path(), diary, false};
        task.put("a", "1");
        EXPECT_TRUE(dynamic_cast<const FileStore*>(task.rows().own_store()) != nullptr);
        // It wrote more than it was asked to.
        EXPECT_TRUE(const_cast<BytesStore*>(task.rows().own_store())->flush());
    }
    const Opened task{folder.path(), diary, false};
    EXPECT_EQ(task.offset(), std::nullopt);
    EXPECT_EQ(task.all(), "");
}

TEST(OwnState, ExactlyOnceIsEmptiedUnlessItWasClosedWithNothingUncommitted) {
    const TempFolder folder;
    const auto diary = std::make_shared<Diary>();
    {
        Opened task{folder.path(), diary, true};
        task.put("a", "1");
        task.commit(5);
        EXPECT_EQ(task.offset(), 5);
        task.close();
    }
    EXPECT_EQ(TaskState::peek(folder.path())->at("s"), 5);
    {
        Opened task{folder.path(), diary, true};
        EXPECT_EQ(task.offset(), 5);
        EXPECT_EQ(task.all(), "a=1 ");
        task.put("b", "2");
        task.commit(6);
        // Killed.
    }
    EXPECT_FALSE(TaskState::peek(folder.path())->contains("s"));
    {
        Opened task{folder.path(), diary, true};
        EXPECT_EQ(task.offset(), std::nullopt);
        EXPECT_EQ(task.all(), "");
        task.restore({{.key = "a", .value = "1"}, {.key = "b", .value = "2"}}, 6);
        EXPECT_EQ(diary->restored, 2U);
        EXPECT_EQ(task.all(), "a=1 b=2 ");
        task.close();
    }
    {
        Opened task{folder.path(), diary, true};
        EXPECT_EQ(task.offset(), 6) << "what is restored is committed";
        EXPECT_EQ(task.all(), "a=1 b=2 ");
        task.put("c", "3");
        task.close();  // The transaction was aborted.
    }
    const Opened task{folder.path(), diary, true};
    EXPECT_EQ(task.offset(), std::nullopt);
    EXPECT_EQ(task.all(), "");
}

/// Else the store would be changed under it by whoever tries again.
TEST(OwnState, ANoteThatCouldNotBeDeletedIsDeletedBeforeTheFirstChange) {
    const TempFolder folder;
    const auto diary = std::make_shared<Diary>();
    {
        Opened task{folder.path(), diary, true};
        task.put("a", "1");
        task.commit(5);
        task.close();
    }
    {
        Opened task{folder.path(), diary, true};
        FailingDb& database = FailingDb::put_under(*task.state);
        database.refuses = true;
        EXPECT_FALSE(task.rows().put("b", "2", 1));
        EXPECT_EQ(task.all(), "a=1 ");
        EXPECT_EQ(database.refused, 1);
        database.refuses = false;
        task.put("b", "2");
        // It wrote more than it was asked to, and is killed.
        EXPECT_TRUE(const_cast<BytesStore*>(task.rows().own_store())->flush());
    }
    EXPECT_FALSE(TaskState::peek(folder.path())->contains("s"));
    const Opened task{folder.path(), diary, true};
    EXPECT_EQ(task.offset(), std::nullopt);
    EXPECT_EQ(task.all(), "");
}

TEST(OwnState, OfAGlobalTableIsKeptAtEachCommitUnderBoth) {
    const TempFolder folder;
    const auto diary = std::make_shared<Diary>();
    {
        Opened task{folder.path(), diary, true};
        task.put("a", "1");
        EXPECT_TRUE(task.state->commit(task.stores, {{TaskState::offset_name("s", 1), 5}}));
        EXPECT_EQ(diary->flushed, 1);
        task.put("b", "2");
        // Killed.
    }
    const Opened task{folder.path(), diary, true};
    EXPECT_EQ(task.state->changelog_offset(TaskState::offset_name("s", 1)), 5);
    EXPECT_EQ(task.all(), "a=1 ");
}

TEST(OwnState, RollbackEmptiesWhatIsChangedOnly) {
    const TempFolder folder;
    const auto diary = std::make_shared<Diary>();
    Opened task{folder.path(), diary, true};
    task.put("a", "1");
    task.commit(5);
    ASSERT_TRUE(task.state->rollback(task.stores, task.task));
    EXPECT_EQ(task.all(), "a=1 ");
    EXPECT_EQ(task.offset(), 5);
    task.put("b", "2");
    ASSERT_TRUE(task.state->rollback(task.stores, task.task));
    EXPECT_EQ(task.all(), "");
    EXPECT_EQ(task.offset(), std::nullopt);
    EXPECT_EQ(diary->made, 2);
    task.restore({{.key = "a", .value = "1"}}, 5);
    EXPECT_EQ(task.all(), "a=1 ");
}

TEST(OwnState, RestoringNotesItsPlaceNowAndThen) {
    const TempFolder folder;
    const auto diary = std::make_shared<Diary>();
    {
        Opened task{folder.path(), diary, true};
        task.restore({{.key = "a", .value = "1"}}, 1);
        task.restore({{.key = "a", .value = "2"}, {.key = "b"}}, 9'000);
        EXPECT_EQ(diary->flushed, 1);
        task.restore({{.key = "b", .value = "3"}}, 12'000);
        EXPECT_EQ(diary->flushed, 2);
        task.restore({{.key = "c", .value = "3"}}, 12'001);
    }
    const Opened task{folder.path(), diary, true};
    EXPECT_EQ(task.offset(), 12'000);
    EXPECT_EQ(task.all(), "a=2 b=3 ");
}

TEST(OwnState, WithoutAChangelogItIsKeptAndNotEmptied) {
    const TempFolder folder;
    const auto diary = std::make_shared<Diary>();
    {
        Opened task{folder.path(), diary, false, false};
        task.put("a", "1");
        EXPECT_TRUE(task.state->commit(task.stores, {}));
    }
    const Opened task{folder.path(), diary, false, false};
    EXPECT_EQ(task.all(), "a=1 ");
}

TEST(OwnState, OfAnotherChangelogIsEmptied) {
    const TempFolder folder;
    const auto diary = std::make_shared<Diary>();
    Opened task{folder.path(), diary, false};
    StateStore& store = *task.stores.at("s");
    EXPECT_FALSE(*task.state->bind(store, task.task, "first"));
    task.put("a", "1");
    task.commit(5);
    EXPECT_TRUE(*task.state->bind(store, task.task, "second"));
    EXPECT_EQ(task.all(), "");
    EXPECT_EQ(task.offset(), std::nullopt);
    EXPECT_TRUE(fs::is_directory(folder.path() + "/own/s"));
    EXPECT_EQ(fs::is_empty(folder.path() + "/own/s"), true);
}

TEST(OwnState, ThatTheFolderGoesIsKnownEvenIfThePowerFails) {
    const TempFolder folder;
    const auto diary = std::make_shared<Diary>();
    NotingTask task;
    auto state = *TaskState::open({.directory = folder.path(), .statistics = true});
    Stores stores;
    stores.emplace("s", make_store(spec_of(file_store(diary), Kind::kPlainKeyValue), *state));
    ASSERT_TRUE(stores.at("s")->open(task));
    ASSERT_FALSE(*state->bind(*stores.at("s"), task, "first"));
    ASSERT_TRUE(state->commit(stores, {{"s", 5}}));
    const auto synced = [&] {
        return state->database()->statistics->getTickerCount(rocksdb::WAL_FILE_SYNCED);
    };
    const auto before = synced();
    ASSERT_TRUE(*state->bind(*stores.at("s"), task, "second"));
    EXPECT_GT(synced(), before);
}

TEST(OwnState, OffsetOfOneMakeOfStoreIsNotThatOfAnother) {
    const auto diary = std::make_shared<Diary>();
    const StoreSpec on_disk = spec_of(file_store(diary), Kind::kPlainKeyValue);
    StoreSpec ours = on_disk;
    ours.own = {};
    const StoreSpec in_memory = spec_of(testing_own::map_store("s", diary), Kind::kPlainKeyValue);
    for (const StoreSpec* next : std::initializer_list<const StoreSpec*>{&ours, &in_memory}) {
        const TempFolder folder;
        {
            Opened task{folder.path(), diary, false};
            task.put("a", "1");
            task.commit(5);
        }
        NotingTask task;
        auto state = *TaskState::open({.directory = folder.path()});
        const auto store = make_store(*next, *state);
        ASSERT_TRUE(store->open(task));
        Entry entry;
        EXPECT_FALSE(*dynamic_cast<KeyValueStore&>(*store).get("a", entry));
        EXPECT_EQ(state->changelog_offset("s"), std::nullopt) << next->persistent;
    }
    // And the other way round.
    const TempFolder folder;
    {
        auto state = *TaskState::open({.directory = folder.path()});
        Stores stores;
        stores.emplace("s", make_store(ours, *state));
        ASSERT_TRUE(state->commit(stores, {{"s", 5}}));
    }
    const Opened task{folder.path(), diary, false};
    EXPECT_EQ(task.offset(), std::nullopt);
}

/// What is over goes from the user's store before something is put.
TEST(OwnState, ThatSomethingIsOverIsAChange) {
    const auto diary = std::make_shared<Diary>();
    NotingTask task;
    const auto own = make_own_rows(
        spec_of(map_windows("s", diary, Duration{60'000}, Duration{10}), Kind::kWindow, 60'000),
        OwnPlace{});
    int asked = 0;
    own->before_change = [&]() -> Result<void> {
        ++asked;
        return {};
    };
    ASSERT_TRUE(own->open(task));
    const auto drop = [&](std::int64_t segment) {
        std::string from;
        std::string to;
        append_be(from, segment);
        append_be(to, segment + 1);
        return own->drop(from, to);
    };
    ASSERT_TRUE(own->restore([&] { return drop(0); }));
    EXPECT_FALSE(own->is_changed());
    EXPECT_EQ(asked, 0) << "the changelog has it";
    ASSERT_TRUE(drop(1));
    EXPECT_TRUE(own->is_changed());
    ASSERT_TRUE(drop(2));
    EXPECT_EQ(asked, 1);
    own->settle();
    own->before_change = []() -> Result<void> { return Error{Errc::kIoError, "no"}; };
    EXPECT_FALSE(drop(3));
    EXPECT_EQ(diary->expired.size(), 3U);
}

TEST(OwnState, InMemoryBeginsEmptyAndIsRestored) {
    const TempFolder folder;
    const auto diary = std::make_shared<Diary>();
    const StoreSpec spec =
        spec_of(map_windows("s", diary, Duration{60'000}, Duration{10}), Kind::kWindow, 60'000);
    for (int round = 0; round < 2; ++round) {
        NotingTask task;
        auto state = *TaskState::open({.directory = folder.path()});
        Stores stores;
        stores.emplace("s", make_store(spec, *state));
        ASSERT_TRUE(stores.at("s")->open(task));
        EXPECT_EQ(state->changelog_offset("s"), std::nullopt);
        auto& windows = dynamic_cast<WindowStore&>(*stores.at("s"));
        ASSERT_TRUE(windows.put("k", 100'000, "v", 7));
        ASSERT_TRUE(windows.put("k", 1, "late", 7));
        const auto changelog = task.changelog();
        ASSERT_TRUE(state->rollback(stores, task));
        Entry entry;
        EXPECT_FALSE(*windows.get("k", 100'000, entry));
        ASSERT_TRUE(state->restore(windows, changelog, 2));
        ASSERT_TRUE(*windows.get("k", 100'000, entry));
        EXPECT_EQ(entry.value, "v");
        EXPECT_EQ(entry.timestamp, 7);
        EXPECT_EQ(windows.observed(), 100'000);
        EXPECT_FALSE(*windows.get("k", 1, entry)) << "it is over";
        ASSERT_TRUE(state->commit(stores, {{"s", 2}}));
    }
}

/// The same calls on a store of the user's and on one in memory that comes with it.
class OwnModel : public testing::TestWithParam<bool> {
  protected:
    [[nodiscard]] StoreSpec spec(Kind kind, const StoreSupplier& own) const {
        StoreSpec out = spec_of(own, kind, 100'000);
        out.window_ms = 10;
        out.segment_ms = 40'000;
        out.time_ordered = GetParam();
        return out;
    }
    std::shared_ptr<Diary> diary = std::make_shared<Diary>();
    MemoryBackend backend;
    NotingTask task;
    testkit::Random random;
    std::int64_t below(std::int64_t end) {
        return random.between(0, static_cast<std::int32_t>(end) - 1);
    }
    std::string key() { return std::string(static_cast<std::size_t>(below(3)), 'a') + "k"; }
    std::optional<std::string> value() {
        if (below(4) == 0) return std::nullopt;
        return std::to_string(below(100));
    }
    Direction direction() { return below(2) == 0 ? Direction::kForward : Direction::kBackward; }
};
INSTANTIATE_TEST_SUITE_P(ByKeyAndByTime, OwnModel, testing::Bool());

TEST_P(OwnModel, WindowsAnswerAsThoseInMemory) {
    for (const bool duplicates : {false, true}) {
        StoreSpec own =
            spec(Kind::kPlainWindow, map_windows("s", diary, Duration{100'000}, Duration{10}));
        own.retain_duplicates = duplicates;
        StoreSpec plain = own;
        plain.own = {};
        const auto one = make_store(own, backend);
        const auto two = make_store(plain, backend);
        auto& a = dynamic_cast<WindowStore&>(*one);
        auto& b = dynamic_cast<WindowStore&>(*two);
        ASSERT_TRUE(a.open(task) && b.open(task));
        std::int64_t now = 0;
        for (int i = 0; i < 400; ++i) {
            now += below(3'000);
            const std::string k = key();
            const std::int64_t start = std::max<std::int64_t>(0, now - below(150'000));
            const auto v = value();
            ASSERT_EQ(*a.put(k, start, v, 1), *b.put(k, start, v, 1));
            const std::int64_t from = std::max<std::int64_t>(0, now - below(150'000));
            const std::int64_t to = from + below(80'000);
            const Direction way = direction();
            const auto fetched = [&](const WindowStore& store) {
                std::string out;
                EXPECT_TRUE(store.fetch(
                    k, from, to,
                    [&](std::int64_t at, const Entry& entry) {
                        out += std::to_string(at) + "=" + entry.value + " ";
                        return out.size() < 60;
                    },
                    way));
                out += "| ";
                EXPECT_TRUE(store.fetch_all(
                    from, to,
                    [&](std::string_view each, std::int64_t at, const Entry& entry) {
                        out += std::string{each} + std::to_string(at) + "=" + entry.value + " ";
                        return out.size() < 200;
                    },
                    way));
                return out;
            };
            ASSERT_EQ(fetched(a), fetched(b)) << from << ".." << to;
        }
        EXPECT_FALSE(diary->expired.empty());
    }
}

TEST_P(OwnModel, SessionsAnswerAsThoseInMemory) {
    const StoreSpec own = spec(Kind::kSession, map_sessions("s", diary, Duration{100'000}));
    StoreSpec plain = own;
    plain.own = {};
    const auto one = make_store(own, backend);
    const auto two = make_store(plain, backend);
    auto& a = dynamic_cast<SessionStore&>(*one);
    auto& b = dynamic_cast<SessionStore&>(*two);
    ASSERT_TRUE(a.open(task) && b.open(task));
    std::int64_t now = 0;
    for (int i = 0; i < 400; ++i) {
        now += below(3'000);
        const std::string k = key();
        const std::int64_t end = std::max<std::int64_t>(0, now - below(150'000));
        const Window session{std::max<std::int64_t>(0, end - below(50)), end};
        const auto v = value();
        ASSERT_EQ(*a.put(k, session, v, 1), *b.put(k, session, v, 1));
        const std::int64_t from = std::max<std::int64_t>(0, now - below(150'000));
        const std::int64_t to = from + below(80'000);
        const Direction way = direction();
        const auto found = [&](const SessionStore& store) {
            std::string out;
            EXPECT_TRUE(store.find(
                k, from, to,
                [&](Window at, std::string_view text) {
                    out += std::to_string(at.end) + "=" + std::string{text} + " ";
                    return out.size() < 60;
                },
                way));
            out += "| ";
            EXPECT_TRUE(store.find_ended(
                from, to,
                [&](std::string_view each, Window at, std::string_view text) {
                    out += std::string{each} + std::to_string(at.start) + "=" + std::string{text} +
                           " ";
                    return out.size() < 200;
                },
                way));
            return out;
        };
        ASSERT_EQ(found(a), found(b)) << from << ".." << to;
    }
    EXPECT_FALSE(diary->expired.empty());
}

}  // namespace
}  // namespace leat::streams::detail
