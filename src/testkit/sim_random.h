// SPDX-License-Identifier: Apache-2.0
//
// The dice of a simulation: the same sequence for the same seed with every compiler and library.
// Layer: test-only.
#pragma once

#include <cstdint>

namespace leat::testkit {

/// splitmix64. Threading: not synchronised.
class SimRandom {
  public:
    explicit SimRandom(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        std::uint64_t z = state_ += 0x9E37'79B9'7F4A'7C15;
        z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9;
        z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EB;
        return z ^ (z >> 31);
    }
    /// 0 to `count` - 1; the bias is of no matter for tests. Precondition: count > 0.
    std::uint64_t below(std::uint64_t count) noexcept { return next() % count; }
    std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
        return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
    }
    bool percent(std::uint64_t chance) noexcept { return below(100) < chance; }

  private:
    std::uint64_t state_;
};

}  // namespace leat::testkit
