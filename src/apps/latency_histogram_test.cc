// SPDX-License-Identifier: Apache-2.0
//
// Method: percentiles of seeded samples against those of the sorted samples.
#include "apps/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "testkit/random.h"

namespace leat::apps {
namespace {

TEST(LatencyHistogram, IsWithinAThousandthOfTheExactPercentile) {
    testkit::Random random;
    for (int round = 0; round < 50; ++round) {
        LatencyHistogram histogram;
        std::vector<std::int64_t> all;
        const int count = random.between(1, 3000);
        for (int i = 0; i < count; ++i) {
            const std::int64_t value =
                std::int64_t{random.between(0, 2'000'000'000)} >> random.between(0, 30);
            histogram.record(value);
            all.push_back(value);
        }
        std::ranges::sort(all);
        for (const double percent : {0.1, 50.0, 90.0, 99.0, 99.9, 100.0}) {
            const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * count - 1e-9));
            const std::int64_t exact = all[std::max<std::size_t>(rank, 1) - 1];
            const std::int64_t got = histogram.percentile(percent);
            EXPECT_GE(got, exact);
            EXPECT_LE(got, exact + exact / 1000 + 1) << percent;
        }
        EXPECT_EQ(histogram.max(), all.back());
        EXPECT_EQ(histogram.min(), all.front());
    }
}

TEST(LatencyHistogram, CountsWhatIsOutOfRangeAtItsEnds) {
    LatencyHistogram histogram;
    EXPECT_EQ(histogram.percentile(50), 0);
    EXPECT_EQ(histogram.min(), 0);
    histogram.record(-5);
    histogram.record(INT64_MAX);
    EXPECT_EQ(histogram.count(), 2);
    EXPECT_EQ(histogram.percentile(50), 0);
    EXPECT_EQ(histogram.percentile(100), histogram.max());
}

}  // namespace
}  // namespace leat::apps
