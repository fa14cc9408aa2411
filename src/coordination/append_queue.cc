// SPDX-License-Identifier: Apache-2.0
#include "coordination/append_queue.h"

#include <algorithm>
#include <array>

namespace leat::coordination {
namespace {

/// Outcomes of an append that pass: the client tries again.
constexpr std::array kPassing{
    Errc::kNoSpace,
    Errc::kTooManyOpenFiles,
    Errc::kTimedOut,
    Errc::kCancelled,
    Errc::kRequestTimedOut,
    Errc::kNotEnoughReplicas,
    Errc::kNotEnoughReplicasAfterAppend,
    Errc::kUnknownTopicOrPartition,
};
/// Those after which this coordinator cannot work any more.
constexpr std::array kFinal{
    Errc::kNotLeaderOrFollower,
    Errc::kKafkaStorageError,
    Errc::kIoError,
    Errc::kOffline,
    Errc::kClosed,
    Errc::kQuarantined,
};
constexpr std::array kTooLarge{
    Errc::kMessageTooLarge,
    Errc::kRecordListTooLarge,
    Errc::kLimitExceeded,
};

}  // namespace

Errc coordinator_error(Errc outcome, Errc too_large) noexcept {
    if (std::ranges::find(kPassing, outcome) != kPassing.end())
        return Errc::kCoordinatorNotAvailable;
    if (std::ranges::find(kFinal, outcome) != kFinal.end()) return Errc::kNotCoordinator;
    if (std::ranges::find(kTooLarge, outcome) != kTooLarge.end()) return too_large;
    return outcome;
}

}  // namespace leat::coordination
