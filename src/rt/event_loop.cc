// SPDX-License-Identifier: Apache-2.0
#include "rt/event_loop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "base/check.h"
#include "obs/metrics.h"
#include "rt/os_error.h"

namespace leat::rt {
namespace {

constexpr std::int64_t kForever = -1;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::size_t kEventsMax = 1024;
constexpr std::size_t kKeptCapacity = 4096;  // Of an idle queue, in posts.
constexpr std::size_t kPostsForSleeper = 2;  // That another loop's thread runs.
constexpr std::uint64_t kOwnEvent = 0;       // The id of event_, which finds no watcher.
constexpr std::uint32_t kHandOver = 64;      // Works, after one that was long or made others wait.

constinit thread_local EventLoop* current_loop = nullptr;

std::int64_t read_clock(clockid_t clock) {
    timespec time{};
    LEAT_CHECK(::clock_gettime(clock, &time) == 0);
    return time.tv_sec * kNsPerSecond + time.tv_nsec;
}

Instant monotonic_now() {
    return Instant{std::chrono::nanoseconds{read_clock(CLOCK_MONOTONIC)}};
}

std::uint32_t epoll_events(Interest interest) {
    const auto bits = static_cast<unsigned>(interest);
    return ((bits & 1U) != 0 ? EPOLLIN : 0U) | ((bits & 2U) != 0 ? EPOLLOUT : 0U);
}

void pause_cpu() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    std::this_thread::yield();
#endif
}

// The sections that this guards are a few stores long: a moment of spinning nearly always spares
// the system calls of a mutex that is contended.
std::unique_lock<std::mutex> lock_briefly(std::mutex& mutex) {
    std::unique_lock lock{mutex, std::try_to_lock};
    for (int i = 0; i < 64 && !lock.owns_lock(); ++i) {
        pause_cpu();
        lock.try_lock();
    }
    if (!lock.owns_lock()) lock.lock();
    return lock;
}

// Waits up to `timeout_ns`; rounds up where the kernel (before 5.11) counts in milliseconds only.
int epoll_wait_ns(int epoll, epoll_event* events, int count, std::int64_t timeout_ns) {
    static std::atomic<bool> has_pwait2 = true;
    if (timeout_ns <= 0) return ::epoll_wait(epoll, events, count, static_cast<int>(timeout_ns));
    if (has_pwait2.load(std::memory_order_relaxed)) {
        const timespec timeout{timeout_ns / kNsPerSecond, timeout_ns % kNsPerSecond};
        const int got = ::epoll_pwait2(epoll, events, count, &timeout, nullptr);
        // Some sandboxes refuse what they do not know.
        if (got >= 0 || (errno != ENOSYS && errno != EPERM)) return got;
        has_pwait2.store(false, std::memory_order_relaxed);
    }
    const std::int64_t ms = std::min((timeout_ns + kNsPerMs - 1) / kNsPerMs, std::int64_t{60'000});
    return ::epoll_wait(epoll, events, count, static_cast<int>(ms));
}

}  // namespace

/// Marks the thread as the loop's for a scope.
class EventLoop::Here {
  public:
    explicit Here(EventLoop& loop) : loop_(loop) {
        LEAT_CHECK(current_loop == nullptr && !loop.running_.exchange(true));
        loop.turn_.lock();
        loop.metrics_slot_ = obs::thread_slot();
        current_loop = &loop;
        loop.refresh_clock();
    }
    ~Here() {
        current_loop = nullptr;
        loop_.turn_.unlock();
        loop_.running_ = false;
    }
    Here(const Here&) = delete;
    Here& operator=(const Here&) = delete;

  private:
    EventLoop& loop_;
};

EventLoop::EventLoop(EventLoopOptions options)
    : options_(std::move(options)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    LEAT_CHECK(epoll_.is_open() && event_.is_open());
    LEAT_CHECK(options_.posts_per_turn > 0 && options_.events_per_turn > 0);
    static const bool ignores_pipe = ::signal(SIGPIPE, SIG_IGN) != SIG_ERR;
    LEAT_CHECK(ignores_pipe);
    // By edge: each write reports it again, so it need not be read.
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = kOwnEvent}};
    LEAT_CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &event) == 0);
}

EventLoop::~EventLoop() {
    LEAT_CHECK(!running_);
    // What a callback owns may post or cancel when it goes.
    while (next_batch()) {
        batch_.clear();
        batch_next_ = 0;
    }
}

void EventLoop::run() {
    const Here here{*this};
    ::pthread_setname_np(::pthread_self(), options_.name.substr(0, 15).c_str());
    hire_understudy();
    while (!stopping_.load(std::memory_order_acquire)) turn(true);
    retire_understudy();
    stopping_ = false;
}

