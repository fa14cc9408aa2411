// SPDX-License-Identifier: Apache-2.0
//
// Tasks and changelogs by hand, the thread is the real one: each step is waited for.
#include "streams/cluster/state_updater.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/builder.h"
#include "rt/posix_disk.h"
#include "streams/cluster/testing/fake_clients.h"
#include "streams/state/temp_folder.h"

namespace leat::streams {
namespace {

namespace fs = std::filesystem;
using std::string;
using testing_logs::FakeClients;
using testing_logs::FakeClock;
using testing_logs::FakeLogs;

const TaskId kTask{0, 0};
const std::vector<client::TopicPartition> kInputs{{"in", 0}};
const client::TopicPartition kChangelog{"app-rows-changelog", 0};

Topology with_count() {
    Builder b;
    b.stream<string, string>("in").group_by_key().count({.store = "rows"});
    return *b.build();
}

/// Its store reads what it has while it is restored.
Topology with_versions() {
    Builder b;
    b.table<string, string>("in", {}, {.store = "rows", .history = Duration{60'000}})
        .to_stream()
        .to("out");
    return *b.build();
}

/// Throws at the call of that name.
class ThrowsAt final : public RestoreListener {
  public:
    explicit ThrowsAt(string call) : call_(std::move(call)) {}
    void on_restore_start(const RestoringStore& /*of*/, std::int64_t /*start*/,
                          std::int64_t /*end*/) override {
        blow("start");
    }
    void on_batch_restored(const RestoringStore& /*of*/, std::int64_t /*next*/,
                           std::int64_t /*restored*/) override {
        blow("batch");
    }
    void on_restore_end(const RestoringStore& /*of*/, std::int64_t /*restored*/) override {
        blow("end");
    }
    void on_restore_suspended(const RestoringStore& /*of*/, std::int64_t /*restored*/) override {
        blow("suspended");
    }

  private:
    void blow(const string& call) const {
        if (call == call_)
            throw std::runtime_error(call);  // tidy: right here, a user's function may throw.
    }
    string call_;
};

/// An updater and all that it needs.
struct Bench {
    explicit Bench(Topology of = with_count())
        : topology(std::move(of)),
          layout(topology.parts(), "app"),
          globals(topology.parts(), "app", handlers, clock) {
        settings.application_id = "app";
        settings.cache_bytes = 1'000'000;
        auto opened = detail::StateHome::open(disk, clock,
                                              {.state_dir = folder.path(),
                                               .application_id = "app",
                                               .fresh_id = "00000000-0000-0000-0000-000000000000",
                                               .persistent = true});
        EXPECT_TRUE(opened);
        states = *std::move(opened);
        auto made = std::make_unique<FakeClients>(logs);
        clients = made.get();
        updater = std::make_unique<StateUpdater>(
            StateUpdater::Environment{.settings = &settings,
                                      .clock = &clock,
                                      .board = &board,
                                      .desk = &desk,
                                      .paused = &paused,
                                      .index = 1,
                                      .on_news =
                                          [this] {
                                              const std::lock_guard lock{mutex};
                                              ++news;
                                              told.notify_all();
                                          }},
            std::move(made));
        updater->start();
    }
    void add(bool is_active) {
        TaskEnvironment environment;
        environment.settings = &settings;
        environment.parts = &topology.parts();
        environment.layout = &layout;
        environment.clock = &clock;
        environment.handlers = &handlers;
        environment.globals = &globals;
        environment.cluster = updater->changelogs();
        environment.states = states.get();
        environment.listener = listener.get();
        updater->add(std::make_unique<LiveTask>(kTask, kInputs, std::move(environment)), is_active,
                     kInputs);
    }
    /// The one task that is restored.
    std::unique_ptr<LiveTask> restored() {
        {
            std::unique_lock lock{mutex};
            told.wait(lock, [&] { return news > 0; });
            --news;
        }
        EXPECT_TRUE(updater->has_news());
        auto tasks = updater->take_restored();
        EXPECT_EQ(tasks.size(), 1U);
        return tasks.empty() ? nullptr : std::move(tasks.front());
    }
    std::unique_ptr<LiveTask> take() {
        auto tasks = updater->take({kTask});
        return tasks.empty() ? nullptr : std::move(tasks.front());
    }
    void fill(int rows) {
        for (int i = 0; i < rows; ++i)
            logs.append(kChangelog, "k" + std::to_string(i), "v" + std::to_string(i));
    }
    /// What a copy answers.
    string ask(const string& key) {
        const auto answers = desk.ask("rows", {.key = key}, {});
        if (answers.size() != 1 || answers.front().failure) return "no answer";
        return answers.front().rows.empty() ? "nothing" : answers.front().rows.front().value;
    }

    detail::TempFolder folder;
    rt::PosixDisk disk;
    FakeClock clock;
    Topology topology;
    Settings settings;
    Layout layout;
    ErrorHandlers handlers;
    GlobalState globals;
    std::unique_ptr<detail::StateHome> states;
    TaskBoard board;
    detail::QueryDesk desk;
    std::atomic<bool> paused = false;
    FakeLogs logs;
    std::mutex mutex;
    std::condition_variable told;
    int news = 0;
    FakeClients* clients = nullptr;
    std::unique_ptr<RestoreListener> listener;
    std::unique_ptr<StateUpdater> updater;
};

std::int64_t next_of(const LiveTask& task) {
    return task.changelogs().marks().front()->next;
}

TEST(StateUpdater, RestoresWhatIsToRunAndHandsItOver) {
    Bench bench;
    bench.fill(5'000);
    bench.add(true);
    const auto task = bench.restored();
    ASSERT_NE(task, nullptr);
    EXPECT_TRUE(task->is_active());
    EXPECT_EQ(next_of(*task), 5'000);
    EXPECT_EQ(task->inputs(), kInputs);
    EXPECT_FALSE(bench.logs.is_read(kChangelog));
    EXPECT_FALSE(bench.updater->has_news());
    EXPECT_EQ(bench.take(), nullptr) << "it is not there any more";
    task->close();
}

TEST(StateUpdater, TaskHoldsUpdatesBackUnlessThereIsNoCache) {
    const auto holds_back = [](std::int64_t cache_bytes) {
        Bench bench;
        bench.settings.cache_bytes = cache_bytes;
        bench.add(true);
        const auto task = bench.restored();
        return task != nullptr && task->store("rows").forward_on_flush({}, false);
    };
    EXPECT_TRUE(holds_back(1));
    EXPECT_FALSE(holds_back(0));
}

TEST(StateUpdater, CopyFollowsUntilItIsToRun) {
    Bench bench;
    bench.fill(10);
    bench.add(false);
    bench.clients->settle();
    EXPECT_FALSE(bench.updater->has_news());
    EXPECT_EQ(bench.ask("k3"), "v3");
    bench.logs.append(kChangelog, "k3", "new");
    bench.clients->settle();
    EXPECT_EQ(bench.ask("k3"), "new") << "what was read is not remembered";
    bench.updater->promote(kTask, kInputs);
    const auto task = bench.restored();
    ASSERT_NE(task, nullptr);
    EXPECT_TRUE(task->is_active());
    EXPECT_EQ(next_of(*task), 11);
    task->close();
}

TEST(StateUpdater, CopyTellsWhatOfItsInputIsInIt) {
    Bench bench;
    const auto ask = [&](std::int64_t at_least) {
        const auto answers =
            bench.desk.ask("rows", {.key = "k3"}, {.at_least = {{"in", {{0, at_least}}}}});
        return answers.size() == 1 && !answers.front().failure
                   ? answers.front().position
                   : Position{{answers.empty() ? "none" : name_of(*answers.front().failure), {}}};
    };
    const Position behind{{"NOT_UP_TO_BOUND", {}}};
    const auto pass_time = [&] {
        bench.clock.advance(std::chrono::seconds{10});
        bench.clients->settle();
    };
    bench.fill(10);
    bench.clients->commit({"in", 0}, 7);
    bench.clients->commit({"in", 1}, 99);
    bench.clients->commit({"other", 0}, 99);
    bench.add(false);
    bench.clients->settle();
    pass_time();
    EXPECT_EQ(ask(6), (Position{{"in", {{0, 6}}}}));
    EXPECT_EQ(ask(7), behind);
    // More is committed, and its changes are in the changelog before that is known.
    bench.fill(5);
    bench.clients->commit({"in", 0}, 9);
    bench.clients->settle();
    EXPECT_EQ(ask(8), behind);
    pass_time();
    EXPECT_EQ(ask(8), (Position{{"in", {{0, 8}}}}));
    // It does not take in anything, so it does not get there either.
    bench.paused = true;
    bench.fill(1);
    bench.clients->commit({"in", 0}, 10);
    pass_time();
    EXPECT_EQ(ask(9), behind);
    bench.paused = false;
    pass_time();
    EXPECT_EQ(ask(9), (Position{{"in", {{0, 9}}}}));
}

TEST(StateUpdater, WhatIsTakenReadsNothingAnyMore) {
    Bench bench;
    bench.add(false);
    bench.clients->settle();
    EXPECT_TRUE(bench.logs.is_read(kChangelog));
    const auto task = bench.take();
    ASSERT_NE(task, nullptr);
    EXPECT_FALSE(bench.logs.is_read(kChangelog));
    EXPECT_EQ(bench.ask("k0"), "no answer");
    task->close();
    // Also before it was looked at, and behind its end.
    bench.add(true);
    const auto again = bench.take();
    ASSERT_NE(again, nullptr);
    again->close();
    bench.add(true);
    bench.clients->settle();
    const auto restored = bench.take();
    ASSERT_NE(restored, nullptr);
    EXPECT_TRUE(bench.updater->take_restored().empty());
    restored->close();
}

TEST(StateUpdater, TellsWhereStoresStandAndHowFarTheyAreBehind) {
    Bench bench;
    bench.fill(10);
    bench.paused = true;
    bench.board.add_thread(1);
    bench.board.set_wanted({.active = {kTask}, .standby = {}}, {});
    bench.add(true);
    bench.clients->settle();
    EXPECT_EQ(bench.board.held().lags.at(kTask), 10);
    ThreadMetadata told;
    bench.updater->tell(told);
    ASSERT_EQ(told.active.size(), 1U);
    EXPECT_EQ(told.active.front().task_id, "0_0");
    EXPECT_FALSE(told.active.front().is_running);
    EXPECT_TRUE(told.standby.empty());
}

TEST(StateUpdater, PausedRestoresNothing) {
    Bench bench;
    bench.fill(10);
    bench.paused = true;
    bench.add(true);
    bench.clients->settle();
    EXPECT_FALSE(bench.updater->has_news());
    bench.paused = false;
    bench.clients->settle();
    const auto task = bench.restored();
    ASSERT_NE(task, nullptr);
    task->close();
}

TEST(StateUpdater, WhatMayPassIsTriedAgain) {
    Bench bench;
    bench.fill(10);
    bench.clients->refuse(Errc::kCoordinatorLoadInProgress, 1);
    bench.logs.refuse(Errc::kNotLeaderOrFollower, 1);
    bench.add(true);
    bench.clients->settle();
    EXPECT_FALSE(bench.updater->has_news());
    for (int i = 0; i < 2; ++i) {
        bench.clock.advance(milliseconds{200});
        bench.clients->settle();
    }
    const auto task = bench.restored();
    ASSERT_NE(task, nullptr);
    EXPECT_EQ(next_of(*task), 10);
    task->close();
}

TEST(StateUpdater, WhatDoesNotPassIsToldAndTasksCanBeTaken) {
    Bench bench;
    bench.clients->refuse(Errc::kGroupAuthorizationFailed, 1'000);
    bench.add(true);
    {
        std::unique_lock lock{bench.mutex};
        bench.told.wait(lock, [&] { return bench.news > 0; });
    }
    ASSERT_TRUE(bench.updater->failure());
    EXPECT_EQ(bench.updater->failure()->code(), Errc::kGroupAuthorizationFailed);
    EXPECT_TRUE(bench.updater->take_restored().empty());
    EXPECT_TRUE(bench.updater->has_news());
    const auto task = bench.take();
    ASSERT_NE(task, nullptr);
    task->close();
}

TEST(StateUpdater, WhatMayPassFailsWhenItLasts) {
    Bench bench;
    bench.settings.task_timeout = milliseconds{1'000};
    bench.clients->refuse(Errc::kCoordinatorLoadInProgress, 1'000);
    bench.add(true);
    bench.clients->settle();
    EXPECT_FALSE(bench.updater->failure());
    bench.clock.advance(milliseconds{2'000});
    bench.clients->wake();
    {
        std::unique_lock lock{bench.mutex};
        bench.told.wait(lock, [&] { return bench.news > 0; });
    }
    EXPECT_TRUE(bench.updater->failure());
}

TEST(StateUpdater, DamagedStateIsRestoredWholeInPlace) {
    Bench bench{with_versions()};
    for (int i = 0; i < 1'000; ++i)
        bench.logs.append(kChangelog, "k" + std::to_string(i), string(100, 'v'));
    bench.add(true);
    auto task = bench.restored();
    ASSERT_NE(task, nullptr);
    task->close();
    task.reset();
    int files = 0;
    for (const auto& entry : fs::directory_iterator(bench.folder.path() + "/app/0_0/rocksdb")) {
        if (entry.path().extension() != ".sst") continue;
        std::fstream file{entry.path(), std::ios::in | std::ios::out | std::ios::binary};
        // Not what is read at the start, at either end.
        for (int at = 8'000; at < 60'000; at += 2'000) {
            file.seekp(at);
            file.write("damage", 6);
        }
        ++files;
    }
    ASSERT_GT(files, 0);
    for (int i = 0; i < 1'000; ++i) bench.logs.append(kChangelog, "k" + std::to_string(i), "new");
    bench.add(true);
    task = bench.restored();
    ASSERT_NE(task, nullptr);
    EXPECT_FALSE(task->is_damaged());
    EXPECT_EQ(next_of(*task), 2'000);
    EXPECT_EQ(task->changelogs().restored(), 2'000) << "all of it, not the tail";
    task->close();
}

TEST(StateUpdater, AListenerThatThrowsEndsIt) {
    for (const string& call : {string{"start"}, string{"batch"}, string{"end"}}) {
        Bench bench;
        bench.listener = std::make_unique<ThrowsAt>(call);
        bench.fill(10);
        bench.add(true);
        {
            std::unique_lock lock{bench.mutex};
            bench.told.wait(lock, [&] { return bench.news > 0; });
        }
        const auto why = bench.updater->failure();
        ASSERT_TRUE(why) << call;
        EXPECT_EQ(why->detail(), "the listener of restores: " + call);
    }
}

TEST(StateUpdater, AListenerThatThrowsAtTheEndOfATaskIsLoggedAlone) {
    Bench bench;
    bench.listener = std::make_unique<ThrowsAt>("suspended");
    bench.fill(10);
    bench.paused = true;
    bench.add(true);
    bench.clients->settle();
    const auto task = bench.take();
    ASSERT_NE(task, nullptr);
    EXPECT_FALSE(bench.updater->failure());
    task->close();
}

TEST(StateUpdater, EndsWithTasksThatAreStillThere) {
    Bench bench;
    bench.fill(10);
    bench.add(false);
    bench.clients->settle();
    bench.updater.reset();
    EXPECT_FALSE(bench.logs.is_read(kChangelog));
    EXPECT_EQ(bench.ask("k3"), "no answer");
}

}  // namespace
}  // namespace leat::streams
