// SPDX-License-Identifier: Apache-2.0
//
// A task's state on disk: what a commit keeps, what rollback, crash and damage leave. Databases are
// real ones in a temporary folder; crashes are a process that is killed and a log that is cut.
#include "streams/state/task_state.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>

#include "leat/streams/detail/store.h"
#include "rt/posix_disk.h"
#include "streams/state/failing_db.h"
#include "streams/state/state_directory.h"
#include "streams/state/store_fixture.h"
#include "streams/state/temp_folder.h"

namespace leat::streams::detail {
namespace {

namespace fs = std::filesystem;
using Kind = StoreSpec::Kind;

/// A task with three stores; the pointers are valid as long as it lives.
struct Opened {
    explicit Opened(const std::string& path, TaskState::Options options = {}) {
        options.directory = path;
        auto opened = TaskState::open(std::move(options));
        EXPECT_TRUE(opened) << opened.error().detail();
        state = *std::move(opened);
        add({.name = "kv"});
        add({.name = "win", .kind = Kind::kPlainWindow, .retention_ms = 100'000});
        add({.name = "mem", .kind = Kind::kPlainKeyValue, .persistent = false});
        add({.name = "ver", .kind = Kind::kVersioned, .retention_ms = 60'000});
        EXPECT_TRUE(state->ready());
        for (const auto& [name, store] : stores) EXPECT_TRUE(store->open(task));
        kv = dynamic_cast<KeyValueStore*>(stores.at("kv").get());
        mem = dynamic_cast<KeyValueStore*>(stores.at("mem").get());
        win = dynamic_cast<WindowStore*>(stores.at("win").get());
    }
    void add(const StoreSpec& spec) { stores.emplace(spec.name, make_store(spec, *state)); }
    [[nodiscard]] std::string value(std::string_view key) const {
        Entry entry;
        const auto found = kv->get(key, entry);
        EXPECT_TRUE(found);
        return *found ? entry.value : "none";
    }
    [[nodiscard]] std::string all() const {
        std::string out;
        EXPECT_TRUE(kv->all([&](std::string_view key, const Entry& entry) {
            out += std::string{key} + "=" + entry.value + " ";
            return true;
        }));
        return out;
    }

    NotingTask task;
    std::unique_ptr<TaskState> state;
    Stores stores;
    KeyValueStore* kv = nullptr;
    KeyValueStore* mem = nullptr;
    WindowStore* win = nullptr;
};

TEST(TaskState, KeepsRowsAndOffsetsOfACommitTogether) {
    const TempFolder folder;
    {
        Opened task{folder.path()};
        EXPECT_FALSE(task.state->changelog_offset("kv").has_value());
        ASSERT_TRUE(task.kv->put("a", "1", 1));
        ASSERT_TRUE(task.win->put("w", 70'000, "x", 1));
        ASSERT_TRUE(task.mem->put("m", "1", 1));
        EXPECT_EQ(task.value("a"), "1") << "uncommitted writes are read";
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 5}, {"win", 6}, {"mem", 7}}));
        ASSERT_TRUE(task.kv->put("a", "2", 1));
        ASSERT_TRUE(task.kv->put("b", "2", 1));
    }
    Opened task{folder.path()};
    EXPECT_EQ(task.all(), "a=1 ");
    EXPECT_EQ(task.state->changelog_offset("kv"), 5);
    EXPECT_EQ(task.state->changelog_offset("win"), 6);
    EXPECT_FALSE(task.state->changelog_offset("mem").has_value()) << "memory is gone";
    EXPECT_EQ(task.win->observed(), 70'000);
}

TEST(TaskState, IsReadWithOtherOptionsOfRocksDbThanItWasWrittenWith) {
    const TempFolder folder;
    for (const char* options : {"compression=kZSTD", "max_background_jobs=3",
                                "block_based_table_factory={block_size=65536}", ""}) {
        Opened task{folder.path(), {.rocksdb_options = options}};
        const std::string before = task.value("a");
        EXPECT_EQ(before, std::string{options} == "compression=kZSTD" ? "none" : "1");
        ASSERT_TRUE(task.kv->put("a", "1", 1));
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 5}}));
        ASSERT_TRUE(task.state->flush_files());
    }
}

TEST(TaskState, OptionsOfRocksDbThatAreWrongAreNoDamage) {
    const TempFolder folder;
    {
        Opened task{folder.path()};
        ASSERT_TRUE(task.kv->put("a", "1", 1));
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 5}}));
    }
    const auto refused =
        TaskState::open({.directory = folder.path(), .rocksdb_options = "wal_dir=/elsewhere"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::kInvalidSetting);
    const Opened task{folder.path()};
    EXPECT_EQ(task.value("a"), "1");
}

