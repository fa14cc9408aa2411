// SPDX-License-Identifier: Apache-2.0
//
// A connected TCP socket that no loop watches yet. Layer: rt (L1).
#pragma once

#include "base/result.h"
#include "rt/descriptor.h"
#include "rt/socket_address.h"

namespace leat::rt {

struct SocketOptions {
    int send_buffer_bytes = -1;     ///< -1: the kernel's choice, which grows as needed.
    int receive_buffer_bytes = -1;  ///< The same.
};

/// Non-blocking, close-on-exec, without Nagle's delay.
///
/// Threading: not synchronised; may move to another loop's thread.
class Socket {
  public:
    Socket() noexcept = default;

    /// Takes over a connected socket and sets it up.
    static Socket adopt(Descriptor fd, const SocketOptions& options);

    /// Connects, waiting for it. Runs on: a thread that may block.
    /// Errors: kIoError, kNotFound, kTooManyOpenFiles; the detail names the address.
    static Result<Socket> connect(const SocketAddress& to, const SocketOptions& options = {});

    [[nodiscard]] int descriptor() const noexcept { return fd_.get(); }
    [[nodiscard]] bool is_open() const noexcept { return fd_.is_open(); }
    [[nodiscard]] Descriptor take() && noexcept { return std::move(fd_); }

    /// Of this end. Precondition: is_open().
    [[nodiscard]] SocketAddress local_address() const;

  private:
    Descriptor fd_;
};

}  // namespace leat::rt
