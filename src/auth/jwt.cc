// SPDX-License-Identifier: Apache-2.0
#include "auth/jwt.h"

#include <cjose/cjose.h>
#include <jansson.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace leat::auth {
namespace {

constexpr std::size_t kSetBytesMax = std::size_t{1} << 20U;
constexpr std::size_t kIdBytesMax = 256;
constexpr std::size_t kRsaBitsMin = 2'048;
constexpr std::size_t kClaimedBytesMax = 256;

struct JsonDeleter {
    void operator()(json_t* json) const noexcept { json_decref(json); }
};
using JsonPtr = std::unique_ptr<json_t, JsonDeleter>;

struct JwkDeleter {
    void operator()(cjose_jwk_t* key) const noexcept { cjose_jwk_release(key); }
};
struct JwsDeleter {
    void operator()(cjose_jws_t* jws) const noexcept { cjose_jws_release(jws); }
};

Error refused(std::string_view why) {
    return Error{Errc::kSaslAuthenticationFailed, why};
}

JsonPtr parse_json(std::string_view text) {
    return JsonPtr{json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, nullptr)};
}

std::string_view text_in(const json_t* object, const std::string& name) {
    const json_t* value = json_object_get(object, name.c_str());
    if (!json_is_string(value)) return {};
    return {json_string_value(value), json_string_length(value)};
}

/// Seconds since 1970 in a claim, as milliseconds.
std::optional<double> time_in(const json_t* claims, const char* name) {
    const json_t* value = json_object_get(claims, name);
    if (!json_is_number(value)) return std::nullopt;
    const double ms = json_number_value(value) * 1'000;
    // A time of ten thousand years is no time; the arithmetic below must not overflow.
    if (!std::isfinite(ms) || std::abs(ms) > 2.5e14) return std::nullopt;
    return ms;
}

bool fits(std::string_view algorithm, cjose_jwk_kty_t kind, std::size_t bits) {
    if (algorithm.starts_with("RS") || algorithm.starts_with("PS"))
        return kind == CJOSE_JWK_KTY_RSA;
    if (kind != CJOSE_JWK_KTY_EC) return false;
    return (algorithm == "ES256" && bits == 256) || (algorithm == "ES384" && bits == 384) ||
           (algorithm == "ES512" && bits == 521);
}

bool is_for(const json_t* claims, const std::vector<std::string>& audiences) {
    const auto is_wanted = [&](std::string_view one) {
        return !one.empty() && std::ranges::find(audiences, one) != audiences.end();
    };
    const json_t* value = json_object_get(claims, "aud");
    if (!json_is_array(value)) return is_wanted(text_in(claims, "aud"));
    for (std::size_t i = 0; i < json_array_size(value); ++i) {
        const json_t* one = json_array_get(value, i);
        if (json_is_string(one) && is_wanted({json_string_value(one), json_string_length(one)}))
            return true;
    }
    return false;
}

Result<Identity> check_claims(const json_t* claims, const JwtRules& rules, WallMs now) {
    const auto now_ms = static_cast<double>(now.value);
    const auto skew = static_cast<double>(rules.clock_skew_ms);
    const auto expires = time_in(claims, "exp");
    if (!expires) return refused("the token has no end (exp)");
    if (*expires + skew <= now_ms) return refused("the token has expired");
    const auto starts = time_in(claims, "nbf");
    if (json_object_get(claims, "nbf") != nullptr && (!starts || *starts - skew > now_ms))
        return refused("the token is not valid yet (nbf)");
    const auto issued = time_in(claims, "iat");
    if (json_object_get(claims, "iat") != nullptr && (!issued || *issued - skew > now_ms))
        return refused("the token was made in the future (iat)");
    if (rules.issuer.empty() || text_in(claims, "iss") != rules.issuer)
        return refused("the token is of another issuer");
    if (!is_for(claims, rules.audiences)) return refused("the token is for another audience");
    const std::string_view user = text_in(claims, rules.subject_claim);
    if (user.empty()) return refused("the token names no user (" + rules.subject_claim + ")");
    return Identity{Principal::user(user), false, WallMs{static_cast<std::int64_t>(*expires)}};
}

/// Whether `text` is base64url as RFC 7515 has it, without padding. cjose ends the process at some
/// texts that are not.
bool is_base64url(std::string_view text) {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return text.size() % 4 != 1 && text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

/// The numbers of a key, of both kinds (RFC 7518, 6.2 and 6.3); those that are there.
bool has_sound_numbers(const json_t* key) {
    constexpr const char* kNumbers[] = {"n", "e", "d", "p", "q", "dp", "dq", "qi", "x", "y"};
    return std::ranges::all_of(
        kNumbers, [key](const char* name) { return is_base64url(text_in(key, name)); });
}

}  // namespace

struct JwkSet::Key {
    explicit Key(cjose_jwk_t* key) : native(key) {}
    std::unique_ptr<cjose_jwk_t, JwkDeleter> native;
    std::string algorithm;  ///< What it may be used for; "": whatever fits.
    cjose_jwk_kty_t kind = CJOSE_JWK_KTY_RSA;
    std::size_t bits = 0;
};

