// SPDX-License-Identifier: Apache-2.0
//
// Who gets in, and what wakes those who wait outside.
#include "streams/cluster/group_gate.h"

#include <gtest/gtest.h>

#include "rt/named_thread.h"

namespace leat::streams {
namespace {

client::GroupIdentity member(int generation) {
    return {.group = "g", .generation = generation, .member_id = "m", .instance_id = {}};
}

TEST(GroupGate, LetsNobodyInBeforeThereIsAMember) {
    GroupGate gate;
    EXPECT_FALSE(gate.try_enter());
    {
        const auto closed = gate.close();
        gate.set_identity(member(3));
        EXPECT_FALSE(gate.try_enter());
    }
    const auto pass = gate.try_enter();
    ASSERT_TRUE(pass);
    EXPECT_EQ(pass->identity.generation, 3);
}

TEST(GroupGate, ClosesOnceThoseInsideAreOut) {
    GroupGate gate;
    {
        const auto closed = gate.close();
        gate.set_identity(member(1));
    }
    bool left = false;
    rt::NamedThread closer;
    {
        auto pass = gate.try_enter();
        ASSERT_TRUE(pass);
        closer = rt::NamedThread{"closer", [&] {
                                     const auto closed = gate.close();
                                     EXPECT_TRUE(left);
                                 }};
        left = true;
    }
    closer = {};
    EXPECT_TRUE(gate.try_enter());
}

TEST(GroupGate, OpeningANudgeAndTheEndWakeWhoWaits) {
    GroupGate gate;
    constexpr std::chrono::milliseconds kLong{600'000};
    std::uint64_t seen = gate.turn();
    static_cast<void>(gate.close());
    gate.wait(seen, kLong);
    seen = gate.turn();
    gate.nudge();
    gate.wait(seen, kLong);
    seen = gate.turn();
    EXPECT_FALSE(gate.is_ended());
    gate.end();
    gate.wait(seen, kLong);
    EXPECT_TRUE(gate.is_ended());
}

}  // namespace
}  // namespace leat::streams