TEST(TaskState, RollbackLeavesTheLastCommit) {
    const TempFolder folder;
    Opened task{folder.path(), {.exactly_once = true}};
    ASSERT_TRUE(task.kv->put("a", "1", 1));
    ASSERT_TRUE(task.win->put("w", 10, "x", 1));
    ASSERT_TRUE(task.mem->put("m", "1", 1));
    ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 5}, {"mem", 5}}));
    ASSERT_TRUE(task.kv->put("a", std::nullopt, 1));
    ASSERT_TRUE(task.kv->put("b", "2", 1));
    ASSERT_TRUE(task.win->put("w", 500'000, "y", 1));
    ASSERT_TRUE(task.state->rollback(task.stores, task.task));
    EXPECT_EQ(task.all(), "a=1 ");
    EXPECT_EQ(task.win->observed(), 10);
    Entry entry;
    EXPECT_TRUE(*task.win->get("w", 10, entry));
    EXPECT_EQ(task.state->changelog_offset("kv"), 5);
    EXPECT_FALSE(task.state->changelog_offset("mem").has_value());
    EXPECT_FALSE(*task.mem->get("m", entry));
}

TEST(TaskState, WritesEarlyOnlyWhereThatIsHarmless) {
    const TempFolder folder;
    {
        Opened task{folder.path(), {.uncommitted_bytes_max = 1}};
        EXPECT_FALSE(task.state->is_full());
        ASSERT_TRUE(task.kv->put("a", "1", 1));
        EXPECT_TRUE(task.state->is_full());
        ASSERT_TRUE(task.state->write_early());
        EXPECT_EQ(task.state->uncommitted_bytes(), 0U);
        EXPECT_FALSE(task.state->is_full());
    }
    Opened task{folder.path(), {.exactly_once = true, .uncommitted_bytes_max = 1}};
    EXPECT_EQ(task.all(), "a=1 ");
    ASSERT_TRUE(task.kv->put("a", "2", 1));
    ASSERT_TRUE(task.state->write_early());
    EXPECT_GT(task.state->uncommitted_bytes(), 0U);
    EXPECT_TRUE(task.state->is_full());
}

TEST(TaskState, WritesWhenThereIsTimeWhatTheCommitThenOnlyNotes) {
    const TempFolder folder;
    {
        Opened task{folder.path()};
        ASSERT_TRUE(task.kv->put("a", "1", 1));
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 5}}));
        ASSERT_TRUE(task.kv->put("a", std::nullopt, 2));
        ASSERT_TRUE(task.kv->put("b", "2", 2));
        EXPECT_GT(task.state->uncommitted_bytes(), 0U);
        ASSERT_TRUE(task.state->write_early());
        EXPECT_EQ(task.state->uncommitted_bytes(), 0U) << "the commit has little left to write";
        EXPECT_EQ(task.all(), "b=2 ");
    }
    {
        Opened task{folder.path()};
        EXPECT_EQ(task.all(), "b=2 ");
        EXPECT_EQ(task.state->changelog_offset("kv"), 5) << "restored from before these rows";
        ASSERT_TRUE(task.kv->put("c", "3", 3));
        ASSERT_TRUE(task.state->write_early());
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 8}}));
    }
    Opened task{folder.path(), {.exactly_once = true}};
    EXPECT_EQ(task.all(), "b=2 c=3 ");
    EXPECT_EQ(task.state->changelog_offset("kv"), 8);
    ASSERT_TRUE(task.kv->put("d", "4", 4));
    ASSERT_TRUE(task.state->write_early());
    EXPECT_GT(task.state->uncommitted_bytes(), 0U) << "exactly once: not before the commit";
    ASSERT_TRUE(task.state->rollback(task.stores, task.task));
    EXPECT_EQ(task.all(), "b=2 c=3 ");
}

