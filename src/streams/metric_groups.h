// SPDX-License-Identifier: Apache-2.0
//
// Groups of metrics, by Kafka Streams' names (KIP-444). Layer: streams (L6).
#pragma once

#include <string_view>

namespace leat::streams::metric_group {

inline constexpr std::string_view kClient = "stream-metrics";
inline constexpr std::string_view kThread = "stream-thread-metrics";
inline constexpr std::string_view kTask = "stream-task-metrics";
inline constexpr std::string_view kNode = "stream-processor-node-metrics";
inline constexpr std::string_view kTopic = "stream-topic-metrics";
inline constexpr std::string_view kState = "stream-state-metrics";
inline constexpr std::string_view kCache = "stream-record-cache-metrics";
/// The consumer's, of Kafka itself.
inline constexpr std::string_view kFetch = "consumer-fetch-manager-metrics";

}  // namespace leat::streams::metric_group
