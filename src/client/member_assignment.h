// SPDX-License-Identifier: Apache-2.0
//
// What a member of a classic consumer group was assigned, out of the bytes its leader wrote.
// Layer: client (L3). Pure.
// Spec:  Kafka's ConsumerProtocolAssignment, versions 0 to 3 (later ones only add fields behind).
#pragma once

#include <vector>

#include "base/units.h"
#include "client/consumer.h"

namespace leat::client {

/// Empty for bytes that are no assignment: members of other protocol types (Connect) have theirs
/// here.
[[nodiscard]] std::vector<TopicPartition> parse_member_assignment(Bytes bytes);

}  // namespace leat::client
