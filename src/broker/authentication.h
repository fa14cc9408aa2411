// SPDX-License-Identifier: Apache-2.0
//
// How far a connection is in proving who it is, and which requests it may make meanwhile.
// Layer: broker (L6).
// Spec:  Kafka's SaslServerAuthenticator; KIP-43, KIP-152, KIP-368 (authenticating again).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "auth/principal.h"
#include "auth/sasl.h"
#include "broker/listener_access.h"
#include "wire/api_keys.h"

namespace leat::broker {

/// Threading: shard-local; requests of the connection take turns.
class Authentication {
  public:
    /// For connections of listeners with TLS, SASL or both.
    explicit Authentication(std::shared_ptr<const ListenerAccess> access);

    /// The handshake of TLS is over. False when the peer's certificate belongs to nobody.
    bool identify(const rt::TlsPeer& peer, auth::Session& session) const;

    [[nodiscard]] const ListenerAccess& access() const noexcept { return *access_; }

    /// SASL has proved who it is, or does not have to: requests are executed.
    [[nodiscard]] bool is_proved() const noexcept { return is_proved_; }
    /// The next frame is a message of the mechanism without a header: after SaslHandshake v0.
    [[nodiscard]] bool expects_raw() const noexcept {
        return state_ == State::kExchange && is_raw_ && !is_proved_;
    }

    /// "" when a request of this kind may be executed now, else why the connection is closed.
    [[nodiscard]] std::string_view refusal(wire::ApiKey key, Instant now,
                                           const auth::Session& session) const;

    /// Whether SaslHandshake begins an exchange: at first, and again before a session's end.
    [[nodiscard]] bool may_begin(Instant now, const auth::Session& session) const;
    [[nodiscard]] bool is_in_exchange() const noexcept { return state_ == State::kExchange; }

    /// `version` of the handshake. Errors: kUnsupportedSaslMechanism; kSaslAuthenticationFailed
    /// (another mechanism than the first time).
    Result<void> begin(std::string_view mechanism, std::int16_t version);
    /// Right after begin(): the server's side.
    void set_exchange(std::unique_ptr<auth::SaslServer> exchange);
    [[nodiscard]] auth::SaslServer& exchange() noexcept { return *exchange_; }
    /// The exchange has ended well: fills in `session`, and tells how long it holds; 0: for ever.
    /// Errors: kSaslAuthenticationFailed: not whom it was before.
    Result<std::int64_t> succeed(const auth::Identity& identity, Instant now, WallMs wall_now,
                                 auth::Session& session);
    void fail() noexcept;
    /// True once: whether the failure is still to be counted and logged.
    [[nodiscard]] bool tells_failure() noexcept { return !std::exchange(is_failure_told_, true); }

    [[nodiscard]] const std::string& mechanism() const noexcept { return mechanism_; }
    /// What the exchange says of the peer's name; "" without one.
    [[nodiscard]] std::string_view claimed() const noexcept {
        return exchange_ != nullptr ? exchange_->claimed() : std::string_view{};
    }

  private:
    enum class State : std::uint8_t { kIdle, kExchange, kFailed };
    std::shared_ptr<const ListenerAccess> access_;
    std::unique_ptr<auth::SaslServer> exchange_;
    std::string mechanism_;
    State state_ = State::kIdle;
    bool is_proved_ = false;
    bool is_raw_ = false;
    bool is_failure_told_ = false;
    Instant proved_at_{};
};

}  // namespace leat::broker
