// SPDX-License-Identifier: Apache-2.0
//
// Hears how the stores of an application are restored. Layer: streams SDK.
// Spec:  Kafka Streams' StateRestoreListener and StandbyUpdateListener (KIP-988).
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

/// Why a copy is followed no further.
enum class SuspendReason : std::uint8_t {
    kPromoted,  ///< Its task is about to run here.
    kMigrated,  ///< It goes elsewhere, or is dropped.
};

/// The first four are of tasks that are about to run, the others of copies that only follow.
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

    /// A copy is followed from `start` on.
    virtual void on_update_start(const RestoringStore& /*of*/, std::int64_t /*start*/) {}
    /// `next`: the offset behind the batch. `loaded`: records in it. `end`: where the changelog
    /// ended when it was last looked at.
    virtual void on_batch_loaded(const RestoringStore& /*of*/, std::int64_t /*next*/,
                                 std::int64_t /*loaded*/, std::int64_t /*end*/) {}
    /// `next`: the offset behind what the copy has.
    virtual void on_update_suspended(const RestoringStore& /*of*/, std::int64_t /*next*/,
                                     std::int64_t /*end*/, SuspendReason /*why*/) {}
};

}  // namespace leat::streams
