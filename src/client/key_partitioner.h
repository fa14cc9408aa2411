// SPDX-License-Identifier: Apache-2.0
//
// Which partition a record without one goes to, as librdkafka's `partitioner` says. Layer: client
// (L3). Pure. Internal to client.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace leat::client {

enum class KeyPartitioner : std::uint8_t {
    kConsistent,        ///< CRC-32; no key: that of nothing.
    kConsistentRandom,  ///< The same; neither key nor an empty one: any.
    kMurmur2,           ///< Of the Java client.
    kMurmur2Random,
    kFnv1a,  ///< As Sarama has it.
    kFnv1aRandom,
    kRandom,
};

/// nullopt: no such name.
[[nodiscard]] std::optional<KeyPartitioner> key_partitioner_of(std::string_view name);

/// nullopt: any of them. `partitions` > 0.
[[nodiscard]] std::optional<std::int32_t> partition_for(KeyPartitioner way,
                                                        const std::optional<std::string_view>& key,
                                                        std::int32_t partitions);

}  // namespace leat::client
