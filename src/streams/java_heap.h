// SPDX-License-Identifier: Apache-2.0
//
// A heap in which also those come in Java's order that come at the same time. Layer: streams (L6).
// Spec:  java.util.PriorityQueue, whose order among equals shows in what an application tells.
// Threading: pure functions.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace leat::streams::detail {

/// `before(a, b)`: a comes strictly first.
template <class T, class Before>
void java_offer(std::vector<T>& heap, T added, const Before& before) {
    std::size_t at = heap.size();
    heap.emplace_back();
    for (; at > 0; at = (at - 1) / 2) {
        T& parent = heap[(at - 1) / 2];
        if (!before(added, parent)) break;
        heap[at] = std::move(parent);
    }
    heap[at] = std::move(added);
}

/// Takes out the first. Precondition: there is one.
template <class T, class Before>
T java_poll(std::vector<T>& heap, const Before& before) {
    T last = std::move(heap.back());
    heap.pop_back();
    if (heap.empty()) return last;
    T first = std::exchange(heap.front(), T{});
    const std::size_t size = heap.size();
    std::size_t at = 0;
    while (at < size / 2) {
        std::size_t child = 2 * at + 1;
        if (child + 1 < size && before(heap[child + 1], heap[child])) ++child;
        if (!before(heap[child], last)) break;
        heap[at] = std::move(heap[child]);
        at = child;
    }
    heap[at] = std::move(last);
    return first;
}

}  // namespace leat::streams::detail
