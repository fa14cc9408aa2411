// SPDX-License-Identifier: Apache-2.0
//
// Which partitions of a topic have had no leader for how long: who reads to the end must not wait
// for ever for one that nobody serves. Layer: apps (L7). Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace leat::apps {

/// Threading: not synchronised.
class LeaderWatch {
  public:
    using Clock = std::chrono::steady_clock;

    /// Longer than the election that follows a broker's death: Kafka fences one after 9 s.
    static constexpr std::chrono::seconds kPatience{10};

    /// What one look found out.
    struct News {
        std::vector<std::int32_t> missing;  ///< Had a leader when last looked at.
        std::vector<std::int32_t> back;     ///< Have one again.
    };

    /// `leaderless` are all that have no leader at `now`.
    News look(std::span<const std::int32_t> leaderless, Clock::time_point now);
    [[nodiscard]] bool is_missing(std::int32_t partition) const {
        return since_.contains(partition);
    }
    /// None for kPatience, at the time of the last look.
    [[nodiscard]] bool is_given_up(std::int32_t partition) const;

  private:
    std::map<std::int32_t, Clock::time_point> since_;
    Clock::time_point looked_at_;
};

}  // namespace leat::apps
