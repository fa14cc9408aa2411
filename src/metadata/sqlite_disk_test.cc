// SPDX-License-Identifier: Apache-2.0
//
// Method: the store on a simulated disk. The power goes after the n-th call that changes something,
// or the n-th call of a kind fails, for every n until none is left; then a start on what survived.
// Each commit makes two topics: what was confirmed must be there, and both of a commit or none.
#include "metadata/sqlite_disk.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include "metadata/controller.h"
#include "metadata/store.h"
#include "testkit/result_matchers.h"
#include "testkit/sim_disk.h"

namespace leat::metadata {
namespace {

using testkit::DiskCall;
using testkit::SimDisk;
using testkit::Survival;

constexpr const char* kPath = "/data/metadata.db";
constexpr int kCommits = 4;

std::string name_of(int commit, int topic) {
    return "topic-" + std::to_string(commit) + "-" + std::to_string(topic);
}

/// How many commits were confirmed, by their number. Stops when the store does not open.
std::set<int> make_topics(SimDisk& disk) {
    std::set<int> confirmed;
    auto store = open_sqlite_store(disk, kPath, "c");
    if (!store) return confirmed;
    const auto state = (*store)->load();
    if (!state) return confirmed;
    Controller controller{*Image::make(*state, {}),
                          [n = std::uint64_t{7}]() mutable { return ++n * 0x9E3779B97F4A7C15; }};
    for (int commit = 0; commit < kCommits; ++commit) {
        std::vector<NewTopic> topics(2);
        for (int i = 0; i < 2; ++i) topics[static_cast<std::size_t>(i)].name = name_of(commit, i);
        std::vector<Delta> deltas;
        controller.create_topics(topics, false, deltas);
        if ((*store)->commit(deltas)) confirmed.insert(commit);
    }
    return confirmed;
}

void expect_kept(SimDisk& disk, const std::set<int>& confirmed) {
    auto store = open_sqlite_store(disk, kPath, "c");
    ASSERT_OK(store);
    const auto state = (*store)->load();
    ASSERT_OK(state);
    std::set<std::string> stored;
    for (const StoredTopic& topic : state->topics) stored.insert(topic.name);
    for (int commit = 0; commit < kCommits; ++commit) {
        EXPECT_EQ(stored.contains(name_of(commit, 0)), stored.contains(name_of(commit, 1)));
        if (confirmed.contains(commit)) EXPECT_TRUE(stored.contains(name_of(commit, 0))) << commit;
    }
}

std::unique_ptr<SimDisk> fresh_disk(std::uint64_t seed, bool sync_commits_names = true) {
    auto disk = std::make_unique<SimDisk>(
        seed, testkit::SimDiskModel{.sync_commits_names = sync_commits_names});
    EXPECT_OK(disk->make_directory("/data"));
    EXPECT_OK(disk->sync_directory("/"));
    return disk;
}

TEST(SqliteDisk, KeepsWhatWasConfirmedWhereverThePowerGoes) {
    for (const bool sync_commits_names : {true, false})
        for (const Survival survival : {Survival::kRandom, Survival::kNothing}) {
            bool is_cut = true;
            std::uint64_t calls = 0;
            for (; is_cut; ++calls) {
                SCOPED_TRACE("power goes after " + std::to_string(calls) + " calls");
                const auto disk = fresh_disk(calls, sync_commits_names);
                disk->cut_power_after(calls);
                const std::set<int> confirmed = make_topics(*disk);
                is_cut = !disk->has_power();
                if (!is_cut) EXPECT_EQ(confirmed.size(), static_cast<std::size_t>(kCommits));
                disk->crash(survival);
                expect_kept(*disk, confirmed);
                if (::testing::Test::HasFailure()) return;
            }
            EXPECT_GT(calls, 20U) << "too few calls to have been the store's";
        }
}

TEST(SqliteDisk, KeepsWhatWasConfirmedWhateverCallFails) {
    constexpr std::array kCalls{DiskCall::kRead,         DiskCall::kWrite, DiskCall::kSync,
                                DiskCall::kTruncate,     DiskCall::kOpen,  DiskCall::kRemove,
                                DiskCall::kSyncDirectory};
    for (const DiskCall call : kCalls)
        for (const Errc code : {Errc::kIoError, Errc::kNoSpace, Errc::kTooManyOpenFiles})
            for (const bool also_later : {false, true}) {
                if (code == Errc::kTooManyOpenFiles && call != DiskCall::kOpen) continue;
                for (std::uint64_t nth = 1;; ++nth) {
                    SCOPED_TRACE("call " + std::to_string(static_cast<int>(call)) + ", " +
                                 std::to_string(nth) + (also_later ? " and later" : ""));
                    const auto disk = fresh_disk(nth);
                    const std::uint64_t before = disk->calls(call);
                    disk->fail(call, nth, code, also_later);
                    const std::set<int> confirmed = make_topics(*disk);
                    const bool has_struck = disk->calls(call) >= before + nth;
                    disk->crash(Survival::kRandom);
                    expect_kept(*disk, confirmed);
                    if (::testing::Test::HasFailure()) return;
                    if (!has_struck) break;
                }
            }
}

TEST(SqliteDisk, AcceptsCommitsAgainWhenThereIsRoomAgain) {
    const auto disk = fresh_disk(1);
    EXPECT_EQ(make_topics(*disk).size(), static_cast<std::size_t>(kCommits));
    auto store = open_sqlite_store(*disk, kPath, "c");
    ASSERT_OK(store);
    Controller controller{*Image::make(*(*store)->load(), {}),
                          [n = std::uint64_t{99}]() mutable { return ++n * 0x9E3779B97F4A7C15; }};
    std::vector<NewTopic> topics(1);
    topics[0].name = "late";
    std::vector<Delta> deltas;
    controller.create_topics(topics, false, deltas);
    disk->fail(DiskCall::kWrite, 1, Errc::kNoSpace, true);
    EXPECT_ERRC((*store)->commit(deltas), Errc::kNoSpace);
    disk->heal();
    EXPECT_OK((*store)->commit(deltas));
}

TEST(SqliteDisk, DeletesTopicsWhereNothingElseHasRoom) {
    const auto disk = fresh_disk(1);
    auto store = open_sqlite_store(*disk, kPath, "c");
    ASSERT_OK(store);
    Controller controller{*Image::make(*(*store)->load(), {}),
                          [n = std::uint64_t{99}]() mutable { return ++n * 0x9E3779B97F4A7C15; }};
    const auto create = [&](int number) {
        std::vector<NewTopic> topics(1);
        topics[0].name = "t" + std::to_string(number);
        for (const char* setting : {"retention.ms", "segment.bytes", "segment.ms"})
            topics[0].settings.emplace_back(setting, "10000000");
        std::vector<Delta> deltas;
        controller.create_topics(topics, false, deltas);
        EXPECT_FALSE(deltas.empty());
        return (*store)->commit(deltas);
    };
    int count = 0;
    while (count < 100) ASSERT_OK(create(count++));
    disk->set_capacity(disk->space("/")->total_bytes - disk->space("/")->usable_bytes);
    // Whoever creates topics until it does not go any more must not take that room too.
    Result<void> created;
    while (count < 5000 && created) created = create(count++);
    EXPECT_ERRC(created, Errc::kNoSpace);
    for (int number = 0; number < 20; ++number) {
        const std::string name = "t" + std::to_string(number);
        std::vector<Delta> deltas;
        const TopicRef gone{.name = name, .id = {}};
        controller.delete_topics({&gone, 1}, deltas);
        ASSERT_EQ(deltas.size(), 1U);
        ASSERT_OK((*store)->commit(deltas)) << name;
    }
    disk->crash(Survival::kNothing);
    store->reset();
    store = open_sqlite_store(*disk, kPath, "c");
    ASSERT_OK(store);
    const auto state = (*store)->load();
    ASSERT_OK(state);
    EXPECT_EQ(state->topics.size(), static_cast<std::size_t>(count) - 1 - 20);
}

TEST(SqliteDisk, RefusesASecondUser) {
    const auto disk = fresh_disk(1);
    auto first = open_sqlite_store(*disk, kPath, "c");
    ASSERT_OK(first);
    EXPECT_ERRC(open_sqlite_store(*disk, kPath, "c"), Errc::kDataDirInUse);
    first->reset();
    EXPECT_OK(open_sqlite_store(*disk, kPath, "c"));
}

}  // namespace
}  // namespace leat::metadata
