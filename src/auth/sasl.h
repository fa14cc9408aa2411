// SPDX-License-Identifier: Apache-2.0
//
// One side of a SASL exchange as a state machine: a message in, a message out. Layer: auth (L2).
// Pure.
// Spec:  RFC 4422.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "auth/principal.h"
#include "base/result.h"
#include "base/units.h"

namespace leat::auth {

/// Whom an exchange has proved.
struct Identity {
    Principal principal;
    bool by_token = false;
    /// When the proof is good for nothing any more (a token's end); nullopt: never.
    std::optional<WallMs> expires = std::nullopt;
    std::string token_id = {};  ///< Of the delegation token.
    /// The stored key that the proof was checked with, when a password was.
    std::string stored_key = {};
};

struct SaslStep {
    std::string reply;
    /// On the server's side: who it is, and the exchange is over.
    std::optional<Identity> identity = std::nullopt;
    /// Nobody was proved, and only the peer's last word is missing, which may never come.
    bool is_refused = false;
    /// Nothing is said, not even an empty message: the end of GSSAPI (RFC 4752). It shows only
    /// where messages go without a request around them (SaslHandshake 0).
    bool is_silent = false;
};

/// The server's side.
///
/// Threading: not synchronised. Memory: a few kilobytes, whatever the peer sends.
class SaslServer {
  public:
    SaslServer() = default;
    SaslServer(const SaslServer&) = delete;
    SaslServer& operator=(const SaslServer&) = delete;
    virtual ~SaslServer() = default;

    /// Errors: kSaslAuthenticationFailed; the exchange is over. A detail is fit for the peer's
    ///         eyes: it tells nothing about which part was wrong. Without one the caller has a text
    ///         of its own.
    virtual Result<SaslStep> next(std::string_view message) = 0;

    /// Whom the peer says it is, unproved: for a log. "" before it said so, or when only its proof
    /// would tell.
    [[nodiscard]] virtual std::string_view claimed() const noexcept { return {}; }

    /// next() may take so long (network, disk) that it belongs on a pool.
    [[nodiscard]] virtual bool may_block() const noexcept { return false; }
};

/// The client's side, up to the server's proof where there is one.
///
/// Threading: not synchronised.
class SaslClient {
  public:
    SaslClient() = default;
    SaslClient(const SaslClient&) = delete;
    SaslClient& operator=(const SaslClient&) = delete;
    virtual ~SaslClient() = default;

    /// The next message for the server; "" at first. Nothing: the exchange is over.
    /// Errors: kSaslAuthenticationFailed: the server did not prove that it knows the password, or
    ///         speaks another language.
    virtual Result<std::optional<std::string>> next(std::string_view message) = 0;
};

/// The error of an exchange, told to the peer in Kafka's words when `told` has some.
[[nodiscard]] inline Error sasl_failure(std::string_view told = {}) {
    return told.empty() ? Error{Errc::kSaslAuthenticationFailed}
                        : Error{Errc::kSaslAuthenticationFailed, told};
}

}  // namespace leat::auth
