// SPDX-License-Identifier: Apache-2.0
//
// One line on a terminal that says how far a long command is. Layer: apps (L7).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace leat::apps {

/// Redraws itself at most ten times a second; silent when stderr is no terminal.
///
/// Threading: not synchronised.
class Progress {
  public:
    /// What `total` counts.
    enum class Unit : std::uint8_t { kRecords, kBytes };

    /// `total` of 0 is unknown: counts and speed only, no bar.
    Progress(std::string_view verb, std::int64_t total, Unit unit = Unit::kRecords);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress() { finish(); }

    void update(std::int64_t done, std::int64_t bytes);
    /// Removes the line; also done by the destructor.
    void finish();

    struct State {
        std::int64_t done = 0;  ///< Records.
        std::int64_t bytes = 0;
        std::int64_t total = 0;
        Unit unit = Unit::kRecords;
        double seconds = 0;
    };
    /// The line for a state.
    [[nodiscard]] static std::string line(std::string_view verb, const State& state);

  private:
    using Clock = std::chrono::steady_clock;
    std::string verb_;
    std::int64_t total_;
    Unit unit_;
    bool enabled_;
    bool drawn_ = false;
    Clock::time_point started_ = Clock::now();
    Clock::time_point next_draw_ = started_;
};

}  // namespace leat::apps
