// SPDX-License-Identifier: Apache-2.0
//
// The way to one broker of a board: opened when it is needed, and again when it broke. Layer:
// client (L3). Internal to client.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "client/connection.h"
#include "client/leader_board.h"

namespace leat::client {

/// How long nobody is called after he could not be reached.
struct ReconnectPauses {
    std::chrono::milliseconds first{100};    ///< reconnect.backoff.ms
    std::chrono::milliseconds most{10'000};  ///< reconnect.backoff.max.ms

    /// `failures`: how often it failed before.
    [[nodiscard]] std::chrono::milliseconds after(int failures) const {
        return std::min(first * (1 << std::min(failures, 10)), most);
    }
};

/// Whether another try would be answered as this one was.
[[nodiscard]] inline bool is_refused(Errc code) {
    return code == Errc::kSaslAuthenticationFailed || code == Errc::kUnsupportedSaslMechanism ||
           code == Errc::kUnsupportedVersion;
}

/// Threading: not synchronised.
class BrokerLink {
  public:
    BrokerLink(const LeaderBoard& board, const ConnectionOptions& options, std::int32_t node)
        : board_(board), options_(options), node_(node) {}

    [[nodiscard]] bool is_open() const noexcept { return connection_ != nullptr; }
    /// All of it, logging in too, takes socket.connection.setup.timeout.ms at most, and ends at
    /// `deadline`. Errors: kBrokerNotAvailable, those of Connection::open().
    Result<void> open(Deadline deadline = Deadline::max()) {
        const auto endpoint = board_.endpoint(node_);
        if (!endpoint)
            return Error{Errc::kBrokerNotAvailable,
                         "the cluster has no broker " + std::to_string(node_)};
        deadline = std::min(deadline, steady_now() + options_.connect_timeout);
        LEAT_TRY(connection_, Connection::open(*endpoint, options_, deadline));
        return {};
    }

    /// `exchange` is given a connection, and returns a Result. It is called again with a new
    /// connection when the old one turns out to be closed: brokers close what was silent for long,
    /// or has a login that is too old; opened anew, it goes on as if nothing had been.
    /// `repeats`: whether it may be. `deadline`: of opening. Errors: those of open() and of
    /// `exchange`.
    template <class Exchange>
    auto use(Exchange exchange, bool repeats = true, Deadline deadline = Deadline::max())
        -> decltype(exchange(std::declval<Connection&>())) {
        const bool may_be_old = is_open();
        if (!may_be_old) LEAT_TRY_VOID(open(deadline));
        auto answer = exchange(*connection_);
        const bool is_lost = !answer && answer.error().code() != Errc::kUnsupportedVersion;
        if (is_lost) connection_.reset();
        const bool was_closed = is_lost && (answer.error().code() == Errc::kNetworkException ||
                                            answer.error().code() == Errc::kClosed);
        if (!may_be_old || !was_closed || !repeats || board_.is_stopped()) return answer;
        LEAT_TRY_VOID(open(deadline));
        auto again = exchange(*connection_);
        if (!again && again.error().code() != Errc::kUnsupportedVersion) connection_.reset();
        return again;
    }

  private:
    const LeaderBoard& board_;
    const ConnectionOptions& options_;
    const std::int32_t node_;
    std::unique_ptr<Connection> connection_;
};

}  // namespace leat::client
