// SPDX-License-Identifier: Apache-2.0
//
// What a task keeps in the metadata of its committed offsets. Layer: streams (L6). Pure.
// Spec:  Kafka Streams' TopicPartitionMetadata and ProcessorMetadata: base64 of a magic byte 2, the
//        partition's time, then, unless there are none, a count and names with numbers; big endian.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace leat::streams {

/// Threading: a plain value.
struct CommitMetadata {
    std::int64_t partition_time = -1;  ///< Largest timestamp that the partition has shown.
    /// What operators remember, by the names of their stores.
    std::map<std::string, std::int64_t, std::less<>> remembered{};
    friend bool operator==(const CommitMetadata&, const CommitMetadata&) = default;
};

[[nodiscard]] std::string encode_commit_metadata(const CommitMetadata& metadata);
/// Nothing known for what Kafka Streams did not write.
[[nodiscard]] CommitMetadata decode_commit_metadata(std::string_view text);

}  // namespace leat::streams
