// SPDX-License-Identifier: Apache-2.0
//
// What consumers tell each other through the classic protocol: the topics they want, the partitions
// they have and get. Layer: groups (L5).
// Spec:  Kafka's ConsumerProtocolSubscription and ConsumerProtocolAssignment.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "base/units.h"
#include "groups/assignor.h"
#include "groups/cluster_view.h"
#include "groups/consumer_types.h"

namespace leat::groups {

/// Topics of the blob, views into it; all versions start alike, and that start is all that is read.
/// Errors: kTruncated, kMalformed (also a negative version).
[[nodiscard]] Result<std::vector<std::string_view>> subscribed_topics(Bytes subscription);

struct ConsumerSubscription {
    struct Owned {
        std::string topic;
        std::vector<std::int32_t> partitions;
    };
    std::vector<std::string> topics;
    std::vector<Owned> owned;
    std::string rack_id;  ///< Empty: none.
};

/// A version that is newer than the newest known is read as that one.
/// Errors: kTruncated, kMalformed, kLimitExceeded.
[[nodiscard]] Result<ConsumerSubscription> parse_subscription(Bytes subscription);

/// What is owned of topics that exist; in `arena` and `subscription`.
[[nodiscard]] std::span<OwnedTopic> owned_topics(const ConsumerSubscription& subscription,
                                                 const ClusterView& cluster, Arena& arena);

/// Partitions of topics that exist. Errors: as parse_subscription(); kUnsupportedVersion: it holds
/// what a custom assignor put there.
[[nodiscard]] Result<TopicPartitions> parse_assignment(Bytes assignment,
                                                       const ClusterView& cluster);

/// In the version of `subscription`, which its reader wrote.
[[nodiscard]] std::vector<std::byte> encode_assignment(const TopicPartitions& assignment,
                                                       const ClusterView& cluster,
                                                       Bytes subscription);

}  // namespace leat::groups
