// SPDX-License-Identifier: Apache-2.0
//
// The timers of one loop, soonest first. Layer: rt (L1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "rt/executor.h"

namespace leat::rt {

/// A heap of four children a node whose entries know their place, so that a timer that is cancelled
/// (nearly all are) leaves at once and leaves nothing behind. Timers of one instant run in the
/// order in which they were added.
///
/// Threading: not synchronised.
/// Memory:    no allocation but for growth; a slot is used again.
class TimerHeap {
  public:
    TimerId add(Instant at, Fn fn);

    /// False when the timer is not in here any more.
    bool remove(TimerId timer);

    [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }
    [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }

    /// When the soonest timer is due. Precondition: not empty().
    [[nodiscard]] Instant next() const;

    /// Takes out the soonest timer if it is due at `now`; an empty Fn when none is.
    Fn pop_due(Instant now);

  private:
    struct Entry {
        Instant at{};
        std::uint64_t sequence = 0;
        std::uint32_t slot = 0;
        friend bool operator<(const Entry& a, const Entry& b) noexcept {
            return a.at != b.at ? a.at < b.at : a.sequence < b.sequence;
        }
    };
    struct Slot {
        Fn fn;
        std::uint32_t generation = 1;  ///< Part of the id, so that an old id finds nothing.
        std::uint32_t place = 0;       ///< Index in heap_ while the slot is used.
    };

    Fn take(std::size_t place);
    void put(std::size_t place, const Entry& entry);
    void sift_up(std::size_t place, const Entry& entry);
    void sift_down(std::size_t place, const Entry& entry);

    std::vector<Entry> heap_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_slots_;
    std::uint64_t last_sequence_ = 0;
};

}  // namespace leat::rt