TEST(TaskState, RestoresBatchesAndGoesOnWhereItStopped) {
    const TempFolder folder;
    const std::vector<ChangelogRecord> first{{"a", "1", 1}, {"b", "1", 2}};
    const std::vector<ChangelogRecord> second{{"b", std::nullopt, 3}, {"c", "3", 4}};
    const std::vector<ChangelogRecord> versions{{"k", "1", 10}, {"k", "2", 20}, {"k", "3", 15}};
    {
        Opened task{folder.path()};
        ASSERT_TRUE(task.state->restore(*task.kv, first, 2));
        ASSERT_TRUE(task.state->restore(*task.kv, second, 7));
        ASSERT_TRUE(task.state->restore(*task.kv, second, 7));
        ASSERT_TRUE(task.state->restore(*task.stores.at("ver"), versions, 3));
        ASSERT_TRUE(task.kv->put("d", "4", 5));
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 8}}));
    }
    Opened task{folder.path()};
    EXPECT_EQ(task.all(), "a=1 c=3 d=4 ");
    EXPECT_EQ(task.state->changelog_offset("kv"), 8);
    EXPECT_EQ(task.state->changelog_offset("ver"), 3);
    VersionedStore::Version found;
    ASSERT_TRUE(*dynamic_cast<VersionedStore&>(*task.stores.at("ver")).get("k", 19, found));
    EXPECT_EQ(found.value, "3");
}

TEST(TaskState, EmptiesAStoreWhoseLayoutChanged) {
    const TempFolder folder;
    {
        Opened task{folder.path()};
        ASSERT_TRUE(task.kv->put("a", "1", 1));
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 5}, {"win", 1}}));
    }
    auto state = *TaskState::open({.directory = folder.path()});
    auto store = make_store({.name = "kv", .kind = Kind::kPlainKeyValue}, *state);
    NotingTask task;
    ASSERT_TRUE(store->open(task));
    Entry entry;
    EXPECT_FALSE(*dynamic_cast<KeyValueStore&>(*store).get("a", entry));
    EXPECT_FALSE(state->changelog_offset("kv").has_value());
    EXPECT_EQ(state->changelog_offset("win"), 1);
}

/// What is noted of rows on disk says nothing of those in memory that have their name now.
TEST(TaskState, OffsetOfAStoreOnDiskIsNotThatOfOneInMemory) {
    const TempFolder folder;
    const std::string of_partition = TaskState::offset_name("kv", 1);
    {
        Opened task{folder.path()};
        ASSERT_TRUE(task.kv->put("a", "1", 1));
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 5}, {of_partition, 3}, {"win", 1}}));
    }
    {
        auto state = *TaskState::open({.directory = folder.path()});
        const auto store = make_store({.name = "kv", .persistent = false}, *state);
        EXPECT_FALSE(state->changelog_offset("kv").has_value());
        EXPECT_FALSE(state->changelog_offset(of_partition).has_value());
        EXPECT_EQ(state->changelog_offset("win"), 1);
    }
    const Opened task{folder.path()};
    EXPECT_EQ(task.all(), "a=1 ") << "they are there still";
    EXPECT_EQ(task.state->changelog_offset("kv"), 5);
}

