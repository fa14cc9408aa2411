// SPDX-License-Identifier: Apache-2.0
//
// The records of a whole partition, one after the other, for a coordinator that loads.
// Layer: broker (L6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "broker/shard.h"
#include "coordination/types.h"
#include "rt/task.h"
#include "wire/record_batch.h"
#include "wire/record_reader.h"

namespace leat::broker {

/// The shard's two clocks.
[[nodiscard]] coordination::Now now_of(const Shard& shard);

/// Of a record or a marker. Threading: immutable.
struct ReplayedFrom {
    std::int64_t producer_id = -1;  ///< Of the transaction; -1: of none.
    coordination::Now read_at;
};

/// What is done with the partition's records. Threading: called on the partition's shard.
struct Replay {
    /// Runs for each record of the data batches, in the order of the log.
    std::move_only_function<void(const wire::RecordView&, const ReplayedFrom&)> on_record;
    /// Runs for each end of a transaction, between the records. Without it markers are not read.
    std::move_only_function<void(bool committed, const ReplayedFrom&)> on_marker;
    /// True ends the replay with kCancelled: asked whenever it has suspended.
    std::move_only_function<bool()> is_cancelled;
};

/// Whole batches from `from` on, about a quarter of a megabyte: the shard serves others meanwhile.
/// `partition` outlives the await. Errors: of reading.
rt::Task<Result<std::vector<std::byte>>> read_batches(Shard* shard, storage::Partition* partition,
                                                      Offset from);

/// Reads from the log start to the high watermark as it is at each step. Others of the shard have
/// their turn in between. `replay` outlives the await.
/// Errors: those of reading and of compression, kCorruptMessage, kCancelled.
rt::Task<Result<void>> replay_log(Shard* shard, PartitionPtr partition, Replay* replay);

}  // namespace leat::broker
