// SPDX-License-Identifier: Apache-2.0
//
// What a reader of batches takes from a consumer's settings. Layer: client (L3). Internal to
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
#include "client/fetched.h"

namespace leat::client {

/// Names, aliases, ranges and defaults are librdkafka's, which is asked for them, but for one that
/// it has not: a file of settings means the same to both readers.
struct FetchSettings {
    ClusterOptions cluster;
    FetchRules rules;
    std::chrono::milliseconds wait_max{500};       ///< fetch.wait.max.ms
    std::int32_t bytes_min = 1;                    ///< fetch.min.bytes
    std::int32_t bytes_max = 52'428'800;           ///< fetch.max.bytes
    std::int32_t partition_bytes_max = 1'048'576;  ///< max.partition.fetch.bytes
    std::size_t queued_records = 100'000;          ///< queued.min.messages, of a partition
    std::size_t queued_bytes = 67'108'864;         ///< queued.max.messages.kbytes, of a partition
    /// leat.input.buffer.max.bytes, of all partitions; what has nothing waiting is fetched beyond.
    std::size_t buffered_bytes = std::size_t{256} << 20U;
    std::size_t response_bytes_max = 100'000'000;  ///< receive.message.max.bytes
    std::string rack;                              ///< client.rack
    ReconnectPauses pauses;
    std::chrono::milliseconds retry{100};        ///< retry.backoff.ms
    std::chrono::milliseconds refresh{900'000};  ///< metadata.max.age.ms
    /// topic.metadata.propagation.max.ms: how long a new topic may be unknown to brokers.
    std::chrono::milliseconds propagation{30'000};
};

/// Errors: kInvalidSetting.
Result<FetchSettings> fetch_settings_of(const std::vector<Property>& properties);

}  // namespace leat::client
