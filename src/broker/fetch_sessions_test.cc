// SPDX-License-Identifier: Apache-2.0
//
// Method: sessions made, found and used up by hand, with a clock of the test.
#include "broker/fetch_sessions.h"

#include <gtest/gtest.h>

#include <limits>

namespace leat::broker {
namespace {

using std::chrono::minutes;

constexpr Instant kStart{minutes{100}};

/// 1, 2, 3 and so on.
std::function<std::uint64_t()> counting() {
    return [next = std::uint64_t{0}]() mutable { return ++next; };
}

storage::PartitionId partition(std::int32_t index) {
    return {.topic = {}, .index = index};
}

TEST(FetchSessions, GivesNoSlotWhileAllAreInUseLately) {
    FetchSessions sessions{{.slots = 2, .idle_after = minutes{2}}};
    const auto random = counting();
    FetchSession* a = sessions.create(kStart, random);
    FetchSession* b = sessions.create(kStart, random);
    ASSERT_TRUE(a != nullptr && b != nullptr);
    EXPECT_NE(a->id, b->id);
    EXPECT_EQ(sessions.create(kStart + minutes{1}, random), nullptr);
    sessions.touch(*a, kStart + minutes{1});
    FetchSession* c = sessions.create(kStart + minutes{2}, random);
    ASSERT_NE(c, nullptr);
    EXPECT_EQ(sessions.find(2), nullptr) << "b was the one unused for longest";
    EXPECT_EQ(sessions.find(a->id), a);
    EXPECT_EQ(sessions.size(), 2U);
}

TEST(FetchSessions, TakesNoSlotOfARequestInExecution) {
    FetchSessions sessions{{.slots = 1, .idle_after = minutes{2}}};
    const auto random = counting();
    FetchSession* a = sessions.create(kStart, random);
    a->in_use = true;
    EXPECT_EQ(sessions.create(kStart + minutes{10}, random), nullptr);
    a->in_use = false;
    EXPECT_NE(sessions.create(kStart + minutes{10}, random), nullptr);
}

TEST(FetchSessions, RememberSoManyPartitionsTogether) {
    FetchSessions sessions{{.slots = 10, .partitions = 10, .idle_after = minutes{2}}};
    const auto random = counting();
    FetchSession* a = sessions.create(kStart, random);
    for (std::int32_t i = 0; i < 6; ++i) a->add({.topic = "t", .id = partition(i)});
    EXPECT_TRUE(sessions.make_room_for(4, kStart));
    EXPECT_FALSE(sessions.make_room_for(5, kStart + minutes{1}));
    a->remove("t", partition(0));
    EXPECT_TRUE(sessions.make_room_for(5, kStart + minutes{1}));
    FetchSession* b = sessions.create(kStart + minutes{1}, random);
    b->add({.topic = std::string(1'000, 'x'), .id = partition(0)});
    EXPECT_FALSE(sessions.make_room_for(2, kStart + minutes{1})) << "long names count for more";
    EXPECT_TRUE(sessions.make_room_for(2, kStart + minutes{2})) << "the idle one goes";
    EXPECT_EQ(sessions.size(), 1U);
    EXPECT_FALSE(sessions.make_room_for(11, kStart + minutes{99}));
    EXPECT_EQ(sessions.size(), 1U) << "for what never fits nobody goes";
}

TEST(FetchSessions, NeverGivesAnIdTwiceAtOnce) {
    FetchSessions sessions{{.slots = 10, .idle_after = minutes{2}}};
    EXPECT_NE(sessions.create(kStart, [] { return std::uint64_t{7}; }), nullptr);
    EXPECT_EQ(sessions.create(kStart, [] { return std::uint64_t{7}; }), nullptr);
    EXPECT_EQ(sessions.create(kStart, [] { return std::uint64_t{0}; }), nullptr);
}

TEST(FetchSessions, WrapsEpochsToOne) {
    EXPECT_EQ(FetchSessions::epoch_after(1), 2);
    EXPECT_EQ(FetchSessions::epoch_after(std::numeric_limits<std::int32_t>::max()), 1);
}

TEST(FetchSession, KeepsItsOrderAndServesTheFedLast) {
    std::size_t total = 0;
    FetchSession session{&total};
    for (std::int32_t i = 0; i < 3; ++i) session.add({.topic = "t", .id = partition(i)});
    session.move_to_end(*session.find("t", partition(0)));
    session.remove("t", partition(2));
    std::vector<std::int32_t> order;
    for (const SessionPartition& one : session.partitions()) order.push_back(one.id.index);
    EXPECT_EQ(order, (std::vector<std::int32_t>{1, 0}));
    EXPECT_EQ(session.find("t", partition(2)), nullptr);
    EXPECT_EQ(session.find("u", partition(1)), nullptr);
    EXPECT_EQ(session.find("", partition(1)), nullptr) << "names and ids do not mix";
}

TEST(FetchSession, FindsPartitionsByTopicIdWithoutAName) {
    std::size_t total = 0;
    FetchSession session{&total};
    storage::PartitionId id = partition(4);
    id.topic.bytes[3] = 9;
    session.add({.topic = "", .id = id});
    EXPECT_NE(session.find("", id), nullptr);
    id.topic.bytes[3] = 8;
    EXPECT_EQ(session.find("", id), nullptr);
}

}  // namespace
}  // namespace leat::broker
