// SPDX-License-Identifier: Apache-2.0
#include "apps/fault_injection.h"

#include <gtest/gtest.h>

namespace leat::apps {
namespace {

TEST(FaultInjection, SetsTheFaultsThatAreNamed) {
    const auto faults = parse_faults("io-error:sync:.log:3", "skip_sync,trust_sync,mark_ahead");
    ASSERT_TRUE(faults.has_value());
    EXPECT_EQ(faults->disk.size(), 1U);
    EXPECT_TRUE(faults->storage.skip_sync);
    EXPECT_TRUE(faults->storage.mark_ahead);
    EXPECT_TRUE(faults->trust_sync);
    EXPECT_FALSE(faults->storage.ack_before_sync);
}

TEST(FaultInjection, KnowsTheCoordinatorsFaultsByTheirModule) {
    const auto faults = parse_faults(
        "", "transactions.marker_lost,groups.offsets_outside_transaction,metadata.behind");
    ASSERT_TRUE(faults.has_value());
    EXPECT_TRUE(faults->transactions.marker_lost);
    EXPECT_TRUE(faults->groups.offsets_outside_transaction);
    EXPECT_TRUE(faults->metadata_behind);
    EXPECT_FALSE(faults->transactions.no_fencing);
    EXPECT_FALSE(parse_faults("", "marker_lost").has_value());
}

TEST(FaultInjection, IsNothingWhenNothingIsAsked) {
    const auto faults = parse_faults("", "");
    ASSERT_TRUE(faults.has_value());
    EXPECT_TRUE(faults->disk.empty());
    EXPECT_FALSE(faults->trust_sync);
    EXPECT_FALSE(faults->storage.skip_sync);
}

TEST(FaultInjection, RefusesUnknownFaults) {
    EXPECT_FALSE(parse_faults("", "skip_sink").has_value());
    EXPECT_FALSE(parse_faults("io-error", "").has_value());
}

}  // namespace
}  // namespace leat::apps