/// Scans see committed and uncommitted rows as one ordered map.
TEST(TaskState, EqualsAPlainMap) {
    const TempFolder folder;
    Opened task{folder.path()};
    std::map<std::string, std::string> model;
    std::minstd_rand random{42};
    const auto key = [&] {
        return std::string(1 + random() % 3, static_cast<char>('a' + random() % 4));
    };
    for (int i = 0; i < 3000; ++i) {
        const std::string at = key();
        if (random() % 3 == 0) {
            model.erase(at);
            ASSERT_TRUE(task.kv->put(at, std::nullopt, 1));
        } else {
            model[at] = std::to_string(i);
            ASSERT_TRUE(task.kv->put(at, std::to_string(i), 1));
        }
        if (random() % 16 == 0) ASSERT_TRUE(task.state->commit(task.stores, {{"kv", i}}));
        std::string from = key();
        std::string to = key();
        if (to < from) std::swap(from, to);
        std::string expected;
        std::string backwards;
        for (auto it = model.lower_bound(from); it != model.lower_bound(to); ++it) {
            expected += it->first + "=" + it->second + " ";
            backwards.insert(0, it->first + "=" + it->second + " ");
        }
        std::string forward;
        std::string backward;
        const auto note = [](std::string& out) {
            return [&out](std::string_view k, const Entry& entry) {
                out += std::string{k} + "=" + entry.value + " ";
                return true;
            };
        };
        ASSERT_TRUE(task.kv->range(from, to, note(forward)));
        ASSERT_TRUE(task.kv->range(from, to, note(backward), Direction::kBackward));
        ASSERT_EQ(forward, expected);
        ASSERT_EQ(backward, backwards);
    }
}

fs::path only_log(const fs::path& folder) {
    fs::path out;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.path().extension() == ".log" && (out.empty() || entry.path() > out))
            out = entry.path();
    return out;
}

/// Wherever the log of writes is cut, what is left is one commit: its rows and its offset.
TEST(TaskState, ACutLogLeavesOneWholeCommit) {
    const TempFolder folder;
    const std::string original = folder.path() + "/original";
    fs::create_directory(original);
    constexpr int kCommits = 40;
    const fs::path copy = folder.path() + "/copy";
    {
        Opened task{original};
        for (int i = 1; i <= kCommits; ++i) {
            for (int k = 0; k < 5; ++k)
                ASSERT_TRUE(task.kv->put("k" + std::to_string(k), std::to_string(i), 1));
            ASSERT_TRUE(task.win->put("w", i, std::to_string(i), 1));
            ASSERT_TRUE(task.state->commit(task.stores, {{"kv", i}, {"win", i}}));
        }
        fs::copy(original, copy, fs::copy_options::recursive);
    }
    const auto log = only_log(copy / "rocksdb");
    const auto size = fs::file_size(log);
    std::minstd_rand random{7};
    std::int64_t fewest = kCommits;
    for (int round = 0; round < 40; ++round) {
        const fs::path cut = folder.path() + "/cut";
        fs::remove_all(cut);
        fs::copy(copy, cut, fs::copy_options::recursive);
        fs::resize_file(cut / "rocksdb" / log.filename(), random() % (size + 1));
        Opened task{cut.string()};
        const std::int64_t offset = task.state->changelog_offset("kv").value_or(0);
        EXPECT_EQ(task.state->changelog_offset("win").value_or(0), offset);
        const std::string expected = offset == 0 ? "none" : std::to_string(offset);
        for (int k = 0; k < 5; ++k) EXPECT_EQ(task.value("k" + std::to_string(k)), expected);
        EXPECT_EQ(task.win->observed(), offset == 0 ? -1 : offset);
        fewest = std::min(fewest, offset);
    }
    EXPECT_LT(fewest, kCommits / 2) << "cuts did not reach far enough back";
}

