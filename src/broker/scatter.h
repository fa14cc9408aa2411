// SPDX-License-Identifier: Apache-2.0
//
// A request's parts on the shards that own them: one message a shard, not one a partition.
// Layer: broker (L6).
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "broker/broker.h"
#include "broker/shard.h"
#include "rt/task.h"

namespace leat::broker {

/// Items of one shard. `Item` is whatever the handler needs there and back.
template <class Item>
struct ShardPart {
    Shard* shard = nullptr;
    std::vector<Item> items;
};

/// Collects items by shard. Threading: a value.
template <class Item>
class Parts {
  public:
    explicit Parts(const Broker& broker) : broker_(broker) {}
    void add(const storage::PartitionId& id, Item item) {
        Shard& shard = broker_.shard_of(id);
        for (ShardPart<Item>& part : parts_) {
            if (part.shard != &shard) continue;
            part.items.push_back(std::move(item));
            return;
        }
        parts_.push_back({&shard, {}});
        parts_.back().items.push_back(std::move(item));
    }
    [[nodiscard]] std::span<ShardPart<Item>> parts() noexcept { return parts_; }

  private:
    const Broker& broker_;
    std::vector<ShardPart<Item>> parts_;
};

namespace detail {
template <class Item, class Work>
rt::Task<void> run_part(Shard* home, ShardPart<Item>* part, Work* work, rt::Countdown* left) {
    co_await rt::hop(part->shard->executor());
    co_await (*work)(part->shard, std::span<Item>{part->items});
    co_await rt::hop(home->executor());
    left->arrive();
}
}  // namespace detail

/// Runs `work(shard, items)`, an rt::Task<void>, for each part on its shard, all at once; resumes
/// on `home`, the caller's shard. The part of `home` begins before this suspends, and parts of
/// several calls reach another shard in the order of the calls.
template <class Item, class Work>
rt::Task<void> scatter(Shard* home, std::span<ShardPart<Item>> parts, Work work) {
    if (parts.size() == 1) {
        co_await rt::hop(parts.front().shard->executor());
        co_await work(parts.front().shard, std::span<Item>{parts.front().items});
        co_await rt::hop(home->executor());
        co_return;
    }
    rt::Countdown left{parts.size()};
    for (ShardPart<Item>& part : parts) rt::start(detail::run_part(home, &part, &work, &left));
    co_await left;
}

}  // namespace leat::broker
