// SPDX-License-Identifier: Apache-2.0
//
// A coordinator's appends, from the change that wants one to what came of it.
// Layer: coordination (L5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/errc.h"
#include "coordination/types.h"

namespace leat::coordination {

/// What a client is told about an append; folded as Kafka does. `too_large` is for a batch that
/// the log does not take for its size.
[[nodiscard]] Errc coordinator_error(Errc outcome, Errc too_large) noexcept;

/// Appends that are to be made, and those on their way with what waits for each.
///
/// Usage:     push(); the owner of the log appends what take() gives, in order, and reports each
///            with on_written().
/// Invariant: outcomes take effect in the order of the tokens, which is that of the log: what a
///            reader of the state sees is always a prefix of the log.
/// Threading: not synchronised.
template <class Waiting>
class AppendQueue {
  public:
    /// The token of the append. It is part of the transaction of `producer`, if there is one.
    std::uint64_t push(std::vector<RecordToWrite> records, Waiting waiting,
                       std::optional<Producer> producer = {},
                       Errc too_large = Errc::kUnknownServerError) {
        in_flight_.push_back({std::move(waiting), too_large, std::nullopt});
        const std::uint64_t token = first_ + in_flight_.size() - 1;
        writes_.push_back({token, std::move(records), producer});
        return token;
    }

    /// What is to be appended since the last call, oldest first. Each Write is one batch.
    [[nodiscard]] std::vector<Write> take() { return std::exchange(writes_, {}); }

    /// Precondition: the outcome of `token` has not taken effect.
    [[nodiscard]] Waiting& waiting(std::uint64_t token) { return at(token).waiting; }

    /// kNone: the records are durable. Else they are not in the log and never will be. Exactly once
    /// for each token, in any order. `effect(waiting, error)` runs for each append whose turn it
    /// is, with what its client is told, and may push().
    template <class Effect>
    void on_written(std::uint64_t token, Errc outcome, Effect effect) {
        InFlight& reported = at(token);
        LEAT_CHECK(!reported.outcome);
        reported.outcome = outcome;
        while (!in_flight_.empty() && in_flight_.front().outcome) {
            InFlight next = std::move(in_flight_.front());
            in_flight_.pop_front();
            ++first_;
            effect(std::move(next.waiting), coordinator_error(*next.outcome, next.too_large));
        }
    }

  private:
    struct InFlight {
        Waiting waiting;
        Errc too_large = Errc::kUnknownServerError;
        std::optional<Errc> outcome;
    };

    [[nodiscard]] InFlight& at(std::uint64_t token) {
        LEAT_CHECK(token >= first_ && token < first_ + in_flight_.size());
        return in_flight_[token - first_];
    }

    std::deque<InFlight> in_flight_;
    std::uint64_t first_ = 1;  ///< Token of in_flight_.front().
    std::vector<Write> writes_;
};

}  // namespace leat::coordination
