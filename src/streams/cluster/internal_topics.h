// SPDX-License-Identifier: Apache-2.0
//
// Makes sure that internal topics are there, as they must be. Layer: streams (L6).
// Spec:  Kafka Streams' InternalTopicManager.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "base/result.h"
#include "client/admin.h"
#include "streams/cluster/layout.h"
#include "streams/settings.h"

namespace leat::streams {

/// What is asked of the cluster for a topic that is missing.
[[nodiscard]] client::NewTopic creation_of(const InternalTopic& topic, const Settings& settings);

/// How long a topic with these settings surely keeps a record, by the record's timestamp; 0: it may
/// be gone at once, the largest number: it stays.
[[nodiscard]] std::int64_t kept_ms(const std::map<std::string, std::string, std::less<>>& configs);

/// That of a store's changelog as the cluster has it. Who may not ask takes what the changelog
/// would be created with. 0 too when that is no more than a few commits. Errors: what may pass.
Result<std::int64_t> kept_ms(client::Admin& admin, const InternalTopic& changelog,
                             const Settings& settings);

/// Partition counts of those of `topics` that exist.
Result<Layout::Counts> count_partitions(client::Admin& admin, std::span<const std::string> topics);

/// Creates what is missing. Errors: kStreamsInvalidTopology: one exists with another number of
/// partitions; what the cluster says otherwise.
Result<void> ensure_topics(client::Admin& admin, std::span<const InternalTopic> wanted,
                           const Settings& settings);

}  // namespace leat::streams
