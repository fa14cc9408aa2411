// SPDX-License-Identifier: Apache-2.0
#include "apps/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"

namespace leat::apps {
namespace {

constexpr std::size_t kHalf = 1024;  // Sub-buckets of each doubling above the first.

}  // namespace

LatencyHistogram::LatencyHistogram() : counts_(index_of(kValueMax) + 1) {}

std::size_t LatencyHistogram::index_of(std::int64_t value) {
    const auto v = static_cast<std::uint64_t>(value);
    const unsigned bits = static_cast<unsigned>(std::bit_width(v));
    if (bits <= kSubBits) return v;
    const unsigned shift = bits - kSubBits;
    return shift * kHalf + (v >> shift);
}

std::int64_t LatencyHistogram::top_of(std::size_t index) {
    if (index < 2 * kHalf) return static_cast<std::int64_t>(index);
    const std::size_t shift = index / kHalf - 1;
    const std::uint64_t sub = index - shift * kHalf;
    return static_cast<std::int64_t>(((sub + 1) << shift) - 1);
}

void LatencyHistogram::record(std::int64_t nanoseconds) {
    const std::int64_t value = std::clamp<std::int64_t>(nanoseconds, 0, kValueMax);
    ++counts_[index_of(value)];
    ++count_;
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
    sum_ += static_cast<double>(value);
}

std::int64_t LatencyHistogram::percentile(double percent) const {
    LEAT_CHECK(percent > 0 && percent <= 100);
    if (count_ == 0) return 0;
    const auto wanted = std::max<std::int64_t>(
        1,
        static_cast<std::int64_t>(std::ceil(percent / 100 * static_cast<double>(count_) - 1e-9)));
    std::int64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        if (seen >= wanted) return std::min(top_of(i), max_);
    }
    return max_;
}

double LatencyHistogram::mean() const noexcept {
    return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

}  // namespace leat::apps
