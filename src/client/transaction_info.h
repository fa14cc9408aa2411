// SPDX-License-Identifier: Apache-2.0
//
// What Admin tells of transactions. Layer: client (L3).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/errc.h"
#include "client/consumer.h"

namespace leat::client {

struct TransactionInfo {
    std::string id;
    std::int64_t producer_id = -1;
    std::string state;
};

/// Which transactional ids are listed; what is not set lets all through. States are Kafka's words.
struct TransactionFilter {
    std::vector<std::string> states;
    std::vector<std::int64_t> producer_ids;
    /// Those whose transaction, the last one, began longer ago; those without any too. -1: all.
    std::int64_t older_than_ms = -1;
    std::string pattern;  ///< A regular expression for the whole id.
};

struct TransactionDetails {
    Errc code = Errc::kNone;  ///< kTransactionalIdNotFound and others; the rest is then empty.
    TransactionInfo info;
    std::int16_t epoch = -1;
    std::int32_t timeout_ms = 0;
    std::int64_t started_ms = -1;  ///< -1: nothing is open.
    std::vector<TopicPartition> partitions;
};

/// A transaction as a partition's log has it.
struct OpenTransaction {
    TopicPartition where;
    std::int64_t producer_id = -1;
    std::int16_t epoch = -1;
    std::int32_t coordinator_epoch = -1;
    std::int64_t start_offset = -1;
    std::int64_t last_timestamp_ms = -1;
};

}  // namespace leat::client
