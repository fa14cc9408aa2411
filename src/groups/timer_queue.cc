// SPDX-License-Identifier: Apache-2.0
#include "groups/timer_queue.h"

namespace leat::groups {

void Timer::set(Instant at) {
    // The node is kept, so that a heartbeat does not allocate.
    auto node = is_set() ? queue_.timers_.extract(this) : decltype(queue_.timers_)::node_type{};
    at_ = at;
    sequence_ = ++queue_.sequence_;
    if (node.empty())
        queue_.timers_.insert(this);
    else
        queue_.timers_.insert(std::move(node));
}

void Timer::cancel() {
    if (!is_set()) return;
    queue_.timers_.erase(this);
    sequence_ = 0;
}

std::optional<Instant> TimerQueue::next() const {
    if (timers_.empty()) return std::nullopt;
    return (*timers_.begin())->at_;
}

void TimerQueue::fire(Instant now) {
    const std::uint64_t last = sequence_;
    for (auto at = timers_.begin(); at != timers_.end() && (*at)->at_ <= now;
         at = timers_.begin()) {
        Timer& timer = **at;
        // Set by an action of this call: left for the next, so that a timer without delay cannot
        // keep us here for ever. Those after it in the order of time wait with it.
        if (timer.sequence_ > last) return;
        timer.cancel();
        const Timer::Action action = timer.on_fire_;  // A copy: the action may destroy the timer.
        action();
    }
}

}  // namespace leat::groups
