// SPDX-License-Identifier: Apache-2.0
//
// Hashes, keyed hashes and comparisons of secrets, on OpenSSL. Layer: auth (L2). Pure.
// Spec:  FIPS 180-4, RFC 2104, RFC 8018 (PBKDF2), RFC 4648 (base64).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leat::auth {

enum class Hash : std::uint8_t { kSha256, kSha512 };

/// Bytes of a digest: 32 or 64.
[[nodiscard]] std::size_t size_of(Hash hash) noexcept;

[[nodiscard]] std::string digest(Hash hash, std::string_view data);
[[nodiscard]] std::string hmac(Hash hash, std::string_view key, std::string_view data);
/// As many bytes as the digest has. Slow by intent: `iterations` HMACs.
[[nodiscard]] std::string pbkdf2(Hash hash, std::string_view password, std::string_view salt,
                                 std::int32_t iterations);

/// Compares without telling by its time where the difference is. The lengths are no secret.
[[nodiscard]] bool equal_secrets(std::string_view a, std::string_view b) noexcept;

/// Bytes that nobody can guess, from the operating system.
[[nodiscard]] std::string random_bytes(std::size_t count);

/// Overwrites what it held; for passwords that are not needed any longer.
void wipe(std::string& secret) noexcept;

/// Padded, of the usual alphabet.
[[nodiscard]] std::string base64(std::string_view bytes);
/// nullopt for what is not exactly that.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace leat::auth
