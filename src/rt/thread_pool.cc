// SPDX-License-Identifier: Apache-2.0
#include "rt/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/check.h"

namespace leat::rt {

ThreadPool::ThreadPool(const ThreadPoolOptions& options) {
    LEAT_CHECK(options.threads > 0);
    for (std::size_t i = 0; i < options.threads; ++i)
        threads_.emplace_back(
            [this, name = options.name + "-" + std::to_string(i)] { run_jobs(name); });
}

ThreadPool::~ThreadPool() {
    stop();
}

void ThreadPool::submit(Executor& home, Fn work, Fn done) {
    {
        const std::lock_guard lock{mutex_};
        if (!stopping_) {
            jobs_.push_back({&home, std::move(work), std::move(done)});
            more_.notify_one();
            return;
        }
    }
    run({&home, std::move(work), std::move(done)});
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
    return jobs_.size();
}

void ThreadPool::run_jobs(const std::string& name) {
    ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
    std::unique_lock lock{mutex_};
    for (;;) {
        more_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        Job job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        run(std::move(job));
        lock.lock();
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
