// SPDX-License-Identifier: Apache-2.0
//
// Latencies in buckets of at most 1.6 % width, from nanoseconds to minutes. Layer: bench.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace leat::bench {

/// Threading: not synchronised; each thread fills its own and they are merged.
class Histogram {
  public:
    void add(std::int64_t ns) {
        const auto v = ns < 0 ? std::uint64_t{0} : static_cast<std::uint64_t>(ns);
        counts_[bucket(v)] += 1;
        total_ += 1;
        max_ = v > max_ ? v : max_;
    }
    void merge(const Histogram& other) {
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            counts_[i] += other.counts_[i];
        }
        total_ += other.total_;
        max_ = other.max_ > max_ ? other.max_ : max_;
    }
    /// The upper end, in microseconds, of the bucket that holds this share (0..1) of the values.
    [[nodiscard]] double percentile_us(double share) const {
        auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_) + 0.999999);
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            if (counts_[i] >= wanted && total_ > 0) {
                return static_cast<double>(upper(i) < max_ ? upper(i) : max_) / 1000.0;
            }
            wanted -= counts_[i];
        }
        return static_cast<double>(max_) / 1000.0;
    }
    [[nodiscard]] double max_us() const { return static_cast<double>(max_) / 1000.0; }
    [[nodiscard]] std::uint64_t count() const { return total_; }

  private:
    static constexpr unsigned kSub = 6;  // 64 buckets a power of two
    static std::size_t bucket(std::uint64_t v) {
        if (v < (1U << kSub)) {
            return v;
        }
        const auto shift = static_cast<unsigned>(std::bit_width(v)) - kSub - 1;
        return (static_cast<std::size_t>(shift + 1) << kSub) + ((v >> shift) & ((1U << kSub) - 1));
    }
    static std::uint64_t upper(std::size_t i) {
        if (i < (1U << kSub)) {
            return i;
        }
        const auto shift = (i >> kSub) - 1;
        return ((((std::uint64_t{1} << kSub) + (i & ((1U << kSub) - 1))) + 1) << shift) - 1;
    }

    std::array<std::uint64_t, (42U << kSub)> counts_{};
    std::uint64_t total_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace leat::bench
