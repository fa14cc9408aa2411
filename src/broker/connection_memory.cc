// SPDX-License-Identifier: Apache-2.0
//
// A connection that waits for memory, or gives way to those who do.
#include <algorithm>
#include <utility>
#include <vector>

#include "broker/authentication.h"
#include "broker/connection.h"
#include "broker/connections.h"

namespace leat::broker {
namespace {

bool is_executing(const Execution& execution) {
    return execution.state == Execution::State::kExecuting;
}

bool has_large_frame(const Execution& execution) {
    return execution.request.frame_bytes > MemoryShare::kUncounted;
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

/// Strangers get less of our memory (CVE-2022-34917).
std::size_t Connection::frame_bytes_max() const {
    const auto most = home_.config().socket_request_max_bytes;
    return static_cast<std::size_t>(
        is_stranger()
            ? std::min(facts_->authentication->access().security().sasl.receive_bytes_max, most)
            : most);
}

bool Connection::is_stranger() const {
    const Authentication* authentication = facts_->authentication.get();
    return authentication != nullptr && !authentication->is_proved();
}

/// While frames have no room, a small one may come where nothing else is in work: who only claims
/// to send much, or sends it and lets it wait, does not keep the others from being heard.
bool Connection::may_read_next() const {
    if (home_.has_memory(MemoryWait::kToRead)) return true;
    return executions_.empty() && reader_.expected_bytes() <= MemoryShare::kUncounted &&
           home_.has_memory(MemoryWait::kToStart);
}

bool Connection::holds_memory(Shortage of) const {
    return std::ranges::any_of(executions_, [of](const auto& one) {
        return (of.answers && is_executing(*one) && !one->request.arena_share.is_empty()) ||
               (of.frames && has_large_frame(*one));
    });
}

void Connection::hurry_holders(Shortage of) {
    // Large frames may stand behind a request that needs little itself.
    const bool has_frames = of.frames && std::ranges::any_of(executions_, [](const auto& one) {
                                return has_large_frame(*one);
                            });
    // Hurrying may finish a request, which takes it off the list.
    std::vector<Execution*> holders;
    for (const auto& one : executions_)
        if (is_executing(*one) &&
            (has_frames || (of.answers && !one->request.arena_share.is_empty())))
            holders.push_back(one.get());
    const auto self = shared_from_this();
    hurry(holders);
    if (!is_closed_ && !is_reading_) read_frames();
}

}  // namespace leat::broker
