// SPDX-License-Identifier: Apache-2.0
//
// The first byte chooses: a set of keys, a token, or rules for names.
// Properties: nothing crashes; no token is good without the private key.
#include "auth/jwt.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/principal_rules.h"
#include "base/check.h"

namespace {

using namespace leat::auth;  // NOLINT(google-build-using-namespace): one fuzz target.

/// The public key of RFC 7517's example A.1.
constexpr std::string_view kKeys =
    R"({"keys":[{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}]})";

void check_token(std::string_view token) {
    static const auto set = JwkSet::parse(kKeys);
    LEAT_CHECK(set.has_value());
    static const JwtRules rules{
        .issuer = "i", .audiences = {"a"}, .algorithms = {"RS256", "ES256", "PS256"}};
    LEAT_CHECK(!verify_jwt(token, *set, rules, leat::WallMs{0}).has_value());
    LEAT_CHECK(claimed_subject(token, rules).size() <= 256);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text{reinterpret_cast<const char*>(data + 1), size - 1};  // NOLINT
    switch (data[0] % 4) {
        case 0:
            if (const auto keys = JwkSet::parse(text); keys.has_value())
                LEAT_CHECK(keys->size() > 0);
            break;
        case 1:
            check_token(text);
            break;
        case 2:
            if (const auto rules = CertificateRules::parse(text); rules.has_value())
                static_cast<void>(rules->user_of("CN=a,O=b"));
            break;
        default:
            if (const auto rules = KerberosRules::parse({std::string{text}}, "R");
                rules.has_value())
                static_cast<void>(rules->user_of({{"a", "b"}, "R"}));
            break;
    }
    return 0;
}
