// SPDX-License-Identifier: Apache-2.0
// Method: one command after the other against a coordinator whose appends the test completes; what
// is expected of each is what a Kafka 4.3.1 node answered to the same.
#include "groups/coordinator.h"

#include <gtest/gtest.h>

#include <array>

#include "base/endian.h"
#include "groups/testing/coordinator_fixture.h"

namespace leat::groups {
namespace {

using namespace std::chrono_literals;
using testing::Buffer;
using testing::bytes;
using testing::quick;
using testing::subscription;

struct Fixture : testing::Fixture {
    using testing::Fixture::Fixture;

    Errc remove(std::string_view group) {
        Errc out = Errc::kUnknownServerError;
        c->delete_group(group, now, [&](Errc error) { out = error; });
        write();
        return out;
    }
    DeleteOffsetsAnswer remove_offset(std::string_view group, std::string_view topic) {
        DeleteOffsetsAnswer out;
        const TopicPartition asked{topic, 0};
        c->delete_offsets(group, {&asked, 1}, now,
                          [&](DeleteOffsetsAnswer answer) { out = std::move(answer); });
        write();
        return out;
    }
};

TEST(Join, IsRefusedWithKafkasCodeWhenTheRequestCannotBe) {
    Fixture f;
    EXPECT_EQ((*f.join("", {}))->error, Errc::kInvalidGroupId);
    EXPECT_EQ((*f.join("g", {.session_ms = 10}))->error, Errc::kInvalidSessionTimeout);
    EXPECT_EQ((*f.join("g", {.session_ms = 1'800'001}))->error, Errc::kInvalidSessionTimeout);
    const auto unknown = *f.join("g", {.member = "nope"});
    EXPECT_EQ(unknown->error, Errc::kUnknownMemberId);
    EXPECT_EQ(unknown->member_id, "nope");
    EXPECT_EQ((*f.join("g", {.protocols = {}}))->error, Errc::kInconsistentGroupProtocol);
    EXPECT_EQ((*f.join("g", {.type = ""}))->error, Errc::kInconsistentGroupProtocol);
}

TEST(Join, FirstMemberLeadsAndSeesTheMembers) {
    Fixture f;
    const auto joined = f.join("g", {});
    f.pass(0ms);
    ASSERT_TRUE(*joined);
    EXPECT_EQ((*joined)->error, Errc::kNone);
    EXPECT_EQ((*joined)->generation, 1);
    EXPECT_EQ((*joined)->protocol, "range");
    EXPECT_EQ((*joined)->leader, (*joined)->member_id);
    ASSERT_EQ((*joined)->members.size(), 1);
    EXPECT_EQ((*joined)->members[0].metadata, subscription("t1"));
}

TEST(Join, GivesAnIdToComeBackWithWhenTheVersionKnowsIt) {
    Fixture f;
    const auto first = *f.join("g", {.id_required = true});
    ASSERT_EQ(first->error, Errc::kMemberIdRequired);
    EXPECT_TRUE(first->member_id.starts_with("app-"));
    EXPECT_EQ(f.heartbeat("g", 0, first->member_id), Errc::kUnknownMemberId);
    const auto second = f.join("g", {.member = first->member_id, .id_required = true});
    f.pass(0ms);
    EXPECT_EQ((*second)->error, Errc::kNone);
    EXPECT_EQ((*second)->member_id, first->member_id);
}

TEST(Join, IdThatIsNotClaimedInTimeIsForgotten) {
    Fixture f;
    const auto first = *f.join("g", {.id_required = true});
    f.pass(10'001ms);
    EXPECT_EQ((*f.join("g", {.member = first->member_id}))->error, Errc::kUnknownMemberId);
}

TEST(Join, PendingMembersAreBounded) {
    Settings settings = quick();
    settings.pending_members_max = 2;
    Fixture f{settings};
    EXPECT_EQ((*f.join("g", {.id_required = true}))->error, Errc::kMemberIdRequired);
    EXPECT_EQ((*f.join("g", {.id_required = true}))->error, Errc::kMemberIdRequired);
    EXPECT_EQ((*f.join("g", {.id_required = true}))->error, Errc::kGroupMaxSizeReached);
}

TEST(Join, GroupsAndMetadataAreBounded) {
    Settings settings = quick();
    settings.groups_max = 1;
    settings.member_bytes_max = 30;
    Fixture f{settings};
    EXPECT_EQ((*f.join("g", {.topic = std::string(40, 'x')}))->error, Errc::kPolicyViolation);
    EXPECT_EQ((*f.join("h", {}))->error, Errc::kPolicyViolation);
    EXPECT_EQ(f.commit_error("h", -1, ""), Errc::kPolicyViolation);
}

TEST(Join, GroupMaxSizeHoldsForNewMembersOnly) {
    Settings settings = quick();
    settings.members_max = 1;
    Fixture f{settings};
    const std::string id = f.stable("g");
    const auto refused = *f.join("g", {});
    EXPECT_EQ(refused->error, Errc::kGroupMaxSizeReached);
    EXPECT_EQ(refused->member_id, "");
    const auto again = f.join("g", {.member = id});
    EXPECT_EQ((*again)->generation, 2);
}

TEST(Join, MembersMustHaveAProtocolInCommon) {
    Fixture f;
    const std::string id = f.stable("g");
    EXPECT_EQ((*f.join("g", {.type = "connect"}))->error, Errc::kInconsistentGroupProtocol);
    EXPECT_EQ((*f.join("g", {.protocols = {"other"}}))->error, Errc::kInconsistentGroupProtocol);
    const auto existing = *f.join("g", {.member = id, .protocols = {"other"}});
    EXPECT_EQ(existing->error, Errc::kInconsistentGroupProtocol);
    EXPECT_EQ(existing->member_id, id);
}

TEST(Join, ProtocolWithMostVotesAmongTheCommonOnesWins) {
    Settings settings = quick();
    settings.initial_rebalance_delay = 100ms;
    Fixture f{settings};
    const auto a = f.join("g", {.protocols = {"x", "y", "z"}});
    const auto b = f.join("g", {.protocols = {"y", "z"}});
    const auto c = f.join("g", {.protocols = {"z", "y"}});
    f.pass(200ms);
    // x is not common; a and b vote for y, c for z.
    EXPECT_EQ((*a)->protocol, "y");
    EXPECT_EQ((*a)->members.size(), 3);
    EXPECT_TRUE((*b)->members.empty());
    EXPECT_EQ((*c)->leader, (*a)->member_id);
}

TEST(Join, FirstRebalanceWaitsLongerWhileMembersCome) {
    Settings settings = quick();
    settings.initial_rebalance_delay = 3'000ms;
    Fixture f{settings};
    const auto a = f.join("g", {.rebalance_ms = 60'000});
    f.pass(2'900ms);
    const auto b = f.join("g", {.rebalance_ms = 60'000});
    f.pass(2'900ms);
    EXPECT_FALSE(*a);
    f.pass(300ms);
    ASSERT_TRUE(*a && *b);
    EXPECT_EQ((*a)->generation, 1);
    EXPECT_EQ((*b)->generation, 1);
}

TEST(Join, FirstRebalanceDoesNotWaitBeyondTheRebalanceTimeout) {
    Settings settings = quick();
    settings.initial_rebalance_delay = 3'000ms;
    Fixture f{settings};
    const auto a = f.join("g", {.rebalance_ms = 7'000});
    for (int i = 0; i < 6; ++i) {
        f.pass(1'000ms);
        f.join("g", {.rebalance_ms = 7'000});
    }
    EXPECT_FALSE(*a);
    f.pass(1'000ms);
    EXPECT_TRUE(*a);
}

TEST(Join, FollowerWithNothingNewGetsTheGenerationAndTheLeaderARebalance) {
    Fixture f;
    const std::string leader = f.stable("g");
    const auto b = f.join("g", {});
    const auto a = f.join("g", {.member = leader});
    ASSERT_TRUE(*a && *b);
    const std::string follower = (*b)->member_id;
    f.sync("g", 2, follower);
    f.sync("g", 2, leader, {{leader, "1"}, {follower, "2"}});
    f.write();
    const auto same = *f.join("g", {.member = follower});
    ASSERT_TRUE(same);
    EXPECT_EQ(same->generation, 2);
    EXPECT_TRUE(same->members.empty());
    EXPECT_EQ(f.heartbeat("g", 2, leader), Errc::kNone);
    EXPECT_FALSE(*f.join("g", {.member = follower, .topic = "t2"}));
    EXPECT_EQ(f.heartbeat("g", 2, leader), Errc::kRebalanceInProgress);
}

TEST(Join, AnswerThatWasLostIsGivenAgainWhileCompleting) {
    Fixture f;
    const auto a = f.join("g", {});
    f.pass(0ms);
    const auto again = *f.join("g", {.member = (*a)->member_id});
    ASSERT_TRUE(again);
    EXPECT_EQ(again->generation, 1);
    EXPECT_EQ(again->members.size(), 1);
}

TEST(Join, MemberThatDoesNotComeBackInTimeIsDroppedAndAnotherLeads) {
    Fixture f;
    const std::string first = f.stable("g");
    const auto second = f.join("g", {.session_ms = 60'000});
    f.pass(2'999ms);
    EXPECT_FALSE(*second);
    f.pass(1ms);
    ASSERT_TRUE(*second);
    EXPECT_EQ((*second)->leader, (*second)->member_id);
    EXPECT_EQ((*second)->generation, 2);
    EXPECT_EQ(f.heartbeat("g", 1, first), Errc::kUnknownMemberId);
}

TEST(Join, SecondRequestOfAMemberEndsTheFirst) {
    Fixture f;
    const std::string leader = f.stable("g");
    const auto waiting = f.join("g", {});
    const auto one = f.join("g", {.member = leader, .rebalance_ms = 5'000});
    ASSERT_TRUE(*waiting && *one);
    const auto third = f.join("g", {});
    const auto old = f.join("g", {.member = leader});
    const auto fresh = f.join("g", {.member = leader});
    ASSERT_TRUE(*old);
    EXPECT_EQ((*old)->error, Errc::kRebalanceInProgress);
    EXPECT_FALSE(*fresh);
}

TEST(Sync, AssignmentsAreBounded) {
    Settings settings = quick();
    settings.group_bytes_max = 150;
    Fixture f{settings};
    const auto joined = f.join("g", {});
    f.pass(0ms);
    const std::string a = (*joined)->member_id;
    EXPECT_EQ((*f.sync("g", 1, a, {{a, std::string(151, 'A')}}))->error, Errc::kUnknownServerError);
}

TEST(Sync, IsRefusedWithKafkasCode) {
    Fixture f;
    EXPECT_EQ((*f.sync("", 1, "m"))->error, Errc::kInvalidGroupId);
    EXPECT_EQ((*f.sync("none", 1, "m"))->error, Errc::kUnknownMemberId);
    const std::string id = f.stable("g");
    EXPECT_EQ((*f.sync("g", 5, id))->error, Errc::kIllegalGeneration);
    EXPECT_EQ((*f.sync("g", 1, "zz"))->error, Errc::kUnknownMemberId);
    EXPECT_EQ((*f.sync("g", 1, id, {}, "i"))->error, Errc::kUnknownMemberId);
    EXPECT_EQ((*f.sync("g", 1, id, {}, std::nullopt, "other"))->error,
              Errc::kInconsistentGroupProtocol);
    f.join("g", {});
    EXPECT_EQ((*f.sync("g", 1, id))->error, Errc::kRebalanceInProgress);
    f.leave("g", id);
    f.pass(400s);
    EXPECT_EQ((*f.sync("g", 1, id))->error, Errc::kUnknownMemberId);
}

TEST(Sync, AssignmentIsGivenOnlyOnceItIsDurable) {
    Fixture f;
    const auto a = f.join("g", {});
    f.pass(0ms);
    const std::string id = (*a)->member_id;
    const auto synced = f.sync("g", 1, id, {{id, "AA"}, {"ghost", "BB"}});
    EXPECT_FALSE(*synced);
    EXPECT_EQ(f.c->describe("g").state, "CompletingRebalance");
    f.write();
    ASSERT_TRUE(*synced);
    EXPECT_EQ((*synced)->assignment, bytes("AA"));
    EXPECT_EQ((*synced)->protocol, "range");
    EXPECT_EQ(f.c->describe("g").state, "Stable");
    EXPECT_EQ((*f.sync("g", 1, id))->assignment, bytes("AA"));
}

TEST(Sync, FailedAppendSendsEverybodyBack) {
    Fixture f;
    const auto a = f.join("g", {});
    f.pass(0ms);
    f.write();
    const auto synced = f.sync("g", 1, (*a)->member_id);
    f.write(Errc::kNoSpace);
    ASSERT_TRUE(*synced);
    EXPECT_EQ((*synced)->error, Errc::kCoordinatorNotAvailable);
    EXPECT_EQ(f.c->describe("g").state, "PreparingRebalance");
}

TEST(Sync, MemberThatNeverAsksIsDroppedAfterTheRebalanceTimeout) {
    Fixture f;
    const auto a = f.join("g", {.session_ms = 60'000, .rebalance_ms = 1'000});
    f.pass(999ms);
    EXPECT_EQ(f.c->describe("g").state, "CompletingRebalance");
    f.pass(1ms);
    EXPECT_EQ(f.c->describe("g").state, "Empty");
    EXPECT_EQ(f.heartbeat("g", 1, (*a)->member_id), Errc::kUnknownMemberId);
}

TEST(Sync, MemberThatLeavesWhileItWaitsIsAnswered) {
    Fixture f;
    const std::string leader = f.stable("g");
    const auto b = f.join("g", {});
    f.join("g", {.member = leader});
    const auto parked = f.sync("g", 2, (*b)->member_id);
    EXPECT_FALSE(*parked);
    f.leave("g", (*b)->member_id);
    ASSERT_TRUE(*parked);
    EXPECT_EQ((*parked)->error, Errc::kUnknownMemberId);
}

TEST(Heartbeat, TellsTheStateOfTheGroup) {
    Fixture f;
    EXPECT_EQ(f.heartbeat("", 1, "m"), Errc::kInvalidGroupId);
    EXPECT_EQ(f.heartbeat("none", 1, "m"), Errc::kUnknownMemberId);
    const auto a = f.join("g", {});
    f.pass(0ms);
    const std::string id = (*a)->member_id;
    EXPECT_EQ(f.heartbeat("g", 1, id), Errc::kNone);  // CompletingRebalance
    EXPECT_EQ(f.heartbeat("g", 2, id), Errc::kIllegalGeneration);
    EXPECT_EQ(f.heartbeat("g", 1, "x"), Errc::kUnknownMemberId);
    f.join("g", {});
    EXPECT_EQ(f.heartbeat("g", 1, id), Errc::kRebalanceInProgress);
}

TEST(Heartbeat, KeepsAMemberThatIsSilentOtherwise) {
    Fixture f;
    const std::string id = f.stable("g");
    for (int i = 0; i < 5; ++i) {
        f.pass(9'000ms);
        EXPECT_EQ(f.heartbeat("g", 1, id), Errc::kNone);
    }
    f.pass(10'000ms);
    EXPECT_EQ(f.heartbeat("g", 1, id), Errc::kUnknownMemberId);
    EXPECT_EQ(f.c->describe("g").state, "Empty");
}

TEST(Leave, EndsMembershipOfThoseItNames) {
    Fixture f;
    const std::string id = f.stable("g");
    EXPECT_EQ(f.leave("", id), Errc::kInvalidGroupId);
    EXPECT_EQ(f.leave("none", id), Errc::kUnknownMemberId);
    EXPECT_EQ(f.leave("g", "zz"), Errc::kUnknownMemberId);
    EXPECT_EQ(f.leave("g", "", "i"), Errc::kUnknownMemberId);
    EXPECT_EQ(f.leave("g", id), Errc::kNone);
    EXPECT_EQ(f.c->describe("g").state, "Empty");
    EXPECT_EQ(f.heartbeat("g", 2, id), Errc::kUnknownMemberId);
    EXPECT_EQ((*f.join("g", {.member = id}))->error, Errc::kUnknownMemberId);
}

TEST(Leave, PendingMemberMayLeaveToo) {
    Fixture f;
    const auto first = *f.join("g", {.id_required = true});
    EXPECT_EQ(f.leave("g", first->member_id), Errc::kNone);
    EXPECT_EQ((*f.join("g", {.member = first->member_id}))->error, Errc::kUnknownMemberId);
}

TEST(StaticMember, TakesItsPlaceBackWithoutARebalanceAndFencesTheOld) {
    Fixture f;
    const std::string old = f.stable("g", {.instance = "i1"});
    EXPECT_TRUE(old.starts_with("i1-"));
    const auto back = f.join("g", {.instance = "i1"});
    EXPECT_FALSE(*back);  // Not before the new id is durable.
    f.write();
    ASSERT_TRUE(*back);
    EXPECT_EQ((*back)->generation, 1);
    EXPECT_EQ((*back)->leader, old);  // An older client must not take itself for the leader.
    EXPECT_TRUE((*back)->members.empty());
    const std::string fresh = (*back)->member_id;
    EXPECT_NE(fresh, old);
    EXPECT_EQ(f.heartbeat("g", 1, old, "i1"), Errc::kFencedInstanceId);
    EXPECT_EQ(f.heartbeat("g", 1, old), Errc::kUnknownMemberId);
    EXPECT_EQ(f.heartbeat("g", 1, fresh, "i1"), Errc::kNone);
    EXPECT_EQ(f.heartbeat("g", 1, fresh, "i2"), Errc::kUnknownMemberId);
    EXPECT_EQ((*f.sync("g", 1, old, {}, "i1"))->error, Errc::kFencedInstanceId);
    EXPECT_EQ(f.commit_error("g", 1, old, {.topic = "t1"}, "i1"), Errc::kFencedInstanceId);
    const auto fenced = *f.join("g", {.member = old, .instance = "i1"});
    EXPECT_EQ(fenced->error, Errc::kFencedInstanceId);
    EXPECT_EQ(fenced->member_id, old);
    EXPECT_EQ((*f.sync("g", 1, fresh, {}, "i1"))->assignment, bytes("AA"));
    EXPECT_EQ(f.leave("g", old, "i1"), Errc::kFencedInstanceId);
    EXPECT_EQ(f.leave("g", "", "i1"), Errc::kNone);
}

TEST(StaticMember, LeaderThatKnowsHowSkipsTheAssignment) {
    Fixture f;
    f.stable("g", {.instance = "i1"});
    const auto back = f.join("g", {.instance = "i1", .can_skip = true});
    f.write();
    EXPECT_TRUE((*back)->skip_assignment);
    EXPECT_EQ((*back)->leader, (*back)->member_id);
    EXPECT_EQ((*back)->members.size(), 1);
}

TEST(StaticMember, KeepsItsOldIdWhenTheNewOneCannotBeWritten) {
    Fixture f;
    const std::string old = f.stable("g", {.instance = "i1"});
    const auto back = f.join("g", {.instance = "i1"});
    f.write(Errc::kOffline);
    EXPECT_EQ((*back)->error, Errc::kNotCoordinator);
    EXPECT_EQ(f.heartbeat("g", 1, old, "i1"), Errc::kNone);
}

TEST(StaticMember, OtherProtocolMeansARebalance) {
    Fixture f;
    f.stable("g", {.instance = "i1"});
    const auto back = f.join("g", {.instance = "i1", .protocols = {"sticky", "range"}});
    f.pass(0ms);
    ASSERT_TRUE(*back);
    EXPECT_EQ((*back)->generation, 2);
}

TEST(StaticMember, StaysWhileItIsAwayUntilItsSessionEnds) {
    Fixture f;
    f.stable("g", {.instance = "i1", .session_ms = 30'000});
    const auto dynamic = f.join("g", {.session_ms = 60'000});
    f.pass(3'000ms);
    ASSERT_TRUE(*dynamic);
    EXPECT_EQ((*dynamic)->members.size(), 2);
}

TEST(StaticMember, ReplacedInItsFirstRebalanceWaitsForItsEnd) {
    Settings settings = quick();
    settings.initial_rebalance_delay = 20'000ms;
    Fixture f{settings};
    const Fixture::Options o{.instance = "i1", .session_ms = 10'000, .rebalance_ms = 60'000};
    const auto first = f.join("g", o);
    const auto back = f.join("g", o);
    ASSERT_TRUE(*first);
    EXPECT_EQ((*first)->error, Errc::kFencedInstanceId);
    f.pass(19'000ms);
    EXPECT_FALSE(*back) << "its session is over, but it cannot speak up";
    f.pass(1'000ms);
    ASSERT_TRUE(*back);
    EXPECT_EQ((*back)->error, Errc::kNone);
}

TEST(Commit, IsRefusedWithKafkasCode) {
    Fixture f;
    const auto joined = f.join("g", {});
    f.pass(0ms);
    const std::string id = (*joined)->member_id;
    EXPECT_EQ(f.commit_error("g", 1, id), Errc::kRebalanceInProgress);
    EXPECT_EQ(f.commit_error("g", -1, ""), Errc::kUnknownMemberId);
    f.sync("g", 1, id);
    f.write();
    EXPECT_EQ(f.commit_error("g", 1, id), Errc::kNone);
    EXPECT_EQ(f.commit_error("g", 0, id), Errc::kIllegalGeneration);
    EXPECT_EQ(f.commit_error("g", 2, id), Errc::kIllegalGeneration);
    EXPECT_EQ(f.commit_error("g", 1, "q"), Errc::kUnknownMemberId);
    EXPECT_EQ(f.commit_error("g", -1, ""), Errc::kUnknownMemberId);
    EXPECT_EQ(f.commit_error("g", -1, id), Errc::kIllegalGeneration);
    EXPECT_EQ(f.commit_error("g", 1, id, {.topic = "t"}, "i"), Errc::kUnknownMemberId);
    EXPECT_EQ(f.commit_error("none", 3, "x"), Errc::kIllegalGeneration);
    EXPECT_EQ(f.commit_error("other", -1, "x"), Errc::kNone);
    EXPECT_EQ(f.commit_error("", -1, ""), Errc::kNone);
    const std::string large(4'097, 'm');
    EXPECT_EQ(f.commit_error("g", 1, id, {.topic = "t1", .metadata = large}),
              Errc::kOffsetMetadataTooLarge);
    f.join("g", {});  // PreparingRebalance
    EXPECT_EQ(f.commit_error("g", 1, id), Errc::kNone);
    f.leave("g", id);
    f.pass(400s);
    EXPECT_EQ(f.c->describe("g").state, "Empty");
    EXPECT_EQ(f.commit_error("g", -1, ""), Errc::kNone);
    EXPECT_EQ(f.commit_error("g", 4, ""), Errc::kUnknownMemberId);
}

TEST(Commit, IsAnsweredAndSeenOnlyOnceItIsDurable) {
    Fixture f;
    const auto answer = f.commit("g", -1, "", {.topic = "t1", .offset = 5, .metadata = "note"});
    EXPECT_FALSE(*answer);
    EXPECT_EQ(f.committed("g"), -1);
    f.write();
    ASSERT_TRUE(*answer);
    EXPECT_EQ(f.committed("g"), 5);
    f.restart();
    EXPECT_EQ(f.committed("g"), 5);
    EXPECT_EQ(f.c->fetch_all_offsets("g").front().committed.metadata, "note");
}

TEST(Commit, FailedAppendLeavesTheOldOffset) {
    Fixture f;
    EXPECT_EQ(f.commit_error("g", -1, ""), Errc::kNone);
    const auto large = f.commit("g", -1, "", {.topic = "t1", .offset = 9});
    f.write(Errc::kMessageTooLarge);
    EXPECT_EQ((*large)->partitions.front(), Errc::kInvalidCommitOffsetSize);
    EXPECT_EQ(f.committed("g"), 5);
}

TEST(Commit, TakesEffectInTheOrderOfTheLogWhateverTheOrderOfReports) {
    Fixture f;
    f.commit("g", -1, "", {.topic = "t1", .offset = 1});
    f.commit("g", -1, "", {.topic = "t1", .offset = 2});
    f.collect();
    ASSERT_EQ(f.unwritten.size(), 2);
    f.c->on_written(f.unwritten[1].token, Errc::kNone, f.now);
    EXPECT_EQ(f.committed("g"), -1);
    f.c->on_written(f.unwritten[0].token, Errc::kNone, f.now);
    EXPECT_EQ(f.committed("g"), 2);
}

TEST(Commit, OffsetsOfAGroupAreBounded) {
    Settings settings = quick();
    settings.offsets_max = 1;
    Fixture f{settings};
    EXPECT_EQ(f.commit_error("g", -1, ""), Errc::kNone);
    EXPECT_EQ(f.commit_error("g", -1, "", {.topic = "t2"}), Errc::kPolicyViolation);
    EXPECT_EQ(f.commit_error("g", -1, "", {.topic = "t1", .offset = 6}), Errc::kNone);
}

TEST(Fetch, GivesMinusOneForWhatWasNeverCommitted) {
    Fixture f;
    EXPECT_EQ(f.committed("none"), -1);
    EXPECT_TRUE(f.c->fetch_all_offsets("none").empty());
    EXPECT_EQ(f.commit_error("g", -1, ""), Errc::kNone);
    EXPECT_EQ(f.committed("g", "t1", 1), -1);
}

TEST(DeleteOffsets, SparesWhatALiveConsumerReads) {
    Fixture f;
    EXPECT_EQ(f.remove_offset("none", "t1").error, Errc::kGroupIdNotFound);
    EXPECT_EQ(f.remove_offset("", "t1").error, Errc::kInvalidGroupId);
    const std::string id = f.stable("g");
    f.commit_error("g", 1, id);
    f.commit_error("g", 1, id, {.topic = "t2", .offset = 1});
    EXPECT_EQ(f.remove_offset("g", "t1").partitions.front(), Errc::kGroupSubscribedToTopic);
    EXPECT_EQ(f.remove_offset("g", "t2").partitions.front(), Errc::kNone);
    EXPECT_EQ(f.committed("g"), 5);
    EXPECT_EQ(f.committed("g", "t2"), -1);
    f.stable("c", {.type = "connect"});
    EXPECT_EQ(f.remove_offset("c", "t1").error, Errc::kNonEmptyGroup);
    f.restart();
    EXPECT_EQ(f.committed("g", "t2"), -1);
    EXPECT_EQ(f.remove_offset("g", "t1").partitions.front(), Errc::kGroupSubscribedToTopic);
}

TEST(DeleteGroup, RemovesAnEmptyGroupForGood) {
    Fixture f;
    EXPECT_EQ(f.remove("none"), Errc::kGroupIdNotFound);
    const std::string id = f.stable("g");
    f.commit_error("g", 1, id);
    EXPECT_EQ(f.remove("g"), Errc::kNonEmptyGroup);
    f.leave("g", id);
    f.write();
    EXPECT_EQ(f.remove("g"), Errc::kNone);
    EXPECT_EQ(f.c->describe("g").error, Errc::kGroupIdNotFound);
    EXPECT_EQ(f.c->describe("g").state, "Dead");
    EXPECT_EQ(f.committed("g"), -1);
    f.restart();
    EXPECT_TRUE(f.c->list().empty());
}

TEST(DeleteGroup, TakesIdsAlongThatWereOnlyGivenOut) {
    Fixture f;
    const auto first = *f.join("g", {.id_required = true});
    ASSERT_EQ(first->error, Errc::kMemberIdRequired);
    EXPECT_EQ(f.remove("g"), Errc::kNone);
    EXPECT_EQ(f.remove("g"), Errc::kGroupIdNotFound);
    EXPECT_EQ((*f.join("g", {.member = first->member_id}))->error, Errc::kUnknownMemberId);
}

TEST(DeleteGroup, MemberThatJoinsMeanwhileKeepsIt) {
    Fixture f;
    f.commit_error("g", -1, "");
    f.c->delete_group("g", f.now, [](Errc) {});
    const auto joined = f.join("g", {});
    f.pass(0ms);
    f.write();
    EXPECT_EQ(f.c->describe("g").state, "CompletingRebalance");
    EXPECT_EQ(f.committed("g"), -1);
    const std::string id = (*joined)->member_id;
    EXPECT_FALSE(*f.sync("g", 1, id));
    f.write();
    f.restart();
    EXPECT_EQ(f.heartbeat("g", 1, id), Errc::kNone);
}

TEST(Restart, KeepsMembersWithAFreshSession) {
    Fixture f;
    const std::string id = f.stable("g", {.instance = "i1"});
    f.pass(9'000ms);
    f.restart();
    EXPECT_EQ(f.c->describe("g").state, "Stable");
    EXPECT_EQ(f.c->describe("g").members.front().instance_id, "i1");
    f.pass(9'000ms);
    EXPECT_EQ(f.heartbeat("g", 1, id, "i1"), Errc::kNone);
    EXPECT_EQ((*f.sync("g", 1, id))->assignment, bytes("AA"));
    f.pass(10'000ms);
    EXPECT_EQ(f.heartbeat("g", 1, id), Errc::kUnknownMemberId);
}

TEST(Retention, IdleGroupForgetsItsOffsetsAndThenItself) {
    Settings settings = quick();
    settings.offsets_retention = 3'600'000ms;
    Fixture f{settings};
    const std::string id = f.stable("g");
    f.commit_error("g", 1, id);
    f.commit_error("simple", -1, "");
    for (int i = 0; i < 700; ++i) {  // Two hours of heartbeats: a live group keeps what it reads.
        f.pass(9'000ms);
        ASSERT_EQ(f.heartbeat("g", 1, id), Errc::kNone);
        f.write();
    }
    EXPECT_EQ(f.committed("g"), 5);
    EXPECT_EQ(f.c->list().size(), 1);  // The simple group's hour began with its commit.
    f.leave("g", id);
    f.write();
    f.pass(3'000s);
    f.write();
    EXPECT_EQ(f.committed("g"), 5);
    f.pass(1'300s);
    f.write();
    EXPECT_TRUE(f.c->list().empty());
    f.restart();
    EXPECT_TRUE(f.c->list().empty());
}

TEST(Retention, CommitMayBringItsOwn) {
    Fixture f;
    f.commit("g", -1, "", {.topic = "t1", .offset = 5}, std::nullopt, 60'000);
    f.write();
    f.restart();
    EXPECT_EQ(f.committed("g"), 5);
    f.pass(700s);
    f.write();
    EXPECT_EQ(f.committed("g"), -1);
}

TEST(Retention, DeletedTopicTakesItsOffsetsAlong) {
    Fixture f;
    const std::string id = f.stable("g");
    f.commit_error("g", 1, id);
    f.commit_error("g", 1, id, {.topic = "t2", .offset = 8});
    f.c->on_topic_deleted("t1", f.now);
    f.write();
    EXPECT_EQ(f.committed("g"), -1);
    EXPECT_EQ(f.committed("g", "t2"), 8);
}

TEST(Describe, ShowsMetadataOnlyOfAStableGroup) {
    Fixture f;
    f.stable("g");
    auto described = f.c->describe("g");
    EXPECT_EQ(described.protocol, "range");
    EXPECT_EQ(described.protocol_type, "consumer");
    ASSERT_EQ(described.members.size(), 1);
    EXPECT_EQ(described.members[0].client_host, "/127.0.0.1");
    EXPECT_EQ(described.members[0].metadata, subscription("t1"));
    EXPECT_EQ(described.members[0].assignment, bytes("AA"));
    f.join("g", {});
    described = f.c->describe("g");
    EXPECT_EQ(described.state, "PreparingRebalance");
    EXPECT_EQ(described.protocol, "");
    ASSERT_EQ(described.members.size(), 2);
    EXPECT_TRUE(described.members[0].metadata.empty());
    EXPECT_EQ(described.members[0].assignment, bytes("AA"));
}

/// Whoever joins next is alone, whatever they offer, and nobody else is waited for.
void expect_to_take_anybody(Fixture& f) {
    EXPECT_EQ(f.c->describe("g").state, "Empty");
    EXPECT_TRUE(f.c->describe("g").members.empty());
    const auto joined = f.join("g", {.instance = "i1", .protocols = {"sticky"}});
    f.pass(0ms);
    ASSERT_TRUE(*joined);
    EXPECT_EQ((*joined)->error, Errc::kNone);
    EXPECT_EQ((*joined)->members.size(), 1);
}

TEST(Load, GroupWhoseFirstRebalanceWasCutShortIsEmpty) {
    for (const bool is_static : {false, true}) {
        Fixture f;
        Fixture::Options first;
        if (is_static) first.instance = "i1";
        f.join("g", first);
        f.write();
        f.restart();
        expect_to_take_anybody(f);
    }
}

TEST(Load, FirstRebalanceOfAGroupThatWasOfTheConsumerProtocolMayBeCutShort) {
    Fixture f;
    int answers = 0;
    for (const std::int32_t epoch : {0, -1}) {
        const std::array<std::string_view, 1> topics{"t1"};
        f.c->consumer_heartbeat({.group_id = "g",
                                 .member_id = "m",
                                 .member_epoch = epoch,
                                 .rebalance_timeout_ms = 30'000,
                                 .topics = topics,
                                 .owned = std::span<const OwnedTopic>{},
                                 .makes_own_id = true},
                                f.now, [&](const ConsumerHeartbeatAnswer& answer) {
                                    EXPECT_EQ(answer.error, Errc::kNone) << answer.message;
                                    ++answers;
                                });
        f.write();
    }
    EXPECT_EQ(answers, 2);
    f.join("g", {});
    f.write();
    f.restart();
    expect_to_take_anybody(f);
}

TEST(Load, MembersThatWereWrittenWithoutAProtocolAreLeftOut) {
    Fixture f;
    std::vector<MemberValue> members(1);
    members[0].member_id = "ghost";
    members[0].instance_id = "i1";
    GroupValue value;
    value.protocol_type = "consumer";
    value.leader = "ghost";
    value.members = members;
    f.log.push_back({encode_key(GroupKey{"g"}), encode_value(value, kGroupValueVersion)});
    f.restart();
    expect_to_take_anybody(f);
}

TEST(Load, RecordsThatCannotBeReadAreCountedAndOthersKept) {
    Fixture f;
    f.c->load_record(bytes("\x01"), std::nullopt, f.now);
    f.c->load_record(encode_key(OffsetKey{"g", "t1", 0}), bytes("x"), f.now);
    f.c->load_record(encode_key(GroupKey{"g"}), bytes("x"), f.now);
    Buffer future(4);
    store_be(future.data(), std::int16_t{15});
    f.c->load_record(future, bytes("whatever"), f.now);
    EXPECT_EQ(f.c->unreadable_records(), 3);
    EXPECT_EQ(f.commit_error("g", -1, ""), Errc::kNone);
}

}  // namespace
}  // namespace leat::groups
