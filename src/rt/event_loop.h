// SPDX-License-Identifier: Apache-2.0
//
// The event loop of one shard: posts, timers and readiness of descriptors on one thread.
// Layer: rt (L1).
// Spec:  epoll(7), level-triggered; docs/decisions/0011-event-loop-epoll.md says why.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "rt/descriptor.h"
#include "rt/executor.h"
#include "rt/timer_heap.h"
#include "rt/understudy.h"

namespace leat::rt {

struct EventLoopOptions {
    std::string name = "loop";         ///< Of the thread; the kernel keeps 15 characters.
    std::size_t posts_per_turn = 256;  ///< Posts (and timers) run before sockets are asked again.
    std::size_t events_per_turn = 128;
    /// How long to watch for posts of other threads before the thread sleeps. 0: sleep at once.
    std::chrono::nanoseconds spin{0};
    /// How long blocking work may take on the loop's own thread before another one takes over the
    /// loop, which happens within twice that. 0: such work always goes to the pool.
    std::chrono::nanoseconds patience{0};
};

/// What a descriptor is watched for. Failure and hang-up are always reported.
enum class Interest : std::uint8_t { kNothing = 0, kRead = 1, kWrite = 2, kReadWrite = 3 };

struct Ready {
    bool readable = false;
    bool writable = false;
    bool failed = false;  ///< Error or hang-up in both directions: EPOLLERR, EPOLLHUP.
};

/// Threading: shard-local.
class Watcher {
  public:
    virtual void on_ready(Ready ready) = 0;

  protected:
    ~Watcher() = default;
};

struct WatchId {
    std::uint64_t value = 0;  ///< 0 watches nothing.
};

/// One turn: ready descriptors, due timers, posts, then sleep until there is more. Posts of other
/// threads wake a sleeping loop once a burst; a loop that is awake is not woken and posts of its
/// own thread never make a system call. A loop that posts to one that sleeps and has nothing else
/// to do runs the post on its own thread in the sleeper's place. Blocking work runs on the loop's
/// own thread when that would sleep otherwise, and the loop counts as one that sleeps; when the
/// work takes long, the loop goes on on another thread. The first loop makes the process
/// ignore SIGPIPE: sendfile() to a peer that has gone raises it and, unlike send(), cannot be told
/// not to.
///
/// Threading: post() and stop() are thread-safe. All else on the loop's thread, or on any one
///            thread while no thread is in run().
/// Memory:    what is posted or scheduled and has not run is destroyed with the loop. Streams and
///            listeners go before their loop. A loop that others post to outlives their run().
class EventLoop final : public Executor {
  public:
    explicit EventLoop(EventLoopOptions options = {});
    ~EventLoop() override;

    /// Runs on this thread until stop(). May be called again: what was left then goes on.
    void run();

    /// run() returns after its current turn; called early, the next run() returns at once.
    void stop();

    /// Runs what is ready now, without waiting; for tests and for draining after run().
    void run_ready();

    void post(Fn fn) override;
    TimerId schedule(Instant at, Fn fn) override;
    bool cancel(TimerId timer) override;
    void block(BlockingPool& pool, Fn work, Fn done) override;
    [[nodiscard]] Instant now() const override;
    [[nodiscard]] WallMs wall_now() const override;
    [[nodiscard]] bool is_here() const override;
    /// From the kernel's generator, fetched in blocks.
    std::uint64_t random() override;

    /// `watcher.on_ready()` runs when `fd` is ready, again and again as long as it is.
    /// Errors: kNoSpace, kIoError.
    Result<WatchId> watch(int fd, Watcher& watcher, Interest interest);
    /// As watch(), once for each change of the state that the kernel reports (EPOLLET).
    Result<WatchId> watch_edges(int fd, Watcher& watcher, Interest interest);
    void set_interest(WatchId id, Interest interest);
    /// Before `fd` is closed. on_ready() is not called any more, also not in this turn.
    void unwatch(WatchId id);

    /// Times that another thread's post had to wake this loop.
    [[nodiscard]] std::uint64_t wake_count() const noexcept { return wake_count_.load(); }

  private:
    struct Watch {
        Watcher* watcher = nullptr;
        std::uint32_t generation = 1;
        int fd = -1;
        std::uint32_t events_base = 0;  ///< EPOLLET or nothing.
    };
    class Here;

    Result<WatchId> add_watch(int fd, Watcher& watcher, Interest interest, std::uint32_t base);
    Watch* find(std::uint64_t id);
    void turn(bool may_sleep);
    [[nodiscard]] std::int64_t sleep_ns(bool may_sleep);
    bool prepare_sleep();
    void wait(std::int64_t timeout_ns);
    void run_timers();
    void run_posts();
    bool next_batch();
    void wake();
    void refresh_clock();
    /// Nothing is left to run in this turn but what runs now.
    [[nodiscard]] bool is_quiet() const;
    void settle_owed();
    bool run_for_sleeper();
    bool fall_asleep();
    void settle_blocking();
    void come_back();
    void stand_in();
    void hire_understudy();
    void retire_understudy();

    const EventLoopOptions options_;
    Descriptor epoll_;
    Descriptor event_;  ///< Watched by edge, so that it is never read.
    std::atomic<bool> stopping_ = false;
    std::atomic<bool> running_ = false;
    Instant now_{};
    mutable WallMs wall_now_{-1};  ///< -1: not asked yet in this turn.

    std::vector<Watch> watches_;
    std::vector<std::uint32_t> free_watches_;
    TimerHeap timers_;

    std::vector<Fn> batch_;  ///< Posts that are being run, from batch_next_.
    std::size_t batch_next_ = 0;
    bool was_remote_ = false;       ///< The batch came from other threads.
    std::vector<Fn> local_;         ///< Posts of this loop's own thread.
    int events_ = 0;                ///< Of this turn.
    std::vector<EventLoop*> owed_;  ///< Slept when this turn posted to them: woken at its end.
    bool is_lent_ = false;          ///< The thread of another loop runs this one's posts.
    Instant sleep_until_{};         ///< When the sleeping thread means to wake.
    std::size_t metrics_slot_ = 0;  ///< Of the thread in run(): what runs here counts there.

    struct Blocking {
        BlockingPool* pool;
        Fn work;
        Fn done;
    };
    std::optional<Blocking> blocking_;  ///< For the end of this turn.
    std::thread::id own_thread_;        ///< In run() with an understudy.
    /// The own thread is at blocking work. Set with turn_, cleared without.
    std::atomic<bool> is_away_ = false;
    bool has_stand_in_ = false;  ///< The understudy is in a turn, or sleeps in one.
    std::condition_variable stand_in_left_;
    bool was_away_ = false;        ///< Before this turn.
    std::uint32_t hand_over_ = 0;  ///< So many works go to the pool.
    std::unique_ptr<Understudy> understudy_;
    /// Held by whoever runs callbacks: the loop's own thread but while it sleeps or is away, and
    /// then perhaps that of another loop, or the understudy. Guards all that is not below.
    std::mutex turn_;

    std::array<std::uint64_t, 32> random_{};
    std::size_t random_left_ = 0;

    /// What other threads write, on cache lines of its own.
    alignas(64) std::mutex mutex_;
    std::vector<Fn> remote_;
    bool asleep_ = false;  ///< Guarded by mutex_: the next post has to wake the loop.
    std::atomic<bool> has_remote_ = false;
    std::atomic<std::uint64_t> wake_count_ = 0;
};

}  // namespace leat::rt
