// SPDX-License-Identifier: Apache-2.0
#include "rt/signals.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "rt/os_error.h"

namespace leat::rt {
namespace {

constexpr std::array kStopSignals{SIGTERM, SIGINT, SIGHUP};

// All that a signal handler may touch. The descriptor is -1 while nobody listens.
std::atomic<int> event_fd = -1;
std::array<std::atomic<bool>, kStopSignals.size()> pending;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void note_signal(int number) {
    const int saved = errno;
    for (std::size_t i = 0; i < kStopSignals.size(); ++i)
        if (kStopSignals[i] == number) pending[i] = true;
    const std::uint64_t one = 1;
    if (const int fd = event_fd; fd >= 0) static_cast<void>(!::write(fd, &one, sizeof one));
    errno = saved;
}

}  // namespace

class StopSignals::Impl final : public Watcher {
  public:
    Impl(EventLoop& loop, std::function<void(int)> on_signal)
        : loop_(loop),
          on_signal_(std::move(on_signal)),
          fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

    ~Impl() {
        if (watch_.value == 0) return;
        for (std::size_t i = 0; i < kStopSignals.size(); ++i)
            ::sigaction(kStopSignals[i], &before_[i], nullptr);
        event_fd = -1;
        loop_.unwatch(watch_);
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    Result<void> start() {
        if (!fd_.is_open()) return os_error("eventfd", "for signals");
        LEAT_TRY(watch_, loop_.watch_edges(fd_.get(), *this, Interest::kRead));
        int none = -1;
        LEAT_CHECK(event_fd.compare_exchange_strong(none, fd_.get()));
        for (auto& one : pending) one = false;
        struct sigaction action{};
        action.sa_handler = note_signal;
        action.sa_flags = SA_RESTART;
        for (std::size_t i = 0; i < kStopSignals.size(); ++i) {
            LEAT_CHECK(::sigaction(kStopSignals[i], &action, &before_[i]) == 0);
            // nohup(1) has the process outlive its terminal.
            if (kStopSignals[i] == SIGHUP && before_[i].sa_handler == SIG_IGN)
                ::sigaction(SIGHUP, &before_[i], nullptr);
        }
        return {};
    }

    void disregard() noexcept {
        for (std::size_t i = 0; i < kStopSignals.size(); ++i) {
            before_[i] = {};
            before_[i].sa_handler = SIG_IGN;
            ::sigaction(kStopSignals[i], &before_[i], nullptr);
        }
    }

    void on_ready(Ready /*ready*/) override {
        // A copy, as the callback may destroy this.
        const auto on_signal = on_signal_;
        for (std::size_t i = 0; i < kStopSignals.size(); ++i)
            if (pending[i].exchange(false)) on_signal(kStopSignals[i]);
    }

  private:
    EventLoop& loop_;
    const std::function<void(int)> on_signal_;
    Descriptor fd_;
    WatchId watch_;
    std::array<struct sigaction, kStopSignals.size()> before_{};
};

Result<StopSignals> StopSignals::open(EventLoop& loop, std::function<void(int)> on_signal) {
    auto impl = std::make_unique<Impl>(loop, std::move(on_signal));
    LEAT_TRY_VOID(impl->start());
    return StopSignals{std::move(impl)};
}

StopSignals::StopSignals(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
StopSignals::StopSignals(StopSignals&&) noexcept = default;
StopSignals::~StopSignals() = default;

void StopSignals::disregard() noexcept {
    impl_->disregard();
}

}  // namespace leat::rt
