// SPDX-License-Identifier: Apache-2.0
//
// The threads behind BlockingPool. Layer: rt (L1).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "rt/executor.h"

namespace leat::rt {

struct ThreadPoolOptions {
    std::size_t threads = 4;
    std::string name = "pool";  ///< Threads are called pool-0, pool-1 ...
};

/// Threading: thread-safe.
/// Failure:   a job submitted after stop() runs on the thread that submits it, so that both its
///            parts run in any case.
class ThreadPool final : public BlockingPool {
  public:
    explicit ThreadPool(const ThreadPoolOptions& options);
    ~ThreadPool() override;

    void submit(Executor& home, Fn work, Fn done) override;
    /// Half of the threads run such jobs at a time, one at least.
    void submit_long(Executor& home, Fn work, Fn done) override;

    /// Finishes what was submitted, then joins the threads. The homes must still take posts.
    void stop();

    /// Jobs that no thread has begun.
    [[nodiscard]] std::size_t queued() const;

  private:
    struct Job {
        Executor* home;
        Fn work;
        Fn done;
        bool is_long = false;
        std::uint64_t number = 0;  ///< In the order of submission.
    };
    void submit(Job job);
    [[nodiscard]] bool may_run_long() const noexcept;
    /// The next job that may run now. Precondition: there is one. Locks: mutex_.
    Job take();
    void run_jobs(const std::string& name);
    static void run(Job job);

    mutable std::mutex mutex_;
    std::condition_variable more_;
    std::deque<Job> jobs_;
    std::deque<Job> long_jobs_;
    std::size_t long_max_;
    std::size_t long_running_ = 0;
    std::uint64_t submitted_ = 0;
    bool stopping_ = false;
    std::vector<std::jthread> threads_;
};

/// Calls `work(i)` for each i below `count`, on up to `threads` threads with this one among them;
/// returns when all have returned. For a start, where there is no loop yet to come back to.
void run_beside(std::size_t count, std::size_t threads,
                const std::function<void(std::size_t)>& work);

}  // namespace leat::rt
