// SPDX-License-Identifier: Apache-2.0
#include "rt/timer_heap.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace leat::rt {
namespace {

constexpr std::size_t kChildren = 4;

}  // namespace

TimerId TimerHeap::add(Instant at, Fn fn) {
    LEAT_CHECK(fn != nullptr);
    if (free_slots_.empty()) {
        free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.emplace_back();
    }
    const std::uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    slots_[slot].fn = std::move(fn);
    const Entry entry{at, ++last_sequence_, slot};
    heap_.push_back(entry);
    sift_up(heap_.size() - 1, entry);
    return {std::uint64_t{slots_[slot].generation} << 32 | (std::uint64_t{slot} + 1)};
}

bool TimerHeap::remove(TimerId timer) {
    const std::uint64_t slot = (timer.value & 0xFFFF'FFFF) - 1;
    if (slot >= slots_.size() || slots_[slot].generation != timer.value >> 32) return false;
    // The callback is destroyed last: what it owns may come back to this heap.
    const Fn dropped = take(slots_[slot].place);
    return true;
}

Instant TimerHeap::next() const {
    LEAT_CHECK(!heap_.empty());
    return heap_.front().at;
}

Fn TimerHeap::pop_due(Instant now) {
    if (heap_.empty() || heap_.front().at > now) return nullptr;
    return take(0);
}

Fn TimerHeap::take(std::size_t place) {
    const std::uint32_t slot = heap_[place].slot;
    Fn fn = std::move(slots_[slot].fn);
    slots_[slot].fn = nullptr;
    ++slots_[slot].generation;
    free_slots_.push_back(slot);
    const Entry last = heap_.back();
    heap_.pop_back();
    if (place < heap_.size()) {
        sift_down(place, last);
        sift_up(slots_[last.slot].place, last);
    }
    return fn;
}

void TimerHeap::put(std::size_t place, const Entry& entry) {
    heap_[place] = entry;
    slots_[entry.slot].place = static_cast<std::uint32_t>(place);
}

void TimerHeap::sift_up(std::size_t place, const Entry& entry) {
    while (place > 0) {
        const std::size_t parent = (place - 1) / kChildren;
        if (!(entry < heap_[parent])) break;
        put(place, heap_[parent]);
        place = parent;
    }
    put(place, entry);
}

void TimerHeap::sift_down(std::size_t place, const Entry& entry) {
    for (;;) {
        const std::size_t first = place * kChildren + 1;
        if (first >= heap_.size()) break;
        const std::size_t end = std::min(first + kChildren, heap_.size());
        std::size_t least = first;
        for (std::size_t child = first + 1; child < end; ++child)
            if (heap_[child] < heap_[least]) least = child;
        if (!(heap_[least] < entry)) break;
        put(place, heap_[least]);
        place = least;
    }
    put(place, entry);
}

}  // namespace leat::rt