void EventLoop::stop() {
    stopping_.store(true, std::memory_order_release);
    wake();
}

void EventLoop::run_ready() {
    const Here here{*this};
    turn(false);
}

void EventLoop::post(Fn fn) {
    if (current_loop == this) {
        local_.push_back(std::move(fn));
        return;
    }
    bool must_wake = false;
    {
        const auto lock = lock_briefly(mutex_);
        remote_.push_back(std::move(fn));
        has_remote_.store(true, std::memory_order_relaxed);
        must_wake = std::exchange(asleep_, false);
    }
    if (!must_wake) return;
    if (current_loop != nullptr && current_loop->is_quiet())
        current_loop->owed_.push_back(this);
    else
        wake();
}

TimerId EventLoop::schedule(Instant at, Fn fn) {
    LEAT_CHECK(is_here() || !running_.load(std::memory_order_relaxed));
    return timers_.add(at, std::move(fn));
}

bool EventLoop::cancel(TimerId timer) {
    LEAT_CHECK(is_here() || !running_.load(std::memory_order_relaxed));
    return timers_.remove(timer);
}

Instant EventLoop::now() const {
    return current_loop == this ? now_ : monotonic_now();
}

WallMs EventLoop::wall_now() const {
    if (current_loop != this) return {read_clock(CLOCK_REALTIME) / kNsPerMs};
    if (wall_now_.value < 0) wall_now_ = {read_clock(CLOCK_REALTIME) / kNsPerMs};
    return wall_now_;
}

bool EventLoop::is_here() const {
    return current_loop == this;
}

std::uint64_t EventLoop::random() {
    if (random_left_ == 0) {
        const auto bytes = static_cast<ssize_t>(sizeof random_);
        LEAT_CHECK(retry_eintr([&] { return ::getrandom(random_.data(), sizeof random_, 0); }) ==
                   bytes);
        random_left_ = random_.size();
    }
    return std::exchange(random_[--random_left_], 0);
}

Result<WatchId> EventLoop::watch(int fd, Watcher& watcher, Interest interest) {
    return add_watch(fd, watcher, interest, 0);
}

Result<WatchId> EventLoop::watch_edges(int fd, Watcher& watcher, Interest interest) {
    return add_watch(fd, watcher, interest, EPOLLET);
}

Result<WatchId> EventLoop::add_watch(int fd, Watcher& watcher, Interest interest,
                                     std::uint32_t base) {
    LEAT_CHECK(is_here() || !running_.load(std::memory_order_relaxed));
    if (free_watches_.empty()) {
        free_watches_.push_back(static_cast<std::uint32_t>(watches_.size()));
        watches_.emplace_back();
    }
    const std::uint32_t slot = free_watches_.back();
    Watch& watch = watches_[slot];
    const WatchId id{std::uint64_t{watch.generation} << 32 | (std::uint64_t{slot} + 1)};
    epoll_event event{.events = base | epoll_events(interest), .data = {.u64 = id.value}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
        return os_error("epoll_ctl", "add");
    free_watches_.pop_back();
    watch.watcher = &watcher;
    watch.fd = fd;
    watch.events_base = base;
    return id;
}

EventLoop::Watch* EventLoop::find(std::uint64_t id) {
    const std::uint64_t slot = (id & 0xFFFF'FFFF) - 1;
    if (slot >= watches_.size()) return nullptr;
    Watch& watch = watches_[slot];
    // The generation guards against events of a watch that a callback of this turn has ended.
    return watch.generation == id >> 32 && watch.watcher != nullptr ? &watch : nullptr;
}

void EventLoop::set_interest(WatchId id, Interest interest) {
    const Watch* watch = find(id.value);
    LEAT_CHECK(watch != nullptr);
    epoll_event event{.events = watch->events_base | epoll_events(interest),
                      .data = {.u64 = id.value}};
    LEAT_CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, watch->fd, &event) == 0);
}

