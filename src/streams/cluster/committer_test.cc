// SPDX-License-Identifier: Apache-2.0
//
// When work counts as done, over a producer and a group that are played.
#include "streams/cluster/committer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/builder.h"
#include "streams/cluster/testing/fake_clients.h"
#include "streams/cluster/testing/lives.h"
#include "streams/cluster/testing/played_writer.h"
#include "streams/state/temp_folder.h"

namespace leat::streams {
namespace {

using std::string;

const TaskId kId{0, 0};

Topology passing_on() {
    Builder b;
    b.stream<string, string>("in").to("out");
    return *b.build();
}

/// A thread's parts around a task that runs.
class CommitterTest : public testing::Test {
  protected:
    void begin(bool exactly_once) {
        life_.settings.exactly_once = exactly_once;
        tasks_.add(std::move(life_.task));
        board_.add_thread(0);
        board_.set_wanted({.active = {kId}, .standby = {}}, {{"in", 0}});
        EXPECT_TRUE(board_.take(0).active.contains(kId));
        join();
        ASSERT_TRUE(output_.open());
        committer_.start();
    }
    void join() {
        const auto closed = group_.close();
        group_.set_identity({.group = "app", .generation = 1, .member_id = "m", .instance_id = ""});
    }
    /// A record of the task's; `sent`: with output, in a transaction exactly once.
    void process(bool sent = true) {
        life_.reader.topics.at("in").push_back({"k", "v", 0});
        const auto done = tasks_.at(kId).process();
        ASSERT_TRUE(done && *done);
        if (sent) ASSERT_TRUE(output_.send("out", {.key = "k", .value = "v"}));
    }
    void refuse_output(Errc code) {
        script_.deliveries.push_back({.code = code, .reason = info(code).name, .topic = "out"});
    }
    [[nodiscard]] bool is_asked_again() const {
        return !committer_.is_due(clock_.now()) &&
               committer_.is_due(clock_.now() + milliseconds{20});
    }
    void expect_a_wait_for_the_group() {
        {
            const auto joining = group_.close();
            committer_.ask();
            ASSERT_TRUE(committer_.commit());
            EXPECT_TRUE(is_asked_again());
            committer_.ask();
            EXPECT_TRUE(is_asked_again()) << "each would bring what caches hold down";
        }
        board_.lose_all();
        ASSERT_TRUE(committer_.commit());
        EXPECT_TRUE(is_asked_again()) << "these positions are another one's now";
        EXPECT_TRUE(tasks_.need_commit());
    }
    /// Positions of "in".
    [[nodiscard]] static std::vector<std::int64_t> offsets_of(
        const std::vector<client::CommittedOffset>& positions) {
        std::vector<std::int64_t> out;
        for (const auto& one : positions) {
            EXPECT_EQ(one.where, (client::TopicPartition{"in", 0}));
            out.push_back(one.offset);
        }
        return out;
    }

