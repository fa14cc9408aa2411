// SPDX-License-Identifier: Apache-2.0
#include "auth/oauth.h"

#include <gtest/gtest.h>

#include <string>

namespace leat::auth {
namespace {

Result<Identity> only_good(std::string_view token) {
    if (token == "good") return Identity{Principal::user("alice"), false, WallMs{5}};
    return Error{Errc::kSaslAuthenticationFailed};
}

TEST(OAuthMessage, KeepsTokenAndAuthorization) {
    const std::string message = oauth_message("a.b-c");  // What is parsed refers to it.
    const auto plain = parse_oauth(message);
    ASSERT_TRUE(plain.has_value());
    EXPECT_EQ(plain->token, "a.b-c");
    const auto more = parse_oauth(
        "n,a=bob=2Cx,\x01trace=1\x01"
        "auth=bEARER t\x01\x01");
    ASSERT_TRUE(more.has_value());
    EXPECT_EQ(more->authorization, "bob,x");
    EXPECT_EQ(more->token, "t");
}

TEST(OAuthMessage, RefusesWhatIsNone) {
    for (const std::string_view text : {"", "n,,", "n,,\x01", "n,,\x01\x01",
                                        "n,,\x01"
                                        "auth=Bearer \x01\x01",
                                        "n,,\x01"
                                        "auth=Basic x\x01\x01",
                                        "n,,\x01"
                                        "auth=Bearer x\x01",
                                        "y,,\x01"
                                        "auth=Bearer x\x01\x01",
                                        "n,,\x01"
                                        "auth=Bearer x y\x01\x01",
                                        "n,,\x01=1\x01\x01",
                                        "n,,\x01"
                                        "auth=Bearer x\x01"
                                        "auth=Bearer y\x01\x01"})
        EXPECT_FALSE(parse_oauth(text).has_value()) << text;
}

TEST(OAuthServer, TakesATokenThatIsGood) {
    const auto server = make_oauth_server(only_good, false);
    const auto step = server->next(oauth_message("good"));
    ASSERT_TRUE(step.has_value() && step->identity.has_value());
    EXPECT_EQ(step->identity->principal.text(), "User:alice");
    EXPECT_EQ(step->identity->expires, WallMs{5});
}

TEST(OAuthServer, TellsAnErrorAndFailsAtTheNextByte) {
    const auto server = make_oauth_server(only_good, false);
    const auto client = make_oauth_client("forged");
    const auto step = server->next(**client->next(""));
    ASSERT_TRUE(step.has_value());
    EXPECT_FALSE(step->identity.has_value());
    EXPECT_EQ(step->reply, R"({"status":"invalid_token"})");
    EXPECT_TRUE(step->is_refused) << "the client may hang up now";
    const auto last = client->next(step->reply);
    EXPECT_EQ(**last, "\x01");
    EXPECT_FALSE(server->next(**last).has_value());
    EXPECT_FALSE(server->next(oauth_message("good")).has_value());
}

TEST(OAuthServer, NamesWhomARefusedTokenClaims) {
    const auto server = make_oauth_server(
        only_good, false, [](std::string_view token) { return "of " + std::string{token}; });
    EXPECT_EQ(server->claimed(), "");
    ASSERT_TRUE(server->next(oauth_message("forged")).has_value());
    EXPECT_FALSE(server->next("\x01").has_value());
    EXPECT_EQ(server->claimed(), "of forged");
}

TEST(OAuthServer, RefusesToActAsSomebodyElse) {
    const auto server = make_oauth_server(only_good, false);
    EXPECT_FALSE(server
                     ->next("n,a=bob,\x01"
                            "auth=Bearer good\x01\x01")
                     .has_value());
}

}  // namespace
}  // namespace leat::auth
