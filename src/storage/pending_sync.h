// SPDX-License-Identifier: Apache-2.0
//
// What of a partition waits for a sync. Layer: storage (L3).
#pragma once

#include <cstdint>
#include <optional>

#include "rt/executor.h"
#include "storage/log.h"

namespace leat::storage {

/// A sync takes from the log what it has to make durable, and may do so only while nobody uses the
/// log. One that meets a held turn gets what there is when that turn ends: by the time the sync
/// comes again the next one may hold it, and for as long as they follow each other.
///
/// Threading: shard-local.
class PendingSync {
  public:
    bool is_wanted = false;    ///< When the turn ends.
    std::int64_t records = 0;  ///< Appended since the last one.
    rt::TimerId timer;         ///< Of flush.ms; not with durability `sync`.

    /// For a sync that begins. Nullopt: the log is in use and the sync has to come again, or it is
    /// gone (null) and nothing is left to do.
    std::optional<Log::Unsynced> take(Log* log, bool is_in_use, rt::Executor& executor);
    /// Nobody uses the log from here to the end of the caller.
    void turn_ended(Log* log, rt::Executor& executor);

  private:
    void collect(Log* log, rt::Executor& executor);

    bool was_missed_ = false;
    std::optional<Log::Unsynced> collected_;  ///< For the one that comes again.
};

}  // namespace leat::storage
