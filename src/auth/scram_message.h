// SPDX-License-Identifier: Apache-2.0
//
// The messages of SCRAM. Layer: auth (L2). Pure.
// Spec:  RFC 5802 section 7.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::auth {

struct ScramClientFirst {
    std::string_view gs2_header;  ///< "n,," or "y,a=...,".
    std::string_view bare;        ///< Behind it.
    std::string authorization;    ///< "" when none was given.
    std::string user;
    std::string_view nonce;
    bool by_token = false;
};

struct ScramClientFinal {
    std::string channel_binding;  ///< Decoded: the header of the first message again.
    std::string_view nonce;
    std::string_view without_proof;
    std::string proof;
};

struct ScramServerFirst {
    std::string_view nonce;
    std::string salt;
    std::int32_t iterations = 0;
};

// Views into `message`. Errors: kMalformed.
Result<ScramClientFirst> parse_client_first(std::string_view message);
Result<ScramClientFinal> parse_client_final(std::string_view message);
Result<ScramServerFirst> parse_server_first(std::string_view message);
/// The server's signature. Errors: kMalformed; kSaslAuthenticationFailed when it says "e=...".
Result<std::string> parse_server_final(std::string_view message);

/// "," and "=" of a name as SCRAM writes them.
[[nodiscard]] std::string scram_escaped(std::string_view name);
/// nullopt when it is not well formed.
[[nodiscard]] std::optional<std::string> scram_unescaped(std::string_view text);

}  // namespace leat::auth
