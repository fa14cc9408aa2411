// SPDX-License-Identifier: Apache-2.0
//
// What is going to happen in a simulation, and when. Layer: test-only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "base/units.h"

namespace leat::sim {

/// Events of one time happen in the order in which they were pushed.
/// Threading: not synchronised.
class EventQueue {
  public:
    void push(Instant when, std::function<void()> run) {
        events_.push({when, ++order_, std::move(run)});
    }
    /// The time of the first; none when there is nothing.
    [[nodiscard]] std::optional<Instant> next() const {
        return events_.empty() ? std::nullopt : std::optional{events_.top().when};
    }
    /// Takes the first; whoever calls sets the clock before running it. Precondition: next().
    [[nodiscard]] std::function<void()> pop() {
        std::function<void()> run = events_.top().run;
        events_.pop();
        return run;
    }

  private:
    struct Event {
        Instant when;
        std::uint64_t order;
        std::function<void()> run;
        bool operator>(const Event& other) const {
            return std::pair{when, order} > std::pair{other.when, other.order};
        }
    };
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    std::uint64_t order_ = 0;
};

}  // namespace leat::sim