void EventLoop::unwatch(WatchId id) {
    LEAT_CHECK(is_here() || !running_.load(std::memory_order_relaxed));
    Watch* watch = find(id.value);
    LEAT_CHECK(watch != nullptr);
    epoll_event unused{};
    LEAT_CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watch->fd, &unused) == 0);
    watch->watcher = nullptr;
    watch->fd = -1;
    ++watch->generation;
    free_watches_.push_back(static_cast<std::uint32_t>((id.value & 0xFFFF'FFFF) - 1));
}

void EventLoop::turn(bool may_sleep) {
    wait(sleep_ns(may_sleep));
    run_timers();
    run_posts();
    settle_owed();
    settle_blocking();
}

bool EventLoop::is_quiet() const {
    return !is_lent_ && events_ <= 1 && batch_next_ == batch_.size() && local_.empty() &&
           !has_remote_.load(std::memory_order_relaxed);
}

// Loops that slept when this one posted to them. To wake a thread costs more than a small post: a
// loop that has nothing else to do runs it itself. With more to do, here or there, two threads are
// better.
void EventLoop::settle_owed() {
    if (owed_.empty()) return;
    const bool is_free = owed_.size() == 1 && is_quiet();
    for (EventLoop* loop : owed_)
        if (!is_free || !loop->run_for_sleeper()) loop->wake();
    owed_.clear();
}

// Runs on: the thread of another loop. False when this loop's thread is to run its posts itself.
bool EventLoop::run_for_sleeper() {
    // Not free: the thread is awake again, or about to sleep, or another one is here.
    const std::unique_lock turn{turn_, std::try_to_lock};
    if (!turn.owns_lock()) return false;
    {
        const auto lock = lock_briefly(mutex_);
        if (remote_.size() > kPostsForSleeper) return false;
    }
    EventLoop* const lender = std::exchange(current_loop, this);
    // A gauge that this shard sets has a value a slot: it must stay the same one.
    obs::set_thread_slot(metrics_slot_);
    is_lent_ = true;
    refresh_clock();
    run_posts();
    is_lent_ = false;
    obs::set_thread_slot(lender->metrics_slot_);
    current_loop = lender;
    // What is left, or due before the thread meant to wake, is its own.
    if (batch_next_ < batch_.size() || !local_.empty()) return false;
    if (!timers_.empty() && timers_.next() < sleep_until_) return false;
    return fall_asleep();
}

// Any thread that runs callbacks here may ask; only the own one has an understudy.
void EventLoop::block(BlockingPool& pool, Fn work, Fn done) {
    LEAT_CHECK(is_here() || !running_.load(std::memory_order_relaxed));
    if (std::this_thread::get_id() != own_thread_ || blocking_.has_value() || hand_over_ > 0) {
        if (hand_over_ > 0) --hand_over_;
        pool.submit(*this, std::move(work), std::move(done));
        return;
    }
    blocking_.emplace(&pool, std::move(work), std::move(done));
}

// At the end of a turn, when no callback is under way. Two wake-ups, of a thread of the pool and of
// this one again, cost as much as a short sync.
void EventLoop::settle_blocking() {
    if (!blocking_) return;
    Blocking job = *std::exchange(blocking_, std::nullopt);
    if (!is_quiet() || !fall_asleep()) {
        job.pool->submit(*this, std::move(job.work), std::move(job.done));
        return;
    }
    is_away_ = true;
    sleep_until_ = timers_.empty() ? Instant::max() : timers_.next();
    understudy_->begin(monotonic_now());
    turn_.unlock();
    // Nothing of the loop is this thread's now, the slot of its metrics included.
    current_loop = nullptr;
    obs::set_thread_slot(0);
    job.work();
    job.work = nullptr;
    understudy_->end();
    come_back();
    local_.push_back(std::move(job.done));
}

// Two threads in turns would take events from each other that the kernel tells once: who stands in
// is gone before the own thread goes on.
void EventLoop::come_back() {
    // Before the lock: one who is busy standing in would get it again and again, as it is not fair.
    is_away_ = false;
    std::unique_lock turn{turn_};
    if (has_stand_in_) {
        wake();  // It may sleep in its turn.
        stand_in_left_.wait(turn, [this] { return !has_stand_in_; });
    }
    turn.release();
    obs::set_thread_slot(metrics_slot_);
    current_loop = this;
    was_away_ = true;
    const auto lock = lock_briefly(mutex_);
    asleep_ = false;
}

// Runs on: the understudy.
void EventLoop::stand_in() {
    const std::lock_guard turn_lock{turn_};
    if (!is_away_) return;
    has_stand_in_ = true;
    hand_over_ = kHandOver;  // Works are not short any more.
    current_loop = this;
    obs::set_thread_slot(metrics_slot_);
    while (is_away_ && !stopping_.load(std::memory_order_acquire)) turn(true);
    obs::set_thread_slot(0);
    current_loop = nullptr;
    has_stand_in_ = false;
    stand_in_left_.notify_one();
}

// At the start: a thread that cannot be had later would end a process that serves.
void EventLoop::hire_understudy() {
    if (options_.patience.count() <= 0) return;
    understudy_ = std::make_unique<Understudy>(options_.name + "-alt", options_.patience,
                                               [this] { stand_in(); });
    own_thread_ = std::this_thread::get_id();
}

void EventLoop::retire_understudy() {
    own_thread_ = {};
    turn_.unlock();  // It may want to look whether this thread is away.
    understudy_.reset();
    turn_.lock();
}

std::int64_t EventLoop::sleep_ns(bool may_sleep) {
    if (!may_sleep || batch_next_ < batch_.size() || !local_.empty()) return 0;
    std::int64_t timeout = kForever;
    sleep_until_ = Instant::max();
    if (!timers_.empty()) {
        sleep_until_ = timers_.next();
        // Callbacks have taken time since now_ was read.
        timeout = std::max(std::int64_t{0}, (timers_.next() - monotonic_now()).count());
        if (timeout == 0) return 0;
    }
    return prepare_sleep() ? timeout : 0;
}

bool EventLoop::prepare_sleep() {
    if (options_.spin.count() > 0) {
        const Instant until = monotonic_now() + options_.spin;
        while (!has_remote_.load(std::memory_order_relaxed) && monotonic_now() < until) pause_cpu();
    }
    return fall_asleep();
}

// False when there is work already. A post either comes before the lock is taken here, and is seen,
// or after it, and then sees `asleep_` and wakes the loop.
bool EventLoop::fall_asleep() {
    if (has_remote_.load(std::memory_order_relaxed)) return false;
    const auto lock = lock_briefly(mutex_);
    if (!remote_.empty() || stopping_.load(std::memory_order_relaxed)) return false;
    asleep_ = true;
    return true;
}

void EventLoop::wait(std::int64_t timeout_ns) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): the kernel fills what is read.
    std::array<epoll_event, kEventsMax> events;
    const auto room = static_cast<int>(std::min(options_.events_per_turn, kEventsMax));
    if (timeout_ns != 0) turn_.unlock();
    const int count = epoll_wait_ns(epoll_.get(), events.data(), room, timeout_ns);
    LEAT_CHECK(count >= 0 || errno == EINTR);
    if (timeout_ns != 0) {
        turn_.lock();
        const auto lock = lock_briefly(mutex_);
        asleep_ = false;
    }
    refresh_clock();
    events_ = count;
    int sockets = 0;
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.u64 != kOwnEvent) ++sockets;
        if (Watch* watch = find(event.data.u64); watch != nullptr)
            watch->watcher->on_ready({.readable = (event.events & EPOLLIN) != 0,
                                      .writable = (event.events & EPOLLOUT) != 0,
                                      .failed = (event.events & (EPOLLERR | EPOLLHUP)) != 0});
    }
    // Several that had to wait for the work: with more threads they would not have.
    if (std::exchange(was_away_, false) && sockets > 1) hand_over_ = kHandOver;
}

