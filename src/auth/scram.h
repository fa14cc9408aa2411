// SPDX-License-Identifier: Apache-2.0
//
// SCRAM-SHA-256 and SCRAM-SHA-512, both sides. Layer: auth (L2). Pure.
// Spec:  RFC 5802, RFC 7677; KIP-84, KIP-48 (extension tokenauth); no channel binding.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/digest.h"
#include "auth/sasl.h"

namespace leat::auth {

/// Numbers are those of AlterUserScramCredentials.
enum class ScramMechanism : std::int8_t { kSha256 = 1, kSha512 = 2 };

inline constexpr std::int32_t kScramIterationsMin = 4'096;
inline constexpr std::int32_t kScramIterationsMax = 16'384;
inline constexpr std::int32_t kScramIterationsDefault = 16'384;
inline constexpr std::size_t kScramSaltBytes = 24;

[[nodiscard]] Hash hash_of(ScramMechanism mechanism) noexcept;
/// "SCRAM-SHA-256".
[[nodiscard]] std::string_view name_of(ScramMechanism mechanism) noexcept;
[[nodiscard]] std::optional<ScramMechanism> scram_mechanism(std::string_view name) noexcept;

/// What a server keeps of a password: enough to check it, not enough to log in elsewhere.
/// Threading: immutable.
struct ScramCredential {
    std::string salt;
    std::string stored_key;
    std::string server_key;
    std::int32_t iterations = 0;

    friend bool operator==(const ScramCredential&, const ScramCredential&) = default;
};

/// From what clients compute themselves (AlterUserScramCredentials).
[[nodiscard]] ScramCredential credential_from_salted(ScramMechanism mechanism,
                                                     std::string_view salted_password,
                                                     std::string_view salt,
                                                     std::int32_t iterations);
/// Takes milliseconds: PBKDF2.
[[nodiscard]] ScramCredential make_credential(ScramMechanism mechanism, std::string_view password,
                                              std::string_view salt, std::int32_t iterations);

struct ScramAccount {
    ScramCredential credential;
    Principal principal;
    std::optional<WallMs> expires;  ///< Of a delegation token.
    std::string token_id = {};      ///< The same.
};

/// What the server side needs to know of the world.
struct ScramServerOptions {
    ScramMechanism mechanism = ScramMechanism::kSha256;
    /// `by_token`: the name is a delegation token's id.
    std::function<std::optional<ScramAccount>(std::string_view name, bool by_token)> find;
    std::string nonce;        ///< Fresh for each exchange, printable, no comma.
    std::string fake_secret;  ///< The same for all exchanges of a node: salts of unknown users.
};

/// Users that do not exist get a salt, and fail where wrong passwords fail.
[[nodiscard]] std::unique_ptr<SaslServer> make_scram_server(ScramServerOptions options);

struct ScramClientOptions {
    ScramMechanism mechanism = ScramMechanism::kSha256;
    std::string user;
    std::string password;
    bool by_token = false;
    std::string nonce;
    std::int32_t iterations_max = 1'000'000;  ///< What a server may make us compute.
};

[[nodiscard]] std::unique_ptr<SaslClient> make_scram_client(ScramClientOptions options);

/// 24 random characters.
[[nodiscard]] std::string scram_nonce();

}  // namespace leat::auth