/// Runs this test program again as the process that is killed.
pid_t start_child(const std::string& folder, int out, int mode) {
    ::setenv("LEAT_STATE_CHILD", folder.c_str(), 1);
    ::setenv("LEAT_STATE_MODE", std::to_string(mode).c_str(), 1);
    std::string self = fs::read_symlink("/proc/self/exe").string();
    std::string filter = "--gtest_filter=TaskStateChild.*";
    std::string brief = "--gtest_brief=1";
    char* arguments[] = {self.data(), filter.data(), brief.data(), nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, out, 3);
    pid_t pid = -1;
    EXPECT_EQ(::posix_spawn(&pid, self.c_str(), &actions, nullptr, arguments, environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    ::unsetenv("LEAT_STATE_CHILD");
    return pid;
}

/// What the killed process does; on its own it does nothing. Tells each commit on descriptor 3.
TEST(TaskStateChild, CommitsUntilKilledWhenAsked) {
    const char* folder = std::getenv("LEAT_STATE_CHILD");
    if (folder == nullptr) return;
    const char* mode = std::getenv("LEAT_STATE_MODE");
    const bool log = mode != nullptr && std::string_view{mode} == "1";
    Opened task{folder, {.write_buffer_bytes = std::size_t{64} << 10U, .write_ahead_log = log}};
    std::int64_t i = task.state->changelog_offset("kv").value_or(0);
    for (;;) {
        ++i;
        for (int k = 0; k < 50; ++k)
            ASSERT_TRUE(task.kv->put("k" + std::to_string(k), std::to_string(i), 1));
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", i}}));
        if (::write(3, &i, sizeof i) != sizeof i) return;
    }
}

TEST(TaskState, KilledProcessLosesNoCommit) {
    std::minstd_rand random{3};
    for (const int log : {1, 0}) {
        const TempFolder folder;
        std::int64_t kept = 0;
        for (int round = 0; round < 6; ++round) {
            int ends[2];
            ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
            const pid_t child = start_child(folder.path(), ends[1], log);
            ::close(ends[1]);
            std::int64_t told = 0;
            const auto wanted = 1 + random() % 200;
            for (std::size_t n = 0; n < wanted; ++n)
                ASSERT_EQ(::read(ends[0], &told, sizeof told), static_cast<ssize_t>(sizeof told));
            ::kill(child, SIGKILL);
            int status = 0;
            ::waitpid(child, &status, 0);
            while (::read(ends[0], &told, sizeof told) == static_cast<ssize_t>(sizeof told)) {
            }
            ::close(ends[0]);
            Opened task{folder.path()};
            const std::int64_t offset = task.state->changelog_offset("kv").value_or(0);
            // Without a log, what was not flushed to files is restored from the changelog.
            if (log == 1) EXPECT_GE(offset, told);
            EXPECT_GE(offset, log == 1 ? kept : 0);
            for (int k = 0; k < 50 && offset > 0; ++k)
                EXPECT_EQ(task.value("k" + std::to_string(k)), std::to_string(offset));
            kept = offset;
        }
    }
}

/// Reads until something is not found as it should be. kNotFound: all is there, or nothing.
Errc met_damage(const Opened& task, int rows) {
    Entry entry;
    for (int i = 0; i < rows; ++i) {
        const auto got = task.kv->get("key" + std::to_string(i), entry);
        if (!got) return got.error().code();
    }
    return Errc::kNotFound;
}

void fill_and_close(const std::string& path, int rows) {
    Opened task{path};
    for (int i = 0; i < rows; ++i)
        ASSERT_TRUE(task.kv->put("key" + std::to_string(i), std::string(100, 'v'), 1));
    ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 5}}));
    ASSERT_TRUE(task.state->flush_files());
}

TEST(TaskState, StartsAnewWithTheSameStores) {
    const TempFolder folder;
    fill_and_close(folder.path(), 1000);
    spoil_tables(folder.path() + "/rocksdb");
    {
        Opened task{folder.path()};
        ASSERT_TRUE(task.kv->put("late", "1", 1));
        ASSERT_TRUE(task.mem->put("m", "1", 1));
        EXPECT_EQ(met_damage(task, 1000), Errc::kMalformed);
        ASSERT_TRUE(task.state->start_anew(task.stores, task.task));
        EXPECT_FALSE(task.state->is_damaged());
        EXPECT_TRUE(task.state->changelog_offsets().empty());
        EXPECT_EQ(task.all(), "");
        Entry entry;
        EXPECT_FALSE(*task.mem->get("m", entry));
        ASSERT_TRUE(task.kv->put("a", "1", 1));
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 1}}));
    }
    Opened task{folder.path()};
    EXPECT_EQ(task.state->damage(), "") << "the mark went with what was damaged";
    EXPECT_EQ(task.state->changelog_offset("kv"), 1);
    EXPECT_EQ(task.all(), "a=1 ");
}

