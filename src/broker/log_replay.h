// SPDX-License-Identifier: Apache-2.0
//
// The records of a whole partition, one after the other, for a coordinator that loads.
// Layer: broker (L6).
#pragma once

#include <functional>

#include "base/result.h"
#include "broker/shard.h"
#include "rt/task.h"
#include "wire/record_batch.h"
#include "wire/record_reader.h"

namespace leat::broker {

/// What is done with the partition's records. Threading: called on the partition's shard.
struct Replay {
    /// Runs for each record of the data batches, in the order of the log.
    std::move_only_function<void(const wire::RecordView&)> on_record;
    /// True ends the replay with kCancelled: asked whenever it has suspended.
    std::move_only_function<bool()> is_cancelled;
};

/// Reads from the log start to the high watermark as it is at each step. Others of the shard have
/// their turn in between. `replay` outlives the await.
/// Errors: those of reading and of compression, kCorruptMessage, kCancelled.
rt::Task<Result<void>> replay_log(Shard& shard, PartitionPtr partition, Replay& replay);

}  // namespace leat::broker
