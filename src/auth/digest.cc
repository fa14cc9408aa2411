// SPDX-License-Identifier: Apache-2.0
#include "auth/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <bit>

#include "base/check.h"

namespace leat::auth {
namespace {

const EVP_MD* method_of(Hash hash) {
    return hash == Hash::kSha256 ? EVP_sha256() : EVP_sha512();
}

const unsigned char* raw(std::string_view bytes) {
    return std::bit_cast<const unsigned char*>(bytes.data());
}

unsigned char* raw(std::string& bytes) {
    return std::bit_cast<unsigned char*>(bytes.data());
}

}  // namespace

std::size_t size_of(Hash hash) noexcept {
    return hash == Hash::kSha256 ? 32 : 64;
}

std::string digest(Hash hash, std::string_view data) {
    std::string out(size_of(hash), '\0');
    LEAT_CHECK(EVP_Digest(data.data(), data.size(), raw(out), nullptr, method_of(hash), nullptr) ==
               1);
    return out;
}

std::string hmac(Hash hash, std::string_view key, std::string_view data) {
    std::string out(size_of(hash), '\0');
    unsigned int size = 0;
    // A null key with length 0 means "the key of before" to OpenSSL.
    const void* bytes = key.empty() ? "" : key.data();
    LEAT_CHECK(HMAC(method_of(hash), bytes, static_cast<int>(key.size()), raw(data), data.size(),
                    raw(out), &size) != nullptr);
    return out;
}

std::string pbkdf2(Hash hash, std::string_view password, std::string_view salt,
                   std::int32_t iterations) {
    LEAT_CHECK(iterations > 0);
    std::string out(size_of(hash), '\0');
    LEAT_CHECK(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), raw(salt),
                                 static_cast<int>(salt.size()), iterations, method_of(hash),
                                 static_cast<int>(out.size()), raw(out)) == 1);
    return out;
}

bool equal_secrets(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_bytes(std::size_t count) {
    std::string out(count, '\0');
    LEAT_CHECK(RAND_bytes(raw(out), static_cast<int>(count)) == 1);
    return out;
}

void wipe(std::string& secret) noexcept {
    OPENSSL_cleanse(secret.data(), secret.size());
    secret.clear();
}

std::string base64(std::string_view bytes) {
    std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int size = EVP_EncodeBlock(raw(out), raw(bytes), static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0 || text.size() > (std::size_t{1} << 24U)) return std::nullopt;
    if (text.empty()) return std::string{};
    std::size_t padding = 0;
    if (text.ends_with("==")) {
        padding = 2;
    } else if (text.ends_with("=")) {
        padding = 1;
    }
    // OpenSSL takes blanks and padding in odd places for good.
    if (text.substr(0, text.size() - padding)
            .find_first_not_of(
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") !=
        std::string_view::npos)
        return std::nullopt;
    std::string out(text.size() / 4 * 3, '\0');
    if (EVP_DecodeBlock(raw(out), raw(text), static_cast<int>(text.size())) < 0)
        return std::nullopt;
    out.resize(out.size() - padding);
    return out;
}

}  // namespace leat::auth
