// SPDX-License-Identifier: Apache-2.0
//
// How far a copy of a store has taken in the task's input. Layer: streams (L6). Pure.
// A commit comes after all that it changed is in the changelog. So whoever learns of a commit, and
// then where the changelog ends, knows that a copy which has read to there has taken in what was
// committed.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>

#include "leat/streams/detail/raw_query.h"

namespace leat::streams {

/// Threading: belongs to its task.
class FollowedPosition {
  public:
    /// `position` was committed before the changelog ended at `end`.
    void promise(std::int64_t end, Position position) {
        // The oldest is kept, so that a copy that is always a little behind gets there too.
        if (promised_.size() == kPromisesMax) promised_.pop_back();
        promised_.emplace_back(end, std::move(position));
    }
    /// The copy has all of the changelog below `next`.
    void advance(std::int64_t next) {
        for (; !promised_.empty() && promised_.front().first <= next; promised_.pop_front())
            reached_ = std::move(promised_.front().second);
    }
    /// It starts empty.
    void clear() {
        promised_.clear();
        reached_.clear();
    }
    [[nodiscard]] const Position& reached() const noexcept { return reached_; }

  private:
    static constexpr std::size_t kPromisesMax = 2;
    std::deque<std::pair<std::int64_t, Position>> promised_;  ///< Ends ascend.
    Position reached_;
};

}  // namespace leat::streams
