// SPDX-License-Identifier: Apache-2.0
//
// Markers that end a transaction, in the partitions they are for. Layer: broker (L6).
// Spec:  KIP-98, KIP-890.
#pragma once

#include <span>
#include <string>

#include "broker/shard.h"
#include "rt/task.h"

namespace leat::broker {

/// A partition to be marked, and what became of it.
struct ToMark {
    storage::PartitionId id;
    std::string topic = {};
    Errc outcome = Errc::kNone;
};

/// Grows with every unclean start, whatever becomes of __transaction_state: what a partition has
/// seen of it never goes back.
[[nodiscard]] std::int32_t coordinator_epoch(const Shard& shard);

/// Appends the marker to a partition of `shard`; completes when it is durable.
/// Errors: kUnknownTopicOrPartition, kKafkaStorageError, kInvalidProducerEpoch,
///         kTransactionCoordinatorFenced. Runs on: the shard.
rt::Task<Errc> append_marker(Shard* shard, storage::PartitionId id, storage::EndTransaction marker);

/// All of them at once, on their shards, each with its outcome. Begins and ends on `home`.
rt::Task<void> append_markers(Shard* home, std::span<ToMark> partitions,
                              storage::EndTransaction marker);

}  // namespace leat::broker