    detail::TempFolder folder_;
    testing_lives::Cluster cluster_{passing_on(), {"in"}};
    testing_lives::Life life_{cluster_, folder_.path()};
    testing_logs::FakeClock clock_;
    TaskBoard board_;
    GroupGate group_;
    ThreadEnvironment shared_{.settings = &life_.settings,
                              .layout = &life_.layout,
                              .board = &board_,
                              .gate = &group_,
                              .clock = &clock_,
                              .process = "",
                              .on_progress = {},
                              .on_end = {}};
    detail::QueryGate gate_;
    detail::WorkInside inside_{gate_};
    ThreadTasks tasks_;
    ThreadReport report_{"thread", &life_.room, clock_};
    testing_output::Script script_;
    ThreadOutput output_{{.settings = &life_.settings,
                          .handlers = &life_.handlers,
                          .clock = &clock_,
                          .on_step = [] {},
                          .is_stopping = [] { return false; },
                          .task_of_change = [](const ChangelogMark&) { return string{}; },
                          .open_writer = script_.opener()}};
    TaskRestarts restarts_{{.shared = &shared_,
                            .gate = &gate_,
                            .tasks = &tasks_,
                            .output = &output_,
                            .report = &report_}};
    ThreadClients clients_;
    std::atomic<bool> is_stopping_ = false;
    std::vector<std::vector<std::int64_t>> committed_;  ///< At least once: each commit's.
    std::optional<Errc> refusal_{};                     ///< Of the next ones.
    milliseconds step_{0};                              ///< What a step takes.
    Committer committer_{
        {.shared = &shared_,
         .gate = &gate_,
         .clients = &clients_,
         .tasks = &tasks_,
         .output = &output_,
         .restarts = &restarts_,
         .report = &report_,
         .is_stopping = &is_stopping_,
         .commit_offsets = [this](const auto& as, const auto& positions) -> Result<void> {
             EXPECT_EQ(as.member_id, "m");
             EXPECT_EQ(output_.is_delivered(), true) << "positions behind output only";
             if (refusal_) return Error{*refusal_, "as the test says"};
             committed_.push_back(offsets_of(positions));
             return {};
         },
         .on_step = [this] { clock_.advance(step_); }}};
};

TEST_F(CommitterTest, PositionsAreCommittedBehindTheOutput) {
    begin(false);
    process();
    refuse_output(Errc::kNone);  // Acknowledged when it is waited for.
    ASSERT_TRUE(committer_.commit());
    EXPECT_EQ(committed_, (std::vector<std::vector<std::int64_t>>{{1}}));
    EXPECT_FALSE(tasks_.need_commit());
    EXPECT_FALSE(committer_.is_due(clock_.now()));
    ASSERT_TRUE(committer_.commit());
    EXPECT_EQ(committed_.size(), 1U) << "nothing has changed";
}

TEST_F(CommitterTest, OutputThatFailedCommitsNothing) {
    begin(false);
    process();
    refuse_output(Errc::kRequestTimedOut);
    const auto done = committer_.commit();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::kRequestTimedOut);
    EXPECT_TRUE(committed_.empty());
    EXPECT_TRUE(tasks_.need_commit());
}

TEST_F(CommitterTest, WaitsForTheGroup) {
    begin(false);
    process();
    expect_a_wait_for_the_group();
    EXPECT_TRUE(committed_.empty());
}

TEST_F(CommitterTest, TransactionsWaitForTheGroup) {
    begin(true);
    process();
    expect_a_wait_for_the_group();
    EXPECT_TRUE(output_.in_transaction());
    EXPECT_EQ(script_.committed + script_.aborted, 0);
}

TEST_F(CommitterTest, BearsACoordinatorThatIsAwayForAWhile) {
    begin(false);
    process();
    for (const Errc stale : {Errc::kIllegalGeneration, Errc::kCoordinatorNotAvailable}) {
        refusal_ = stale;
        ASSERT_TRUE(committer_.commit());
        EXPECT_TRUE(is_asked_again());
    }
    clock_.advance(life_.settings.task_timeout);
    const auto done = committer_.commit();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::kCoordinatorNotAvailable);
    refusal_ = Errc::kIllegalGeneration;
    EXPECT_TRUE(committer_.commit()) << "that the group tells";
    refusal_ = Errc::kGroupAuthorizationFailed;
    EXPECT_FALSE(committer_.commit());
}

TEST_F(CommitterTest, NoTroubleOutlivesWhatItWasAbout) {
    begin(false);
    process();
    refusal_ = Errc::kCoordinatorNotAvailable;
    ASSERT_TRUE(committer_.commit());
    EXPECT_TRUE(committer_.is_waiting());
    ASSERT_TRUE(tasks_.close(kId));
    ASSERT_TRUE(committer_.commit());
    EXPECT_FALSE(committer_.is_waiting());
    clock_.advance(life_.settings.task_timeout);
    const detail::TempFolder another;
    testing_lives::Life next{cluster_, another.path()};
    tasks_.add(std::move(next.task));
    next.reader.topics.at("in").push_back({"k", "v", 0});
    ASSERT_TRUE(tasks_.at(kId).process());
    EXPECT_TRUE(committer_.commit()) << "this is the first one about it";
    EXPECT_TRUE(committer_.is_waiting());
    ASSERT_TRUE(tasks_.close(kId));
    tasks_.forget_closed();
}

TEST_F(CommitterTest, ATransactionHasThePositions) {
    begin(true);
    process();
    ASSERT_TRUE(output_.in_transaction());
    ASSERT_TRUE(committer_.commit());
    EXPECT_EQ(script_.committed, 1);
    EXPECT_EQ(offsets_of(script_.positions), std::vector<std::int64_t>{1});
    EXPECT_TRUE(committed_.empty());
    EXPECT_FALSE(output_.in_transaction());
    EXPECT_FALSE(tasks_.need_commit());
    process(false);
    ASSERT_TRUE(committer_.commit());
    EXPECT_EQ(script_.begun, 2) << "for positions alone";
    EXPECT_EQ(offsets_of(script_.positions), std::vector<std::int64_t>{2});
}

