// SPDX-License-Identifier: Apache-2.0
//
// Signed tokens (JWT) and the keys that check them (JWKS), on cjose. Layer: auth (L2). Pure.
// Spec:  RFC 7515, RFC 7517, RFC 7519, RFC 8725.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/sasl.h"
#include "base/result.h"
#include "base/units.h"

namespace leat::auth {

/// Public keys by id.
///
/// Threading: immutable.
class JwkSet {
  public:
    struct Key;

    /// Keys for other uses, of other kinds or too weak (RSA below 2048 bits) are left out.
    /// Errors: kMalformed: no JWKS, or none of its keys can be used.
    static Result<JwkSet> parse(std::string_view json);

    /// The key of this id; without an id the only key there is. nullptr when there is none.
    [[nodiscard]] const Key* find(std::string_view id) const;
    [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

  private:
    std::map<std::string, std::shared_ptr<const Key>, std::less<>> keys_;
};

struct JwtRules {
    std::string issuer;
    std::vector<std::string> audiences;   ///< One of them.
    std::vector<std::string> algorithms;  ///< "RS256"; never "none", never a symmetric one.
    std::string subject_claim = "sub";
    std::int64_t clock_skew_ms = 30'000;
};

inline constexpr std::size_t kJwtBytesMax = 16'384;

/// Whether verify_jwt() would say kNotFound: newer keys may tell more. Looks at no signature.
[[nodiscard]] bool lacks_key(std::string_view token, const JwkSet& keys, const JwtRules& rules);

/// Whom the token says it stands for, whether or not that is so: to be told of one that was
/// refused, never to be believed. "" when it says nothing that can be read; a long one is cut off.
[[nodiscard]] std::string claimed_subject(std::string_view token, const JwtRules& rules);

/// Who the token stands for, and until when.
/// Errors: kNotFound: a key that is not in `keys`, newer keys may have it;
///         kSaslAuthenticationFailed: all else. The detail is for our log, without the token.
Result<Identity> verify_jwt(std::string_view token, const JwkSet& keys, const JwtRules& rules,
                            WallMs now);

}  // namespace leat::auth
