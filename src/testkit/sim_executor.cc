// SPDX-License-Identifier: Apache-2.0
#include "testkit/sim_executor.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace leat::testkit {

void SimExecutor::post(rt::Fn fn) {
    posts_[world_.current_].push_back(std::move(fn));
}

rt::TimerId SimExecutor::schedule(Instant at, rt::Fn fn) {
    LEAT_CHECK(is_here() || world_.current_ == SimWorld::kTest);
    return timers_.add(at, std::move(fn));
}

bool SimExecutor::cancel(rt::TimerId timer) {
    LEAT_CHECK(is_here() || world_.current_ == SimWorld::kTest);
    return timers_.remove(timer);
}

Instant SimExecutor::now() const {
    return world_.now_;
}
WallMs SimExecutor::wall_now() const {
    return world_.wall_now();
}
bool SimExecutor::is_here() const {
    return world_.current_ == number_;
}
std::uint64_t SimExecutor::random() {
    return world_.random_.next();
}

void SimExecutor::here(const std::function<void()>& fn) {
    world_.run_as(number_, [&fn] { fn(); });
}

void SimPool::submit(rt::Executor& home, rt::Fn work, rt::Fn done) {
    waiting_.push_back({&home, std::move(work), std::move(done)});
    begin();
}

void SimPool::begin() {
    while (running_ < options_.threads && !waiting_.empty()) {
        Job job = std::move(waiting_.front());
        waiting_.pop_front();
        ++running_;
        finish(std::move(job));
    }
}

void SimPool::finish(Job job) {
    SimRandom& random = world_.random_;
    // Mostly near the shortest, at times near the longest.
    const std::int64_t shortest = options_.shortest.count();
    const std::int64_t longest = random.percent(10)
                                     ? options_.longest.count()
                                     : shortest + (options_.longest.count() - shortest) / 20;
    const std::chrono::nanoseconds takes{random.between(shortest, std::max(shortest, longest))};
    const Instant end = world_.now_ + takes;
    const Instant effect = world_.now_ + std::chrono::nanoseconds{random.between(0, takes.count())};
    world_.pool_events_.add(effect, [this, end, j = std::move(job)]() mutable {
        j.work();
        j.work = nullptr;
        world_.pool_events_.add(end, [this, home = j.home, done = std::move(j.done)]() mutable {
            home->post(std::move(done));
            --running_;
            begin();
        });
    });
}

SimWorld::SimWorld(std::uint64_t seed, Instant start) : random_(seed), now_(start) {}
SimWorld::~SimWorld() = default;

SimExecutor& SimWorld::add_executor() {
    executors_.push_back(
        std::unique_ptr<SimExecutor>{new SimExecutor{*this, kPool + 1 + executors_.size()}});
    return *executors_.back();
}

SimPool& SimWorld::add_pool(SimPoolOptions options) {
    LEAT_CHECK(options.threads > 0 && options.shortest <= options.longest);
    pools_.push_back(std::unique_ptr<SimPool>{new SimPool{*this, options}});
    return *pools_.back();
}

WallMs SimWorld::wall_now() const {
    using std::chrono::milliseconds;
    return {wall_offset_ms_ +
            std::chrono::duration_cast<milliseconds>(now_.time_since_epoch()).count()};
}

void SimWorld::run_as(std::size_t who, rt::Fn fn) {
    const std::size_t before = std::exchange(current_, who);
    fn();
    fn = nullptr;  // What it owns goes there too.
    current_ = before;
}

bool SimWorld::step_now() {
    // Candidates: each queue of posts, the timers of each shard, the pools' events.
    struct Candidate {
        SimExecutor* executor = nullptr;
        std::deque<rt::Fn>* posts = nullptr;
        rt::TimerHeap* timers = nullptr;
    };
    std::vector<Candidate> candidates;
    for (const auto& executor : executors_) {
        for (auto& [poster, posts] : executor->posts_)
            if (!posts.empty()) candidates.push_back({executor.get(), &posts, nullptr});
        if (!executor->timers_.empty() && executor->timers_.next() <= now_)
            candidates.push_back({executor.get(), nullptr, &executor->timers_});
    }
    if (!pool_events_.empty() && pool_events_.next() <= now_)
        candidates.push_back({nullptr, nullptr, &pool_events_});
    if (candidates.empty()) return false;
    ++steps_;
    const Candidate& chosen = candidates[random_.below(candidates.size())];
    rt::Fn fn;
    if (chosen.posts != nullptr) {
        fn = std::move(chosen.posts->front());
        chosen.posts->pop_front();
    } else {
        fn = chosen.timers->pop_due(now_);
    }
    // A pool's thread is nobody's shard, but it is not the test either.
    run_as(chosen.executor != nullptr ? chosen.executor->number_ : kPool, std::move(fn));
    now_ += std::chrono::nanoseconds{random_.below(2'000)};
    return true;
}

bool SimWorld::next_event(Instant& at) const {
    bool found = false;
    const auto look = [&](const rt::TimerHeap& timers) {
        if (timers.empty() || (found && timers.next() >= at)) return;
        at = timers.next();
        found = true;
    };
    for (const auto& executor : executors_) look(executor->timers_);
    look(pool_events_);
    return found;
}

bool SimWorld::step() {
    if (step_now()) return true;
    Instant at;
    if (!next_event(at)) return false;
    now_ = std::max(now_, at);
    return step_now();
}

bool SimWorld::run_until(const std::function<bool()>& is_done, std::chrono::nanoseconds limit) {
    const Instant end = now_ + limit;
    while (!is_done())
        if (now_ > end || !step()) return is_done();
    return true;
}

void SimWorld::run_for(std::chrono::nanoseconds time) {
    const Instant end = now_ + time;
    for (;;) {
        while (now_ <= end && step_now()) {
        }
        Instant at;
        if (now_ > end || !next_event(at) || at > end) break;
        now_ = std::max(now_, at);
    }
    now_ = std::max(now_, end);
}

void SimWorld::settle() {
    for (;;) {
        while (step_now()) {
        }
        if (pool_events_.empty()) return;
        now_ = std::max(now_, pool_events_.next());
    }
}

void SimWorld::cut_power() {
    LEAT_CHECK(current_ == kTest);
    // Reachable for ever, so that a leak checker does not take them for leaks.
    struct Grave {
        std::vector<std::deque<rt::Fn>> posts;
        std::vector<rt::TimerHeap> timers;
        std::vector<std::deque<SimPool::Job>> jobs;
    };
    static Grave& grave = *new Grave;
    for (const auto& executor : executors_) {
        for (auto& [poster, posts] : executor->posts_) grave.posts.push_back(std::move(posts));
        executor->posts_.clear();
        grave.timers.push_back(std::exchange(executor->timers_, {}));
    }
    grave.timers.push_back(std::exchange(pool_events_, {}));
    for (const auto& pool : pools_) {
        grave.jobs.push_back(std::exchange(pool->waiting_, {}));
        pool->running_ = 0;
    }
}

}  // namespace leat::testkit
