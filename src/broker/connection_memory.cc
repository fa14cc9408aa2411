// SPDX-License-Identifier: Apache-2.0
//
// A connection that waits for memory, or gives way to those who do.
#include <algorithm>
#include <utility>
#include <vector>

#include "broker/connection.h"
#include "broker/connections.h"

namespace leat::broker {
namespace {

bool holds(const Execution& execution) {
    return execution.state == Execution::State::kExecuting &&
           !execution.request.arena_share.is_empty();
}

}  // namespace

void Connection::wait_for_memory(MemoryWait wait) {
    bool& waits = wait == MemoryWait::kToStart ? waits_to_start_ : waits_to_read_;
    if (!std::exchange(waits, true)) home_.wait_for_memory(*this, wait);
}

void Connection::on_memory(MemoryWait wait) {
    (wait == MemoryWait::kToStart ? waits_to_start_ : waits_to_read_) = false;
    advance();
    if (!is_closed_ && !is_reading_) read_frames();
}

bool Connection::holds_memory() const {
    return std::ranges::any_of(executions_, [](const auto& one) { return holds(*one); });
}

void Connection::hurry_holders() {
    // Hurrying may finish a request, which takes it off the list.
    std::vector<Execution*> holders;
    for (const auto& execution : executions_)
        if (holds(*execution)) holders.push_back(execution.get());
    hurry(holders);
}

}  // namespace leat::broker
