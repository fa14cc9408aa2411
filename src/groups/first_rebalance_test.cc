// SPDX-License-Identifier: Apache-2.0
// Method: a coordinator that reads the log of one that stopped in a group's first rebalance.
#include <gtest/gtest.h>

#include <optional>
#include <string_view>
#include <vector>

#include "groups/coordinator.h"

namespace leat::groups {
namespace {

constexpr Now kNow{.mono = {}, .wall = WallMs{1'800'000'000'000}};

std::optional<JoinAnswer> join(Coordinator& coordinator,
                               const std::optional<std::string_view>& instance) {
    const Protocol range{"range", {}};
    std::optional<JoinAnswer> out;
    coordinator.join({.group_id = "g",
                      .member_id = {},
                      .instance_id = instance,
                      .client_id = "app",
                      .client_host = "/127.0.0.1",
                      .protocol_type = "consumer",
                      .protocols = {&range, 1},
                      .session_timeout_ms = 45'000,
                      .rebalance_timeout_ms = 45'000},
                     kNow, [&out](JoinAnswer answer) { out = std::move(answer); });
    return out;
}

// Static members, and clients that are too old to come twice, are members before the first
// rebalance ends.
TEST(FirstRebalance, LeavesNobodyBehindWhereItWasCutOff) {
    for (const std::optional<std::string_view> instance :
         {std::optional<std::string_view>{"i"}, std::optional<std::string_view>{}}) {
        Coordinator first{Settings{}, [] { return std::uint64_t{1}; }};
        first.finish_load(kNow);
        EXPECT_FALSE(join(first, instance).has_value()) << "waits for others";
        const std::vector<Write> writes = first.take_writes();
        ASSERT_EQ(writes.size(), 1U);

        Settings quick;
        quick.initial_rebalance_delay = std::chrono::milliseconds{0};
        Coordinator second{quick, [] { return std::uint64_t{2}; }};
        for (const RecordToWrite& record : writes[0].records)
            second.load_record(record.key, Bytes{record.value.value()}, kNow);
        second.finish_load(kNow);
        EXPECT_EQ(second.describe("g").state, "Empty");
        join(second, instance);
        second.advance(kNow);
        EXPECT_EQ(second.describe("g").members.size(), 1U);
        EXPECT_EQ(second.describe("g").state, "CompletingRebalance");
    }
}

}  // namespace
}  // namespace leat::groups
