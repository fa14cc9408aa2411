// SPDX-License-Identifier: Apache-2.0
//
// Coroutines of one shard take turns. Layer: storage (L3).
#pragma once

#include <coroutine>
#include <deque>
#include <utility>

#include "base/check.h"
#include "rt/executor.h"

namespace leat::storage {

/// A lock for coroutines, first come first served. Taking it when it is free does not suspend.
///
/// Threading: shard-local.
/// Usage:     co_await turn.take(); ... turn.give(executor) on every way out: HeldTurn sees to it.
class Turn {
  public:
    [[nodiscard]] bool is_free() const noexcept { return !held_; }

    struct Awaiter {
        Turn& turn;
        [[nodiscard]] bool await_ready() const noexcept { return !std::exchange(turn.held_, true); }
        void await_suspend(std::coroutine_handle<> handle) const {
            turn.waiting_.push_back(handle);
        }
        void await_resume() const noexcept {}
    };
    [[nodiscard]] Awaiter take() noexcept { return Awaiter{*this}; }

    /// The next one runs later, from the executor, and has the turn until then.
    void give(rt::Executor& executor) {
        LEAT_CHECK(held_);
        if (waiting_.empty()) {
            held_ = false;
            return;
        }
        const std::coroutine_handle<> next = waiting_.front();
        waiting_.pop_front();
        executor.post([next] { next.resume(); });
    }

  private:
    bool held_ = false;
    std::deque<std::coroutine_handle<>> waiting_;
};

class PartitionState;

/// A partition's turn, until give(), or until this goes.
/// Threading: shard-local. Memory: the partition outlives it.
class [[nodiscard]] HeldTurn {
  public:
    explicit HeldTurn(PartitionState& state) noexcept : state_(&state) {}
    HeldTurn(HeldTurn&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    HeldTurn& operator=(HeldTurn&&) = delete;
    ~HeldTurn() { give(); }

    /// The partition takes over what came of the log, and asks for the sync that had to wait.
    void give();

  private:
    PartitionState* state_;  ///< Null: it was given back.
};

struct TakeTurn : Turn::Awaiter {
    PartitionState& state;
    [[nodiscard]] HeldTurn await_resume() const noexcept { return HeldTurn{state}; }
};

}  // namespace leat::storage