void EventLoop::run_timers() {
    // A bound, so that timers which schedule timers that are due do not starve the sockets.
    std::size_t left = std::min(timers_.size(), options_.posts_per_turn);
    for (; left > 0; --left) {
        Fn fn = timers_.pop_due(now_);
        if (fn == nullptr) return;
        fn();
    }
}

void EventLoop::run_posts() {
    for (std::size_t left = options_.posts_per_turn; left > 0; --left) {
        if (batch_next_ == batch_.size() && !next_batch()) return;
        // Moved out: a post may post, and what it owns goes before the next one runs.
        Fn fn = std::move(batch_[batch_next_++]);
        fn();
    }
}

// Takes the posts of other threads first: those of this thread from before run() are among them.
// Then in turn: others may post as fast as theirs are done, and what begins a sync is a post of
// this thread's.
bool EventLoop::next_batch() {
    batch_.clear();
    batch_next_ = 0;
    if (batch_.capacity() > kKeptCapacity) batch_.shrink_to_fit();
    const bool has_remote = has_remote_.load(std::memory_order_relaxed);
    was_remote_ = has_remote && (!was_remote_ || local_.empty());
    if (was_remote_) {
        const auto lock = lock_briefly(mutex_);
        has_remote_.store(false, std::memory_order_relaxed);
        batch_.swap(remote_);
    } else {
        batch_.swap(local_);
    }
    return !batch_.empty();
}

void EventLoop::wake() {
    wake_count_.fetch_add(1, std::memory_order_relaxed);
    const std::uint64_t one = 1;
    const auto put = retry_eintr([&] { return ::write(event_.get(), &one, sizeof one); });
    LEAT_CHECK(put == sizeof one);
}

void EventLoop::refresh_clock() {
    now_ = monotonic_now();
    wall_now_ = {-1};
}

}  // namespace leat::rt
