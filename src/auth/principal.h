// SPDX-License-Identifier: Apache-2.0
//
// Who somebody is, and how he proved it. Layer: auth (L2). Pure.
// Spec:  Kafka's KafkaPrincipal; KIP-368 (sessions that end).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/units.h"

namespace leat::auth {

/// A name of a kind. Compared as a whole: "User:alice" is nobody's group.
///
/// Threading: not synchronised.
class Principal {
  public:
    Principal() : Principal("User", "ANONYMOUS") {}
    Principal(std::string_view type, std::string_view name);
    static Principal user(std::string_view name) { return {"User", name}; }
    /// From "User:alice". A text without a colon is no principal: the anonymous one.
    static Principal parse(std::string_view text);

    /// "User:alice", as ACLs, quotas and logs name it.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] std::string_view type() const noexcept;
    [[nodiscard]] std::string_view name() const noexcept;
    [[nodiscard]] bool is_anonymous() const noexcept { return text_ == "User:ANONYMOUS"; }

    friend bool operator==(const Principal& a, const Principal& b) { return a.text_ == b.text_; }

  private:
    std::string text_;
    std::size_t type_bytes_ = 0;
};

/// What authentication found about a connection; at first the anonymous one.
///
/// Threading: not synchronised.
struct Session {
    Principal principal;
    /// "PLAIN", "SCRAM-SHA-256", "SSL" (a certificate), "" when nothing was proved.
    std::string mechanism;
    /// A delegation token stood for the user: it may not make further tokens.
    bool by_token = false;
    std::string token_id;
    WallMs token_expires{-1};  ///< As it was then.
    /// What a password was checked with: with another one the session is over.
    std::string stored_key;
    /// After this the client has to authenticate again; Instant::max(): never.
    Instant expires_at = Instant::max();
    /// Counts authentications; whoever keeps something about the principal compares it.
    std::uint32_t generation = 0;
};

}  // namespace leat::auth
