// SPDX-License-Identifier: Apache-2.0
//
// What an application counts. Layer: streams (L6).
#pragma once

#include <cstdint>

namespace leat::streams {

/// What is counted; rows of metric_rows.cc say as which metrics it shows.
enum class SensorId : std::uint8_t {
    kClientState,
    kClientThreads,
    kClientFailedThreads,
    kThreadCommit,
    kThreadPoll,
    kThreadProcess,         ///< Rounds over all tasks.
    kThreadProcessRecords,  ///< Records, in all.
    kThreadRoundRecords,    ///< Records of a round.
    kThreadPunctuate,
    kThreadProcessShare,
    kThreadPunctuateShare,
    kThreadPollShare,
    kThreadCommitShare,
    kThreadStart,
    kThreadBlocked,
    kThreadState,
    kTaskCreated,
    kTaskClosed,
    kTaskDropped,
    kTaskRestored,
    kTaskRestoreRemaining,
    kTaskUpdated,
    kTaskProcess,
    kTaskProcessShare,  ///< Of the thread's time for all of its tasks.
    kTaskEnforced,
    kTaskBuffered,
    kTaskCacheBytes,
    kTaskPunctuate,
    kTaskLateness,
    kNodeProcess,
    kNodeAge,
    kNodeSuppressionEmit,
    kNodeFinalEmit,
    kNodeFinalEmitTime,
    kTopicConsumed,
    kTopicConsumedBytes,
    kTopicProduced,
    kTopicProducedBytes,
    kPartitionLag,
    kConsumerLag,  ///< Of all partitions of a thread.
    kStorePut,
    kStorePutIfAbsent,
    kStoreDelete,
    kStoreGet,
    kStoreFetch,
    kStoreRemove,
    kStoreAll,
    kStoreRange,
    kStoreFlush,
    kStoreRestore,
    kStoreIterator,
    kStoreAge,
    kSuppressedCount,
    kSuppressedBytes,
    kCacheHits,  ///< In parts of a million.
    kDatabaseWritten,
    kDatabaseRead,
    kDatabaseFlushed,
    kDatabaseCompactionRead,
    kDatabaseCompactionWritten,
    kDatabaseGauge,  ///< All that RocksDB is asked for by name.
};

}  // namespace leat::streams
