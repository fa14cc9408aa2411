// SPDX-License-Identifier: Apache-2.0
//
// Method: a loop that is known to use the processor, under meters.
#include "rt/process.h"

#include <gtest/gtest.h>

#include <chrono>

namespace leat::rt {
namespace {

using std::chrono::nanoseconds;

void burn(nanoseconds time) {
    const nanoseconds end = thread_cpu_time() + time;
    while (thread_cpu_time() < end) {
    }
}

constexpr nanoseconds kSome{2'000'000};

TEST(CpuMeter, TheOutermostMeasuresAll) {
    CpuMeter outer{true};
    burn(kSome);
    CpuMeter inner{true};
    burn(kSome);
    EXPECT_EQ(inner.stop(), nanoseconds{0});
    CpuMeter again{true};
    burn(kSome);
    EXPECT_EQ(again.stop(), nanoseconds{0}) << "the end of an inner one changes nothing";
    EXPECT_GE(outer.stop(), 3 * kSome);
    EXPECT_EQ(outer.stop(), nanoseconds{0});
    CpuMeter next{true};
    burn(kSome);
    EXPECT_GE(next.stop(), kSome);
}

TEST(CpuMeter, OneThatDoesNotMeasureLeavesThatToOthers) {
    CpuMeter off{false};
    CpuMeter on{true};
    burn(kSome);
    EXPECT_GE(on.stop(), kSome);
    EXPECT_EQ(off.stop(), nanoseconds{0});
}

}  // namespace
}  // namespace leat::rt
