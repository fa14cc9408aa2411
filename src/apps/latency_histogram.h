// SPDX-License-Identifier: Apache-2.0
//
// Counts of times by value, exact to three digits, for percentiles that do not lie at the tail.
// Layer: apps (L7). Pure.
// Spec:  the HDR histogram's idea: linear sub-buckets in buckets that double.
#pragma once

#include <cstdint>
#include <vector>

namespace leat::apps {

/// Values are nanoseconds from 0 to about an hour; smaller and larger ones count as those.
///
/// Threading: not synchronised.
/// Memory:    about 260 KiB, whatever is counted.
class LatencyHistogram {
  public:
    LatencyHistogram();

    void record(std::int64_t nanoseconds);

    [[nodiscard]] std::int64_t count() const noexcept { return count_; }
    /// The least value that `percent` of all are not above, within 0.1 %; 0 when nothing was
    /// counted. Precondition: 0 < percent <= 100.
    [[nodiscard]] std::int64_t percentile(double percent) const;
    [[nodiscard]] std::int64_t max() const noexcept { return max_; }
    [[nodiscard]] std::int64_t min() const noexcept { return count_ == 0 ? 0 : min_; }
    [[nodiscard]] double mean() const noexcept;

  private:
    static constexpr unsigned kSubBits =
        11;  // 2048 sub-buckets: 1/1024 is the worst relative error.
    static constexpr std::int64_t kValueMax = std::int64_t{1} << 42U;

    static std::size_t index_of(std::int64_t value);
    static std::int64_t top_of(std::size_t index);

    std::vector<std::int64_t> counts_;
    std::int64_t count_ = 0;
    std::int64_t min_ = kValueMax;
    std::int64_t max_ = 0;
    double sum_ = 0;
};

}  // namespace leat::apps
