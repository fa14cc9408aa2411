// SPDX-License-Identifier: Apache-2.0
//
// Tokens are signed here with keys made for the test; each test changes one thing of a good one.
#include "auth/jwt.h"

#include <cjose/cjose.h>
#include <gtest/gtest.h>
#include <jansson.h>

#include "auth/digest.h"

namespace leat::auth {
namespace {

constexpr WallMs kNow{1'700'000'000'000};

std::string url_base64(std::string_view text) {
    std::string out = base64(text);
    for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
    while (out.ends_with('=')) out.pop_back();
    return out;
}

cjose_jwk_t* rsa_key(const char* id) {
    cjose_err error{};
    cjose_jwk_t* key = cjose_jwk_create_RSA_random(2048, nullptr, 0, &error);
    EXPECT_TRUE(cjose_jwk_set_kid(key, id, std::string_view{id}.size(), &error));
    return key;
}
cjose_jwk_t* first_key() {
    static cjose_jwk_t* key = rsa_key("k1");
    return key;
}
cjose_jwk_t* second_key() {
    static cjose_jwk_t* key = rsa_key("k2");
    return key;
}

std::string public_json(const cjose_jwk_t* key) {
    cjose_err error{};
    char* text = cjose_jwk_to_json(key, false, &error);
    std::string out{text};
    cjose_get_dealloc()(text);
    return out;
}

JwkSet keys() {
    auto out = JwkSet::parse(R"({"keys":[)" + public_json(first_key()) + "]}");
    EXPECT_TRUE(out.has_value());
    return *std::move(out);
}

std::string sign(cjose_jwk_t* key, const char* id, const char* algorithm, std::string_view claims) {
    cjose_err error{};
    cjose_header_t* header = cjose_header_new(&error);
    cjose_header_set(header, CJOSE_HDR_ALG, algorithm, &error);
    if (*id != '\0') cjose_header_set(header, CJOSE_HDR_KID, id, &error);
    cjose_jws_t* jws = cjose_jws_sign(
        key, header, reinterpret_cast<const std::uint8_t*>(claims.data()), claims.size(), &error);
    EXPECT_NE(jws, nullptr) << error.message;
    const char* text = nullptr;
    cjose_jws_export(jws, &text, &error);
    std::string out{text};
    cjose_jws_release(jws);
    cjose_header_release(header);
    return out;
}

constexpr std::string_view kGood =
    R"({"iss":"me","aud":["x","leat"],"sub":"alice","exp":1700000100,"nbf":1699999990,"iat":1699999990})";

JwtRules rules() {
    return {.issuer = "me", .audiences = {"leat"}, .algorithms = {"RS256", "PS256", "ES256"}};
}

std::string verdict(std::string_view token) {
    const auto identity = verify_jwt(token, keys(), rules(), kNow);
    return identity.has_value() ? identity->principal.text()
                                : std::string{identity.error().detail()};
}
std::string verdict_of_claims(std::string_view claims) {
    return verdict(sign(first_key(), "k1", "RS256", claims));
}

TEST(Jwt, StandsForItsUserUntilItsEnd) {
    const auto identity =
        verify_jwt(sign(first_key(), "k1", "RS256", kGood), keys(), rules(), kNow);
    ASSERT_TRUE(identity.has_value()) << identity.error().detail();
    EXPECT_EQ(identity->principal.text(), "User:alice");
    EXPECT_EQ(identity->expires, WallMs{1'700'000'100'000});
    EXPECT_EQ(verdict(sign(first_key(), "", "PS256", kGood)), "User:alice");
}

TEST(Jwt, RefusesClaimsThatAreNotForUs) {
    EXPECT_EQ(verdict_of_claims(R"({"iss":"me","aud":"leat","sub":"a"})"),
              "the token has no end (exp)");
    EXPECT_EQ(verdict_of_claims(R"({"iss":"me","aud":"leat","sub":"a","exp":1699999969})"),
              "the token has expired");
    EXPECT_EQ(verdict_of_claims(R"({"iss":"me","aud":"leat","sub":"a","exp":1e300})"),
              "the token has no end (exp)");
    EXPECT_EQ(verdict_of_claims(
                  R"({"iss":"me","aud":"leat","sub":"a","exp":1700000100,"nbf":1700000031})"),
              "the token is not valid yet (nbf)");
    EXPECT_EQ(verdict_of_claims(
                  R"({"iss":"me","aud":"leat","sub":"a","exp":1700000100,"iat":1700000031})"),
              "the token was made in the future (iat)");
    EXPECT_EQ(verdict_of_claims(R"({"iss":"you","aud":"leat","sub":"a","exp":1700000100})"),
              "the token is of another issuer");
    EXPECT_EQ(verdict_of_claims(R"({"iss":"me","aud":"other","sub":"a","exp":1700000100})"),
              "the token is for another audience");
    EXPECT_EQ(verdict_of_claims(R"({"iss":"me","sub":"a","exp":1700000100})"),
              "the token is for another audience");
    EXPECT_EQ(verdict_of_claims(R"({"iss":"me","aud":"leat","exp":1700000100})"),
              "the token names no user (sub)");
    EXPECT_EQ(verdict_of_claims(R"([1])"), "the token's claims are no object");
}

TEST(Jwt, AllowsTheClocksToDifferALittle) {
    EXPECT_EQ(verdict_of_claims(R"({"iss":"me","aud":"leat","sub":"a","exp":1699999971})"),
              "User:a");
}

TEST(Jwt, RefusesOtherKeysAndMethods) {
    const auto strange =
        verify_jwt(sign(second_key(), "k2", "RS256", kGood), keys(), rules(), kNow);
    ASSERT_FALSE(strange.has_value());
    EXPECT_EQ(strange.error().code(), Errc::kNotFound);
    EXPECT_EQ(verdict(sign(second_key(), "k1", "RS256", kGood)), "the token's signature is wrong");
    EXPECT_EQ(verdict(sign(first_key(), "k1", "RS384", kGood)),
              "the token is signed by a method that is not allowed");
}

TEST(Jwt, RefusesNoSignatureAndASignatureByThePublicKey) {
    const std::string body = "." + url_base64(kGood) + ".";
    for (const std::string_view header : {R"({"alg":"none"})", R"({"alg":"None","kid":"k1"})"})
        EXPECT_FALSE(verdict(url_base64(header) + body).starts_with("User:"));
    // A public key used as the secret of HMAC.
    const std::string head = url_base64(R"({"alg":"HS256","kid":"k1"})") + "." + url_base64(kGood);
    const std::string forged =
        head + "." + url_base64(hmac(Hash::kSha256, public_json(first_key()), head));
    EXPECT_FALSE(verdict(forged).starts_with("User:"));
}

TEST(Jwt, RefusesAChangedBody) {
    std::string token = sign(first_key(), "k1", "RS256", kGood);
    const std::size_t first = token.find('.');
    const std::size_t second = token.find('.', first + 1);
    token.replace(first + 1, second - first - 1,
                  url_base64(R"({"iss":"me","aud":"leat","sub":"root","exp":1700000100})"));
    EXPECT_EQ(verdict(token), "the token's signature is wrong");
}

TEST(Jwt, TellsWhomATokenNamesWithoutBelievingIt) {
    EXPECT_EQ(claimed_subject(sign(second_key(), "k2", "RS256", kGood), rules()), "alice");
    EXPECT_EQ(claimed_subject(sign(first_key(), "k1", "RS256", R"({"sub":7})"), rules()), "");
    EXPECT_EQ(claimed_subject("garbage", rules()), "");
    const std::string wide = R"({"sub":")" + std::string(255, 'x') + "\u00fc" + R"("})";
    EXPECT_EQ(claimed_subject(sign(first_key(), "k1", "RS256", wide), rules()),
              std::string(255, 'x'));
}

TEST(Jwt, RefusesGarbage) {
    for (const std::string_view text : {"", ".", "..", "a.b.c", "e30.e30.e30"})
        EXPECT_FALSE(verdict(text).starts_with("User:")) << text;
    EXPECT_EQ(verdict(std::string(kJwtBytesMax + 1, 'a')), "the token is too long");
}

TEST(Jwt, RefusesWhatIsNotBase64Url) {
    const std::string good = sign(first_key(), "k1", "RS256", "{}");
    const std::size_t first = good.find('.');
    const std::size_t second = good.find('.', first + 1);
    ASSERT_NE(second, std::string::npos);
    // In header, claims and signature; "=" inside of a group ends the process in cjose.
    for (const std::size_t at : {first - 5, second - 5, good.size() - 5})
        for (const char bad : {'=', '+', '/', ' ', '\n', '\0'}) {
            std::string token = good;
            token[at] = bad;
            EXPECT_EQ(verdict(token), "no signed token");
            EXPECT_EQ(claimed_subject(token, rules()), "");
        }
    EXPECT_EQ(verdict("eyJhb=GciOiJSUzI1NiIsImtpZCI6IjIwMTEtMDQtMjkifQ.e320.AAAA"),
              "no signed token");
}

TEST(JwkSet, LeavesOutWhatCannotCheckSignatures) {
    for (const std::string_view text :
         {"", "{}", R"({"keys":{}})", R"({"keys":[]})", R"({"keys":[{"kty":"oct","k":"AAAA"}]})",
          R"({"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]})", R"({"keys":[1,null]})",
          R"({"keys":[{"kty":"RSA","n":"AQAB","e":"A=AB"}]})",
          R"({"keys":[{"kty":"EC","crv":"P-256","x":"A=AB","y":"AQAB"}]})"})
        EXPECT_FALSE(JwkSet::parse(text).has_value()) << text;
}

}  // namespace
}  // namespace leat::auth
