// SPDX-License-Identifier: Apache-2.0
//
// What a coordinator's answer says of one partition.
#include "apps/hanging_transactions.h"

#include <gtest/gtest.h>

#include "testkit/result_matchers.h"

namespace leat::apps {
namespace {

TEST(HangingTransactions, AreThoseThatACoordinatorDoesNotKnow) {
    client::TransactionDetails details;
    details.partitions = {{"t", 0}};
    EXPECT_EQ(*is_known_in(details, {"t", 0}), true);
    EXPECT_EQ(*is_known_in(details, {"t", 1}), false);
    details.code = Errc::kTransactionalIdNotFound;
    EXPECT_EQ(*is_known_in(details, {"t", 0}), false);
}

TEST(HangingTransactions, AreNotTakenForSuchWhenTheCoordinatorDoesNotTell) {
    for (const Errc code : {Errc::kCoordinatorLoadInProgress, Errc::kNotCoordinator,
                            Errc::kTransactionalIdAuthorizationFailed}) {
        client::TransactionDetails details;
        details.code = code;
        EXPECT_ERRC(is_known_in(details, {"t", 0}), code);
    }
}

TEST(HangingTransactions, AreNotOpenOnceTheyHaveEnded) {
    for (const char* state : {"Ongoing", "PrepareCommit", "PrepareAbort", "PrepareEpochFence"})
        EXPECT_TRUE(has_open_transaction(state)) << state;
    for (const char* state : {"Empty", "CompleteCommit", "CompleteAbort", "Dead"})
        EXPECT_FALSE(has_open_transaction(state)) << state;
}

}  // namespace
}  // namespace leat::apps
