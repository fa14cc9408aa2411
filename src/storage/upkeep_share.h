// SPDX-License-Identifier: Apache-2.0
//
// What the compactions of all shards share, and apart from them the scrubs: how many run at once,
// and how many bytes a second they may read and write together. Layer: storage (L3).
// Spec:  Kafka's log.cleaner.threads, log.cleaner.io.max.bytes.per.second: both for the process.
#pragma once

#include <cstdint>
#include <mutex>

#include "base/units.h"

namespace leat::storage {

/// Threading: thread-safe.
class UpkeepShare {
  public:
    /// False: `threads` of them run already. Otherwise end() gives the place back.
    [[nodiscard]] bool try_begin(std::int32_t threads);
    void end();

    /// `bytes` have been moved. Returns until when whoever moved them has to rest, so that all
    /// together stay below `bytes_per_second`; `now` for no rest.
    [[nodiscard]] Instant spend(std::int64_t bytes, double bytes_per_second, Instant now);

  private:
    std::mutex mutex_;
    std::int32_t running_ = 0;
    Instant free_at_{};  ///< All that was spent is paid for then.
};

}  // namespace leat::storage
