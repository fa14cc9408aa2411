// SPDX-License-Identifier: Apache-2.0
//
// Method: what must survive is checked at every seed, what may or may not must do both over many
// seeds.
#include "testkit/sim_disk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "testkit/result_matchers.h"

namespace leat::testkit {
namespace {

using rt::OpenMode;

std::vector<std::byte> fill(std::size_t size, int value) {
    return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

void write(rt::Disk& disk, const std::string& path, std::int64_t at, std::size_t size, int value) {
    auto file = disk.open(path, OpenMode::kCreate);
    ASSERT_OK(file);
    const auto bytes = fill(size, value);
    ASSERT_OK((*file)->write_at(FilePos{at}, std::array{Bytes{bytes}}));
}

void sync(rt::Disk& disk, const std::string& path) {
    auto file = disk.open(path, OpenMode::kReadWrite);
    ASSERT_OK(file);
    ASSERT_OK((*file)->sync());
}

/// "missing", or a character a sector: '.' for zeros, the value where all bytes have it, '?'.
std::string sectors(rt::Disk& disk, const std::string& path) {
    if (!*disk.exists(path)) return "missing";
    const auto content = rt::read_file(disk, path, 1 << 20);
    if (!content) return "error";
    std::string out;
    for (std::size_t at = 0; at < content->size(); at += 512) {
        const auto end = std::min(at + 512, content->size());
        const auto first = (*content)[at];
        const bool same = std::all_of(content->begin() + static_cast<std::ptrdiff_t>(at),
                                      content->begin() + static_cast<std::ptrdiff_t>(end),
                                      [&](std::byte b) { return b == first; });
        const auto value = static_cast<int>(first);
        out += !same ? '?' : value == 0 ? '.' : static_cast<char>('0' + value);
    }
    return out;
}

TEST(SimDisk, SyncedBytesAndNamesSurviveEveryCrash) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        SimDisk disk{seed};
        ASSERT_OK(disk.make_directory("d"));
        write(disk, "d/a", 0, 1'024, 1);
        sync(disk, "d/a");
        write(disk, "d/a", 1'024, 512, 2);
        EXPECT_EQ(disk.dirty_files(), 1U);
        disk.crash();
        EXPECT_EQ(sectors(disk, "d/a").substr(0, 2), "11") << seed;
        EXPECT_EQ(disk.dirty_files(), 0U);
    }
}

TEST(SimDisk, UnsyncedWritesAreLostTornOrThere) {
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 600; ++seed) {
        SimDisk disk{seed};
        write(disk, "a", 0, 1'024, 1);
        sync(disk, "a");
        write(disk, "a", 0, 512, 2);
        write(disk, "a", 512, 1'024, 2);
        write(disk, "a", 0, 512, 3);
        disk.crash();
        seen.insert(sectors(disk, "a"));
    }
    // Sector 0 is any of three versions, 1 of two; 2 is absent, a hole, or written.
    for (const char* one : {"11", "12", "21", "22", "31", "32", "11.", "112", "322", "31.", "212"})
        EXPECT_TRUE(seen.contains(one)) << one;
    EXPECT_EQ(seen.size(), 18U);
}

TEST(SimDisk, NothingAndEverythingAreExact) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        SimDisk disk{seed};
        write(disk, "a", 0, 512, 1);
        sync(disk, "a");
        write(disk, "a", 0, 2'048, 2);
        write(disk, "b", 0, 512, 2);
        disk.crash(Survival::kNothing);
        EXPECT_EQ(sectors(disk, "a"), "1");
        EXPECT_EQ(sectors(disk, "b"), "missing");
        write(disk, "a", 0, 2'048, 3);
        write(disk, "b", 0, 512, 3);
        disk.crash(Survival::kEverything);
        EXPECT_EQ(sectors(disk, "a"), "3333");
        EXPECT_EQ(sectors(disk, "b"), "3");
    }
}

TEST(SimDisk, TruncationIsVolatileToo) {
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        SimDisk disk{seed};
        write(disk, "a", 0, 1'024, 1);
        sync(disk, "a");
        auto file = disk.open("a", OpenMode::kReadWrite);
        ASSERT_OK((*file)->truncate(FilePos{512}));
        EXPECT_EQ(*(*file)->size(), 512);
        disk.crash();
        seen.insert(sectors(disk, "a"));
    }
    EXPECT_EQ(seen, (std::set<std::string>{"1", "11", "1."}));
    SimDisk disk{1};
    write(disk, "a", 0, 1'024, 1);
    auto file = disk.open("a", OpenMode::kReadWrite);
    ASSERT_OK((*file)->truncate(FilePos{512}));
    write(disk, "a", 1'024, 512, 2);
    ASSERT_OK((*file)->sync());
    disk.crash();
    EXPECT_EQ(sectors(disk, "a"), "1.2");  // What was cut off is zero when the file grows again.
}

TEST(SimDisk, SyncOfAFileKeepsItsNameOnlyWhereTheModelSaysSo) {
    for (const bool commits : {true, false}) {
        SimDisk disk{9, {.sync_commits_names = commits}};
        ASSERT_OK(disk.make_directory("d"));
        write(disk, "d/a", 0, 512, 1);
        sync(disk, "d/a");
        disk.crash(Survival::kNothing);
        EXPECT_EQ(sectors(disk, "d/a"), commits ? "1" : "missing");
    }
}

TEST(SimDisk, StrictModelWantsEveryDirectorySyncedInAnyOrder) {
    for (const bool top_first : {true, false}) {
        SimDisk disk{9, {.sync_commits_names = false}};
        ASSERT_OK(disk.make_directory("d"));
        write(disk, "d/a", 0, 512, 1);
        sync(disk, "d/a");
        ASSERT_OK(disk.sync_directory(top_first ? "." : "d"));
        EXPECT_EQ(disk.unsynced_names(), top_first ? 1U : 2U);
        ASSERT_OK(disk.sync_directory(top_first ? "d" : "."));
        EXPECT_EQ(disk.unsynced_names(), 0U);
        disk.crash(Survival::kNothing);
        EXPECT_EQ(sectors(disk, "d/a"), "1");
    }
}

TEST(SimDisk, ReplaceFileLeavesOldOrNewInBothModels) {
    for (const bool commits : {true, false}) {
        std::set<std::string> seen;
        for (std::uint64_t seed = 0; seed < 200; ++seed) {
            SimDisk disk{seed, {.sync_commits_names = commits}};
            const auto one = fill(700, 1);
            const auto two = fill(600, 2);
            ASSERT_OK(rt::replace_file(disk, "f", one));
            disk.cut_power_after(seed % 7);
            const bool done = rt::replace_file(disk, "f", two).has_value();
            disk.crash();
            seen.insert(sectors(disk, "f"));
            if (done) EXPECT_EQ(sectors(disk, "f"), "22");
        }
        EXPECT_EQ(seen, (std::set<std::string>{"11", "22"})) << commits;
    }
}

TEST(SimDisk, ReplaceWithoutSyncIsCaughtEmptyOrTorn) {
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        SimDisk disk{seed};
        ASSERT_OK(rt::replace_file(disk, "f", fill(1'024, 1)));
        write(disk, "f.tmp", 0, 1'024, 2);
        ASSERT_OK(disk.rename("f.tmp", "f"));
        ASSERT_OK(disk.sync_directory("."));
        disk.crash();
        seen.insert(sectors(disk, "f"));
    }
    EXPECT_TRUE(seen.contains("") && seen.contains("22") && seen.contains("2."));
    EXPECT_FALSE(seen.contains("11"));
}

TEST(SimDisk, NamesSurviveInAnyCombinationThatMakesSense) {
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 600; ++seed) {
        SimDisk disk{seed};
        write(disk, "old", 0, 512, 1);
        sync(disk, "old");
        ASSERT_OK(disk.make_directory("d"));
        write(disk, "d/x", 0, 512, 2);
        ASSERT_OK(disk.rename("d", "e"));
        ASSERT_OK(disk.remove_file("old"));
        disk.crash();
        std::string state = *disk.exists("old") ? "old " : "";
        for (const char* name : {"d", "d/x", "e", "e/x"})
            if (*disk.exists(name)) state.append(name).append(" ");
        seen.insert(state);
    }
    for (const std::string old : {"", "old "})
        for (const char* rest : {"", "d ", "d d/x ", "e ", "e e/x "})
            EXPECT_TRUE(seen.contains(old + rest)) << old << rest;
    EXPECT_EQ(seen.size(), 10U);
}

TEST(SimDisk, DirectoryIsMovedAndRemovedDurably) {
    for (const bool commits : {true, false}) {
        SimDisk disk{3, {.sync_commits_names = commits}};
        ASSERT_OK(disk.make_directory("d"));
        ASSERT_OK(disk.sync_directory("."));
        write(disk, "d/x", 0, 512, 1);
        ASSERT_OK(disk.rename("d", "e"));
        ASSERT_OK(disk.sync_directory("."));
        ASSERT_OK(disk.sync_directory("e"));
        sync(disk, "e/x");
        disk.crash(Survival::kNothing);
        EXPECT_EQ(sectors(disk, "e/x"), "1") << commits;
        EXPECT_FALSE(*disk.exists("d"));
        EXPECT_ERRC(disk.remove_directory("e"), Errc::kAlreadyExists);
        ASSERT_OK(disk.remove_file("e/x"));
        ASSERT_OK(disk.remove_directory("e"));
        ASSERT_OK(disk.sync_directory("."));
        disk.crash(Survival::kNothing);
        EXPECT_FALSE(*disk.exists("e") || *disk.exists("e/x"));
        EXPECT_EQ(disk.unsynced_names(), 0U);
    }
}

TEST(SimDisk, SyncFileSystemCoversAll) {
    SimDisk disk{5, {.sync_commits_names = false}};
    ASSERT_OK(disk.make_directory("d"));
    write(disk, "d/a", 0, 512, 1);
    write(disk, "b", 0, 512, 2);
    ASSERT_OK(disk.sync_file_system("."));
    disk.crash(Survival::kNothing);
    EXPECT_EQ(sectors(disk, "d/a") + sectors(disk, "b"), "12");
}

TEST(SimDisk, FailedSyncIsNeverMadeGoodByALaterOne) {
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        SimDisk disk{seed};
        write(disk, "a", 0, 512, 1);
        sync(disk, "a");
        write(disk, "a", 0, 512, 2);
        disk.fail(DiskCall::kSync, 1);
        auto file = disk.open("a", OpenMode::kReadWrite);
        EXPECT_ERRC((*file)->sync(), Errc::kIoError);
        EXPECT_OK((*file)->sync());
        EXPECT_EQ(sectors(disk, "a"), "2");
        disk.crash();
        seen.insert(sectors(disk, "a"));
    }
    EXPECT_EQ(seen, (std::set<std::string>{"1", "2"}));
}

TEST(SimDisk, FaultHitsTheNthCallOnceOrFromThenOn) {
    SimDisk disk{1};
    disk.fail(DiskCall::kWrite, 2, Errc::kNoSpace);
    auto file = disk.open("a", OpenMode::kCreateNew);
    const auto bytes = fill(1'000, 1);
    EXPECT_OK((*file)->write_at(FilePos{0}, std::array{Bytes{bytes}}));
    EXPECT_ERRC((*file)->write_at(FilePos{1'000}, std::array{Bytes{bytes}}), Errc::kNoSpace);
    EXPECT_LT(*(*file)->size(), 2'001);  // A prefix.
    EXPECT_OK((*file)->write_at(FilePos{1'000}, std::array{Bytes{bytes}}));
    disk.fail(DiskCall::kOpen, 1, Errc::kIoError, true);
    EXPECT_ERRC(disk.open("a", OpenMode::kRead), Errc::kIoError);
    EXPECT_ERRC(disk.open("b", OpenMode::kCreate), Errc::kIoError);
    disk.heal();
    EXPECT_OK(disk.open("a", OpenMode::kRead));
    EXPECT_FALSE(*disk.exists("b"));
    disk.fail(DiskCall::kRename, 1);
    EXPECT_ERRC(disk.rename("a", "c"), Errc::kIoError);
    EXPECT_TRUE(*disk.exists("a"));
    EXPECT_EQ(disk.calls(DiskCall::kWrite), 3U);
    EXPECT_EQ(disk.calls(DiskCall::kOpen), 4U);
}

TEST(SimDisk, FullDiskTakesWhatFitsAndHeals) {
    SimDisk disk{1, {.capacity_bytes = 1'500}};
    write(disk, "a", 0, 1'000, 1);
    auto file = disk.open("a", OpenMode::kReadWrite);
    const auto bytes = fill(1'000, 2);
    EXPECT_ERRC((*file)->write_at(FilePos{1'000}, std::array{Bytes{bytes}}), Errc::kNoSpace);
    EXPECT_EQ(*(*file)->size(), 1'500);
    EXPECT_OK((*file)->write_at(FilePos{0}, std::array{Bytes{bytes}}));  // No growth.
    EXPECT_EQ(disk.space(".")->usable_bytes, 0);
    disk.set_capacity(3'000);
    EXPECT_EQ(disk.space(".")->usable_bytes, 1'500);
    EXPECT_OK((*file)->write_at(FilePos{1'500}, std::array{Bytes{bytes}}));
}

TEST(SimDisk, AfterACutOfPowerNothingChangesUntilTheCrash) {
    SimDisk disk{1};
    write(disk, "a", 0, 512, 1);
    sync(disk, "a");
    disk.cut_power_after(1);
    auto file = disk.open("a", OpenMode::kReadWrite);
    const auto bytes = fill(512, 2);
    EXPECT_OK((*file)->write_at(FilePos{0}, std::array{Bytes{bytes}}));
    EXPECT_ERRC((*file)->sync(), Errc::kIoError);
    EXPECT_FALSE(disk.has_power());
    EXPECT_ERRC(disk.remove_file("a"), Errc::kIoError);
    EXPECT_ERRC(disk.open("a", OpenMode::kRead), Errc::kIoError);
    disk.crash(Survival::kNothing);
    EXPECT_EQ(sectors(disk, "a"), "1");
}

TEST(SimDisk, OldHandlesAndLocksDieWithTheProcessAndBytesDoNot) {
    SimDisk disk{1};
    auto lock = disk.lock_file(".lock");
    ASSERT_OK(lock);
    EXPECT_ERRC(disk.lock_file(".lock"), Errc::kDataDirInUse);
    write(disk, "a", 0, 512, 1);
    auto file = disk.open("a", OpenMode::kReadWrite);
    disk.restart_process();
    EXPECT_EQ(sectors(disk, "a"), "1");
    EXPECT_ERRC((*file)->sync(), Errc::kIoError);
    EXPECT_ERRC((*file)->size(), Errc::kIoError);
    auto next = disk.lock_file(".lock");
    ASSERT_OK(next);
    lock->reset();  // The old owner's, too late.
    EXPECT_ERRC(disk.lock_file(".lock"), Errc::kDataDirInUse);
    next->reset();
    EXPECT_OK(disk.lock_file(".lock"));
    disk.crash(Survival::kNothing);
    EXPECT_EQ(sectors(disk, "a"), "missing");
}

TEST(SimDisk, AnswersAsTheKernelDoes) {
    SimDisk disk{1};
    EXPECT_ERRC(disk.open("a", OpenMode::kRead), Errc::kNotFound);
    EXPECT_ERRC(disk.open("no/a", OpenMode::kCreate), Errc::kNotFound);
    EXPECT_ERRC(disk.make_directory("no/d"), Errc::kNotFound);
    ASSERT_OK(disk.make_directory("/top/") ? disk.make_directory("/top/d") : Result<void>{});
    EXPECT_ERRC(disk.make_directory("/top"), Errc::kAlreadyExists);
    write(disk, "/top/b", 0, 3, 1);
    write(disk, "/top/a", 0, 3, 1);
    EXPECT_ERRC(disk.open("/top/a", OpenMode::kCreateNew), Errc::kAlreadyExists);
    EXPECT_ERRC(disk.open("/top/d", OpenMode::kRead), Errc::kIoError);
    EXPECT_ERRC(disk.remove_file("/top/d"), Errc::kIoError);
    EXPECT_ERRC(disk.remove_file("/top/z"), Errc::kNotFound);
    EXPECT_ERRC(disk.rename("/top/z", "/top/y"), Errc::kNotFound);
    EXPECT_ERRC(disk.list("/none"), Errc::kNotFound);
    const auto entries = disk.list("/top/");
    ASSERT_OK(entries);
    ASSERT_EQ(entries->size(), 3U);
    EXPECT_EQ((*entries)[0].name + (*entries)[1].name + (*entries)[2].name, "abd");
    EXPECT_TRUE((*entries)[2].is_directory);
    auto reader = disk.open("/top/a", OpenMode::kRead);
    EXPECT_ERRC((*reader)->write_at(FilePos{0}, {}), Errc::kIoError);
    EXPECT_EQ((*reader)->descriptor(), -1);
    ASSERT_OK(disk.remove_file("/top/a"));
    std::array<std::byte, 8> got{};
    EXPECT_EQ(*(*reader)->read_at(FilePos{1}, got), 2U);  // Unlinked, still open.
    disk.set_cold_percent(100);
    EXPECT_FALSE((*reader)->is_cached(FilePos{0}, 3));
    disk.set_cold_percent(0);
    EXPECT_TRUE((*reader)->is_cached(FilePos{0}, 3));
    EXPECT_FALSE((*reader)->is_cached(FilePos{0}, 4));
}

TEST(SimDisk, FlippedBitStaysFlipped) {
    SimDisk disk{1};
    write(disk, "a", 0, 512, 1);
    sync(disk, "a");
    disk.flip_bit("a", 511, 1);
    EXPECT_EQ(sectors(disk, "a"), "?");
    disk.crash();
    EXPECT_EQ(sectors(disk, "a"), "?");
}

TEST(SimDisk, OneSeedGivesOneCrash) {
    const auto run = [](std::uint64_t seed) {
        SimDisk disk{seed};
        for (int i = 0; i < 10; ++i) write(disk, "f" + std::to_string(i), 0, 5'000, 1);
        disk.crash();
        std::string all;
        for (int i = 0; i < 10; ++i) all += sectors(disk, "f" + std::to_string(i)) + " ";
        return all;
    };
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        EXPECT_EQ(run(seed), run(seed));
        seen.insert(run(seed));
    }
    EXPECT_GT(seen.size(), 5U);
}

}  // namespace
}  // namespace leat::testkit