Result<JwkSet> JwkSet::parse(std::string_view json) {
    if (json.size() > kSetBytesMax) return Error{Errc::kMalformed, "the JWKS is too large"};
    const JsonPtr root = parse_json(json);
    const json_t* keys = json_object_get(root.get(), "keys");
    if (!json_is_array(keys)) return Error{Errc::kMalformed, "no JWKS: it has no list of keys"};
    JwkSet out;
    for (std::size_t i = 0; i < json_array_size(keys); ++i) {
        json_t* one = json_array_get(keys, i);
        const std::string_view use = text_in(one, "use");
        const std::string_view kind = text_in(one, "kty");
        const std::string_view id = text_in(one, "kid");
        if ((!use.empty() && use != "sig") || (kind != "RSA" && kind != "EC") ||
            id.size() > kIdBytesMax || !has_sound_numbers(one))
            continue;
        cjose_err error{};
        auto key = std::make_shared<Key>(cjose_jwk_import_json(one, &error));
        if (key->native == nullptr) continue;
        key->algorithm = text_in(one, "alg");
        key->kind = cjose_jwk_get_kty(key->native.get(), &error);
        key->bits = cjose_jwk_get_keysize(key->native.get(), &error);
        if (key->kind == CJOSE_JWK_KTY_RSA && key->bits < kRsaBitsMin) continue;
        out.keys_.emplace(std::string{id}, std::move(key));
    }
    if (out.keys_.empty()) return Error{Errc::kMalformed, "the JWKS has no key that can be used"};
    return out;
}

const JwkSet::Key* JwkSet::find(std::string_view id) const {
    if (id.empty()) return keys_.size() == 1 ? keys_.begin()->second.get() : nullptr;
    const auto found = keys_.find(id);
    return found == keys_.end() ? nullptr : found->second.get();
}

namespace {

using JwsPtr = std::unique_ptr<cjose_jws_t, JwsDeleter>;

struct OpenToken {
    JwsPtr jws;
    const JwkSet::Key* key = nullptr;
};

// Null: `token` is not three parts of base64url with a header that can be read.
JwsPtr import_token(std::string_view token) {
    std::string_view rest = token;
    for (int dots = 0; dots < 2; ++dots) {
        const std::size_t dot = rest.find('.');
        if (dot == std::string_view::npos || !is_base64url(rest.substr(0, dot))) return nullptr;
        rest.remove_prefix(dot + 1);
    }
    if (!is_base64url(rest)) return nullptr;
    cjose_err error{};
    return JwsPtr{cjose_jws_import(token.data(), token.size(), &error)};
}

// The token taken apart, and its key. Errors: as verify_jwt().
Result<OpenToken> open_token(std::string_view token, const JwkSet& keys, const JwtRules& rules) {
    if (token.size() > kJwtBytesMax) return refused("the token is too long");
    cjose_err error{};
    JwsPtr jws = import_token(token);
    if (jws == nullptr) return refused("no signed token");
    cjose_header_t* header = cjose_jws_get_protected(jws.get());
    const char* algorithm_text = cjose_header_get(header, CJOSE_HDR_ALG, &error);
    const char* id_text = cjose_header_get(header, CJOSE_HDR_KID, &error);
    const std::string_view algorithm = algorithm_text != nullptr ? algorithm_text : "";
    const std::string_view id = id_text != nullptr ? id_text : "";
    if (std::ranges::find(rules.algorithms, algorithm) == rules.algorithms.end())
        return refused("the token is signed by a method that is not allowed");
    if (id.size() > kIdBytesMax) return refused("the token's key id is too long");
    const JwkSet::Key* key = keys.find(id);
    if (key == nullptr) return Error{Errc::kNotFound, "the token's key is not known"};
    if (!fits(algorithm, key->kind, key->bits) ||
        (!key->algorithm.empty() && key->algorithm != algorithm))
        return refused("the token's method and its key do not fit");
    return OpenToken{std::move(jws), key};
}

}  // namespace

bool lacks_key(std::string_view token, const JwkSet& keys, const JwtRules& rules) {
    const auto open = open_token(token, keys, rules);
    return !open && open.error().code() == Errc::kNotFound;
}

std::string claimed_subject(std::string_view token, const JwtRules& rules) {
    if (token.size() > kJwtBytesMax) return {};
    cjose_err error{};
    const JwsPtr jws = import_token(token);
    std::uint8_t* plain = nullptr;
    std::size_t size = 0;
    if (jws == nullptr || !cjose_jws_get_plaintext(jws.get(), &plain, &size, &error)) return {};
    const JsonPtr claims =
        parse_json({reinterpret_cast<const char*>(plain), size});  // NOLINT: bytes as text
    const std::string_view said = text_in(claims.get(), rules.subject_claim);
    std::size_t end = std::min(said.size(), kClaimedBytesMax);
    // Not inside of a character of UTF-8.
    while (end > 0 && end < said.size() && (static_cast<unsigned char>(said[end]) & 0xC0U) == 0x80U)
        --end;
    return std::string{said.substr(0, end)};
}

Result<Identity> verify_jwt(std::string_view token, const JwkSet& keys, const JwtRules& rules,
                            WallMs now) {
    LEAT_TRY(const OpenToken open, open_token(token, keys, rules));
    cjose_err error{};
    if (!cjose_jws_verify(open.jws.get(), open.key->native.get(), &error))
        return refused("the token's signature is wrong");
    std::uint8_t* plain = nullptr;
    std::size_t size = 0;
    if (!cjose_jws_get_plaintext(open.jws.get(), &plain, &size, &error))
        return refused("empty token");
    const JsonPtr claims =
        parse_json({reinterpret_cast<const char*>(plain), size});  // NOLINT: bytes as text
    if (!json_is_object(claims.get())) return refused("the token's claims are no object");
    return check_claims(claims.get(), rules, now);
}

}  // namespace leat::auth
