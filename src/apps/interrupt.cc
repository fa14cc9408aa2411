// SPDX-License-Identifier: Apache-2.0
#include "apps/interrupt.h"

#include <atomic>
#include <csignal>
#include <ctime>

namespace leat::apps {
namespace {

/// Nobody presses Ctrl-C twice in so short a time.
constexpr std::chrono::milliseconds kSameKey{100};
constexpr std::chrono::seconds kSameRequest{1};

// Written by the handler: nothing but lock-free atomics may be.
std::atomic<int> meant = 0;  ///< Signals that were meant as one more.
std::atomic<int> first_number = 0;
std::atomic<std::int64_t> first_at_ns = 0;
std::atomic<int> told_max = 1;
static_assert(std::atomic<int>::is_always_lock_free &&
              std::atomic<std::int64_t>::is_always_lock_free);

/// clock_gettime() may be called in a handler; of std::chrono nobody says so.
std::int64_t monotonic_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

void on_signal(int number) {
    const int before = meant;
    if (before == 0) {
        first_number = number;
        first_at_ns = monotonic_ns();
        meant = 1;
        return;
    }
    // Of two different ones each was meant.
    const std::chrono::nanoseconds since{monotonic_ns() - first_at_ns};
    if (number == first_number && !ends_at_once(number, since)) return;
    if (before < told_max) {
        meant = before + 1;
        return;
    }
    // Pending until this handler returns; then the process dies of it, as its parent expects.
    std::signal(number, SIG_DFL);
    std::raise(number);
}

}  // namespace

void watch_interrupts(SecondSignal second) {
    told_max = second == SecondSignal::kIsTold ? 2 : 1;
    struct sigaction action{};
    action.sa_handler = on_signal;
    // None may break into another's handling.
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&action.sa_mask, number);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    // nohup(1) has the process outlive its terminal.
    struct sigaction before{};
    sigaction(SIGHUP, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
}

bool is_interrupted() {
    return meant != 0;
}

bool is_given_up() {
    if (meant == 0) return false;
    if (meant > 1) return true;
    return first_number != SIGINT &&
           std::chrono::nanoseconds{monotonic_ns() - first_at_ns} >= kTermGrace;
}

bool ends_at_once(int number, std::chrono::nanoseconds since_first) {
    return since_first >= (number == SIGINT ? std::chrono::nanoseconds{kSameKey} : kSameRequest);
}

}  // namespace leat::apps
