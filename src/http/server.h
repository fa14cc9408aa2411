// SPDX-License-Identifier: Apache-2.0
//
// HTTP over TCP, or TLS: listens, and gives each connection a Session. Layer: http (L2).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/session.h"
#include "rt/event_loop.h"
#include "rt/tcp.h"
#include "rt/tls_context.h"

namespace leat::http {

struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    SessionOptions session = {};
    std::shared_ptr<const rt::TlsContext> tls = nullptr;  ///< A server's: HTTPS and nothing else.
    std::size_t connections_max = 256;                    ///< More are closed at once.
    /// Runs for each of those, with the limit it met: "http", "descriptors". May be empty.
    std::function<void(std::string_view limit, const std::string& peer)> on_refused = {};
    /// Of all connections together. An answer beyond it becomes 503, and the log says so; one of at
    /// most 16 KiB goes out all the same where nothing else waits to: slow readers of large answers
    /// must not make /healthz fail.
    std::size_t unsent_bytes_max = std::size_t{256} * 1024 * 1024;
    /// How the user knows that bound; empty: there is no setting.
    std::string unsent_bytes_setting = {};
    /// Answers to requests that a peer pipelines without taking the earlier ones; it is cut there.
    /// One answer may be larger.
    std::size_t piled_bytes_max = std::size_t{16} * 1024 * 1024;
    /// A peer that takes nothing for that long is cut.
    std::chrono::seconds send_timeout{30};
};

/// Listens from open() until it goes; that closes its connections.
///
/// Memory:    `unsent_bytes_max`, and a read buffer a connection.
/// Threading: shard-local; made before the loop runs or on its thread.
class Server {
  public:
    /// Errors: those of rt::TcpListener::open().
    static Result<std::unique_ptr<Server>> open(rt::EventLoop& loop, ServerOptions options,
                                                Handler handler);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::size_t connection_count() const noexcept;

  private:
    class State;
    explicit Server(std::shared_ptr<State> state) noexcept;
    std::shared_ptr<State> state_;
};

}  // namespace leat::http
