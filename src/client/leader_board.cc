// SPDX-License-Identifier: Apache-2.0
#include "client/leader_board.h"

#include <algorithm>
#include <array>

namespace leat::client {
namespace {

constexpr auto kLeaderIsElsewhere = std::to_array<Errc>(
    {Errc::kNotLeaderOrFollower, Errc::kLeaderNotAvailable, Errc::kReplicaNotAvailable,
     Errc::kKafkaStorageError, Errc::kFencedLeaderEpoch, Errc::kUnknownLeaderEpoch,
     Errc::kUnknownTopicOrPartition, Errc::kUnknownTopicId, Errc::kInconsistentTopicId});

}  // namespace

bool says_leader_is_elsewhere(Errc code) {
    return std::ranges::find(kLeaderIsElsewhere, code) != kLeaderIsElsewhere.end();
}

}  // namespace leat::client
