// SPDX-License-Identifier: Apache-2.0
//
// Administration of SCRAM users and delegation tokens. Layer: client (L3), on wire.
// Spec:  KIP-554, KIP-48.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/scram.h"
#include "base/result.h"
#include "client/admin.h"

namespace leat::client {

struct ScramUser {
    struct Credential {
        auth::ScramMechanism mechanism = auth::ScramMechanism::kSha256;
        std::int32_t iterations = 0;
    };
    std::string name;
    std::vector<Credential> credentials;
};

struct NewUser {
    std::string name;
    std::string password;
    std::vector<auth::ScramMechanism> mechanisms;
    std::int32_t iterations = auth::kScramIterationsDefault;
};

/// Errors: of the connection, and the broker's own.
Result<std::vector<ScramUser>> list_users(Admin& admin);
/// The password stays here: its salted hash is sent.
Result<Outcome> put_user(Admin& admin, const NewUser& user);
/// Errors: kResourceNotFound: no such user.
Result<Outcome> remove_user(Admin& admin, std::string_view name,
                            std::span<const auth::ScramMechanism> mechanisms);

struct TokenInfo {
    std::string id;
    std::string hmac;  ///< Bytes: the secret.
    std::string owner;
    std::string requester;
    std::vector<std::string> renewers;
    std::int64_t issued_ms = -1;
    std::int64_t expires_ms = -1;
    std::int64_t ends_ms = -1;
};

/// `renewers`, `owner`: "User:name"; an empty owner is who asks. Errors: kDelegationToken..., as
/// the broker says; kUnsupportedVersion: brokers before 3.3 make tokens for who asks only.
Result<TokenInfo> create_token(Admin& admin, std::span<const std::string> renewers,
                               std::int64_t max_lifetime_ms, std::string_view owner = {});
/// When it ends now. `period_ms` -1: the broker's default.
Result<std::int64_t> renew_token(Admin& admin, std::string_view hmac, std::int64_t period_ms);
/// `period_ms` negative: at once.
Result<std::int64_t> expire_token(Admin& admin, std::string_view hmac, std::int64_t period_ms);
Result<std::vector<TokenInfo>> list_tokens(Admin& admin);

}  // namespace leat::client
