// SPDX-License-Identifier: Apache-2.0
//
// Which partition a key belongs to. Layer: client (L3). Pure.
// Spec:  the murmur2 of Kafka's Java client and its default partitioner.
#pragma once

#include <cstdint>
#include <string_view>

namespace leat::client {

[[nodiscard]] std::uint32_t murmur2(std::string_view bytes);

/// `partitions` > 0.
[[nodiscard]] inline std::int32_t partition_of(std::string_view key, std::int32_t partitions) {
    return static_cast<std::int32_t>((murmur2(key) & 0x7FFF'FFFFU) %
                                     static_cast<std::uint32_t>(partitions));
}

}  // namespace leat::client
