// SPDX-License-Identifier: Apache-2.0
//
// Groups by hand, and rounds of the protocol as members would play them.
#include "streams/cluster/task_assignor.h"

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

TEST(TaskAssignor, TheTaskOfALostMemberDoesNotLeaveItsStandbyForBalance) {
    Members members{{"a", {}}, {"b", {}}, {"c", {}}};
    members["a"].active = {{0, 1}};
    members["b"].active = {{0, 2}, {0, 3}};
    for (auto& [id, member] : members)
        for (const TaskId& task : member.active) member.lags[task] = 0;
    members["a"].standby = {{0, 0}};
    members["a"].lags[{0, 0}] = 0;
    const Plan first = assign_tasks(tasks(4, true), members, {});
    EXPECT_TRUE(first.warms_up);
    EXPECT_TRUE(first.shares.at("a").active.contains({0, 0}));
    EXPECT_EQ(first.shares.at("c").standby, (std::set<TaskId>{{0, 0}}));
    EXPECT_GT(play(tasks(4, true), members, {}), 2);
    EXPECT_EQ(members["c"].active, (std::set<TaskId>{{0, 0}}));
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

/// Members in a zone and a cluster each.
Members in_zones(const std::vector<std::pair<std::string, std::string>>& zones_and_clusters) {
    Members out;
    for (const auto& [zone, cluster] : zones_and_clusters) {
        MemberState& member = out[zone + cluster];
        member.tags = {{"zone", zone}, {"cluster", cluster}};
    }
    return out;
}
const AssignorOptions kSpread{.standbys = 1, .racks = {.tags = {"zone", "cluster"}}};

/// Who has a copy of the task, the active one first.
std::vector<std::string> copies_of(const Plan& plan, const TaskId& task) {
    std::vector<std::string> out;
    for (const auto& [id, share] : plan.shares) {
        if (share.active.contains(task)) out.insert(out.begin(), id);
        if (share.standby.contains(task)) out.push_back(id);
    }
    return out;
}

TEST(TaskAssignorTags, SpreadStandbysOverZonesAndClusters) {
    const Members members =
        in_zones({{"a", "1"}, {"b", "1"}, {"c", "1"}, {"a", "2"}, {"b", "2"}, {"c", "2"}});
    AssignorOptions options = kSpread;
    options.standbys = 2;
    const Plan plan = assign_tasks(tasks(12, true), members, options);
    EXPECT_TRUE(plan.close_copies.empty());
    for (const auto& [task, is_stateful] : tasks(12, true)) {
        const auto copies = copies_of(plan, task);
        ASSERT_EQ(copies.size(), 3U);
        std::set<std::string> zones;
        std::set<std::string> clusters;
        for (const std::string& id : copies) {
            zones.insert(members.at(id).tags.at("zone"));
            clusters.insert(members.at(id).tags.at("cluster"));
        }
        EXPECT_EQ(zones.size(), 3U) << task.text();
        EXPECT_EQ(clusters.size(), 2U) << task.text();
    }
}

TEST(TaskAssignorTags, TooFewTagsFallBackToLoad) {
    // Each of the others shares one of the two tags with the first.
    Members members = in_zones({{"a", "1"}, {"a", "2"}, {"b", "1"}});
    members.at("a1").active = {{0, 0}};
    members.at("a2").active = {{0, 1}};
    const Plan plan = assign_tasks({{{0, 0}, true}, {{0, 1}, true}}, members, kSpread);
    EXPECT_EQ(copies_of(plan, {0, 0}), (std::vector<std::string>{"a1", "a2"})) << "by load";
    EXPECT_EQ(plan.close_copies, (std::map<TaskId, std::int32_t>{{{0, 0}, 1}}));
    EXPECT_EQ(copies_of(plan, {0, 1}), (std::vector<std::string>{"a2", "b1"})) << "both differ";
}

TEST(TaskAssignorTags, OneValueForAllTellsNobodyApart) {
    const Members members = in_zones({{"a", "1"}, {"a", "2"}, {"a", "3"}});
    const Plan plan = assign_tasks(tasks(6, true), members, kSpread);
    EXPECT_TRUE(plan.close_copies.empty());
    for (const auto& [task, is_stateful] : tasks(6, true))
        EXPECT_EQ(copies_of(plan, task).size(), 2U) << task.text();
}

TEST(TaskAssignorTags, ACopyThatIsCaughtUpStaysUntilTheBetterPlacedOneIs) {
    Members members = in_zones({{"a", "1"}, {"a", "2"}, {"b", "2"}});
    members.at("a1").active = {{0, 0}};
    members.at("a2").standby = {{0, 0}};
    members.at("a2").lags = {{{0, 0}, 3}};
    const Plan first = assign_tasks({{{0, 0}, true}}, members, kSpread);
    EXPECT_TRUE(first.warms_up);
    EXPECT_EQ(copies_of(first, {0, 0}), (std::vector<std::string>{"a1", "a2", "b2"}));
    AssignorOptions without_room = kSpread;
    without_room.warmups_max = 0;
    EXPECT_EQ(copies_of(assign_tasks({{{0, 0}, true}}, members, without_room), {0, 0}),
              (std::vector<std::string>{"a1", "a2"}));
    EXPECT_EQ(play({{{0, 0}, true}}, members, kSpread), 2);
    EXPECT_EQ(members.at("b2").standby, (std::set<TaskId>{{0, 0}}));
    EXPECT_TRUE(members.at("a2").standby.empty());
}

TEST(TaskAssignorTags, WithoutTagsStandbysGoToAnotherRack) {
    Members members{{"a", {}}, {"b", {}}, {"c", {}}};
    members["a"].rack = members["b"].rack = "r1";
    members["c"].rack = "r2";
    members["a"].active = {{0, 0}};
    const std::map<TaskId, bool> one{{{0, 0}, true}};
    EXPECT_EQ(copies_of(assign_tasks(one, members, {.standbys = 1}), {0, 0}),
              (std::vector<std::string>{"a", "c"}));
    members["b"].rack.clear();
    EXPECT_EQ(copies_of(assign_tasks(one, members, {.standbys = 1}), {0, 0}),
              (std::vector<std::string>{"a", "b"}));
}

/// Members "a", "b" and so on, in racks of these names.
Members in_racks(const std::vector<std::string>& racks) {
    Members out;
    for (const std::string& rack : racks) {
        MemberState& member = out[std::string(1, static_cast<char>('a' + out.size()))];
        member.rack = rack;
    }
    return out;
}
AssignorOptions following(const TaskRacks& racks,
                          RackStrategy strategy = RackStrategy::kMinTraffic) {
    return {.racks = {.strategy = strategy}, .known_racks = &racks};
}

TEST(TaskAssignorRacks, TasksReadFromTheirOwnRack) {
    Members members = in_racks({"r1", "r2"});
    members["a"].active = {{0, 0}, {0, 1}};
    members["b"].active = {{0, 2}, {0, 3}};
    TaskRacks racks;
    for (int i = 0; i < 4; ++i) racks.inputs[{0, i}] = {{i < 2 ? "r2" : "r1"}};
    EXPECT_GT(play(tasks(4, false), members, following(racks)), 1);
    EXPECT_EQ(members["a"].active, (std::set<TaskId>{{0, 2}, {0, 3}}));
    EXPECT_EQ(members["b"].active, (std::set<TaskId>{{0, 0}, {0, 1}}));
    EXPECT_EQ(play(tasks(4, false), members, following(racks)), 1) << "all is as it should be";
}

TEST(TaskAssignorRacks, BalanceComesBeforeTraffic) {
    Members members = in_racks({"r1", "r2"});
    TaskRacks racks;
    for (int i = 0; i < 6; ++i) racks.inputs[{0, i}] = {{"r1"}};
    play(tasks(6, false), members, following(racks));
    EXPECT_EQ(members["a"].active.size(), 3U);
    EXPECT_EQ(members["b"].active.size(), 3U);
}

TEST(TaskAssignorRacks, StateIsFollowedBeforeItsTaskMovesForTraffic) {
    Members members = in_racks({"r1", "r2"});
    members["a"].active = {{0, 0}};
    members["b"].active = {{0, 1}};
    for (auto& [id, member] : members)
        for (const TaskId& task : member.active) member.lags[task] = 0;
    TaskRacks racks;
    racks.inputs = {{{0, 0}, {{"r2"}}}, {{0, 1}, {{"r1"}}}};
    const Plan first = assign_tasks(tasks(2, true), members, following(racks));
    EXPECT_TRUE(first.warms_up);
    EXPECT_EQ(copies_of(first, {0, 0}), (std::vector<std::string>{"a", "b"}));
    EXPECT_GT(play(tasks(2, true), members, following(racks)), 2);
    EXPECT_EQ(members["a"].active, (std::set<TaskId>{{0, 1}}));
    EXPECT_EQ(members["b"].active, (std::set<TaskId>{{0, 0}}));
}

TEST(TaskAssignorRacks, TheTaskOfALostMemberStaysWithItsStandbyUntilItsRackHasTheState) {
    TaskRacks racks;
    racks.inputs = {{{0, 0}, {{"r1"}}}, {{0, 1}, {{"r1", "r2"}}}};
    for (const auto strategy : {RackStrategy::kMinTraffic, RackStrategy::kBalanceSubtopology}) {
        // Caught up, and far behind but better than nothing.
        for (const int lag : {0, 20'000}) {
            Members members = in_racks({"r2", "r1"});
            members["a"].standby = {{0, 0}};
            members["a"].lags[{0, 0}] = lag;
            members["b"].active = {{0, 1}};
            members["b"].lags[{0, 1}] = 0;
            AssignorOptions options = following(racks, strategy);
            options.warmups_max = 0;
            const Plan without_room = assign_tasks(tasks(2, true), members, options);
            EXPECT_EQ(copies_of(without_room, {0, 0}), (std::vector<std::string>{"a"}));
            EXPECT_TRUE(without_room.warms_up);
            options.warmups_max = 2;
            const Plan first = assign_tasks(tasks(2, true), members, options);
            EXPECT_EQ(copies_of(first, {0, 0}), (std::vector<std::string>{"a", "b"}));
            EXPECT_TRUE(first.warms_up);
            EXPECT_FALSE(first.moves);
            EXPECT_GT(play(tasks(2, true), members, options), 2);
            EXPECT_EQ(members["a"].active, (std::set<TaskId>{{0, 1}}));
            EXPECT_EQ(members["b"].active, (std::set<TaskId>{{0, 0}}));
        }
    }
}

TEST(TaskAssignorRacks, ATaskWhoseStateNobodyHasGoesToItsRackAtOnce) {
    const Members members = in_racks({"r2", "r1"});
    TaskRacks racks;
    racks.inputs = {{{0, 0}, {{"r1"}}}, {{0, 1}, {{"r1", "r2"}}}};
    const Plan plan = assign_tasks(tasks(2, true), members, following(racks));
    EXPECT_EQ(copies_of(plan, {0, 0}), (std::vector<std::string>{"b"}));
    EXPECT_EQ(copies_of(plan, {0, 1}), (std::vector<std::string>{"a"}));
    EXPECT_FALSE(plan.warms_up);
}

TEST(TaskAssignorRacks, ATaskWithStateStaysWhenMovingCostsMore) {
    Members members = in_racks({"r1", "r2"});
    members["a"].active = {{0, 0}};
    members["b"].active = {{0, 1}};
    TaskRacks racks;
    racks.inputs = {{{0, 0}, {{"r2"}}}, {{0, 1}, {{"r1"}}}};
    AssignorOptions options = following(racks);
    options.racks.non_overlap_cost = 11;
    EXPECT_EQ(play(tasks(2, true), members, options), 1);
    EXPECT_EQ(members["a"].active, (std::set<TaskId>{{0, 0}}));
}

TEST(TaskAssignorRacks, SubtopologiesAreSpreadWhenAskedFor) {
    std::map<TaskId, bool> all = tasks(2, false);
    for (int i = 0; i < 2; ++i) all[{1, i}] = false;
    TaskRacks racks;
    for (const auto& [task, is_stateful] : all)
        racks.inputs[task] = {{task.subtopology == 0 ? "r1" : "r2"}};
    Members near = in_racks({"r1", "r2"});
    play(all, near, following(racks));
    EXPECT_EQ(near["a"].active, (std::set<TaskId>{{0, 0}, {0, 1}}));
    Members spread = in_racks({"r1", "r2"});
    play(all, spread, following(racks, RackStrategy::kBalanceSubtopology));
    for (const auto& [id, member] : spread)
        EXPECT_EQ(std::ranges::count(member.active, 0, &TaskId::subtopology), 1) << id;
}

TEST(TaskAssignorRacks, StandbysAreSwappedForTheirChangelogs) {
    Members members = in_racks({"r1", "r2", "r3", "r4"});
    members["a"].active = {{0, 0}};
    members["b"].active = {{0, 1}};
    members["c"].standby = {{0, 0}};
    members["d"].standby = {{0, 1}};
    for (auto& [id, member] : members)
        for (const auto* held : {&member.active, &member.standby})
            for (const TaskId& task : *held) member.lags[task] = 0;
    TaskRacks racks;
    racks.inputs = {{{0, 0}, {{"r1"}}}, {{0, 1}, {{"r2"}}}};
    racks.changelogs = {{{0, 0}, {{"r4"}}}, {{0, 1}, {{"r3"}}}};
    AssignorOptions options = following(racks);
    options.standbys = 1;
    EXPECT_EQ(play(tasks(2, true), members, options), 2);
    EXPECT_EQ(members["c"].standby, (std::set<TaskId>{{0, 1}}));
    EXPECT_EQ(members["d"].standby, (std::set<TaskId>{{0, 0}}));
    EXPECT_EQ(members["a"].active, (std::set<TaskId>{{0, 0}}));
}

}  // namespace
}  // namespace leat::streams
