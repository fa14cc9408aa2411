// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/trouble.h"

namespace leat::streams {

bool may_pass(Errc code) {
    // A broker that stops closes before it has answered, as one does that is none for us.
    return info(code).retriable || code == Errc::kBrokerNotAvailable || code == Errc::kClosed;
}

bool is_stale(Errc code) {
    return code == Errc::kRebalanceInProgress || code == Errc::kIllegalGeneration ||
           code == Errc::kUnknownMemberId || code == Errc::kFencedInstanceId;
}

bool is_cured_by_restart(Errc code) {
    const bool is_fenced = code == Errc::kProducerFenced || code == Errc::kInvalidProducerEpoch ||
                           code == Errc::kFencedInstanceId;
    // The broker has forgotten the producer, or says itself that an abort is enough.
    const bool is_forgotten =
        code == Errc::kUnknownProducerId || code == Errc::kInvalidProducerIdMapping ||
        code == Errc::kOutOfOrderSequenceNumber || code == Errc::kTransactionAbortable;
    return is_fenced || is_forgotten || is_stale(code) || may_pass(code) ||
           code == Errc::kCancelled;
}

bool is_fault_of_record(Errc code) {
    return code == Errc::kMessageTooLarge || code == Errc::kInvalidRecord ||
           code == Errc::kInvalidTimestamp || code == Errc::kUnknownTopicOrPartition ||
           code == Errc::kInvalidTopicException || code == Errc::kTopicAuthorizationFailed;
}

bool is_permanent(Errc code) {
    // The broker does not know itself what it was: another time it may be nothing.
    return !may_pass(code) && code != Errc::kUnknownServerError;
}

}  // namespace leat::streams
