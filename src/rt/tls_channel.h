// SPDX-License-Identifier: Apache-2.0
//
// One TLS connection without a socket: bytes of the network in and out, bytes of the application
// out and in. Layer: rt (L1).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "rt/tls_context.h"

namespace leat::rt {

/// What a handshake found out.
struct TlsPeer {
    /// Name in the peer's certificate as text_of_name() writes it; nullopt when it showed none.
    std::optional<std::string> name;
    std::string protocol;  ///< "TLSv1.3".
};

/// Threading: not synchronised.
/// Failure:   after an error what output() has (an alert) may still be sent; nothing else works.
class TlsChannel {
  public:
    static TlsChannel server(const TlsContext& context);
    /// `host`: what the peer's certificate must be for, a name or an address; "": nothing is
    /// checked.
    static TlsChannel client(const TlsContext& context, const std::string& host);

    TlsChannel(TlsChannel&&) noexcept;
    TlsChannel& operator=(TlsChannel&&) = delete;
    ~TlsChannel();

    /// Bytes that came from the peer.
    void feed(Bytes bytes);
    /// Goes on with the handshake as far as what was fed allows.
    /// Errors: kNetworkException, with OpenSSL's reason.
    Result<void> handshake();
    [[nodiscard]] bool is_established() const;

    /// Bytes of the application, 0 when more has to be fed. Errors: as handshake().
    Result<std::size_t> read(MutableBytes to);
    /// The peer has said that nothing more comes.
    [[nodiscard]] bool is_at_end() const noexcept;

    /// Precondition: is_established(). Errors: as handshake().
    Result<void> write(Bytes bytes);
    /// Tells the peer that nothing more comes.
    void close();

    /// What is to be sent to the peer.
    [[nodiscard]] Bytes output() const;
    void drop_output(std::size_t bytes);

    /// Precondition: is_established().
    [[nodiscard]] TlsPeer peer() const;

  private:
    struct State;
    explicit TlsChannel(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

}  // namespace leat::rt
