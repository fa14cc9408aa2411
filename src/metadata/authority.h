// SPDX-License-Identifier: Apache-2.0
//
// The way of a metadata change: validated, durable, known to every shard, answered.
// Layer: metadata (L4).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "metadata/committer.h"
#include "metadata/controller.h"
#include "rt/task.h"

namespace leat::metadata {

/// What a shard does besides keeping its image: open, drop and tune its partitions.
///
/// Threading: shard-local. Each call of one change ends before the next change's begins.
class ChangeListener {
  public:
    ChangeListener() = default;
    ChangeListener(const ChangeListener&) = delete;
    ChangeListener& operator=(const ChangeListener&) = delete;
    virtual ~ChangeListener() = default;

    /// The change is durable and no shard's image has it yet: make what it brings (partitions), so
    /// that requests find it. A failure is the listener's to report; the change stands.
    virtual rt::Task<void> prepare(const Delta* delta) = 0;

    /// This shard's image has the change: take away what it removes, use what it sets.
    virtual rt::Task<void> applied(const Delta* delta) = 0;
};

/// One shard's part. Owned by the shard; outlives the authority.
struct ShardReplica {
    rt::Executor* executor = nullptr;
    Image* image = nullptr;
    ChangeListener* listener = nullptr;
};

/// Threading: shard-local to the home executor, the first replica's; change() and new_producer_id()
///            may be awaited on any shard.
/// Memory:    outlives every call; is_idle() says when it may go.
class Authority {
  public:
    /// Each replica's image starts equal to the controller's.
    Authority(Controller controller, MetadataStore& store, rt::BlockingPool& pool,
              std::vector<ShardReplica> replicas);

    template <class R>
    struct Changed {
        R result;
        Result<void> durable;  ///< An error: nothing of it happened.
    };

    /// Runs `make(controller, deltas)` on the home shard, commits the deltas, brings them to all
    /// shards, then resumes on `caller`. Changes take effect in the order of their `make`.
    /// `make` is a plain function object, copied; what it refers to must outlive the await.
    template <class Make>
    auto change(rt::Executor* caller, Make make)
        -> rt::Task<Changed<std::invoke_result_t<Make&, Controller&, std::vector<Delta>&>>> {
        using R = std::invoke_result_t<Make&, Controller&, std::vector<Delta>&>;
        co_await rt::hop(home());
        std::vector<Delta> deltas;
        R result = make(controller_, deltas);
        Result<void> durable;
        // Without any it rests on what is on its way: that has to be durable first, or fails it
        // too.
        if (!deltas.empty() || !is_idle()) durable = co_await publish(std::move(deltas));
        co_await rt::hop(*caller);
        co_return Changed<R>{std::move(result), std::move(durable)};
    }

    /// A producer id nobody had; a block of them is durable before its first is given out.
    rt::Task<Result<std::int64_t>> new_producer_id(rt::Executor* caller);

    [[nodiscard]] bool is_idle() const noexcept { return waiting_.empty() && !is_pumping_; }

  private:
    struct Call {
        std::vector<Delta> deltas;
        rt::Completion<Result<void>> done;
    };
    using Batch = std::vector<Delta>;
    using Wave = std::span<const Delta>;

    [[nodiscard]] rt::Executor& home() const noexcept { return *replicas_.front().executor; }
    rt::Task<Result<void>> publish(std::vector<Delta> deltas);
    rt::Task<void> pump();
    rt::Task<Result<void>> commit(const Batch* batch);
    rt::Task<void> distribute(const Batch* batch);
    rt::Task<void> distribute_wave(Wave wave);
    rt::Task<void> prepare_on(ShardReplica* replica, Wave wave, rt::Countdown* left);
    rt::Task<void> apply_on(ShardReplica* replica, Wave wave, rt::Countdown* left);

    Controller controller_;
    std::vector<ShardReplica> replicas_;
    Committer committer_;
    std::vector<Call*> waiting_;  ///< Each lives in its publish().
    bool is_pumping_ = false;
    std::int64_t next_id_ = 0;  ///< Ids left of the current block: next_id_ to ids_end_.
    std::int64_t ids_end_ = 0;
};

}  // namespace leat::metadata