TEST(TaskState, DamageIsToldAndTheStateStartsEmpty) {
    const TempFolder folder;
    fill_and_close(folder.path(), 1000);
    spoil_tables(folder.path() + "/rocksdb");
    {
        Opened task{folder.path()};
        EXPECT_EQ(task.state->damage(), "");
        EXPECT_FALSE(task.state->is_damaged());
        EXPECT_EQ(met_damage(task, 1000), Errc::kMalformed);
        EXPECT_TRUE(task.state->is_damaged());
    }
    {
        Opened task{folder.path()};
        EXPECT_NE(task.state->damage(), "");
        EXPECT_FALSE(task.state->is_damaged()) << "what is there now is new";
        EXPECT_FALSE(task.state->changelog_offset("kv").has_value());
        ASSERT_TRUE(task.kv->put("a", "1", 1));
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 1}}));
    }
    {
        Opened task{folder.path()};
        EXPECT_EQ(task.state->damage(), "");
        EXPECT_EQ(task.all(), "a=1 ");
    }
    std::ofstream{folder.path() + "/rocksdb/CURRENT"} << "nonsense\n";
    Opened task{folder.path()};
    EXPECT_NE(task.state->damage(), "");
    EXPECT_FALSE(task.state->is_damaged());
    EXPECT_EQ(task.all(), "");
}

TEST(TaskState, OffsetsOfPartitionsBelongToTheirStore) {
    const TempFolder folder;
    const std::string first = TaskState::offset_name("kv", 0);
    const std::string second = TaskState::offset_name("kv", 12);
    const std::string other = TaskState::offset_name("win", 0);
    {
        Opened task{folder.path()};
        ASSERT_TRUE(task.kv->put("a", "1", 1));
        ASSERT_TRUE(task.state->commit(task.stores, {{first, 5}, {second, 6}, {other, 7}}));
    }
    {
        Opened task{folder.path()};
        EXPECT_EQ(task.state->changelog_offset(first), 5);
        EXPECT_EQ(task.state->changelog_offset(second), 6);
        EXPECT_FALSE(task.state->changelog_offset("kv").has_value());
        ASSERT_TRUE(task.state->wipe(*task.kv, task.task));
        EXPECT_FALSE(task.state->changelog_offset(first).has_value());
        EXPECT_EQ(task.state->changelog_offset(other), 7);
    }
    Opened task{folder.path()};
    EXPECT_FALSE(task.state->changelog_offset(first).has_value());
    EXPECT_FALSE(task.state->changelog_offset(second).has_value());
    EXPECT_EQ(task.state->changelog_offset(other), 7);
    EXPECT_EQ(task.all(), "");
}

TEST(TaskState, ManyKeysInManyTasksStayInOneBudget) {
    const TempFolder folder;
    constexpr std::size_t kBudget = std::size_t{8} << 20U;
    const auto memory = std::make_shared<StateMemory>(kBudget);
    std::vector<std::unique_ptr<Opened>> tasks;
    for (int t = 0; t < 4; ++t) {
        const std::string path = folder.path() + "/" + std::to_string(t);
        fs::create_directory(path);
        tasks.push_back(std::make_unique<Opened>(path, TaskState::Options{.memory = memory}));
    }
    std::size_t most = 0;
    const std::string value(100, 'v');
    Entry entry;
    for (int i = 0; i < 200'000; ++i) {
        auto& task = *tasks[static_cast<std::size_t>(i) % tasks.size()];
        ASSERT_TRUE(task.kv->put("key" + std::to_string(i), value, 1));
        if (i % 1000 < 4) {
            ASSERT_TRUE(task.state->commit(task.stores, {{"kv", i}}));
            most = std::max(most, memory->used_bytes());
        }
        if (i % 7 == 0) ASSERT_TRUE(task.kv->get("key" + std::to_string(i / 2), entry));
    }
    EXPECT_LE(most, kBudget + kBudget / 4) << "22 MB of rows went through";
    EXPECT_GT(most, kBudget / 4);
}

