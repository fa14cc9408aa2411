// SPDX-License-Identifier: Apache-2.0
//
// Method: random adds, removals and clock steps beside a sorted map.
#include "rt/timer_heap.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "testkit/random.h"

namespace leat::rt {
namespace {

Instant at(std::int64_t ns) {
    return Instant{std::chrono::nanoseconds{ns}};
}

TEST(TimerHeap, RunsEqualTimesInTheOrderOfAdding) {
    TimerHeap heap;
    std::vector<int> order;
    for (int i = 0; i < 50; ++i) heap.add(at(5), [&order, i] { order.push_back(i); });
    EXPECT_EQ(heap.pop_due(at(4)), nullptr);
    while (Fn fn = heap.pop_due(at(5))) fn();
    ASSERT_EQ(order.size(), 50U);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(TimerHeap, SpentAndForeignIdsRemoveNothing) {
    TimerHeap heap;
    EXPECT_FALSE(heap.remove({}));
    const TimerId first = heap.add(at(1), [] {});
    heap.pop_due(at(1))();
    const TimerId second = heap.add(at(1), [] {});  // In the slot of the first.
    EXPECT_FALSE(heap.remove(first));
    EXPECT_FALSE(heap.remove({second.value + 1}));
    EXPECT_TRUE(heap.remove(second));
    EXPECT_FALSE(heap.remove(second));
    EXPECT_TRUE(heap.empty());
}

TEST(TimerHeap, RemovedCallbackMayUseTheHeapWhenItGoes) {
    TimerHeap heap;
    struct AddsAtEnd {
        TimerHeap* heap;
        ~AddsAtEnd() {
            heap->add(at(2), [] {});
        }
    };
    const TimerId id = heap.add(at(1), [owned = std::make_unique<AddsAtEnd>(&heap)] {});
    EXPECT_TRUE(heap.remove(id));
    EXPECT_EQ(heap.next(), at(2));
}

TEST(TimerHeap, AgreesWithASortedMap) {
    testkit::Random random;
    TimerHeap heap;
    std::map<std::pair<Instant, int>, TimerId> model;
    int added = 0;
    int last_run = -1;
    Instant now{};
    for (int step = 0; step < 20'000; ++step) {
        const int kind = random.between(0, 9);
        if (kind < 5) {
            const Instant when = now + std::chrono::nanoseconds{random.between(0, 300)};
            const int name = added++;
            model[{when, name}] = heap.add(when, [&last_run, name] { last_run = name; });
        } else if (kind < 8 && !model.empty()) {
            auto it = model.begin();
            std::advance(it,
                         random.between(0, std::min<int>(20, static_cast<int>(model.size()) - 1)));
            EXPECT_TRUE(heap.remove(it->second));
            model.erase(it);
        } else {
            now += std::chrono::nanoseconds{random.between(0, 40)};
            while (Fn fn = heap.pop_due(now)) {
                fn();
                ASSERT_FALSE(model.empty());
                ASSERT_EQ(model.begin()->first.second, last_run);
                ASSERT_LE(model.begin()->first.first, now);
                model.erase(model.begin());
            }
        }
        ASSERT_EQ(heap.size(), model.size());
        if (!model.empty()) ASSERT_EQ(heap.next(), model.begin()->first.first);
    }
}

}  // namespace
}  // namespace leat::rt
