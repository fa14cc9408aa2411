// SPDX-License-Identifier: Apache-2.0
//
// Groups by hand, and rounds of the protocol as members would play them.
#include "streams/task_assignor.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace leat::streams {
namespace {

using Members = std::map<std::string, MemberState>;

std::map<TaskId, bool> tasks(int count, bool stateful) {
    std::map<TaskId, bool> out;
    for (int i = 0; i < count; ++i) out[{0, i}] = stateful;
    return out;
}

/// Members do as they are told, round by round, until nothing changes.
int play(const std::map<TaskId, bool>& all, Members& members, const AssignorOptions& options) {
    for (int round = 1; round < 20; ++round) {
        const Plan plan = assign_tasks(all, members, options);
        for (auto& [id, member] : members) {
            member.active = plan.shares.at(id).active;
            member.standby = plan.shares.at(id).standby;
            for (const TaskId& task : member.standby) member.lags[task] = 0;
            for (const TaskId& task : member.active) member.lags[task] = 0;
        }
        if (!plan.moves && !plan.warms_up) return round;
    }
    return -1;
}

TEST(TaskAssignor, GivesEveryTaskOnce) {
    Members members{{"a", {}}, {"b", {}}, {"c", {}}};
    const Plan plan = assign_tasks(tasks(10, false), members, {});
    std::set<TaskId> seen;
    for (const auto& [id, share] : plan.shares) {
        EXPECT_GE(share.active.size(), 3U);
        EXPECT_LE(share.active.size(), 4U);
        for (const TaskId& task : share.active) EXPECT_TRUE(seen.insert(task).second);
    }
    EXPECT_EQ(seen.size(), 10U);
}

TEST(TaskAssignor, LeavesTasksWhereTheyAre) {
    Members members{{"a", {}}, {"b", {}}};
    members["a"].active = {{0, 1}, {0, 3}};
    members["b"].active = {{0, 0}, {0, 2}};
    const Plan plan = assign_tasks(tasks(4, true), members, {});
    EXPECT_EQ(plan.shares.at("a").active, members["a"].active);
    EXPECT_EQ(plan.shares.at("b").active, members["b"].active);
    EXPECT_FALSE(plan.moves);
}

TEST(TaskAssignor, WithholdsWhatMovesUntilItWasGivenUp) {
    Members members{{"a", {}}, {"b", {}}};
    members["a"].active = {{0, 0}, {0, 1}, {0, 2}, {0, 3}};
    const Plan first = assign_tasks(tasks(4, false), members, {});
    EXPECT_TRUE(first.moves);
    EXPECT_EQ(first.shares.at("a").active.size(), 2U);
    EXPECT_TRUE(first.shares.at("b").active.empty());
    EXPECT_EQ(play(tasks(4, false), members, {}), 2);
    EXPECT_EQ(members["b"].active.size(), 2U);
}

TEST(TaskAssignor, BalancesByThreads) {
    Members members{{"a", {}}, {"b", {}}};
    members["a"].threads = 3;
    const Plan plan = assign_tasks(tasks(8, false), members, {});
    EXPECT_EQ(plan.shares.at("a").active.size(), 6U);
    EXPECT_EQ(plan.shares.at("b").active.size(), 2U);
}

TEST(TaskAssignor, WarmsUpStateBeforeItMoves) {
    Members members{{"a", {}}, {"b", {}}};
    for (int i = 0; i < 4; ++i) {
        members["a"].active.insert({0, i});
        members["a"].lags[{0, i}] = 0;
    }
    const Plan first = assign_tasks(tasks(4, true), members, {});
    EXPECT_TRUE(first.warms_up);
    EXPECT_FALSE(first.moves);
    EXPECT_EQ(first.shares.at("a").active.size(), 4U);
    EXPECT_EQ(first.shares.at("b").standby.size(), 2U);
    EXPECT_GT(play(tasks(4, true), members, {}), 2);
    EXPECT_EQ(members["a"].active.size(), 2U);
    EXPECT_EQ(members["b"].active.size(), 2U);
}

TEST(TaskAssignor, GivesTheTaskOfALostMemberToItsStandby) {
    Members members{{"b", {}}, {"c", {}}};
    members["c"].standby = {{0, 0}};
    members["c"].lags[{0, 0}] = 5;
    const Plan plan = assign_tasks({{{0, 0}, true}}, members, {.standbys = 1});
    EXPECT_EQ(plan.shares.at("c").active, (std::set<TaskId>{{0, 0}}));
    EXPECT_EQ(plan.shares.at("b").standby, (std::set<TaskId>{{0, 0}}));
}

TEST(TaskAssignor, KeepsStandbysApartFromActiveTasks) {
    Members members{{"a", {}}, {"b", {}}, {"c", {}}};
    const Plan plan = assign_tasks(tasks(9, true), members, {.standbys = 2});
    std::map<TaskId, int> copies;
    for (const auto& [id, share] : plan.shares)
        for (const TaskId& task : share.standby) {
            EXPECT_FALSE(share.active.contains(task));
            ++copies[task];
        }
    EXPECT_EQ(copies.size(), 9U);
    for (const auto& [task, count] : copies) EXPECT_EQ(count, 2);
}

TEST(TaskAssignor, GivesNothingWithoutMembers) {
    EXPECT_TRUE(assign_tasks(tasks(3, true), {}, {}).shares.empty());
}

TEST(TaskAssignor, AMemberThatComesBackGetsTheTasksWhoseStateItHas) {
    Members members{{"a", {}}, {"b", {}}};
    for (int i = 0; i < 4; ++i) {
        members["a"].active.insert({0, i});
        members["a"].lags[{0, i}] = 0;
    }
    // By their order the last two would move, and be followed first.
    members["b"].lags[{0, 0}] = 10;
    members["b"].lags[{0, 2}] = 20;
    EXPECT_EQ(play(tasks(4, true), members, {.acceptable_lag = 100}), 2);
    EXPECT_EQ(members["b"].active, (std::set<TaskId>{{0, 0}, {0, 2}}));
}

TEST(TaskAssignor, TasksWithStateAreSpreadByThemselves) {
    std::map<TaskId, bool> all = tasks(4, false);
    for (int i = 0; i < 4; ++i) all[{1, i}] = true;
    Members members{{"a", {}}, {"b", {}}};
    for (const auto& [task, is_stateful] : all) members["a"].active.insert(task);
    for (int i = 0; i < 4; ++i) members["a"].lags[{1, i}] = 0;
    EXPECT_GT(play(all, members, {}), 1);
    for (const auto& [id, member] : members) {
        EXPECT_EQ(member.active.size(), 4U) << id;
        EXPECT_EQ(std::ranges::count(member.active, 1, &TaskId::subtopology), 2) << id;
    }
}

}  // namespace
}  // namespace leat::streams
