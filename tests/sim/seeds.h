// SPDX-License-Identifier: Apache-2.0
//
// Which seeds a simulation runs: LEAT_SIM_SEEDS=N the first N, LEAT_TEST_SEED=S only that one.
// Layer: test-only.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace leat::sim {

inline std::uint64_t number_from(const char* name, std::uint64_t fallback) {
    const char* text = std::getenv(name);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : fallback;
}

/// for (std::uint64_t seed : Seeds{100})
class Seeds {
  public:
    explicit Seeds(std::uint64_t usual) {
        const std::uint64_t only = number_from("LEAT_TEST_SEED", 0);
        first_ = only > 0 ? only : 1;
        last_ = only > 0 ? only : number_from("LEAT_SIM_SEEDS", usual);
    }

    struct Iterator {
        std::uint64_t seed;
        std::uint64_t operator*() const { return seed; }
        Iterator& operator++() {
            ++seed;
            return *this;
        }
        bool operator==(const Iterator&) const = default;
    };
    [[nodiscard]] Iterator begin() const { return {first_}; }
    [[nodiscard]] Iterator end() const { return {last_ + 1}; }
    [[nodiscard]] std::uint64_t count() const { return last_ + 1 - first_; }

  private:
    std::uint64_t first_ = 1;
    std::uint64_t last_ = 0;
};

}  // namespace leat::sim
