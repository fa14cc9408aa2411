// SPDX-License-Identifier: Apache-2.0
#include "config/security.h"

#include <gtest/gtest.h>

#include "config/layers.h"
#include "testkit/result_matchers.h"

namespace leat::config {
namespace {

using Pairs = std::map<std::string, std::string>;

Layers with(const Pairs& pairs) {
    Layers out;
    for (const auto& [name, text] : pairs) out.file[name] = {text, "f:1"};
    return out;
}

std::string failure(const Pairs& pairs) {
    const auto config = resolve(with(pairs));
    return config.has_value() ? "" : std::string{config.error().detail()};
}

TEST(Security, ListenersHaveSettingsOfTheirOwn) {
    const Layers layers = with(
        {{"listeners", "IN://127.0.0.1:1,OUT://127.0.0.1:2"},
         {"listener.security.protocol.map", "IN:SASL_PLAINTEXT,OUT:SASL_PLAINTEXT"},
         {"sasl.enabled.mechanisms", "SCRAM-SHA-512"},
         {"connections.max.reauth.ms", "5"},
         {"listener.name.out.sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256"},
         {"listener.name.out.scram-sha-256.connections.max.reauth.ms", "7"},
         {"listener.name.out.plain.sasl.jaas.config", "PlainLoginModule required user_a=\"b\";"}});
    const auto config = resolve(layers);
    ASSERT_OK(config);
    const SaslSettings& in = (*config)->security.at("IN").sasl;
    const SaslSettings& out = (*config)->security.at("OUT").sasl;
    EXPECT_EQ(in.mechanisms, std::vector<std::string>{"SCRAM-SHA-512"});
    EXPECT_EQ(in.reauth_ms.at("SCRAM-SHA-512"), 5);
    EXPECT_EQ(out.mechanisms, (std::vector<std::string>{"PLAIN", "SCRAM-SHA-256"}));
    EXPECT_EQ(out.reauth_ms.at("PLAIN"), 5);
    EXPECT_EQ(out.reauth_ms.at("SCRAM-SHA-256"), 7);
    EXPECT_EQ(out.plain_users.at("a"), "b");
    EXPECT_EQ(unknown_names(layers), std::vector<std::string>{});
}

TEST(Security, NamesOfOtherListenersAreUnknown) {
    const Layers layers = with({{"listener.name.no.ssl.client.auth", "none"},
                                {"listener.name.plaintext.no.such", "x"},
                                {"listener.name.plaintext.ssl.client.auth", "none"}});
    EXPECT_EQ(unknown_names(layers), (std::vector<std::string>{"listener.name.no.ssl.client.auth",
                                                               "listener.name.plaintext.no.such"}));
}

TEST(Security, IsWhatFileAndCommandLineSay) {
    Layers layers = with({{"listeners", "SSL://127.0.0.1:1"},
                          {"ssl.keystore.location", "key.pem"},
                          {"ssl.truststore.location", "ca.pem"},
                          {"ssl.client.auth", "required"}});
    layers.dynamic_broker["listener.name.ssl.ssl.client.auth"] = "none";
    layers.dynamic_default["listener.name.ssl.ssl.keystore.location"] = "other.pem";
    layers.dynamic_broker["listener.name.ssl.of.mine"] = "x";
    const auto config = resolve(layers);
    ASSERT_OK(config);
    const TlsSettings& tls = (*config)->security.at("SSL").tls;
    EXPECT_EQ(tls.client_auth, ClientAuth::kRequired);
    EXPECT_EQ(tls.key_store.location, "key.pem");
    EXPECT_EQ(ignored_dynamic_names(layers),
              (std::vector<std::string>{"listener.name.ssl.ssl.client.auth",
                                        "listener.name.ssl.ssl.keystore.location"}));
}

TEST(Security, BesidesAPasswordOnlyTheListenerItselfAsksForACertificate) {
    Pairs pairs{{"listeners", "SSL://127.0.0.1:1,SASL_SSL://127.0.0.1:2,OUT://127.0.0.1:3"},
                {"listener.security.protocol.map", "SSL:SSL,SASL_SSL:SASL_SSL,OUT:SASL_SSL"},
                {"sasl.enabled.mechanisms", "SCRAM-SHA-256"},
                {"ssl.keystore.location", "key.pem"},
                {"ssl.truststore.location", "ca.pem"},
                {"ssl.client.auth", "required"},
                {"listener.name.out.ssl.client.auth", "requested"}};
    const auto config = resolve(with(pairs));
    ASSERT_OK(config);
    const auto asks = [&](const char* name) {
        return (*config)->security.at(name).tls.client_auth;
    };
    EXPECT_EQ(asks("SSL"), ClientAuth::kRequired);
    EXPECT_EQ(asks("SASL_SSL"), ClientAuth::kNone);
    EXPECT_EQ(asks("OUT"), ClientAuth::kRequested);
    pairs["listener.name.sasl_ssl.ssl.client.auth"] = "sometimes";
    EXPECT_TRUE(failure(pairs).contains("listener.name.sasl_ssl.ssl.client.auth"));
}

TEST(Security, TheKeysOfTokensMayHaveAnAuthorityOfTheirOwn) {
    const auto config =
        resolve(with({{"listeners", "SASL_PLAINTEXT://127.0.0.1:1"},
                      {"sasl.enabled.mechanisms", "OAUTHBEARER"},
                      {"sasl.oauthbearer.jwks.endpoint.url", "https://keys"},
                      {"sasl.oauthbearer.expected.issuer", "i"},
                      {"sasl.oauthbearer.expected.audience", "a"},
                      {"listener.name.sasl_plaintext.oauthbearer.sasl.jaas.config",
                       "OAuthBearerLoginModule required ssl.truststore.location=\"ca.p12\" "
                       "ssl.truststore.password=\"pw\";"}}));
    ASSERT_OK(config);
    const StoreSettings& store = (*config)->security.at("SASL_PLAINTEXT").sasl.oauth.trust_store;
    EXPECT_EQ(store.location, "ca.p12");
    EXPECT_EQ(store.password, "pw");
}

TEST(Security, AMechanismNeedsWhatItChecksAgainst) {
    const std::string listener = "SASL_PLAINTEXT://127.0.0.1:1";
    EXPECT_TRUE(failure({{"listeners", listener}}).contains("gssapi.sasl.jaas.config"));
    EXPECT_TRUE(failure({{"listeners", listener}, {"sasl.enabled.mechanisms", "OAUTHBEARER"}})
                    .contains("expected.issuer"));
    EXPECT_TRUE(failure({{"listeners", listener}, {"sasl.enabled.mechanisms", "DIGEST"}})
                    .contains("sasl.enabled.mechanisms"));
    EXPECT_TRUE(failure({{"listeners", "SSL://127.0.0.1:1"}}).contains("ssl.keystore.location"));
    EXPECT_TRUE(failure({{"listeners", "SSL://127.0.0.1:1"},
                         {"ssl.keystore.location", "x"},
                         {"ssl.client.auth", "required"}})
                    .contains("ssl.truststore.location"));
}

TEST(Security, APasswordIsInNoErrorText) {
    const std::string why = failure(
        {{"listeners", "SASL_PLAINTEXT://127.0.0.1:1"},
         {"sasl.enabled.mechanisms", "PLAIN"},
         {"listener.name.sasl_plaintext.plain.sasl.jaas.config", "M required user_a=\"secret"}});
    EXPECT_TRUE(why.contains("jaas.config"));
    EXPECT_FALSE(why.contains("secret"));
}

}  // namespace
}  // namespace leat::config
