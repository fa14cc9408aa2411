// SPDX-License-Identifier: Apache-2.0
#include "apps/interrupt.h"

#include <csignal>

namespace leat::apps {
namespace {

/// Nobody presses Ctrl-C twice in so short a time.
constexpr std::chrono::milliseconds kSameKey{100};
constexpr std::chrono::seconds kSameRequest{1};

volatile std::sig_atomic_t interrupted = 0;

void on_signal(int /*number*/) {
    interrupted = 1;
}

}  // namespace

void watch_interrupts() {
    struct sigaction action{};
    action.sa_handler = on_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

bool is_interrupted() {
    return interrupted != 0;
}

bool ends_at_once(int number, std::chrono::nanoseconds since_first) {
    return since_first >= (number == SIGINT ? std::chrono::nanoseconds{kSameKey} : kSameRequest);
}

}  // namespace leat::apps
