// SPDX-License-Identifier: Apache-2.0
//
// Hears how the stores of an application are restored. Layer: streams SDK.
// Spec:  Kafka Streams' StateRestoreListener.
#pragma once

#include <cstdint>
#include <string>

namespace leat::streams {

/// A store of one task, and the changelog that it is restored from.
struct RestoringStore {
    std::string store;
    std::string topic;
    std::int32_t partition = 0;
};

/// Of tasks that are about to run; copies that only follow are not told.
/// Threading: called by the threads that restore, several at a time; what it does holds up that
/// thread.
class RestoreListener {
  public:
    RestoreListener() = default;
    RestoreListener(const RestoreListener&) = delete;
    RestoreListener& operator=(const RestoreListener&) = delete;
    virtual ~RestoreListener() = default;

    /// Records from `start` on are missing; at `end` it is done.
    virtual void on_restore_start(const RestoringStore& /*of*/, std::int64_t /*start*/,
                                  std::int64_t /*end*/) {}
    /// `next`: the offset behind the batch. `restored`: records in it.
    virtual void on_batch_restored(const RestoringStore& /*of*/, std::int64_t /*next*/,
                                   std::int64_t /*restored*/) {}
    /// `restored`: since its start.
    virtual void on_restore_end(const RestoringStore& /*of*/, std::int64_t /*restored*/) {}
    /// It ended before its end: the task goes elsewhere, or is dropped.
    virtual void on_restore_suspended(const RestoringStore& /*of*/, std::int64_t /*restored*/) {}
};

}  // namespace leat::streams
