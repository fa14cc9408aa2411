// SPDX-License-Identifier: Apache-2.0
#include "broker/authentication.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/bounded_time.h"
#include "base/check.h"

namespace leat::broker {
namespace {

/// As in Kafka: a client that authenticates again and again would keep us busy.
constexpr std::chrono::seconds kAgainAfter{1};

bool is_sasl(wire::ApiKey key) {
    return key == wire::ApiKey::kSaslHandshake || key == wire::ApiKey::kSaslAuthenticate;
}

}  // namespace

Authentication::Authentication(std::shared_ptr<const ListenerAccess> access)
    : access_(std::move(access)), is_proved_(!access_->asks_sasl()) {}

bool Authentication::identify(const rt::TlsPeer& peer, auth::Session& session) const {
    if (access_->asks_sasl()) return true;  // SASL decides who it is.
    auto principal = access_->principal_of(peer);
    if (!principal) return false;
    session.principal = *std::move(principal);
    if (peer.name) session.mechanism = "SSL";
    ++session.generation;
    return true;
}

std::string_view Authentication::refusal(wire::ApiKey key, Instant now,
                                         const auth::Session& session) const {
    using enum wire::ApiKey;
    if (state_ == State::kFailed) return "authentication_failed";
    if (state_ == State::kExchange) return key == kSaslAuthenticate ? "" : "authentication_state";
    if (!is_proved_) return key == kApiVersions || key == kSaslHandshake ? "" : "unauthenticated";
    if (now >= session.expires_at && !is_sasl(key) && key != kApiVersions) return "session_expired";
    return "";
}

bool Authentication::may_begin(Instant now, const auth::Session& session) const {
    if (state_ != State::kIdle || !access_->asks_sasl()) return false;
    if (!is_proved_) return true;
    return session.expires_at != Instant::max() && now - proved_at_ >= kAgainAfter;
}

Result<void> Authentication::begin(std::string_view mechanism, std::int16_t version) {
    LEAT_CHECK(state_ == State::kIdle);
    if (!access_->has_mechanism(mechanism)) {
        fail();
        return Error{Errc::kUnsupportedSaslMechanism};
    }
    if (is_proved_ && mechanism != mechanism_) {
        fail();
        return Error{Errc::kSaslAuthenticationFailed};
    }
    mechanism_ = mechanism;
    is_raw_ = version == 0;
    state_ = State::kExchange;
    return {};
}

void Authentication::set_exchange(std::unique_ptr<auth::SaslServer> exchange) {
    LEAT_CHECK(state_ == State::kExchange && exchange_ == nullptr);
    exchange_ = std::move(exchange);
}

Result<std::int64_t> Authentication::succeed(const auth::Identity& identity, Instant now,
                                             WallMs wall_now, auth::Session& session) {
    if (is_proved_ && identity.principal != session.principal) {
        fail();
        return Error{Errc::kSaslAuthenticationFailed,
                     "Cannot change principals during re-authentication from " +
                         session.principal.text() + ": " + identity.principal.text()};
    }
    const auto limit = access_->security().sasl.reauth_ms.find(mechanism_);
    std::int64_t lifetime_ms = limit == access_->security().sasl.reauth_ms.end()
                                   ? 0
                                   : std::max<std::int64_t>(0, limit->second);
    if (identity.expires) {
        const std::int64_t left =
            std::max<std::int64_t>(0, identity.expires->value - wall_now.value);
        lifetime_ms = lifetime_ms > 0 ? std::min(lifetime_ms, left) : left;
    }
    const bool ends = lifetime_ms > 0 || identity.expires.has_value();
    session.principal = identity.principal;
    session.mechanism = mechanism_;
    session.by_token = identity.by_token;
    session.token_id = identity.token_id;
    session.token_expires = identity.expires.value_or(WallMs{-1});
    session.stored_key = identity.stored_key;
    session.expires_at = ends ? after(now, lifetime_ms) : Instant::max();
    ++session.generation;
    exchange_.reset();
    state_ = State::kIdle;
    is_proved_ = true;
    proved_at_ = now;
    return lifetime_ms;
}

void Authentication::fail() noexcept {
    exchange_.reset();
    state_ = State::kFailed;
}

}  // namespace leat::broker
