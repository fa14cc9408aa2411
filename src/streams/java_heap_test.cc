// SPDX-License-Identifier: Apache-2.0
//
// The order among those that come at the same time: what a java.util.PriorityQueue that compares
// times alone gave for the same calls.
#include "streams/java_heap.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace leat::streams::detail {
namespace {

/// That it cannot be copied says that nothing is.
struct Timed {
    std::uint32_t time = 0;
    std::unique_ptr<int> number{};
};
bool earlier(const Timed& a, const Timed& b) {
    return a.time < b.time;
}

TEST(JavaHeap, HasJavasOrderAmongEquals) {
    std::vector<Timed> heap;
    std::string order;
    const auto poll = [&] {
        order += (order.empty() ? "" : " ") + std::to_string(*java_poll(heap, earlier).number);
    };
    std::uint32_t random = 1;
    int number = 0;
    for (int i = 0; i < 150; ++i) {
        random = random * 1'664'525 + 1'013'904'223;
        if ((random >> 16U) % 10 < 6 || heap.empty())
            java_offer(heap, Timed{(random >> 20U) % 4, std::make_unique<int>(number++)}, earlier);
        else
            poll();
    }
    while (!heap.empty()) poll();
    EXPECT_EQ(order,
              "0 1 4 8 12 15 16 17 18 22 20 9 11 13 23 24 5 25 26 7 2 27 6 21 3 14 28 10 32 31 "
              "39 36 43 38 40 46 37 49 50 54 53 56 58 60 61 64 65 44 63 66 69 70 71 74 72 76 68 "
              "75 77 33 48 35 79 83 80 85 67 82 81 42 55 29 73 62 34 45 41 78 51 30 19 52 57 47 "
              "59 84");
}

}  // namespace
}  // namespace leat::streams::detail
