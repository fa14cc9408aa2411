// SPDX-License-Identifier: Apache-2.0
//
// Group commit of metadata changes off the shard's thread. Layer: metadata (L4).
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "metadata/store.h"
#include "rt/executor.h"

namespace leat::metadata {

/// Sends changes to the store one transaction at a time; what arrives while one is being written
/// goes into the next.
///
/// Threading: shard-local (the home executor's). The store is used by one pool job at a time.
/// Memory:    must outlive the calls it was given; is_idle() says when.
class Committer {
  public:
    /// Runs on the home executor. All calls of a failed transaction fail, and those behind them.
    using Done = std::move_only_function<void(const Result<void>&)>;

    Committer(MetadataStore& store, rt::Executor& home, rt::BlockingPool& pool)
        : store_(store), home_(home), pool_(pool) {}

    /// Calls `done` once all of `deltas` are durable; calls are answered in order. Precondition:
    /// `deltas` is not empty.
    void commit(std::vector<Delta> deltas, Done done);

    [[nodiscard]] bool is_idle() const noexcept { return running_.empty() && waiting_.empty(); }
    /// Transactions written so far.
    [[nodiscard]] std::uint64_t transactions() const noexcept { return transactions_; }

  private:
    struct Call {
        std::vector<Delta> deltas;
        Done done;
    };
    void start_next();
    void finish(const Result<void>& result);

    MetadataStore& store_;
    rt::Executor& home_;
    rt::BlockingPool& pool_;
    std::vector<Call> running_;
    std::vector<Call> waiting_;
    std::uint64_t transactions_ = 0;
};

}  // namespace leat::metadata
