// SPDX-License-Identifier: Apache-2.0
//
// Accepts TCP connections on one loop. Layer: rt (L1).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rt/event_loop.h"
#include "rt/socket.h"
#include "rt/socket_address.h"

namespace leat::rt {

struct ListenOptions {
    std::string host = {};   ///< Name or literal; "": every address, IPv4 and IPv6.
    std::uint16_t port = 0;  ///< 0: a free one.
    int backlog = 511;  ///< Connections that wait to be accepted; the kernel has its own bound.
    SocketOptions socket = {};  ///< Of the accepted sockets.
    /// SO_REUSEPORT: several listeners of this process, one a loop, share the port and the kernel
    /// spreads the connections. All of them must set it.
    bool share_port = false;
    /// Runs on the loop for each connection closed at once because no descriptor was free; it must
    /// not destroy the listener. Empty: only refused_count() tells.
    std::function<void()> on_refused = {};
};

/// Bound and listening from open() until it goes. A name with several addresses is bound on each of
/// them, with one port.
///
/// Threading: shard-local.
/// Failure:   without a free descriptor, a connection is taken with one kept in reserve and closed
///            at once, so that its peer hears of it and the loop does not spin.
class TcpListener {
  public:
    using OnAccept = std::function<void(Socket socket, const SocketAddress& peer)>;

    /// `on_accept` runs on `loop`, once for each connection; it may destroy the listener.
    /// Runs on:  the loop's thread or before run(); may block to look up a name.
    /// Errors:   kAlreadyExists: the address is in use; kNotFound: no such host or not an address
    ///           of this machine; kTooManyOpenFiles; kIoError. The detail names the address.
    static Result<TcpListener> open(EventLoop& loop, const ListenOptions& options,
                                    OnAccept on_accept);

    TcpListener(TcpListener&&) noexcept;
    TcpListener& operator=(TcpListener&&) noexcept;
    ~TcpListener();

    /// Connections wait in the backlog until resume().
    void pause();
    void resume();

    [[nodiscard]] const std::vector<SocketAddress>& addresses() const;
    [[nodiscard]] std::uint16_t port() const;
    /// Connections closed at once because no descriptor was free.
    [[nodiscard]] std::uint64_t refused_count() const;

  private:
    class Impl;
    explicit TcpListener(std::shared_ptr<Impl> impl) noexcept;
    std::shared_ptr<Impl> impl_;
};

}  // namespace leat::rt
