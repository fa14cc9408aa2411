// SPDX-License-Identifier: Apache-2.0
#include "rt/understudy.h"

#include <pthread.h>

#include <utility>

#include "base/check.h"

namespace leat::rt {
namespace {

/// To wake the thread costs the one that begins work more than it costs to look in vain.
constexpr int kIdleRests = 5;

}  // namespace

Understudy::Understudy(std::string name, std::chrono::nanoseconds patience, Fn stand_in)
    : patience_(patience), stand_in_(std::move(stand_in)) {
    LEAT_CHECK(patience_.count() > 0);
    thread_ = std::jthread{[this, name = std::move(name)] { run(name); }};
}

Understudy::~Understudy() {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    news_.notify_one();
}

// Either the thread sees the count before it sleeps, or this sees that it sleeps: both sides write
// before they read, in one order.
void Understudy::begin(Instant now) {
    begun_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    count_.fetch_add(1);
    if (!is_asleep_.load()) return;
    const std::lock_guard lock{mutex_};
    news_.notify_one();
}

void Understudy::rest(std::unique_lock<std::mutex>& lock) {
    const std::uint64_t count = count_.load(std::memory_order_relaxed);
    idle_rests_ = count == seen_ ? idle_rests_ + 1 : 0;
    seen_ = count;
    if (idle_rests_ >= kIdleRests) {
        is_asleep_.store(true);
        news_.wait(lock, [this] { return stopping_ || count_.load() != seen_; });
        is_asleep_.store(false);
        idle_rests_ = 0;
    }
    news_.wait_for(lock, patience_, [this] { return stopping_; });
}

void Understudy::run(const std::string& name) {
    ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
    std::unique_lock lock{mutex_};
    while (!stopping_) {
        rest(lock);
        const Ticks begun = begun_.load(std::memory_order_relaxed);
        const Ticks now = std::chrono::steady_clock::now().time_since_epoch().count();
        if (begun == kNever || now - begun < patience_.count()) continue;
        lock.unlock();
        stand_in_();
        lock.lock();
    }
}

}  // namespace leat::rt
