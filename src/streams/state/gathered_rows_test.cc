// SPDX-License-Identifier: Apache-2.0
//
// Restoring by sorted files: what comes of it is what comes of restoring each batch at once, after
// crashes too. Databases are real ones in a temporary folder; a crash is a process that is killed.
#include "streams/state/gathered_rows.h"

#include <gtest/gtest.h>
#include <rocksdb/sst_file_reader.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/store.h"
#include "streams/failpoints.h"
#include "streams/state/database.h"
#include "streams/state/failing_db.h"
#include "streams/state/row_bytes.h"
#include "streams/state/store_fixture.h"
#include "streams/state/task_state.h"
#include "streams/state/temp_folder.h"

namespace leat::streams::detail {
namespace {

namespace fs = std::filesystem;
using Kind = StoreSpec::Kind;

std::shared_ptr<StateMemory> memory_of(std::size_t megabytes) {
    return std::make_shared<StateMemory>(megabytes << 20U);
}

TEST(GatheredRows, AFileHasTheLastOfEachKeyInOrder) {
    const TempFolder folder;
    const std::string path = folder.path() + "/rows.sst";
    GatheredRows rows{memory_of(8)};
    std::map<std::string, std::string> wanted;
    const auto add = [&](const std::string& row, const std::optional<std::string>& value) {
        rows.add("p", row, value);
        wanted["p" + row] = value.value_or("deleted");
    };
    const std::string zero(1, '\0');
    for (const auto& row :
         {std::string{"same-b"}, std::string{"same-a"}, "same-a" + zero, std::string{"same-"},
          "same-abcdefgh" + zero, "same-abcdefgh" + zero + "x", std::string{"same-abcdefgh"},
          std::string{"same-\xFF"}})
        add(row, "1");
    add("same-a", "2");
    add("same-", std::nullopt);
    add("same-b", std::nullopt);
    add("same-b", "");
    ASSERT_TRUE(rows.write_file({}, path).ok());
    rocksdb::SstFileReader reader{{}};
    ASSERT_TRUE(reader.Open(path).ok());
    EXPECT_EQ(reader.GetTableProperties()->num_deletions, 1U);
    EXPECT_EQ(reader.GetTableProperties()->num_entries, wanted.size());
    const std::unique_ptr<rocksdb::Iterator> at{reader.NewIterator({})};
    std::map<std::string, std::string> found{{"psame-", "deleted"}};
    for (at->SeekToFirst(); at->Valid(); at->Next())
        found.emplace(view(at->key()), view(at->value()));
    EXPECT_TRUE(at->status().ok());
    EXPECT_EQ(found, wanted);
}

/// RocksDB takes a file in by a link, and whoever ends then leaves the name.
TEST(GatheredRows, AFileIsWrittenBesideWhatHadItsName) {
    const TempFolder folder;
    const std::string path = folder.path() + "/rows.sst";
    const std::string table = folder.path() + "/table.sst";
    std::ofstream{table} << "of the database";
    fs::create_hard_link(table, path);
    GatheredRows rows{memory_of(8)};
    rows.add("p", "a", "1");
    ASSERT_TRUE(rows.write_file({}, path).ok());
    std::string kept;
    std::getline(std::ifstream{table}, kept);
    EXPECT_EQ(kept, "of the database");
    rocksdb::SstFileReader reader{{}};
    EXPECT_TRUE(reader.Open(path).ok());
}

TEST(GatheredRows, TakeTheirPartOfTheMemoryAndGiveItBack) {
    const auto memory = memory_of(8);
    const std::size_t before = memory->used_bytes();
    const std::string value(1'000, 'v');
    {
        GatheredRows first{memory};
        GatheredRows second{memory};
        std::size_t bytes = 0;
        for (int i = 0; !first.is_full(); ++i) {
            const std::string row = std::to_string(i);
            first.add("p", row, value);
            bytes += row.size() + value.size();
        }
        EXPECT_LE(bytes, memory->row_share());
        EXPECT_GT(bytes, memory->row_share() * 3 / 4);
        EXPECT_LE(memory->used_bytes() - before, memory->row_share());
        EXPECT_FALSE(first.are_few());
        EXPECT_TRUE(second.are_few());
        first.clear();
        EXPECT_FALSE(first.is_full());
        EXPECT_TRUE(first.are_few());
    }
    EXPECT_EQ(memory->used_bytes(), before);
    EXPECT_EQ(memory->row_share(), memory->budget_bytes() / 2) << "nobody is left";
    EXPECT_FALSE(Gathering::is_cramped(*memory));
    EXPECT_TRUE(Gathering::is_cramped(*memory_of(4)));
}

/// A record of a changelog as it was made.
struct Change {
    std::string key;
    std::optional<std::string> value{};
    std::int64_t time = 0;
};

std::vector<ChangelogRecord> part_of(const std::vector<Change>& all, std::size_t from,
                                     std::size_t to) {
    std::vector<ChangelogRecord> out;
    for (std::size_t i = from; i < to; ++i) {
        out.push_back({.key = all[i].key, .timestamp = all[i].time});
        if (all[i].value) out.back().value = *all[i].value;
    }
    return out;
}

/// Few keys come again and again, some go; windows get old.
std::vector<Change> changes_of(bool windows, std::size_t count, std::uint32_t seed) {
    std::minstd_rand random{seed};
    std::vector<Change> out;
    for (std::size_t i = 0; i < count; ++i) {
        Change one{.key = "key-" + std::to_string(random() % (count / 2)),
                   .time = static_cast<std::int64_t>(i)};
        if (windows) {
            const auto start = static_cast<std::int64_t>(i * 40 + random() % 20'000);
            append_be(one.key, start);
            append_be(one.key, std::uint32_t{0});
        }
        if (random() % 8 != 0)
            one.value = std::to_string(i) + std::string(100 + random() % 100, 'v');
        out.push_back(std::move(one));
    }
    return out;
}

struct Opened {
    Opened(const std::string& path, std::shared_ptr<StateMemory> memory) {
        auto opened = TaskState::open({.directory = path, .memory = std::move(memory)});
        EXPECT_TRUE(opened) << opened.error().detail();
        state = *std::move(opened);
        for (const StoreSpec& spec : std::vector<StoreSpec>{
                 {.name = "kv"}, {.name = "win", .kind = Kind::kWindow, .retention_ms = 100'000}})
            stores.emplace(spec.name, make_store(spec, *state));
        EXPECT_TRUE(state->ready());
        for (const auto& [name, store] : stores) EXPECT_TRUE(store->open(task));
    }
    [[nodiscard]] StateStore& store(const std::string& name) const { return *stores.at(name); }
    [[nodiscard]] std::size_t next(const std::string& name) const {
        return static_cast<std::size_t>(state->changelog_offset(name).value_or(0));
    }
    /// All rows, and what they are read as.
    [[nodiscard]] std::string text(const std::string& name) const {
        std::string out;
        if (const auto* kv = dynamic_cast<const KeyValueStore*>(&store(name)))
            EXPECT_TRUE(kv->all([&](std::string_view key, const Entry& entry) {
                out += std::string{key} + "=" + entry.value.substr(0, 8) + "@" +
                       std::to_string(entry.timestamp) + " ";
                return true;
            }));
        if (const auto* win = dynamic_cast<const WindowStore*>(&store(name))) {
            EXPECT_TRUE(win->fetch_all(0, std::int64_t{1} << 40U, [&](const auto&... all) {
                ((out += said(all)), ...);
                return true;
            }));
            out += "until " + std::to_string(win->observed());
        }
        return out;
    }
    static std::string said(std::string_view key) { return std::string{key}; }
    static std::string said(std::int64_t start) { return "/" + std::to_string(start); }
    static std::string said(const Entry& entry) { return "=" + entry.value.substr(0, 8) + " "; }

    NotingTask task;
    std::unique_ptr<TaskState> state;
    Stores stores;
};

constexpr std::size_t kBatch = 700;
const std::vector<std::string> kNames{"kv", "win"};

std::map<std::string, std::vector<Change>> logs_of(std::size_t count) {
    return {{"kv", changes_of(false, count, 5)}, {"win", changes_of(true, count, 6)}};
}

/// Without files, in one go.
std::map<std::string, std::string> wanted_of(
    const std::map<std::string, std::vector<Change>>& logs) {
    const TempFolder folder;
    const Opened plain{folder.path(), memory_of(64)};
    std::map<std::string, std::string> out;
    for (const auto& [name, log] : logs) {
        for (std::size_t at = 0; at < log.size(); at += kBatch) {
            const std::size_t end = std::min(at + kBatch, log.size());
            EXPECT_TRUE(plain.state->restore(plain.store(name), part_of(log, at, end),
                                             static_cast<std::int64_t>(end)));
        }
        out[name] = plain.text(name);
    }
    return out;
}

std::size_t tables_in(const std::string& folder) {
    std::size_t out = 0;
    for (const auto& file : fs::directory_iterator(folder + "/rocksdb"))
        out += file.path().extension() == ".sst" ? 1 : 0;
    return out;
}

TEST(GatheredRows, RestoreWhatRestoringAtOnceDoes) {
    const auto logs = logs_of(40'000);
    const auto wanted = wanted_of(logs);
    EXPECT_FALSE(wanted.at("win").empty());
    std::size_t stops = 0;
    for (const std::size_t megabytes : {2UL, 9UL, 20UL, 256UL}) {
        const TempFolder folder;
        const auto memory = memory_of(megabytes);
        std::minstd_rand random{static_cast<std::uint32_t>(megabytes)};
        auto task = std::make_unique<Opened>(folder.path(), memory);
        std::map<std::string, std::size_t> at;
        std::size_t taken = 0;
        while (at["kv"] < 40'000 || at["win"] < 40'000) {
            for (const std::string& name : kNames) {
                const std::size_t end = std::min<std::size_t>(at[name] + kBatch, 40'000);
                ASSERT_TRUE(task->state->gather(task->store(name),
                                                part_of(logs.at(name), at[name], end),
                                                static_cast<std::int64_t>(end)));
                at[name] = end;
                EXPECT_LE(task->next(name), end);
            }
            taken = std::max(taken, tables_in(folder.path()));
            if (random() % 60 != 0) continue;
            // It goes elsewhere, and what is not kept is read again; sometimes a store is emptied.
            ++stops;
            if (random() % 2 == 0) ASSERT_TRUE(task->state->keep_gathered(task->store("kv")));
            if (random() % 3 == 0) ASSERT_TRUE(task->state->wipe(task->store("win"), task->task));
            task.reset();
            task = std::make_unique<Opened>(folder.path(), memory);
            for (const std::string& name : kNames) at[name] = task->next(name);
        }
        for (const std::string& name : kNames) {
            ASSERT_TRUE(task->state->keep_gathered(task->store(name)));
            EXPECT_EQ(task->next(name), 40'000U);
            EXPECT_TRUE(task->text(name) == wanted.at(name)) << name << " in " << megabytes;
        }
        if (megabytes == 20) EXPECT_GE(taken, 2U);
        ASSERT_TRUE(task->state->commit(task->stores, {{"kv", 40'001}}));
        task = nullptr;
        task = std::make_unique<Opened>(folder.path(), memory);
        EXPECT_EQ(task->next("kv"), 40'001U);
        for (const std::string& name : kNames)
            EXPECT_TRUE(task->text(name) == wanted.at(name)) << name << " opened again";
        const fs::path files = folder.path() + "/restoring";
        EXPECT_EQ(fs::exists(files), megabytes > 2) << "too little memory for files";
        EXPECT_TRUE(megabytes == 2 || fs::is_empty(files));
    }
    EXPECT_GT(stops, 2U);
}

/// The disk is full behind it. RocksDB has moved the file, so it would never be taken in again.
TEST(GatheredRows, AFileIsTakenInOnceAlthoughItsOffsetCannotBeWritten) {
    const auto log = changes_of(false, 40'000, 9);
    const auto wanted = wanted_of({{"kv", log}});
    const TempFolder folder;
    Opened task{folder.path(), memory_of(8)};
    FailingDb& database = FailingDb::put_under(*task.state);
    int failures = 0;
    for (std::size_t at = 0; at < log.size();) {
        database.refuses = failures < 3;
        const std::size_t end = std::min(at + kBatch, log.size());
        const auto done = task.state->gather(task.store("kv"), part_of(log, at, end),
                                             static_cast<std::int64_t>(end));
        if (done) {
            at = end;
            continue;
        }
        ++failures;
        ASSERT_EQ(done.error().code(), Errc::kNoSpace) << done.error().detail();
        EXPECT_EQ(database.files, 1);
        EXPECT_FALSE(task.state->changelog_offset("kv").has_value());
    }
    EXPECT_EQ(failures, 3);
    ASSERT_TRUE(task.state->keep_gathered(task.store("kv")));
    EXPECT_GT(database.files, 1);
    EXPECT_EQ(task.next("kv"), log.size());
    EXPECT_TRUE(task.text("kv") == wanted.at("kv"));
}

TEST(GatheredRows, AreSeenWhenTheyAreKept) {
    const TempFolder folder;
    Opened task{folder.path(), memory_of(64)};
    const std::vector<Change> log{{"a", "1", 1}, {"b", "1", 2}, {"a", std::nullopt, 3}};
    ASSERT_TRUE(task.state->gather(task.store("kv"), part_of(log, 0, 2), 2));
    EXPECT_EQ(task.text("kv"), "");
    EXPECT_FALSE(task.state->changelog_offset("kv").has_value());
    // What comes at once comes behind them.
    ASSERT_TRUE(task.state->restore(task.store("kv"), part_of(log, 2, 3), 3));
    EXPECT_EQ(task.text("kv"), "b=1@2 ");
    ASSERT_TRUE(task.state->gather(task.store("kv"), part_of(log, 0, 1), 4));
    ASSERT_TRUE(task.state->wipe(task.store("kv"), task.task));
    ASSERT_TRUE(task.state->keep_gathered(task.store("kv")));
    EXPECT_EQ(task.text("kv"), "");
    EXPECT_FALSE(task.state->changelog_offset("kv").has_value()) << "dropped with the store";
    ASSERT_TRUE(task.state->gather(task.store("kv"), part_of(log, 0, 1), 1));
    ASSERT_TRUE(task.state->rollback(task.stores, task.task));
    ASSERT_TRUE(task.state->keep_gathered(task.store("kv")));
    EXPECT_EQ(task.text("kv"), "") << "dropped with what is uncommitted";
}

TEST(GatheredRows, FilesThatWereNotTakenInGoWhenTheStateIsOpened) {
    const TempFolder folder;
    fs::create_directory(folder.path() + "/restoring");
    std::ofstream{folder.path() + "/restoring/rows.sst"} << "half a file";
    const Opened task{folder.path(), memory_of(64)};
    EXPECT_TRUE(fs::is_empty(folder.path() + "/restoring"));
}

constexpr std::size_t kKilledRecords = 60'000;

/// What the process does that is killed.
void restore_until_killed(const std::string& folder) {
    const auto log = changes_of(false, kKilledRecords, 9);
    const Opened task{folder, memory_of(8)};
    for (std::size_t at = task.next("kv"); at < log.size();) {
        const std::size_t end = std::min(at + kBatch, log.size());
        ASSERT_TRUE(task.state->gather(task.store("kv"), part_of(log, at, end),
                                       static_cast<std::int64_t>(end)));
        at = end;
    }
}

/// Runs the test below in a process of its own, to be killed when it takes in its `nth` file.
int end_of_child(const std::string& folder, int nth) {
    ::setenv("LEAT_GATHER_CHILD", folder.c_str(), 1);
    ::setenv("LEAT_FAULT_STREAMS", ("kill:restore.file_taken:" + std::to_string(nth)).c_str(), 1);
    std::string self = fs::read_symlink("/proc/self/exe").string();
    std::string filter = "--gtest_filter=GatheredRows.AKillBetweenFileAndOffsetOnlyReadsAgain";
    std::string brief = "--gtest_brief=1";
    char* arguments[] = {self.data(), filter.data(), brief.data(), nullptr};
    pid_t pid = -1;
    EXPECT_EQ(::posix_spawn(&pid, self.c_str(), nullptr, nullptr, arguments, environ), 0);
    ::unsetenv("LEAT_GATHER_CHILD");
    ::unsetenv("LEAT_FAULT_STREAMS");
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(GatheredRows, AKillBetweenFileAndOffsetOnlyReadsAgain) {
    if (const char* folder = std::getenv("LEAT_GATHER_CHILD")) return restore_until_killed(folder);
    ASSERT_TRUE(can_fail()) << "tests need a build with LEAT_FAULT_INJECTION";
    const auto log = changes_of(false, kKilledRecords, 9);
    const auto wanted = wanted_of({{"kv", log}});
    for (const int nth : {1, 2}) {
        const TempFolder folder;
        ASSERT_EQ(end_of_child(folder.path(), nth), SIGKILL);
        // Once more on what that left.
        ASSERT_EQ(end_of_child(folder.path(), 1), SIGKILL);
        const Opened task{folder.path(), memory_of(8)};
        EXPECT_NE(task.text("kv"), "") << "rows of the file are there";
        for (std::size_t at = task.next("kv"); at < log.size();) {
            const std::size_t end = std::min(at + kBatch, log.size());
            ASSERT_TRUE(task.state->gather(task.store("kv"), part_of(log, at, end),
                                           static_cast<std::int64_t>(end)));
            at = end;
        }
        ASSERT_TRUE(task.state->keep_gathered(task.store("kv")));
        EXPECT_TRUE(task.text("kv") == wanted.at("kv"));
    }
}

}  // namespace
}  // namespace leat::streams::detail
