// SPDX-License-Identifier: Apache-2.0
//
// OAUTHBEARER: a token that somebody else made. Layer: auth (L2). Pure.
// Spec:  RFC 7628, KIP-255.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "auth/sasl.h"

namespace leat::auth {

struct OAuthMessage {
    std::string authorization;  ///< "" when none was given.
    std::string_view token;
};

/// The client's first message; views into it. Errors: kSaslAuthenticationFailed.
Result<OAuthMessage> parse_oauth(std::string_view message);
[[nodiscard]] std::string oauth_message(std::string_view token);

/// Who a token stands for. Errors: any; the peer is told "invalid_token" and nothing more.
using TokenVerifier = std::function<Result<Identity>(std::string_view token)>;

/// Whom a token that was refused says it stands for.
using TokenSubject = std::function<std::string(std::string_view token)>;

/// `may_block`: whether `verify` may.
[[nodiscard]] std::unique_ptr<SaslServer> make_oauth_server(TokenVerifier verify, bool may_block,
                                                            TokenSubject subject = {});
[[nodiscard]] std::unique_ptr<SaslClient> make_oauth_client(std::string token);

}  // namespace leat::auth
