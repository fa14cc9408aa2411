// SPDX-License-Identifier: Apache-2.0
//
// Which partitions are quarantined, for those who hold none of them. Layer: storage (L3).
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <set>
#include <utility>

#include "storage/types.h"

namespace leat::storage {

/// Every shard's metadata tells of all partitions, wherever they live: one that is quarantined has
/// no leader, as in Kafka one in a log directory that is offline.
///
/// Threading: any thread.
class QuarantinedPartitions {
  public:
    void add(const PartitionId& id) {
        const std::lock_guard lock{mutex_};
        ids_.emplace(id.topic, id.index);
        count_.store(ids_.size(), std::memory_order_release);
    }
    void remove(const PartitionId& id) {
        const std::lock_guard lock{mutex_};
        ids_.erase({id.topic, id.index});
        count_.store(ids_.size(), std::memory_order_release);
    }
    [[nodiscard]] bool contains(const PartitionId& id) const {
        // As a rule there is none, and metadata asks for each partition.
        if (count_.load(std::memory_order_acquire) == 0) return false;
        const std::lock_guard lock{mutex_};
        return ids_.contains({id.topic, id.index});
    }

  private:
    std::atomic<std::size_t> count_{0};
    mutable std::mutex mutex_;
    std::set<std::pair<Uuid, std::int32_t>> ids_;
};

}  // namespace leat::storage
