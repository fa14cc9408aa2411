// SPDX-License-Identifier: Apache-2.0
//
// Method: shares of limits from next to nothing to none.
#include "broker/descriptor_shares.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace leat::broker {
namespace {

std::int64_t sum(const DescriptorShares& shares) {
    return shares.reserve + static_cast<std::int64_t>(shares.log_files) +
           static_cast<std::int64_t>(shares.http_connections) + shares.connections;
}

TEST(DescriptorShares, AreNeverMoreThanTheLimit) {
    for (std::int64_t limit = 16; limit < 4'000'000; limit += 1 + limit / 3)
        for (const std::int32_t setting : {0, 1, 100, 20'000, 2'147'483'647})
            for (const std::size_t shards : {1U, 2U, 64U}) {
                const DescriptorShares got = share_descriptors(limit, setting, shards);
                EXPECT_LE(sum(got), limit) << limit << " " << setting;
                EXPECT_GE(got.connections, 1);
                EXPECT_GE(got.log_files, 1U);
                EXPECT_GE(got.http_connections, 1U);
            }
}

TEST(DescriptorShares, LeaveRoomForTenThousandConnectionsOfTwentyThousand) {
    const DescriptorShares got = share_descriptors(20'000, 0, 2);
    EXPECT_EQ(got.log_files, 6'666U);
    EXPECT_EQ(got.http_connections, 256U);
    EXPECT_GT(got.connections, 12'000);
    EXPECT_FALSE(got.is_cut);
}

TEST(DescriptorShares, CutASettingThatLeavesNoConnections) {
    EXPECT_FALSE(share_descriptors(10'000, 6'000, 2).is_cut);
    EXPECT_EQ(share_descriptors(10'000, 6'000, 2).log_files, 6'000U);
    const DescriptorShares got = share_descriptors(1'024, 5'000, 2);
    EXPECT_TRUE(got.is_cut);
    EXPECT_LT(got.log_files, 800U);
    EXPECT_GT(got.connections, 150);
    EXPECT_FALSE(share_descriptors(1'024, 0, 2).is_cut);
}

TEST(DescriptorShares, WithoutALimitAreLarge) {
    for (const std::int64_t limit : {std::int64_t{-1}, INT64_MAX}) {
        const DescriptorShares got = share_descriptors(limit, 0, 2);
        EXPECT_EQ(got.log_files, 333'333U);
        EXPECT_GT(got.connections, 1'000'000);
    }
}

}  // namespace
}  // namespace leat::broker
