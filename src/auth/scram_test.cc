// SPDX-License-Identifier: Apache-2.0
//
// The example of RFC 7677 to the byte, then our two sides against each other and what must fail.
#include "auth/scram.h"

#include <gtest/gtest.h>

#include "auth/digest.h"
#include "auth/scram_message.h"

namespace leat::auth {
namespace {

constexpr std::string_view kRfcServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

ScramAccount account_of(ScramMechanism mechanism, std::string_view password) {
    ScramAccount out;
    out.credential = make_credential(mechanism, password, "salt and pepper", kScramIterationsMin);
    out.principal = Principal::user("alice");
    return out;
}

ScramServerOptions options_for(std::optional<ScramAccount> account,
                               ScramMechanism mechanism = ScramMechanism::kSha256) {
    return {.mechanism = mechanism,
            .find =
                [account](std::string_view name, bool by_token) {
                    return name == "alice" && !by_token ? account : std::nullopt;
                },
            .nonce = "servernonce",
            .fake_secret = "secret"};
}

/// The client's last result; the server's steps are checked on the way.
struct Outcome {
    bool is_server_content = false;
    bool is_client_content = false;
    std::string user;
};
Outcome talk(SaslServer& server, SaslClient& client) {
    Outcome out;
    std::string from_server;
    for (int step = 0; step < 5; ++step) {
        const auto to_server = client.next(from_server);
        if (!to_server.has_value()) return out;
        if (!to_server->has_value()) {
            out.is_client_content = true;
            return out;
        }
        const auto answer = server.next(**to_server);
        if (!answer.has_value()) return out;
        if (answer->identity) {
            out.is_server_content = true;
            out.user = answer->identity->principal.text();
        }
        from_server = answer->reply;
    }
    return out;
}

TEST(ScramServer, SpeaksTheExampleOfRfc7677) {
    ScramAccount account;
    account.credential = make_credential(ScramMechanism::kSha256, "pencil",
                                         *from_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
    account.principal = Principal::user("user");
    const auto server = make_scram_server(
        {.mechanism = ScramMechanism::kSha256,
         .find = [account](std::string_view, bool) { return std::optional{account}; },
         .nonce = std::string{kRfcServerNonce},
         .fake_secret = "x"});
    const auto first = server->next("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(first->reply,
              "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i="
              "4096");
    const auto last = server->next(
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    ASSERT_TRUE(last.has_value());
    EXPECT_EQ(last->reply, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    ASSERT_TRUE(last->identity.has_value());
    EXPECT_EQ(last->identity->principal.text(), "User:user");
}

TEST(ScramClient, SpeaksTheExampleOfRfc7677) {
    const auto client = make_scram_client({.mechanism = ScramMechanism::kSha256,
                                           .user = "user",
                                           .password = "pencil",
                                           .nonce = "rOprNGfwEbeRWgbNEkqO"});
    EXPECT_EQ(**client->next(""), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    EXPECT_EQ(**client->next("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                             "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
              "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
              "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    const auto end = client->next("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    ASSERT_TRUE(end.has_value());
    EXPECT_FALSE(end->has_value());
}

TEST(Scram, BothSidesAgreeInBothMechanisms) {
    for (const auto mechanism : {ScramMechanism::kSha256, ScramMechanism::kSha512}) {
        const auto server = make_scram_server(options_for(account_of(mechanism, "pw"), mechanism));
        const auto client = make_scram_client(
            {.mechanism = mechanism, .user = "alice", .password = "pw", .nonce = "abc"});
        const Outcome outcome = talk(*server, *client);
        EXPECT_TRUE(outcome.is_server_content && outcome.is_client_content);
        EXPECT_EQ(outcome.user, "User:alice");
    }
}

TEST(ScramServer, RefusesAWrongPassword) {
    const auto server = make_scram_server(options_for(account_of(ScramMechanism::kSha256, "pw")));
    const auto client = make_scram_client({.user = "alice", .password = "pv", .nonce = "abc"});
    EXPECT_FALSE(talk(*server, *client).is_server_content);
}

TEST(ScramServer, AnswersAStrangerLikeAUserAndRefusesHimLater) {
    const auto first_of = [](std::string_view secret, std::string_view name) {
        auto options = options_for(std::nullopt);
        options.fake_secret = secret;
        const auto server = make_scram_server(std::move(options));
        const auto step = server->next("n,,n=" + std::string{name} + ",r=abc");
        EXPECT_TRUE(step.has_value());
        const std::string reply = step->reply;
        EXPECT_FALSE(
            server->next("c=biws,r=abcservernonce,p=" + base64(std::string(32, 'x'))).has_value());
        return reply;
    };
    EXPECT_EQ(first_of("a", "bob"), first_of("a", "bob"));
    EXPECT_NE(first_of("a", "bob"), first_of("a", "carol"));
    EXPECT_NE(first_of("a", "bob"), first_of("b", "bob"));
}

// What an account has of its own must not be missing where there is none.
TEST(ScramServer, StrangersDifferByMechanismAndTokensHaveTheirIterations) {
    const auto first_of = [](ScramMechanism mechanism, std::string_view message) {
        auto options = options_for(std::nullopt);
        options.mechanism = mechanism;
        const auto server = make_scram_server(std::move(options));
        const auto step = server->next(message);
        EXPECT_TRUE(step.has_value());
        return step.has_value() ? step->reply : std::string{};
    };
    const std::string user = first_of(ScramMechanism::kSha256, "n,,n=bob,r=abc");
    const std::string token = first_of(ScramMechanism::kSha256, "n,,n=bob,r=abc,tokenauth=true");
    EXPECT_NE(user, first_of(ScramMechanism::kSha512, "n,,n=bob,r=abc"));
    EXPECT_TRUE(user.ends_with(",i=16384")) << user;
    EXPECT_TRUE(token.ends_with(",i=4096")) << token;
    EXPECT_NE(user.substr(0, user.find(",i=")), token.substr(0, token.find(",i=")));
}

TEST(ScramServer, RefusesANonceOfAnotherExchange) {
    const auto server = make_scram_server(options_for(account_of(ScramMechanism::kSha256, "pw")));
    ASSERT_TRUE(server->next("n,,n=alice,r=abc").has_value());
    EXPECT_FALSE(
        server->next("c=biws,r=abcothernonce,p=" + base64(std::string(32, 'x'))).has_value());
}

TEST(ScramServer, TakesTheNonceOfOldLibrdkafka) {
    // It says "c=biws,r=abcabcservernonce": its own half twice, and signs that.
    const auto account = account_of(ScramMechanism::kSha256, "pw");
    const auto server = make_scram_server(options_for(account));
    const auto first = server->next("n,,n=alice,r=abc");
    ASSERT_TRUE(first.has_value());
    const std::string without_proof = "c=biws,r=abcabcservernonce";
    const std::string signed_text = "n=alice,r=abc," + first->reply + "," + without_proof;
    std::string proof =
        hmac(Hash::kSha256,
             pbkdf2(Hash::kSha256, "pw", account.credential.salt, account.credential.iterations),
             "Client Key");
    const std::string signature = hmac(Hash::kSha256, account.credential.stored_key, signed_text);
    for (std::size_t i = 0; i < proof.size(); ++i)
        proof[i] = static_cast<char>(proof[i] ^ signature[i]);
    EXPECT_TRUE(server->next(without_proof + ",p=" + base64(proof)).has_value());
}

TEST(ScramServer, RefusesAProofWhoseHeaderDiffersFromTheFirst) {
    // Signed rightly by one who knows the password, but with another header than it began with.
    const auto account = account_of(ScramMechanism::kSha256, "pw");
    const auto server = make_scram_server(options_for(account));
    const auto first = server->next("y,,n=alice,r=abc");
    ASSERT_TRUE(first.has_value());
    const auto client = make_scram_client({.user = "alice", .password = "pw", .nonce = "abc"});
    ASSERT_TRUE(client->next("").has_value());
    const auto final = client->next(first->reply);  // Says "n,,".
    ASSERT_TRUE(final.has_value());
    EXPECT_FALSE(server->next(**final).has_value());
}

TEST(ScramServer, RefusesToActAsSomebodyElse) {
    const auto server = make_scram_server(options_for(account_of(ScramMechanism::kSha256, "pw")));
    EXPECT_FALSE(server->next("n,a=bob,n=alice,r=abc").has_value());
}

TEST(ScramServer, IsOverAfterAFailure) {
    const auto server = make_scram_server(options_for(account_of(ScramMechanism::kSha256, "pw")));
    EXPECT_FALSE(server->next("garbage").has_value());
    EXPECT_FALSE(server->next("n,,n=alice,r=abc").has_value());
}

TEST(ScramServer, AsksForATokenWhenTheExtensionSaysSo) {
    bool asked = false;
    const auto server = make_scram_server({.mechanism = ScramMechanism::kSha256,
                                           .find =
                                               [&](std::string_view name, bool by_token) {
                                                   asked = by_token && name == "id";
                                                   return std::optional<ScramAccount>{};
                                               },
                                           .nonce = "n",
                                           .fake_secret = "x"});
    ASSERT_TRUE(server->next("n,,n=id,r=abc,tokenauth=true").has_value());
    EXPECT_TRUE(asked);
}

TEST(ScramClient, RefusesAServerWithoutProofOrWithAnotherNonceOrTooLittleWork) {
    const auto begun = [](std::string_view server_first) {
        const auto client = make_scram_client({.user = "alice", .password = "pw", .nonce = "abc"});
        EXPECT_TRUE(client->next("").has_value());
        return client->next(server_first).has_value();
    };
    EXPECT_FALSE(begun("r=xyz1,s=c2FsdA==,i=4096"));
    EXPECT_FALSE(begun("r=abc,s=c2FsdA==,i=4096"));
    EXPECT_FALSE(begun("r=abc1,s=c2FsdA==,i=1"));
    EXPECT_FALSE(begun("r=abc1,s=c2FsdA==,i=2000000000"));
    const auto client = make_scram_client({.user = "alice", .password = "pw", .nonce = "abc"});
    ASSERT_TRUE(client->next("").has_value());
    ASSERT_TRUE(client->next("r=abc1,s=c2FsdA==,i=4096").has_value());
    EXPECT_FALSE(client->next("v=" + base64(std::string(32, 'x'))).has_value());
}

TEST(ScramMessage, KeepsCommasAndEqualsOfNames) {
    EXPECT_EQ(scram_escaped("a=b,c"), "a=3Db=2Cc");
    EXPECT_EQ(scram_unescaped("a=3Db=2Cc"), "a=b,c");
    EXPECT_FALSE(scram_unescaped("a=4D").has_value());
    EXPECT_FALSE(scram_unescaped("a=3").has_value());
}

TEST(ScramMessage, RefusesWhatIsNoFirstMessage) {
    for (const std::string_view text :
         {"", "n", "n,", "n,,", "p=tls-unique,,n=a,r=b", "n,,r=b,n=a", "n,,n=,r=b",
          "n,,n=a,r=", "n,b=c,n=a,r=b", "n,,n=a,r=b,x", "n,,m=x,n=a,r=b"})
        EXPECT_FALSE(parse_client_first(text).has_value()) << text;
}

TEST(Digest, RefusesBase64ThatIsNone) {
    EXPECT_EQ(from_base64("YQ=="), "a");
    EXPECT_EQ(from_base64(base64(std::string_view{"\0\xff", 2})), (std::string{"\0\xff", 2}));
    for (const std::string_view text : {"YQ", "YQ=", "Y===", "====", "YQ= ", "Y=Q=", " YQ="})
        EXPECT_FALSE(from_base64(text).has_value()) << text;
}

}  // namespace
}  // namespace leat::auth
