// SPDX-License-Identifier: Apache-2.0
//
// What lives on every shard beside its partitions and follows them, such as the host of the group
// coordinators. Layer: broker (L6).
#pragma once

#include <memory>
#include <vector>

#include "metadata/delta.h"
#include "obs/metrics.h"
#include "rt/task.h"
#include "storage/partition.h"

namespace leat::broker {

/// Threading: shard-local. Outlives every request of its shard.
class ShardService {
  public:
    ShardService() = default;
    ShardService(const ShardService&) = delete;
    ShardService& operator=(const ShardService&) = delete;
    virtual ~ShardService() = default;

    /// A partition of this shard is open: found at start, or made by a change that no client knows
    /// of yet. May begin to load it; requests may come before that is done.
    virtual void opened(const std::shared_ptr<storage::Partition>& partition) = 0;
    /// Every partition of every shard is open, or could not be: the broker begins to serve.
    virtual void started() {}
    /// A partition of this shard is about to be closed for good.
    virtual void closing(const std::shared_ptr<storage::Partition>& partition) = 0;
    /// The shard's image has the change.
    virtual void applied(const metadata::Delta& delta) = 0;
    /// What /metrics shows of it, gathered at a scrape.
    virtual void add_samples(std::vector<obs::Sample>& /*out*/) const {}
    /// Ends timers and answers who waits: partitions are shut down next.
    virtual rt::Task<void> stop() = 0;
};

}  // namespace leat::broker
