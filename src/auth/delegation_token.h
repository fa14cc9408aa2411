// SPDX-License-Identifier: Apache-2.0
//
// A token that stands for its owner for a while. Layer: auth (L2). Pure.
// Spec:  KIP-48, KIP-373.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "auth/principal.h"
#include "auth/scram.h"
#include "base/units.h"

namespace leat::auth {

/// Threading: immutable, shared between shards.
struct DelegationToken {
    std::string id;
    std::string hmac;  ///< Its secret.
    Principal owner;
    Principal requester;
    std::vector<Principal> renewers;
    WallMs issued;
    WallMs expires;                                         ///< Moves when it is renewed.
    WallMs ends;                                            ///< Never later than this.
    std::map<ScramMechanism, ScramCredential> credentials;  ///< With base64 of `hmac` as password.

    /// Owner and renewers may renew and expire it; who asked for it on the owner's behalf may not.
    [[nodiscard]] bool may_renew(const Principal& who) const;
    /// Whose it is in one way or another: they may be shown it, and it is found by their names.
    [[nodiscard]] bool concerns(const Principal& who) const;
};

/// The secret of the token `id`.
[[nodiscard]] std::string token_hmac(std::string_view secret_key, std::string_view id);

/// The salt of a token's credential: nobody can guess it, and it needs no place of its own.
[[nodiscard]] std::string token_salt(std::string_view hmac, ScramMechanism mechanism);

/// Credentials for SCRAM from `token.hmac`, the same for the same token. Takes milliseconds.
void add_credentials(DelegationToken& token);

}  // namespace leat::auth
