// SPDX-License-Identifier: Apache-2.0
//
// The stream threads of an application: added, removed, and put in the place of those that ended.
#include <algorithm>
#include <utility>

#include "obs/log.h"
#include "streams/cluster/application_impl.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
/// Between the end of a thread and the one in its place: what ended it may be there still.
constexpr milliseconds kReplacePause{1'000};

bool is_open(ApplicationState state) {
    return state == ApplicationState::kRebalancing || state == ApplicationState::kRunning;
}

}  // namespace

void Application::Impl::start_thread_locked(int index) {
    auto thread = std::make_unique<StreamThread>(index, environment_);
    thread->start();
    ++alive_;
    threads_[index] = std::move(thread);
    share_cache();
}

void Application::Impl::start_another_locked(int index) {
    start_thread_locked(index);
    // The last one may have been removed before.
    rests_ = false;
    membership_->rest(false);
}

void Application::Impl::share_cache() {
    const std::size_t threads = std::max<std::size_t>(threads_.size(), 1);
    cache_bytes_ = static_cast<std::size_t>(settings_.cache_bytes) / threads;
}

int Application::Impl::free_index(int index) const {
    while (threads_.contains(index)) ++index;
    return index;
}

void Application::Impl::replace_thread(std::unique_lock<std::mutex>& lock, int index) {
    if (changed_.wait_for(lock, kReplacePause, [&] { return closing_; })) return;
    start_another_locked(free_index(index));
}

void Application::Impl::end_thread(int index, const Error* why) {
    UncaughtResponse response = UncaughtResponse::kShutdownClient;
    std::pair<Errc, std::string> failure;
    if (why != nullptr) {
        kLog.error("thread ended",
                   {{"thread", index}, {"code", why->code()}, {"why", why->detail()}});
        const auto [answer, with_both] = ask_uncaught(*why);
        response = answer;
        failure = {with_both.code(), std::string{with_both.detail()}};
    }
    std::vector<std::unique_ptr<StreamThread>> earlier;
    std::unique_lock lock{mutex_};
    std::swap(earlier, ended_);
    if (const auto found = threads_.find(index); found != threads_.end()) {
        ended_.push_back(std::move(found->second));  // Joined later: this is its own thread.
        threads_.erase(found);
        share_cache();
    }
    --alive_;
    rests_ = why == nullptr && threads_.empty() && !closing_;
    if (rests_) membership_->rest(true);
    changed_.notify_all();
    // Outside of the lock: those may be waiting for it. Only earlier ones, so never in a circle.
    lock.unlock();
    earlier.clear();
    lock.lock();
    if (why != nullptr) metrics_.find(SensorId::kClientFailedThreads)->count();
    if (why == nullptr || closing_) return;
    if (response == UncaughtResponse::kReplaceThread) return replace_thread(lock, index);
    if (!failure_) failure_ = std::move(failure);
    lock.unlock();
    if (response == UncaughtResponse::kShutdownApplication) membership_->shut_down_application();
    begin_shutdown(ApplicationState::kPendingError);
}

Result<int> Application::Impl::add_thread() {
    const std::lock_guard lock{mutex_};
    if (!is_open(state_) || closing_ || !works_)
        return Error{Errc::kUsage, "the application does not run"};
    const int index = free_index(1);
    start_another_locked(index);
    return index;
}

Result<int> Application::Impl::remove_thread(Duration at_most) {
    std::unique_lock lock{mutex_};
    if (!is_open(state_) || closing_) return Error{Errc::kUsage, "the application does not run"};
    // The last one that is not about to end; who asks, only when there is no other.
    StreamThread* chosen = nullptr;
    for (const auto& [index, thread] : threads_)
        if (!thread->is_stopping() && (chosen == nullptr || !thread->is_current()))
            chosen = thread.get();
    if (chosen == nullptr) return Error{Errc::kUsage, "there is no thread"};
    const int index = chosen->index();
    const bool is_own = chosen->is_current();
    board_.retire_thread(index);
    chosen->stop();
    if (is_own) return index;
    const auto is_gone = [&] {
        const auto found = threads_.find(index);
        return found == threads_.end() || found->second.get() != chosen;
    };
    if (at_most.count() < 0)
        changed_.wait(lock, is_gone);
    else if (!changed_.wait_for(lock, at_most, is_gone))
        return Error{Errc::kTimedOut,
                     "thread " + std::to_string(index) + " ends in the background"};
    return index;
}

}  // namespace leat::streams
