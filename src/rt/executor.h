// SPDX-License-Identifier: Apache-2.0
//
// Time, timers and work queues as core code sees them; real ones run on threads, simulated ones in
// one thread with a seeded order. Layer: rt (L1).
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "base/units.h"

namespace leat::rt {

using Fn = std::move_only_function<void()>;

struct TimerId {
    std::uint64_t value = 0;  ///< 0 names no timer.
    friend bool operator==(TimerId, TimerId) = default;
};

class BlockingPool;

/// The event loop of one shard.
///
/// Threading: post() is thread-safe, all else is shard-local (called on this executor's thread).
class Executor {
  public:
    Executor() = default;
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;
    virtual ~Executor() = default;

    /// Runs `fn` on this executor, later than the caller. Posts from one thread run in their order.
    virtual void post(Fn fn) = 0;

    /// Runs `fn` at `at` or soon after; never before. The id is spent once it has run.
    virtual TimerId schedule(Instant at, Fn fn) = 0;

    /// Drops the timer; false when it ran or was cancelled already.
    virtual bool cancel(TimerId timer) = 0;

    /// Time of this loop turn: monotonic, and wall clock for record timestamps.
    [[nodiscard]] virtual Instant now() const = 0;
    [[nodiscard]] virtual WallMs wall_now() const = 0;

    /// True on the thread that runs this executor.
    [[nodiscard]] virtual bool is_here() const = 0;

    /// Runs `work`, which blocks for a moment as a rule, on some thread, then `done` here; both
    /// always run. On a thread of `pool`, unless this executor's own has nothing else to do.
    virtual void block(BlockingPool& pool, Fn work, Fn done);

    /// Random bits from the process's seed; in simulation the run's seed.
    virtual std::uint64_t random() = 0;
};

/// Threads for work that may block (sync, cold reads, segment scans).
///
/// Threading: thread-safe. Jobs run in parallel and in no order; a caller that needs order submits
/// the next job from the last one's `done`.
class BlockingPool {
  public:
    BlockingPool() = default;
    BlockingPool(const BlockingPool&) = delete;
    BlockingPool& operator=(const BlockingPool&) = delete;
    virtual ~BlockingPool() = default;

    /// Runs `work` on a pool thread, then `done` on `home`. Both always run.
    virtual void submit(Executor& home, Fn work, Fn done) = 0;

    /// The same for work that may take seconds because a peer wants it so: some threads are kept
    /// from it, so that a sync need not wait for it.
    virtual void submit_long(Executor& home, Fn work, Fn done) {
        submit(home, std::move(work), std::move(done));
    }
};

inline void Executor::block(BlockingPool& pool, Fn work, Fn done) {
    pool.submit(*this, std::move(work), std::move(done));
}

}  // namespace leat::rt
