// SPDX-License-Identifier: Apache-2.0
// Method: two coordinators that share one count, as those of a node do; their appends succeed at
// once.
#include "groups/group_memory.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "groups/coordinator.h"

namespace leat::groups {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMax = 200'000;

struct Node {
    static Settings settings() {
        Settings out;
        out.initial_rebalance_delay = 0ms;
        out.all_groups_bytes_max = kMax;
        return out;
    }
    void write(Coordinator& c) {
        for (std::vector<Write> all = c.take_writes(); !all.empty(); all = c.take_writes())
            for (const Write& each : all) c.on_written(each.token, Errc::kNone, now);
    }
    /// A member that says this much of itself; alone in its group it is answered at once.
    JoinAnswer join(Coordinator& c, std::string_view group, std::size_t size,
                    std::string_view member = "") {
        const std::vector<std::byte> metadata(size);
        const Protocol protocol{"range", metadata};
        JoinAnswer out{.error = Errc::kRequestTimedOut};
        c.join({.group_id = group,
                .member_id = member,
                .client_id = "app",
                .protocol_type = "other",
                .protocols = {&protocol, 1},
                .session_timeout_ms = 10'000},
               now, [&](JoinAnswer answer) { out = std::move(answer); });
        c.advance(now);
        write(c);
        return out;
    }
    Errc sync(Coordinator& c, const JoinAnswer& joined, std::size_t size) {
        const std::vector<std::byte> blob(size);
        const Assignment given{joined.member_id, blob};
        Errc out = Errc::kRequestTimedOut;
        c.sync({.group_id = "g",
                .member_id = joined.member_id,
                .generation = joined.generation,
                .assignments = {&given, 1}},
               now, [&](SyncAnswer answer) { out = answer.error; });
        write(c);
        return out;
    }
    void leave(Coordinator& c, std::string_view group, std::string_view member) {
        const LeavingMember leaving{.member_id = member};
        EXPECT_EQ(c.leave({.group_id = group, .members = {&leaving, 1}}, now).members.front(),
                  Errc::kNone);
        write(c);
    }
    Errc commit(Coordinator& c, std::string_view group, std::int32_t partition,
                std::string_view metadata = "") {
        const OffsetToCommit offset{
            .topic = "t", .partition = partition, .offset = 5, .metadata = metadata};
        Errc out = Errc::kRequestTimedOut;
        c.commit_offsets(
            {.group_id = group, .offsets = {&offset, 1}}, now, [&](CommitAnswer answer) {
                out = answer.partitions.empty() ? answer.error : answer.partitions.front();
            });
        write(c);
        return out;
    }
    ConsumerHeartbeatAnswer beat(Coordinator& c, std::string_view group, std::size_t size) {
        const std::string topic(size, 'x');
        const std::string_view name = topic;
        ConsumerHeartbeat request{.group_id = group,
                                  .member_id = "m",
                                  .rebalance_timeout_ms = 10'000,
                                  .client_id = "app"};
        request.topics = std::span{&name, 1};
        request.owned = std::span<const OwnedTopic>{};
        ConsumerHeartbeatAnswer out{.error = Errc::kRequestTimedOut};
        c.consumer_heartbeat(request, now,
                             [&](ConsumerHeartbeatAnswer answer) { out = std::move(answer); });
        write(c);
        return out;
    }
    Errc remove(Coordinator& c, std::string_view group) {
        Errc out = Errc::kRequestTimedOut;
        c.delete_group(group, now, [&](Errc error) { out = error; });
        write(c);
        return out;
    }

    Now now{Instant{} + 1h, WallMs{1'000'000}};
    std::uint64_t bits = 0;
    GroupMemory memory;
    Coordinator a{settings(), [this] { return ++bits; }, nullptr, &memory};
    Coordinator b{settings(), [this] { return ++bits; }, nullptr, &memory};
};

TEST(GroupMemory, ComesBackWithWhoeverHoldsIt) {
    GroupMemory memory;
    {
        HeldBytes held{memory, 100};
        held.add(20);
        held.remove(50);
        const HeldBytes moved{std::move(held)};
        EXPECT_EQ(memory.used_bytes(), 70);
    }
    EXPECT_EQ(memory.used_bytes(), 0);
}

TEST(GroupMemory, WhoDoesNotFitIsRefusedUntilOthersLeave) {
    Node n;
    const JoinAnswer first = n.join(n.a, "g", 100'000);
    ASSERT_EQ(first.error, Errc::kNone);
    EXPECT_EQ(n.join(n.b, "h", 100'000).error, Errc::kCoordinatorNotAvailable);
    EXPECT_EQ(n.beat(n.b, "i", 100'000).error, Errc::kCoordinatorLoadInProgress);
    n.leave(n.a, "g", first.member_id);
    EXPECT_EQ(n.join(n.b, "h", 100'000).error, Errc::kNone);
}

TEST(GroupMemory, MembersThatComeBackMaySayMore) {
    Node n;
    const JoinAnswer first = n.join(n.a, "g", 100'000);
    const JoinAnswer again = n.join(n.a, "g", kMax, first.member_id);
    EXPECT_EQ(again.error, Errc::kNone);
    EXPECT_GT(again.generation, first.generation);
    EXPECT_GT(n.memory.used_bytes(), kMax);
    EXPECT_EQ(n.join(n.b, "h", 10).error, Errc::kCoordinatorNotAvailable);
}

TEST(GroupMemory, NewGroupsAreRefusedByEitherProtocol) {
    Node n;
    n.memory.change(0, kMax);
    EXPECT_EQ(n.join(n.a, "g", 10).error, Errc::kCoordinatorNotAvailable);
    EXPECT_EQ(n.beat(n.a, "g", 10).error, Errc::kCoordinatorLoadInProgress);
    EXPECT_TRUE(n.a.list().empty());
    n.memory.change(kMax, 0);
    EXPECT_EQ(n.beat(n.a, "g", 10).error, Errc::kNone);
}

TEST(GroupMemory, MemberOfTheConsumerProtocolIsCountedToo) {
    Node n;
    ASSERT_EQ(n.beat(n.a, "g", 100'000).error, Errc::kNone);
    const ConsumerHeartbeatAnswer refused = n.beat(n.b, "h", 100'000);
    EXPECT_EQ(refused.error, Errc::kCoordinatorLoadInProgress);
    EXPECT_TRUE(refused.message.contains("200000")) << refused.message;
    EXPECT_EQ(n.join(n.b, "i", 100'000).error, Errc::kCoordinatorNotAvailable);
    EXPECT_EQ(n.beat(n.a, "g", kMax).error, Errc::kNone) << "it is in, and may say more";
    EXPECT_GT(n.memory.used_bytes(), kMax);
}

TEST(GroupMemory, AssignmentsAreCountedAndNeverRefused) {
    Node n;
    JoinAnswer joined = n.join(n.a, "g", 10);
    EXPECT_EQ(n.sync(n.a, joined, kMax), Errc::kNone);
    EXPECT_EQ(n.a.describe("g").state, "Stable");
    EXPECT_EQ(n.join(n.b, "h", 10).error, Errc::kCoordinatorNotAvailable);
    joined = n.join(n.a, "g", 11, joined.member_id);
    EXPECT_EQ(n.sync(n.a, joined, 2 * kMax), Errc::kNone);
    EXPECT_EQ(n.a.describe("g").state, "Stable");
    EXPECT_GT(n.memory.used_bytes(), 2 * kMax);
}

TEST(GroupMemory, OffsetsOfNewPartitionsAreRefusedAndKnownOnesMoveOn) {
    Node n;
    ASSERT_EQ(n.commit(n.a, "g", 0, "note"), Errc::kNone);
    n.memory.change(0, kMax);
    EXPECT_EQ(n.commit(n.a, "g", 0, "note"), Errc::kNone);
    EXPECT_EQ(n.commit(n.a, "g", 0, "longer note"), Errc::kNone);
    EXPECT_EQ(n.commit(n.a, "g", 1), Errc::kCoordinatorNotAvailable);
    EXPECT_EQ(n.commit(n.b, "h", 0), Errc::kCoordinatorNotAvailable);
    n.memory.change(kMax, 0);
    EXPECT_EQ(n.commit(n.a, "g", 1), Errc::kNone);
}

TEST(GroupMemory, NothingIsLeftOfWhatIsGone) {
    Node n;
    const JoinAnswer joined = n.join(n.a, "g", 1'000);
    EXPECT_EQ(n.sync(n.a, joined, 500), Errc::kNone);
    n.leave(n.a, "g", joined.member_id);
    EXPECT_EQ(n.commit(n.a, "h", 0, "note"), Errc::kNone);
    EXPECT_EQ(n.commit(n.a, "h", 1, "note"), Errc::kNone);
    EXPECT_EQ(n.commit(n.a, "h", 1, "other note"), Errc::kNone);
    EXPECT_GT(n.memory.used_bytes(), 0);
    EXPECT_EQ(n.remove(n.a, "g"), Errc::kNone);
    EXPECT_EQ(n.remove(n.a, "h"), Errc::kNone);
    EXPECT_EQ(n.memory.used_bytes(), 0);
}

}  // namespace
}  // namespace leat::groups
