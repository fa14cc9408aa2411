// SPDX-License-Identifier: Apache-2.0
//
// A blocking TCP connection with a deadline on every call. Layer: client (L3).
#pragma once

#include <chrono>
#include <cstddef>

#include "base/result.h"
#include "base/units.h"
#include "client/endpoint.h"

namespace leat::client {

using Deadline = std::chrono::steady_clock::time_point;

/// Threading: not synchronised. Closes its descriptor.
class Socket {
  public:
    /// Tries every address of the host, IPv4 and IPv6, until one answers.
    /// Errors: kNetworkException (no such host, refused, unreachable), kTimedOut; the detail has
    /// both
    ///         address and reason.
    static Result<Socket> connect(const Endpoint& to, Deadline deadline);

    Socket(Socket&& other) noexcept;
    Socket& operator=(Socket&& other) noexcept;
    ~Socket();

    /// All of `bytes`. Errors: kNetworkException, kTimedOut.
    Result<void> write(Bytes bytes, Deadline deadline);
    /// Fills all of `to`. Errors: kNetworkException (also when the peer closed), kTimedOut.
    Result<void> read(MutableBytes to, Deadline deadline);

  private:
    explicit Socket(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

}  // namespace leat::client
