// SPDX-License-Identifier: Apache-2.0
#include "streams/state/query_gate.h"

namespace leat::streams::detail {

void QueryGate::enter() {
    std::unique_lock lock{mutex_};
    moved_.wait(lock, [this] { return !held_; });
    held_ = true;
}

void QueryGate::leave() {
    {
        const std::scoped_lock lock{mutex_};
        held_ = false;
    }
    moved_.notify_all();
}

void QueryGate::let_in() {
    std::unique_lock lock{mutex_};
    if (waiting_.load(std::memory_order_relaxed) == 0) return;
    const std::uint64_t before = served_;
    held_ = false;
    moved_.notify_all();
    // One reader at least has been served then, and a stream of readers cannot keep the task out.
    moved_.wait(lock, [&] { return !held_ && served_ != before; });
    held_ = true;
}

bool QueryGate::begin_query(std::optional<std::chrono::milliseconds> at_most) {
    std::unique_lock lock{mutex_};
    waiting_.fetch_add(1, std::memory_order_relaxed);
    const auto is_free = [this] { return !held_; };
    bool is_in = true;
    // Whoever lets one in under the lock finds it inside: the last look is under the same lock.
    if (at_most)
        is_in = moved_.wait_for(lock, *at_most, is_free);
    else
        moved_.wait(lock, is_free);
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    if (is_in) held_ = true;
    return is_in;
}

void QueryGate::end_query() {
    {
        const std::scoped_lock lock{mutex_};
        held_ = false;
        ++served_;
    }
    moved_.notify_all();
}

}  // namespace leat::streams::detail
