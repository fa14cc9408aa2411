// SPDX-License-Identifier: Apache-2.0
//
// One HTTP connection over whatever carries its bytes: requests to a handler one at a time, answers
// back in order, keep-alive, deadlines. Layer: http (L2). No socket and no clock: the host brings
// both.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "http/message.h"
#include "http/request_parser.h"

namespace leat::http {

/// Gives the answer to one request; called at most once, now or later, on the session's shard.
/// Calling it after the connection is gone does nothing. Dropping it uncalled answers 500.
using Respond = std::move_only_function<void(Response)>;
/// `request` is the handler's own.
using Handler = std::function<void(Request request, Respond respond)>;

struct SessionOptions {
    Limits limits = {};
    /// From a request's first byte to its last: a peer that trickles is cut.
    std::chrono::seconds request_timeout{10};
    /// Between requests.
    std::chrono::seconds idle_timeout{60};
    /// Bytes kept of pipelined requests; wants_bytes() is false at the bound.
    std::size_t pipelined_bytes_max = std::size_t{64} * 1024;
};

/// What the host does for a session.
struct Carrier {
    std::function<void(std::string)> send;  ///< In order; the host bounds what a slow reader holds.
    std::function<void()> close;            ///< After what was sent has gone out. Called once.
};

/// Threading: shard-local.
/// Usage:     auto session = Session::create(options, handler, carrier, now);
///            on bytes: session->receive(bytes, now); then read on only while wants_bytes();
///            at deadline(): session->tick(now); on end of stream or error: session->peer_closed().
class Session : public std::enable_shared_from_this<Session> {
  public:
    static std::shared_ptr<Session> create(SessionOptions options, Handler handler, Carrier carrier,
                                           Instant now);

    void receive(Bytes bytes, Instant now);
    /// False while a request is being answered and enough of the next is buffered.
    [[nodiscard]] bool wants_bytes() const noexcept;
    /// When tick() should be called next; the maximum when only the handler is waited for.
    [[nodiscard]] Instant deadline() const noexcept { return deadline_; }
    /// Closes the connection when its deadline has passed, with 408 inside a request.
    void tick(Instant now);
    /// No callback of the carrier is used after this.
    void peer_closed() noexcept;
    [[nodiscard]] bool is_closed() const noexcept { return closed_; }

  private:
    class Answer;
    Session(SessionOptions options, Handler handler, Carrier carrier, Instant now);
    void run();
    void dispatch();
    void answer(Response response);
    void refuse(std::int16_t status, std::string_view why);
    void close();
    void set_deadline();

    SessionOptions options_;
    Handler handler_;
    Carrier carrier_;
    RequestParser parser_;
    std::string buffered_;  ///< Not yet given to the parser.
    Instant now_;           ///< Of the last call in.
    Instant deadline_;
    Instant request_started_;
    bool answering_ = false;
    bool running_ = false;  ///< run() is on the stack: an answer given at once must not recurse.
    bool keep_alive_ = true;
    bool is_head_ = false;
    bool closed_ = false;
};

}  // namespace leat::http
