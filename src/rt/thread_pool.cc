// SPDX-License-Identifier: Apache-2.0
#include "rt/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/check.h"

namespace leat::rt {

ThreadPool::ThreadPool(const ThreadPoolOptions& options)
    : long_max_(std::max<std::size_t>(1, options.threads / 2)) {
    LEAT_CHECK(options.threads > 0);
    for (std::size_t i = 0; i < options.threads; ++i)
        threads_.emplace_back(
            [this, name = options.name + "-" + std::to_string(i)] { run_jobs(name); });
}

ThreadPool::~ThreadPool() {
    stop();
}

void ThreadPool::submit(Executor& home, Fn work, Fn done) {
    submit({.home = &home, .work = std::move(work), .done = std::move(done)});
}

void ThreadPool::submit_long(Executor& home, Fn work, Fn done) {
    submit({.home = &home, .work = std::move(work), .done = std::move(done), .is_long = true});
}

void ThreadPool::submit(Job job) {
    {
        const std::lock_guard lock{mutex_};
        if (!stopping_) {
            job.number = submitted_++;
            (job.is_long ? long_jobs_ : jobs_).push_back(std::move(job));
            more_.notify_one();
            return;
        }
    }
    run(std::move(job));
}

void ThreadPool::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    more_.notify_all();
    threads_.clear();
}

std::size_t ThreadPool::queued() const {
    const std::lock_guard lock{mutex_};
    return jobs_.size() + long_jobs_.size();
}

/// When the pool stops nothing is left that could wait for a thread.
bool ThreadPool::may_run_long() const noexcept {
    return !long_jobs_.empty() && (long_running_ < long_max_ || stopping_);
}

ThreadPool::Job ThreadPool::take() {
    const bool is_long =
        may_run_long() && (jobs_.empty() || long_jobs_.front().number < jobs_.front().number);
    std::deque<Job>& from = is_long ? long_jobs_ : jobs_;
    Job job = std::move(from.front());
    from.pop_front();
    return job;
}

void ThreadPool::run_jobs(const std::string& name) {
    ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
    std::unique_lock lock{mutex_};
    for (;;) {
        more_.wait(lock, [this] { return stopping_ || !jobs_.empty() || may_run_long(); });
        if (jobs_.empty() && !may_run_long()) return;
        Job job = take();
        const bool is_long = job.is_long;
        if (is_long) ++long_running_;
        lock.unlock();
        run(std::move(job));
        lock.lock();
        if (!is_long) continue;
        --long_running_;
        // This thread may take another job first.
        if (may_run_long()) more_.notify_one();
    }
}

void ThreadPool::run(Job job) {
    job.work();
    job.work = nullptr;  // What it owns goes here, before the home can see the end.
    job.home->post(std::move(job.done));
}

void run_beside(std::size_t count, std::size_t threads,
                const std::function<void(std::size_t)>& work) {
    std::atomic<std::size_t> next = 0;
    const auto run = [&] {
        for (std::size_t i = next++; i < count; i = next++) work(i);
    };
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < std::min(count, threads); ++i) others.emplace_back(run);
    run();
}

}  // namespace leat::rt
