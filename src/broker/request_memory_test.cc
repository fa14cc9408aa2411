// SPDX-License-Identifier: Apache-2.0
#include "broker/request_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <utility>

#include "broker/metrics.h"

namespace leat::broker {
namespace {

constexpr std::size_t kBound = 100'000;

class RequestMemoryTest : public ::testing::Test {
  protected:
    obs::Registry registry_{1};
    BrokerMetrics metrics_{registry_};
    RequestMemory memory_{kBound, metrics_.response_memory};
};

TEST_F(RequestMemoryTest, ShareGoesBackWithItsHolder) {
    {
        MemoryShare share{memory_};
        share.grow_to(60'000);
        EXPECT_EQ(memory_.used_bytes(), 60'000);
        share.grow_to(50'000);  // What is held is never less than it was.
        EXPECT_EQ(memory_.used_bytes(), 60'000);
        MemoryShare other = std::move(share);
        share = MemoryShare{memory_};
        other.grow_to(70'000);
        EXPECT_EQ(memory_.used_bytes(), 70'000);
        EXPECT_TRUE(memory_.has_room());
        share.grow_to(30'000);
        EXPECT_FALSE(memory_.has_room());
    }
    EXPECT_EQ(memory_.used_bytes(), 0);
}

TEST_F(RequestMemoryTest, LittleIsNotCounted) {
    MemoryShare share{memory_};
    share.grow_to(MemoryShare::kUncounted);
    EXPECT_TRUE(share.is_empty());
    share.grow_to(MemoryShare::kUncounted + 1);
    EXPECT_EQ(memory_.used_bytes(), std::int64_t{MemoryShare::kUncounted} + 1);
}

TEST_F(RequestMemoryTest, MuchIsRefusedAtTwiceTheBound) {
    MemoryShare first{memory_};
    first.grow_to(kBound);
    MemoryShare second{memory_};
    EXPECT_TRUE(second.can_hold(kBound));
    EXPECT_FALSE(second.can_hold(kBound + 1));
    EXPECT_TRUE(second.can_hold(MemoryShare::kUncounted));
    EXPECT_FALSE(first.is_short());
    second.grow_to(kBound + 1);
    EXPECT_TRUE(first.is_short());
    EXPECT_TRUE(second.is_short());
    EXPECT_FALSE(MemoryShare{memory_}.is_short()) << "who holds little goes on";
    second.release();
    EXPECT_FALSE(first.is_short());
}

TEST_F(RequestMemoryTest, ABoundWithoutEndHoldsAll) {
    RequestMemory vast{std::numeric_limits<std::int64_t>::max(), metrics_.request_memory};
    vast.take(std::size_t{1} << 50U);
    EXPECT_TRUE(vast.has_room());
    EXPECT_TRUE(vast.can_hold(std::size_t{1} << 50U));
}

TEST_F(RequestMemoryTest, WhoIsToStartNeedsNoRoomForFrames) {
    RequestMemories all{.frames = {10, metrics_.request_memory},
                        .answers = {10, metrics_.response_memory}};
    all.frames.take(10);
    EXPECT_TRUE(all.has_room(MemoryWait::kToStart));
    EXPECT_FALSE(all.has_room(MemoryWait::kToRead));
    all.frames.give_back(10);
    all.answers.take(10);
    EXPECT_FALSE(all.has_room(MemoryWait::kToStart));
    EXPECT_FALSE(all.has_room(MemoryWait::kToRead));
}

TEST_F(RequestMemoryTest, ShortageNamesTheBoundThatIsFull) {
    RequestMemories all{.frames = {10, metrics_.request_memory},
                        .answers = {10, metrics_.response_memory}};
    EXPECT_FALSE(all.shortage().frames || all.shortage().answers);
    all.frames.take(10);
    EXPECT_TRUE(all.shortage().frames && !all.shortage().answers);
    all.answers.take(10);
    EXPECT_TRUE(all.shortage().frames && all.shortage().answers);
}

TEST_F(RequestMemoryTest, NoBoundIsNone) {
    RequestMemory endless{-1, metrics_.request_memory};
    endless.take(std::size_t{1} << 50U);
    EXPECT_TRUE(endless.has_room());
    EXPECT_TRUE(endless.can_hold(std::size_t{1} << 50U));
}

}  // namespace
}  // namespace leat::broker