TEST_F(CommitterTest, TasksStartAgainWhenTheirTransactionIsLost) {
    begin(true);
    process();
    refuse_output(Errc::kCancelled);
    script_.trouble = Errc::kProducerFenced;
    ASSERT_TRUE(committer_.commit());
    EXPECT_EQ(script_.aborted, 1);
    EXPECT_FALSE(tasks_.contains(kId));
    EXPECT_TRUE(board_.has_news(0)) << "by which it comes again";
    EXPECT_FALSE(output_.has_failed());
    EXPECT_FALSE(committer_.is_due(clock_.now()));
}

TEST_F(CommitterTest, WhatNothingMendsEndsTheThread) {
    begin(true);
    process();
    script_.trouble = Errc::kTransactionalIdAuthorizationFailed;
    const auto done = committer_.commit();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::kTransactionalIdAuthorizationFailed);
    EXPECT_TRUE(tasks_.contains(kId));
}

TEST_F(CommitterTest, StartsAgainForAsLongAsATaskMayWait) {
    begin(true);
    for (const bool is_over : {false, true}) {
        if (is_over) clock_.advance(life_.settings.task_timeout);
        ASSERT_TRUE(output_.send("out", {.key = "k", .value = "v"}));
        refuse_output(Errc::kRequestTimedOut);
        output_.poll();
        EXPECT_EQ(committer_.commit().has_value(), !is_over);
    }
}

TEST_F(CommitterTest, OutputThatNoTaskStandsForIsDropped) {
    begin(true);
    ASSERT_TRUE(tasks_.close(kId));
    ASSERT_TRUE(output_.send("out", {.key = "k", .value = "v"}));
    ASSERT_TRUE(committer_.commit());
    EXPECT_EQ(script_.committed, 0);
    EXPECT_EQ(script_.aborted, 1);
    EXPECT_FALSE(output_.in_transaction());
}

TEST_F(CommitterTest, TheLastCommitEndsWithTheGroup) {
    begin(false);
    process();
    const auto joining = group_.close();
    group_.end();
    ASSERT_TRUE(committer_.commit_at_last());
    EXPECT_TRUE(tasks_.contains(kId));
    EXPECT_TRUE(tasks_.need_commit()) << "whoever takes over does it again";
}

TEST_F(CommitterTest, TheLastCommitWaitsNoLongerThanTheGroupDoes) {
    begin(true);
    process();
    const auto joining = group_.close();
    step_ = life_.settings.rebalance_timeout;
    ASSERT_TRUE(committer_.commit_at_last());
    EXPECT_EQ(script_.committed, 0);
    EXPECT_EQ(script_.aborted, 1) << "a later one would hold output of tasks that are closed";
    EXPECT_FALSE(tasks_.contains(kId));
}

TEST_F(CommitterTest, ADamagedTaskStartsAgainAlone) {
    begin(false);
    process();
    const Result<void> met{Error{Errc::kMalformed, "rows"}};
    const auto with_all = restarts_.restart_damaged(kId, met);
    ASSERT_TRUE(with_all);
    EXPECT_FALSE(*with_all);
    EXPECT_FALSE(tasks_.contains(kId));
    EXPECT_TRUE(board_.has_news(0));
    EXPECT_TRUE(committed_.empty());
}

TEST_F(CommitterTest, ADamagedTaskThatDidNothingStartsAgainAlone) {
    begin(true);
    EXPECT_FALSE(*restarts_.restart_damaged(kId, {})) << "it had done nothing";
}

TEST_F(CommitterTest, DamageAgainAndAgainEndsTheThread) {
    begin(true);
    process();
    const Result<void> met{Error{Errc::kMalformed, "rows"}};
    for (int i = 0; i < 3; ++i) {
        const auto with_all = restarts_.restart_damaged(kId, met);
        ASSERT_TRUE(with_all) << i;
        EXPECT_TRUE(*with_all) << "others' output is in the transaction too";
    }
    const auto done = restarts_.restart_damaged(kId, met);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().detail(), "rows");
    restarts_.forget_damage(kId);
    EXPECT_TRUE(restarts_.restart_damaged(kId, met));
}

}  // namespace
}  // namespace leat::streams
