// SPDX-License-Identifier: Apache-2.0
//
// What is tried again, and for how long.
#include "streams/cluster/trouble.h"

#include <gtest/gtest.h>

namespace leat::streams {
namespace {

using std::chrono::milliseconds;

TEST(Trouble, NoCoordinatorPassesAndARefusalDoesNot) {
    for (const Errc code : {Errc::kCoordinatorNotAvailable, Errc::kNetworkException, Errc::kClosed,
                            Errc::kTimedOut, Errc::kUnknownTopicOrPartition})
        EXPECT_TRUE(may_pass(code)) << info(code).name;
    for (const Errc code : {Errc::kTopicAuthorizationFailed, Errc::kIllegalGeneration})
        EXPECT_FALSE(may_pass(code)) << info(code).name;
}

TEST(Trouble, ARestartCuresFencingButNoRefusal) {
    for (const Errc code : {Errc::kProducerFenced, Errc::kInvalidProducerEpoch, Errc::kCancelled,
                            Errc::kTimedOut, Errc::kIllegalGeneration})
        EXPECT_TRUE(is_cured_by_restart(code)) << info(code).name;
    for (const Errc code : {Errc::kMessageTooLarge, Errc::kTopicAuthorizationFailed,
                            Errc::kInvalidRecord, Errc::kTransactionalIdAuthorizationFailed})
        EXPECT_FALSE(is_cured_by_restart(code)) << info(code).name;
}

TEST(Trouble, WhatARightOrASettingForbidsIsPermanent) {
    for (const Errc code :
         {Errc::kTopicAuthorizationFailed, Errc::kGroupAuthorizationFailed,
          Errc::kClusterAuthorizationFailed, Errc::kTransactionalIdAuthorizationFailed,
          Errc::kSaslAuthenticationFailed, Errc::kUnsupportedSaslMechanism,
          Errc::kInvalidSessionTimeout, Errc::kGroupMaxSizeReached, Errc::kInvalidGroupId,
          Errc::kInconsistentGroupProtocol, Errc::kInvalidReplicationFactor,
          Errc::kInvalidPartitions, Errc::kInvalidConfig, Errc::kInvalidTopicException,
          Errc::kInvalidSetting, Errc::kInvalidRequest, Errc::kPolicyViolation,
          Errc::kUnsupportedVersion, Errc::kStreamsInvalidTopology})
        EXPECT_TRUE(is_permanent(code)) << info(code).name;
    for (const Errc code : {Errc::kTimedOut, Errc::kRequestTimedOut, Errc::kBrokerNotAvailable,
                            Errc::kClosed, Errc::kNetworkException, Errc::kNotCoordinator,
                            Errc::kCoordinatorLoadInProgress, Errc::kCoordinatorNotAvailable,
                            Errc::kThrottlingQuotaExceeded, Errc::kUnknownServerError})
        EXPECT_FALSE(is_permanent(code)) << info(code).name;
}

TEST(Patience, LastsFromTheFirstTroubleInARow) {
    Patience patience;
    const Instant start{};
    EXPECT_TRUE(patience.lasts(start, milliseconds{100}));
    EXPECT_TRUE(patience.lasts(start + milliseconds{99}, milliseconds{100}));
    EXPECT_FALSE(patience.lasts(start + milliseconds{100}, milliseconds{100}));
    patience.restore();
    EXPECT_TRUE(patience.lasts(start + milliseconds{150}, milliseconds{100}));
}

TEST(Patience, WithoutTimeThereIsNone) {
    Patience patience;
    EXPECT_FALSE(patience.lasts(Instant{}, milliseconds{0}));
}

}  // namespace
}  // namespace leat::streams
