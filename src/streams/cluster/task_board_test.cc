// SPDX-License-Identifier: Apache-2.0
//
// Threads by hand: who is told what, and when.
#include "streams/cluster/task_board.h"

#include <gtest/gtest.h>

namespace leat::streams {
namespace {

using Tasks = std::set<TaskId>;

TEST(TaskBoard, LaysTasksOutOverThreads) {
    TaskBoard board;
    board.add_thread(1);
    board.add_thread(2);
    board.set_wanted({.active = {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, .standby = {}}, {});
    EXPECT_EQ(board.take(1).active.size(), 2U);
    EXPECT_EQ(board.take(2).active.size(), 2U);
    EXPECT_FALSE(board.has_news(1));
}

TEST(TaskBoard, IsSettledOnceUnwantedTasksAreReleased) {
    TaskBoard board;
    board.add_thread(1);
    board.set_wanted({.active = {{0, 0}, {0, 1}}, .standby = {}}, {});
    EXPECT_EQ(board.take(1).active, (Tasks{{0, 0}, {0, 1}}));
    board.set_wanted({.active = {{0, 1}}, .standby = {}}, {});
    EXPECT_TRUE(board.has_news(1));
    EXPECT_EQ(board.take(1).active, (Tasks{{0, 1}}));
    EXPECT_FALSE(board.is_settled());
    EXPECT_TRUE(board.held().active.contains({0, 0}));
    board.released(1, {0, 0});
    EXPECT_TRUE(board.is_settled());
    EXPECT_EQ(board.held().active, (Tasks{{0, 1}}));
}

TEST(TaskBoard, GivesATaskToAnotherThreadOnlyWhenTheFirstLetGo) {
    TaskBoard board;
    board.add_thread(1);
    board.set_wanted({.active = {{0, 0}, {0, 1}}, .standby = {}}, {});
    static_cast<void>(board.take(1));
    board.add_thread(2);
    EXPECT_EQ(board.take(1).active, (Tasks{{0, 0}}));
    EXPECT_TRUE(board.take(2).active.empty());
    board.released(1, {0, 1});
    EXPECT_EQ(board.take(2).active, (Tasks{{0, 1}}));
}

TEST(TaskBoard, RetiredThreadGivesEverythingUp) {
    TaskBoard board;
    board.add_thread(1);
    board.add_thread(2);
    board.set_wanted({.active = {{0, 0}, {0, 1}}, .standby = {}}, {});
    board.retire_thread(2);
    EXPECT_TRUE(board.take(2).active.empty());
    board.thread_gone(2);
    EXPECT_EQ(board.take(1).active, (Tasks{{0, 0}, {0, 1}}));
    EXPECT_EQ(board.held().threads, 1);
}

TEST(TaskBoard, ThreadsOnTheirWayCountAsCapacity) {
    TaskBoard board;
    board.expect_thread(1);
    board.expect_thread(2);
    EXPECT_EQ(board.held().threads, 2);
    board.add_thread(1);
    EXPECT_EQ(board.held().threads, 2);
    board.thread_gone(2);  // It could not open its clients.
    EXPECT_EQ(board.held().threads, 1);
    board.expect_thread(3);
    board.retire_thread(3);
    EXPECT_EQ(board.held().threads, 1);
}

TEST(TaskBoard, ThreadThatDiedLeavesItsTasksToTheOthers) {
    TaskBoard board;
    board.add_thread(1);
    board.set_wanted({.active = {{0, 0}}, .standby = {}}, {});
    board.thread_gone(1);
    board.add_thread(1);
    EXPECT_EQ(board.take(1).active, (Tasks{{0, 0}}));
}

TEST(TaskBoard, TellsHowFarItsOwnTasksAreAndNoOthers) {
    using Lags = std::map<TaskId, std::int64_t>;
    TaskBoard board;
    board.add_thread(1);
    board.set_wanted({.active = {{0, 0}}, .standby = {{0, 1}}}, {});
    board.note_lag({0, 0}, 0);
    board.note_lag({0, 1}, 7);
    EXPECT_EQ(board.held().lags, (Lags{{{0, 0}, 0}, {{0, 1}, 7}}));
    board.set_wanted({.active = {{0, 0}}, .standby = {}}, {});
    EXPECT_EQ(board.held().lags, (Lags{{{0, 0}, 0}, {{0, 1}, 7}})) << "it is still being closed";
    board.thread_gone(1);
    EXPECT_EQ(board.held().lags, Lags{});
    board.add_thread(2);
    ASSERT_EQ(board.take(2).active, (Tasks{{0, 0}}));
    EXPECT_EQ(board.held().lags, Lags{}) << "it is begun anew";
    board.note_lag({0, 0}, 3);
    board.abandon_thread(2);
    board.note_lag({0, 0}, 2);  // A thread that hangs has others that restore for it.
    EXPECT_EQ(board.held().lags, Lags{});
}

TEST(TaskBoard, WhatAThreadThatDoesNotGetOnHasGoesToOthersAtOnce) {
    TaskBoard board;
    board.add_thread(1);
    board.add_thread(2);
    board.set_wanted({.active = {{0, 0}, {0, 1}}, .standby = {}}, {});
    const Tasks its = board.take(1).active;
    ASSERT_EQ(its.size(), 1U);
    board.abandon_thread(1);
    EXPECT_TRUE(board.is_settled()) << "nobody waits for it";
    EXPECT_EQ(board.take(2).active, (Tasks{{0, 0}, {0, 1}}));
    EXPECT_EQ(board.held().threads, 1);
    EXPECT_FALSE(board.has_no_thread());
    EXPECT_TRUE(board.is_lost(1)) << "it must not commit";
    // It hears of it when it asks, and only then has something again.
    board.take_thread_back(1);
    const auto orders = board.take(1);
    EXPECT_TRUE(orders.lost);
    EXPECT_FALSE(board.is_lost(1));
    EXPECT_EQ(board.held().threads, 2);
    const Tasks closing = board.take(2).closing;
    ASSERT_EQ(closing.size(), 1U) << "the other one gives a part back";
    board.released(2, *closing.begin());
    EXPECT_EQ(board.take(1).active, closing);
}

TEST(TaskBoard, WithoutAThreadThatGetsOnThereIsNone) {
    TaskBoard board;
    EXPECT_TRUE(board.has_no_thread());
    board.expect_thread(1);
    EXPECT_FALSE(board.has_no_thread());
    board.add_thread(1);
    board.set_wanted({.active = {{0, 0}}, .standby = {}}, {});
    static_cast<void>(board.take(1));
    board.abandon_thread(1);
    EXPECT_TRUE(board.has_no_thread());
    EXPECT_TRUE(board.held().active.empty()) << "it is not claimed either";
}

TEST(TaskBoard, FollowerRunsItsTaskOnTheSameThread) {
    TaskBoard board;
    board.add_thread(1);
    board.add_thread(2);
    board.set_wanted({.active = {{0, 0}}, .standby = {{0, 1}}}, {});
    const int follower = board.take(1).standby.empty() ? 2 : 1;
    static_cast<void>(board.take(2));
    board.set_wanted({.active = {{0, 1}}, .standby = {}}, {});
    EXPECT_EQ(board.take(follower).active, (Tasks{{0, 1}}));
}

TEST(TaskBoard, LossIsToldAndHandsOutNothing) {
    TaskBoard board;
    board.add_thread(1);
    board.set_wanted({.active = {{0, 0}}, .standby = {}}, {});
    static_cast<void>(board.take(1));
    board.lose_all();
    EXPECT_TRUE(board.is_lost(1));
    const TaskBoard::Orders orders = board.take(1);
    EXPECT_TRUE(orders.lost);
    EXPECT_TRUE(orders.active.empty());
    EXPECT_FALSE(board.is_settled());
    board.released(1, {0, 0});
    EXPECT_TRUE(board.is_settled());
}

TEST(TaskBoard, OrdersNameWhatTheBoardWaitsFor) {
    TaskBoard board;
    board.add_thread(1);
    board.add_thread(2);
    board.set_wanted({.active = {{0, 0}, {0, 1}}, .standby = {}}, {});
    const TaskId first = *board.take(1).active.begin();
    static_cast<void>(board.take(2));
    board.set_wanted({}, {});
    EXPECT_EQ(board.take(1).closing, (Tasks{first}));
    // Asked again it says so again: the thread may have lost the task in between.
    EXPECT_EQ(board.take(1).closing, (Tasks{first}));
    board.released(1, first);
    EXPECT_TRUE(board.take(1).closing.empty());
    EXPECT_FALSE(board.is_settled());
}

TEST(TaskBoard, HasNewsUntilEachThreadTookItsOrders) {
    TaskBoard board;
    board.add_thread(1);
    board.add_thread(2);
    board.set_wanted({.active = {{0, 0}, {0, 1}}, .standby = {}}, {});
    static_cast<void>(board.take(1));
    EXPECT_TRUE(board.has_any_news());
    static_cast<void>(board.take(2));
    EXPECT_FALSE(board.has_any_news());
}

TEST(TaskBoard, FollowerThatClosesClaimsNothing) {
    TaskBoard board;
    board.add_thread(1);
    board.set_wanted({.active = {{0, 0}}, .standby = {{0, 1}}}, {});
    static_cast<void>(board.take(1));
    board.set_wanted({}, {});
    EXPECT_FALSE(board.is_settled());
    EXPECT_EQ(board.held().active, (Tasks{{0, 0}}));
    EXPECT_TRUE(board.held().standby.empty());
}

TEST(TaskBoard, LossReachesAThreadThatStillCloses) {
    TaskBoard board;
    board.add_thread(1);
    board.set_wanted({.active = {{0, 0}}, .standby = {}}, {});
    board.set_wanted({}, {});
    static_cast<void>(board.take(1));
    board.lose_all();
    EXPECT_TRUE(board.is_lost(1));
}

TEST(TaskBoard, FollowersThatCloseDoNotKeepTasksFromALaterThread) {
    TaskBoard board;
    board.add_thread(1);
    board.set_wanted({.active = {{0, 0}, {0, 1}}, .standby = {{1, 0}, {1, 1}}}, {});
    static_cast<void>(board.take(1));
    board.set_wanted({.active = {{0, 0}, {0, 1}}, .standby = {}}, {});
    board.add_thread(2);
    EXPECT_EQ(board.take(1).active, (Tasks{{0, 0}}));
}

TEST(TaskBoard, OtherInputsOfTheSameTasksAreNews) {
    TaskBoard board;
    board.add_thread(1);
    board.set_wanted({.active = {{0, 0}}, .standby = {}}, {{"a", 0}});
    EXPECT_EQ(board.take(1).partitions.size(), 1U);
    board.set_wanted({.active = {{0, 0}}, .standby = {}}, {{"a", 0}});
    EXPECT_FALSE(board.has_news(1));
    board.set_wanted({.active = {{0, 0}}, .standby = {}}, {{"a", 0}, {"b", 0}});
    EXPECT_TRUE(board.has_news(1));
    EXPECT_EQ(board.take(1).partitions.size(), 2U);
}

TEST(TaskBoard, ATaskWithoutAThreadIsNews) {
    TaskBoard board;
    EXPECT_FALSE(board.has_any_news());
    board.set_wanted({.active = {{0, 0}}, .standby = {}}, {{"a", 0}});
    EXPECT_TRUE(board.has_any_news());
    board.add_thread(1);
    EXPECT_TRUE(board.has_any_news());
    EXPECT_EQ(board.take(1).active.size(), 1U);
    EXPECT_FALSE(board.has_any_news());
}

}  // namespace
}  // namespace leat::streams
