// SPDX-License-Identifier: Apache-2.0
//
// What users prove themselves with, as one shard knows it: SCRAM credentials, delegation tokens,
// and who is above all rules. Layer: metadata (L4). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "auth/delegation_token.h"
#include "auth/scram.h"
#include "base/units.h"

namespace leat::metadata {

using ScramPtr = std::shared_ptr<const auth::ScramCredential>;
using TokenPtr = std::shared_ptr<const auth::DelegationToken>;

/// Null: it is removed.
struct ScramChanged {
    std::string user;
    auth::ScramMechanism mechanism = auth::ScramMechanism::kSha256;
    ScramPtr credential;
};
/// Null: it is removed.
struct TokenChanged {
    std::string id;
    TokenPtr token;
};
struct SuperUserChanged {
    std::string principal;
    bool is_super = true;
};

/// Threading: shard-local. Memory: credentials are shared between shards, tables are not.
class Credentials {
  public:
    void apply(const ScramChanged& change);
    void apply(const TokenChanged& change);
    void apply(const SuperUserChanged& change);

    /// Grows with every change.
    [[nodiscard]] std::uint64_t version() const noexcept { return version_; }
    /// Whether what a session was proved by still proves it: no password has been replaced, and no
    /// token's end been brought forward to before `now`.
    [[nodiscard]] bool holds(const auth::Session& session, WallMs now) const;

    using OfUser = std::map<auth::ScramMechanism, ScramPtr>;
    using Users = std::map<std::string, OfUser, std::less<>>;
    [[nodiscard]] const Users& users() const noexcept { return users_; }
    /// nullptr when there is none.
    [[nodiscard]] const OfUser* find_user(std::string_view name) const;

    using Tokens = std::map<std::string, TokenPtr, std::less<>>;
    [[nodiscard]] const Tokens& tokens() const noexcept { return tokens_; }
    /// nullptr when there is none. `hmac` is not secret from whoever holds it: compared in constant
    /// time all the same.
    [[nodiscard]] TokenPtr find_token(std::string_view id) const;
    [[nodiscard]] TokenPtr find_token_by_hmac(std::string_view hmac) const;

    /// Principals such as "User:admin" that may do everything, beside those of super.users.
    using Supers = std::set<std::string, std::less<>>;
    [[nodiscard]] const Supers& supers() const noexcept { return supers_; }
    /// Grows with every change of them: what was decided before may be different now.
    [[nodiscard]] std::uint64_t supers_version() const noexcept { return supers_version_; }

    [[nodiscard]] std::optional<auth::ScramAccount> account(std::string_view user,
                                                            auth::ScramMechanism mechanism) const;
    /// Of a token that still holds.
    [[nodiscard]] std::optional<auth::ScramAccount> token_account(std::string_view id,
                                                                  auth::ScramMechanism mechanism,
                                                                  WallMs now) const;

    /// Forgets the tokens that were made with another secret; without one, all. As in Kafka, which
    /// makes their keys anew at each login. How many.
    std::size_t keep_tokens_of(std::string_view secret_key);

    /// From which salts are made for users that do not exist; the node's own, and never told.
    [[nodiscard]] const std::string& stranger_secret() const noexcept { return stranger_secret_; }
    void set_stranger_secret(std::string secret) { stranger_secret_ = std::move(secret); }

  private:
    Users users_;
    Tokens tokens_;
    Supers supers_;
    std::string stranger_secret_;
    std::uint64_t version_ = 0;
    std::uint64_t supers_version_ = 0;
};

}  // namespace leat::metadata