TEST(StateDirectory, LocksApplicationsAndTasksAndCleansWhatIsNotUsed) {
    const TempFolder folder;
    rt::PosixDisk disk;
    auto opened = StateDirectory::open(disk, folder.path() + "/deep/state", "app");
    ASSERT_TRUE(opened);
    auto& state = **opened;
    EXPECT_EQ(StateDirectory::open(disk, folder.path() + "/deep/state", "app").error().code(),
              Errc::kDataDirInUse);
    EXPECT_EQ(StateDirectory::open(disk, folder.path(), "../up").error().code(),
              Errc::kInvalidSetting);
    auto used = state.task("0_1", 1000);
    ASSERT_TRUE(used);
    EXPECT_EQ(state.task("0_1", 1000).error().code(), Errc::kDataDirInUse);
    ASSERT_TRUE(state.task("0_2", 1000));
    fs::create_directory(used->path + "/rocksdb");
    fs::create_directory(state.path() + "/0_2/rocksdb");
    fs::create_directory(state.path() + "/mine");
    EXPECT_EQ(*state.tasks(), (std::vector<std::string>{"0_1", "0_2"}));
    EXPECT_TRUE(state.clean(1500, 1000)->empty());
    EXPECT_EQ(*state.clean(2500, 1000), std::vector<std::string>{"0_2"});
    used->lock.reset();
    EXPECT_TRUE(state.clean(3000, 1000)->empty()) << "it was in use at 2500";
    EXPECT_EQ(*state.clean(3500, 1000), std::vector<std::string>{"0_1"});
    EXPECT_TRUE(fs::exists(state.path() + "/mine"));
}

TEST(TaskState, WipedStoreStartsEmptyAndTheOthersStay) {
    TempFolder folder;
    {
        Opened task{folder.path()};
        ASSERT_TRUE(task.kv->put("a", "1", 1));
        ASSERT_TRUE(task.win->put("w", 10, "2", 10));
        ASSERT_TRUE(task.mem->put("m", "3", 1));
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 5}, {"win", 6}, {"mem", 7}}));
        ASSERT_TRUE(task.state->wipe(*task.kv, task.task));
        ASSERT_TRUE(task.state->wipe(*task.mem, task.task));
        EXPECT_EQ(task.all(), "");
        EXPECT_FALSE(task.state->changelog_offset("kv"));
        EXPECT_FALSE(task.state->changelog_offset("mem"));
        EXPECT_EQ(task.state->changelog_offset("win"), 6);
        Entry entry;
        EXPECT_FALSE(*task.mem->get("m", entry));
        ASSERT_TRUE(task.kv->put("b", "4", 1));
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 9}}));
    }
    Opened task{folder.path()};
    EXPECT_EQ(task.all(), "b=4 ");
    EXPECT_EQ(task.state->changelog_offset("kv"), 9);
    Entry entry;
    EXPECT_TRUE(*task.win->get("w", 10, entry));
}

TEST(TaskState, RowsOutOfAnotherChangelogGo) {
    TempFolder folder;
    {
        Opened task{folder.path()};
        EXPECT_EQ(*task.state->bind(*task.kv, task.task, "one"), false);
        ASSERT_TRUE(task.kv->put("a", "1", 1));
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 5}}));
    }
    {
        Opened task{folder.path()};
        EXPECT_EQ(*task.state->bind(*task.kv, task.task, "one"), false);
        // A broker without ids says nothing.
        EXPECT_EQ(*task.state->bind(*task.kv, task.task, ""), false);
        EXPECT_EQ(task.value("a"), "1");
        EXPECT_EQ(*task.state->bind(*task.kv, task.task, "two"), true);
        EXPECT_EQ(task.all(), "");
        EXPECT_FALSE(task.state->changelog_offset("kv"));
    }
    Opened task{folder.path()};
    EXPECT_EQ(*task.state->bind(*task.kv, task.task, "two"), false);
    EXPECT_EQ(task.all(), "");
}

