// SPDX-License-Identifier: Apache-2.0
//
// Makes sure that internal topics are there, as they must be. Layer: streams (L6).
// Spec:  Kafka Streams' InternalTopicManager.
#pragma once

#include <span>

#include "base/result.h"
#include "client/admin.h"
#include "streams/layout.h"
#include "streams/settings.h"

namespace leat::streams {

/// What is asked of the cluster for a topic that is missing.
[[nodiscard]] client::NewTopic creation_of(const InternalTopic& topic, const Settings& settings);

/// Partition counts of those of `topics` that exist.
Result<Layout::Counts> count_partitions(client::Admin& admin, std::span<const std::string> topics);

/// Creates what is missing. Errors: kStreamsInvalidTopology: one exists with another number of
/// partitions; what the cluster says otherwise.
Result<void> ensure_topics(client::Admin& admin, std::span<const InternalTopic> wanted,
                           const Settings& settings);

}  // namespace leat::streams
