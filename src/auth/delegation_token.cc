// SPDX-License-Identifier: Apache-2.0
#include "auth/delegation_token.h"

#include <algorithm>

#include "auth/digest.h"

namespace leat::auth {

bool DelegationToken::may_renew(const Principal& who) const {
    return who == owner || std::ranges::find(renewers, who) != renewers.end();
}

bool DelegationToken::concerns(const Principal& who) const {
    return may_renew(who) || who == requester;
}

std::string token_hmac(std::string_view secret_key, std::string_view id) {
    return hmac(Hash::kSha512, secret_key, id);
}

std::string token_salt(std::string_view hmac_bytes, ScramMechanism mechanism) {
    return hmac(Hash::kSha256, hmac_bytes, name_of(mechanism)).substr(0, kScramSaltBytes);
}

void add_credentials(DelegationToken& token) {
    const std::string password = base64(token.hmac);
    for (const ScramMechanism mechanism : {ScramMechanism::kSha256, ScramMechanism::kSha512})
        token.credentials[mechanism] = make_credential(
            mechanism, password, token_salt(token.hmac, mechanism), kScramIterationsMin);
}

}  // namespace leat::auth
