// SPDX-License-Identifier: Apache-2.0
//
// What a writer of batches takes from a producer's settings. Layer: client (L3). Internal to
// client.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/broker_link.h"
#include "client/client_properties.h"
#include "client/cluster.h"
#include "client/key_partitioner.h"
#include "codec/compression.h"

namespace leat::client {

/// Names, aliases, ranges and defaults are librdkafka's, which is asked for them: a file of
/// settings means the same to both writers.
struct WriteSettings {
    ClusterOptions cluster;
    std::chrono::milliseconds linger{5};       ///< linger.ms
    std::size_t batch_bytes_max = 1'000'000;   ///< batch.size, message.max.bytes: the smaller
    std::int32_t batch_records_max = 10'000;   ///< batch.num.messages
    std::size_t record_bytes_max = 1'000'000;  ///< message.max.bytes
    /// Of the batches of one request: message.max.bytes, where it is set. Kafka's name for it is
    /// max.request.size. Else well below a broker's socket.request.max.bytes, which is 100 MiB: a
    /// request that is a megabyte at most would be one batch, and only one is under way.
    std::size_t request_bytes_max = std::size_t{32} << 20U;
    std::uint64_t queued_records_max = 100'000;      ///< queue.buffering.max.messages
    std::uint64_t queued_bytes_max = 1'073'741'824;  ///< queue.buffering.max.kbytes
    std::int16_t acks = -1;
    std::chrono::milliseconds ack_timeout{30'000};  ///< request.timeout.ms
    /// message.timeout.ms; zero: for ever.
    std::chrono::milliseconds delivery_timeout{300'000};
    std::int64_t retries_max = INT32_MAX;
    std::chrono::milliseconds retry{100};  ///< retry.backoff.ms
    codec::Codec codec = codec::Codec::kNone;
    int level = 0;  ///< compression.level, brought into the codec's range.
    bool is_idempotent = false;
    KeyPartitioner partitioner = KeyPartitioner::kConsistentRandom;
    bool sticks = true;  ///< sticky.partitioning.linger.ms is not 0.
    std::string transactional_id;
    std::chrono::milliseconds transaction_timeout{60'000};
    bool creates_topics = true;                  ///< allow.auto.create.topics
    std::chrono::milliseconds refresh{900'000};  ///< metadata.max.age.ms
    /// topic.metadata.propagation.max.ms: how long a new topic may be unknown to brokers.
    std::chrono::milliseconds propagation{30'000};
    ReconnectPauses pauses;
};

/// Errors: kInvalidSetting.
Result<WriteSettings> write_settings_of(const std::vector<Property>& properties);

}  // namespace leat::client
