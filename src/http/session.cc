// SPDX-License-Identifier: Apache-2.0
#include "http/session.h"

#include <span>
#include <utility>

namespace leat::http {

/// Answers exactly once, whatever the handler does with it.
class Session::Answer {
  public:
    explicit Answer(std::weak_ptr<Session> session) : session_(std::move(session)) {}
    Answer(Answer&&) noexcept = default;
    Answer& operator=(Answer&&) = delete;
    ~Answer() {
        if (const auto session = session_.lock(); session != nullptr)
            session->answer({.status = 500, .body = "the handler gave no answer\n"});
    }
    void operator()(Response response) {
        const auto session = std::exchange(session_, {}).lock();
        if (session != nullptr) session->answer(std::move(response));
    }

  private:
    std::weak_ptr<Session> session_;
};

Session::Session(SessionOptions options, Handler handler, Carrier carrier, Instant now)
    : options_(options),
      handler_(std::move(handler)),
      carrier_(std::move(carrier)),
      parser_(options.limits),
      now_(now),
      request_started_(now) {
    set_deadline();
}

std::shared_ptr<Session> Session::create(SessionOptions options, Handler handler, Carrier carrier,
                                         Instant now) {
    return std::shared_ptr<Session>{
        new Session(options, std::move(handler), std::move(carrier), now)};
}

void Session::receive(Bytes bytes, Instant now) {
    if (closed_) return;
    now_ = now;
    buffered_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    run();
}

bool Session::wants_bytes() const noexcept {
    return !closed_ && (!answering_ || buffered_.size() < options_.pipelined_bytes_max);
}

void Session::run() {
    if (running_) return;
    const auto keep = shared_from_this();  // A callback may drop the host's reference.
    running_ = true;
    while (!closed_ && !answering_ && !buffered_.empty()) {
        if (parser_.is_idle()) request_started_ = now_;
        const Result<std::size_t> taken = parser_.feed(std::as_bytes(std::span{buffered_}));
        if (!taken) {
            refuse(parser_.error_status(), taken.error().detail());
            break;
        }
        buffered_.erase(0, *taken);
        if (parser_.take_expects_continue()) carrier_.send("HTTP/1.1 100 Continue\r\n\r\n");
        if (!parser_.is_done()) break;
        dispatch();
    }
    running_ = false;
    set_deadline();
}

void Session::dispatch() {
    Request request = parser_.take();
    keep_alive_ = request.keep_alive;
    is_head_ = request.method == "HEAD";
    answering_ = true;
    handler_(std::move(request), Respond{Answer{weak_from_this()}});
}

void Session::answer(Response response) {
    if (closed_) return;
    answering_ = false;
    carrier_.send(write_response(response, {.keep_alive = keep_alive_, .is_head = is_head_}));
    if (!keep_alive_) {
        close();
        return;
    }
    run();
}

void Session::refuse(std::int16_t status, std::string_view why) {
    Response response{.status = status, .body = std::string{why} + "\n"};
    carrier_.send(write_response(response, {.keep_alive = false}));
    close();
}

void Session::close() {
    if (std::exchange(closed_, true)) return;
    carrier_.close();
}

void Session::set_deadline() {
    if (closed_ || answering_) {
        deadline_ = Instant::max();
    } else if (parser_.is_idle()) {
        deadline_ = now_ + options_.idle_timeout;
    } else {
        deadline_ = request_started_ + options_.request_timeout;
    }
}

void Session::tick(Instant now) {
    if (closed_ || now < deadline_) return;
    const auto keep = shared_from_this();
    now_ = now;
    if (parser_.is_idle()) {
        close();
    } else {
        refuse(408, "the request did not arrive in time");
    }
    set_deadline();
}

void Session::peer_closed() noexcept {
    closed_ = true;
    deadline_ = Instant::max();
}

}  // namespace leat::http
