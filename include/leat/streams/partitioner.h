// SPDX-License-Identifier: Apache-2.0
//
// Which partition of a topic a record goes to. Layer: streams SDK.
// Spec:  Kafka Streams' StreamPartitioner (KIP-837): one partition, several, none, or Kafka's own
// choice; WindowedStreamPartitioner: windowed keys go by the key without its window.
// Threading: a partitioner is shared by all tasks and must be safe to call from several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::streams {

/// A record on its way out; null pointers are Kafka's null.
template <class K, class V>
struct Departing {
    std::string_view topic{};  ///< Without the application's prefix.
    const K* key = nullptr;
    const V* value = nullptr;
    std::int32_t partitions = 1;  ///< That the topic has.
};

/// Nothing: Kafka's own choice, by the key's bytes. An empty list: the record is dropped. Several:
/// it is written to each.
using Partitions = std::optional<std::vector<std::int32_t>>;

template <class K, class V>
using Partitioner = std::function<Partitions(const Departing<K, V>& record)>;

/// Kafka's choice for a key: murmur2 of its bytes. Precondition: partitions > 0.
[[nodiscard]] std::int32_t partition_for_key(std::string_view key, std::int32_t partitions);

}  // namespace leat::streams
