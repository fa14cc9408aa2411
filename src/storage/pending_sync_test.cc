// SPDX-License-Identifier: Apache-2.0
//
// Method: a sync and the turns that others take at a log, in the orders that matter.
#include "storage/pending_sync.h"

#include <gtest/gtest.h>

#include <optional>

#include "storage/testing/log_fixture.h"
#include "testkit/manual_executor.h"
#include "testkit/result_matchers.h"
#include "testkit/sim_disk.h"

namespace leat::storage {
namespace {

class PendingSyncTest : public ::testing::Test {
  protected:
    PendingSyncTest() {
        EXPECT_OK(disk_.make_directory("d"));
        EXPECT_OK(fixture_.open());
    }
    std::optional<Log::Unsynced> take(bool is_in_use) {
        return sync_.take(fixture_.log.get(), is_in_use, executor_);
    }
    void turn_ends() { sync_.turn_ended(fixture_.log.get(), executor_); }

    testkit::SimDisk disk_{1};
    testkit::ManualExecutor executor_;
    testing::LogFixture fixture_{disk_, "d/t-0"};
    PendingSync sync_;
};

// Who appends while a sync waits is told that one is on its way, and asks for no other.
TEST_F(PendingSyncTest, TakesWhatCameBehindWhatWaits) {
    ASSERT_OK(fixture_.append());
    EXPECT_FALSE(take(true).has_value());
    turn_ends();
    ASSERT_OK(fixture_.append());
    turn_ends();
    const auto taken = take(true);
    ASSERT_TRUE(taken.has_value());
    EXPECT_EQ(taken->end, fixture_.log->log_end());
    EXPECT_FALSE(take(true).has_value()) << "all of it is taken";
}

}  // namespace
}  // namespace leat::storage