TEST(TaskState, RowsThatCouldNotBeRemovedAreRemovedWhenThatIsTriedAgain) {
    TempFolder folder;
    {
        Opened task{folder.path()};
        EXPECT_EQ(*task.state->bind(*task.kv, task.task, "one"), false);
        ASSERT_TRUE(task.kv->put("a", "1", 1));
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 5}}));
        FailingDb& database = FailingDb::put_under(*task.state);
        database.refuses = true;
        EXPECT_EQ(task.state->bind(*task.kv, task.task, "two").error().code(), Errc::kNoSpace);
        EXPECT_EQ(task.state->bind(*task.kv, task.task, "two").error().code(), Errc::kNoSpace);
        EXPECT_EQ(task.value("a"), "1");
        database.refuses = false;
        EXPECT_EQ(*task.state->bind(*task.kv, task.task, "two"), true);
        EXPECT_EQ(task.all(), "");
        EXPECT_FALSE(task.state->changelog_offset("kv"));
        ASSERT_TRUE(task.kv->put("b", "2", 1));
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 1}}));
    }
    const Opened task{folder.path()};
    EXPECT_EQ(task.all(), "b=2 ");
    EXPECT_EQ(task.state->changelog_offset("kv"), 1);
}

TEST(TaskState, PeekTellsTheOffsetsOfACommit) {
    TempFolder folder;
    EXPECT_TRUE(TaskState::peek(folder.path())->empty());
    {
        Opened task{folder.path()};
        ASSERT_TRUE(task.kv->put("a", "1", 1));
        ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 5}, {"mem", 7}}));
    }
    EXPECT_EQ(*TaskState::peek(folder.path()), (TaskState::Offsets{{"kv", 5}}));
}

TEST(TaskState, WithoutADirectoryAllIsInMemory) {
    Opened task{""};
    ASSERT_TRUE(task.kv->put("a", "1", 1));
    ASSERT_TRUE(task.state->commit(task.stores, {{"kv", 5}}));
    EXPECT_FALSE(task.state->is_full());
    ASSERT_TRUE(task.state->write_early());
    ASSERT_TRUE(task.state->flush_files());
    EXPECT_EQ(task.value("a"), "1");
    EXPECT_EQ(task.state->changelog_offset("kv"), 5);
    ASSERT_TRUE(task.state->rollback(task.stores, task.task));
    EXPECT_EQ(task.all(), "");
    EXPECT_FALSE(task.state->changelog_offset("kv"));
}

TEST(TaskState, UncommittedRowsOfAllTasksShareAQuarterOfTheMemory) {
    TempFolder one;
    TempFolder two;
    const auto memory = std::make_shared<StateMemory>(std::size_t{8} << 20U);
    Opened first{one.path(), {.memory = memory}};
    EXPECT_EQ(first.state->uncommitted_bytes_max(), std::size_t{2} << 20U);
    {
        Opened second{two.path(), {.memory = memory, .exactly_once = true}};
        EXPECT_EQ(first.state->uncommitted_bytes_max(), std::size_t{1} << 20U);
        const std::string large(std::size_t{1} << 20U, 'x');
        ASSERT_TRUE(first.kv->put("a", large, 1));
        ASSERT_TRUE(second.kv->put("a", large, 1));
        EXPECT_TRUE(first.state->is_full());
        EXPECT_TRUE(second.state->is_full());
        ASSERT_TRUE(first.state->write_early());
        ASSERT_TRUE(second.state->write_early());
        EXPECT_EQ(first.state->uncommitted_bytes(), 0U);
        EXPECT_GT(second.state->uncommitted_bytes(), large.size());
    }
    EXPECT_EQ(first.state->uncommitted_bytes_max(), std::size_t{2} << 20U);
}

}  // namespace
}  // namespace leat::streams::detail
