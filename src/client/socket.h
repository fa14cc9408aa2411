// SPDX-License-Identifier: Apache-2.0
//
// A blocking TCP connection with a deadline on every call. Layer: client (L3).
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

#include "base/result.h"
#include "base/units.h"
#include "client/endpoint.h"
#include "rt/tls_channel.h"

namespace leat::client {

using Deadline = std::chrono::steady_clock::time_point;

/// Threading: not synchronised. Closes its descriptor.
class Socket {
  public:
    /// Tries every address of the host, IPv4 and IPv6, until one answers.
    /// Errors: kNetworkException (no such host, refused, unreachable), kTimedOut; the detail has
    ///         both address and reason.
    /// `stop`: as soon as that descriptor can be read, nothing waits any more, in this call and all
    /// later ones; -1 for none. Errors then: kCancelled.
    static Result<Socket> connect(const Endpoint& to, Deadline deadline, int stop = -1);

    Socket(Socket&& other) noexcept;
    Socket& operator=(Socket&& other) = delete;
    ~Socket();

    /// From here on everything is encrypted. `host`: for whom the peer's certificate must be; "":
    /// anybody. Errors: kClosed (the peer's certificate or its verdict on ours, no TLS there),
    /// kTimedOut.
    Result<void> start_tls(const rt::TlsContext& context, const std::string& host,
                           Deadline deadline);

    /// All of `bytes`. Errors: kNetworkException, kClosed, kTimedOut.
    Result<void> write(Bytes bytes, Deadline deadline);
    /// The same of several pieces, one behind the other.
    Result<void> write(std::span<const Bytes> pieces, Deadline deadline);
    /// Fills all of `to`. Errors: kNetworkException (also when the peer closed), kClosed (in TLS
    /// 1.3 the verdict on our certificate comes with the first answer), kTimedOut.
    Result<void> read(MutableBytes to, Deadline deadline);

  private:
    Socket(int descriptor, int stop) : descriptor_(descriptor), stop_(stop) {}
    Result<void> write_raw(Bytes bytes, Deadline deadline);
    /// At least one byte.
    Result<std::size_t> read_raw(MutableBytes to, Deadline deadline);
    /// Sends what TLS has for the peer.
    Result<void> flush_tls(Deadline deadline);
    Result<void> feed_tls(Deadline deadline);

    std::optional<rt::TlsChannel> tls_;
    int descriptor_ = -1;
    int stop_ = -1;  ///< Not ours.
};

}  // namespace leat::client
