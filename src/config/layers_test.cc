// SPDX-License-Identifier: Apache-2.0
//
// Method: small layer sets, one for each rule of precedence, units and consistency.
#include "config/layers.h"

#include <gtest/gtest.h>

#include "testkit/result_matchers.h"

namespace leat::config {
namespace {

Layers with_file(PlacedValues file) {
    Layers layers;
    layers.file = std::move(file);
    return layers;
}

std::string failure(const Layers& layers) {
    const auto config = resolve(layers);
    if (config.has_value()) return "ok";
    EXPECT_EQ(config.error().code(), Errc::kInvalidSetting);
    return std::string{config.error().detail()};
}

TEST(Layers, DefaultsOfTableAndStructAgree) {
    const auto config = resolve({});
    ASSERT_OK(config);
    EXPECT_EQ((*config)->topic, TopicConfig{});
    EXPECT_EQ((*config)->socket_request_max_bytes, BrokerConfig{}.socket_request_max_bytes);
    EXPECT_EQ((*config)->auto_create_topics, std::nullopt);
    EXPECT_EQ((*config)->listeners.size(), 1U);
    EXPECT_EQ(text_of((*config)->listeners[0]), "PLAINTEXT://127.0.0.1:9092");
}

TEST(Layers, NearerSourceWins) {
    Layers layers;
    const auto now = [&] { return (*resolve(layers))->max_connections; };
    layers.file["max.connections"] = {"1", "f:1"};
    EXPECT_EQ(now(), 1);
    layers.command_line["max.connections"] = {"2", "--set"};
    EXPECT_EQ(now(), 2);
    layers.dynamic_default["max.connections"] = "3";
    EXPECT_EQ(now(), 3);
    layers.dynamic_broker["max.connections"] = "4";
    EXPECT_EQ(now(), 4);
    EXPECT_EQ(winner(layers, "max.connections").source, Source::kDynamicBroker);
}

TEST(Layers, ErrorNamesPlaceAndSetting) {
    EXPECT_EQ(failure(with_file({{"max.connections", {"many", "leat.properties:12"}}})),
              "leat.properties:12: max.connections: Invalid value many for configuration "
              "max.connections: Not a number of type INT");
    EXPECT_EQ(failure(with_file({{"listeners", {"PLAINTEXT://localhost", "f:3"}}})),
              "f:3: listeners: PLAINTEXT://localhost: expected host:port or NAME://host:port");
}

TEST(Layers, RetentionTakesTheFinestUnitThatIsSet) {
    auto layers = with_file({{"log.retention.hours", {"2", "f:1"}}});
    const auto now = [&] { return (*resolve(layers))->topic.retention_ms; };
    EXPECT_EQ(now(), 7'200'000);
    layers.file["log.retention.minutes"] = {"3", "f:2"};
    EXPECT_EQ(now(), 180'000);
    layers.file["log.retention.ms"] = {"4", "f:3"};
    EXPECT_EQ(now(), 4);
    layers = with_file({{"log.retention.hours", {"-1", "f:1"}}});
    EXPECT_EQ(now(), -1);
}

TEST(Layers, OlderNamesAreTakenWhenTheNewerIsNotSet) {
    EXPECT_EQ((*resolve(with_file({{"broker.id", {"7", "f:1"}}})))->node_id, 7);
    EXPECT_EQ((*resolve(with_file({{"log.dir", {"/a", "f:1"}}})))->log_dirs,
              std::vector<std::string>{"/a"});
    EXPECT_EQ(
        (*resolve(with_file({{"log.dir", {"/a", "f:1"}}, {"log.dirs", {"/b", "f:2"}}})))->log_dirs,
        std::vector<std::string>{"/b"});
}

TEST(Layers, ContradictionsAreRefused) {
    EXPECT_EQ(failure(with_file({{"broker.id", {"7", "f:1"}}, {"node.id", {"8", "f:2"}}})),
              "f:1: broker.id: differs from node.id");
    EXPECT_EQ(failure(with_file({{"log.dirs", {"/a,/b", "f:1"}}})),
              "f:1: log.dirs: one data directory per process");
    EXPECT_EQ(failure(with_file({{"group.min.session.timeout.ms", {"9000000", "f:4"}}})),
              "f:4: group.min.session.timeout.ms: is above group.max.session.timeout.ms");
    EXPECT_EQ(
        failure(with_file({{"advertised.listeners", {"PLAINTEXT://0.0.0.0:9092", "f:1"}}})),
        "f:1: advertised.listeners: PLAINTEXT://0.0.0.0:9092: clients cannot connect to every "
        "address; name one");
    EXPECT_EQ(failure(with_file({{"advertised.listeners", {"SSL://a:1", "f:1"}}})),
              "f:1: advertised.listeners: SSL://a:1: there is no listener SSL");
}

TEST(Layers, KafkaFileIsUnderstood) {
    const auto config = resolve(with_file(
        {{"process.roles", {"broker,controller", "f:1"}},
         {"node.id", {"1", "f:2"}},
         {"controller.quorum.voters", {"1@localhost:9093", "f:3"}},
         {"controller.listener.names", {"CONTROLLER", "f:4"}},
         {"listener.security.protocol.map",
          {"CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,OUTSIDE:SSL", "f:5"}},
         {"listeners", {"PLAINTEXT://:9092,CONTROLLER://:9093,OUTSIDE://[::1]:9094", "f:6"}},
         {"listener.name.outside.ssl.keystore.location", {"key.pem", "f:7"}},
         {"num.network.threads", {"3", "f:8"}}}));
    ASSERT_OK(config);
    ASSERT_EQ((*config)->listeners.size(), 2U);
    EXPECT_EQ(
        (*config)->listeners[1],
        (Listener{.name = "OUTSIDE", .protocol = Protocol::kSsl, .host = "::1", .port = 9094}));
}

TEST(Layers, AControllersListenerIsNotAdvertisedEither) {
    // As Kafka 4 ships it.
    auto layers = with_file(
        {{"process.roles", {"broker,controller", "f:1"}},
         {"controller.listener.names", {"CONTROLLER", "f:2"}},
         {"listener.security.protocol.map", {"CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT", "f:3"}},
         {"listeners", {"PLAINTEXT://:9092,CONTROLLER://:9093", "f:4"}},
         {"advertised.listeners",
          {"PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093", "f:5"}}});
    const auto config = resolve(layers);
    ASSERT_OK(config);
    ASSERT_EQ((*config)->advertised_listeners.size(), 1U);
    EXPECT_EQ((*config)->advertised_listeners[0].name, "PLAINTEXT");
    layers.file["advertised.listeners"].text = "PLAINTEXT://localhost:9092,OTHER://localhost:1";
    EXPECT_FALSE(resolve(layers));
}

TEST(Layers, UnknownNamesAreListed) {
    auto layers = with_file({{"no.such", {"1", "f:1"}}, {"node.id", {"1", "f:2"}}});
    EXPECT_EQ(unknown_names(layers), std::vector<std::string>{"no.such"});
    EXPECT_OK(resolve(layers));
}

TEST(Layers, WhatWouldDecideAboutRightsIsNotIgnored) {
    EXPECT_EQ(failure(with_file({{"super.users", {"User:a;alice", "f:1"}}})),
              "f:1: super.users: Invalid value User:a;alice for configuration super.users: "
              "Expected a string in format principalType:principalName");
    for (const char* bad : {":a", "User:", "a;User:b"})
        EXPECT_TRUE(failure(with_file({{"super.users", {bad, "f:1"}}})).contains("format")) << bad;
    EXPECT_OK(resolve(with_file({{"super.users", {" User:a ; ; Role:b:c", "f:1"}}})));

    EXPECT_TRUE(failure(with_file({{"principal.builder.class", {"com.acme.Mine", "f:7"}}}))
                    .starts_with("f:7: principal.builder.class: "));
    EXPECT_OK(resolve(with_file({{"principal.builder.class",
                                  {"org.apache.kafka.common.security.authenticator."
                                   "DefaultKafkaPrincipalBuilder",
                                   "f:1"}}})));
    for (const char* name :
         {"ssl.engine.factory.class", "security.providers", "create.topic.policy.class.name",
          "alter.config.policy.class.name", "client.quota.callback.class",
          "sasl.server.callback.handler.class", "listener.name.plaintext.ssl.engine.factory.class",
          "listener.name.plaintext.plain.sasl.server.callback.handler.class"}) {
        EXPECT_TRUE(failure(with_file({{name, {"com.acme.Mine", "f:7"}}}))
                        .starts_with("f:7: " + std::string{name} + ": "))
            << name;
        EXPECT_OK(resolve(with_file({{name, {"", "f:7"}}}))) << name;
    }
    EXPECT_OK(resolve(with_file(
        {{"listener.name.plaintext.oauthbearer.sasl.server.callback.handler.class",
          {"org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler",
           "f:7"}}})));
}

TEST(Layers, AListenerHasLimitsOfItsOwn) {
    auto layers =
        with_file({{"listeners", {"IN://127.0.0.1:1,OUT://127.0.0.1:2", "f:1"}},
                   {"listener.security.protocol.map", {"IN:PLAINTEXT,OUT:PLAINTEXT", "f:2"}},
                   {"max.connections", {"9", "f:3"}},
                   {"listener.name.out.max.connections", {"5", "f:4"}}});
    layers.dynamic_default["listener.name.out.max.connection.creation.rate"] = "7";
    const auto limits = [&](const char* name) {
        return (*resolve(layers))->listener_limits.at(name);
    };
    EXPECT_EQ(limits("IN"), ListenerLimits{});
    EXPECT_EQ(limits("OUT"),
              (ListenerLimits{.max_connections = 5, .max_connection_creation_rate = 7}));
    layers.dynamic_broker["listener.name.out.max.connections"] = "3";
    EXPECT_EQ(limits("OUT").max_connections, 3);
    EXPECT_EQ(unknown_names(layers), std::vector<std::string>{});
    layers.dynamic_broker["listener.name.out.max.connections"] = "-1";
    EXPECT_TRUE(failure(layers).contains("listener.name.out.max.connections"));
}

TEST(ResolveTopic, OverridesWinOverBroker) {
    const auto broker = resolve(with_file(
        {{"log.segment.bytes", {"2000000", "f:1"}}, {"compression.type", {"lz4", "f:2"}}}));
    ASSERT_OK(broker);
    const auto plain = resolve_topic(**broker, {});
    EXPECT_EQ(plain->segment_bytes, 2'000'000);
    EXPECT_EQ(plain->compression, Compression::kLz4);
    const auto own = resolve_topic(**broker, {{"segment.bytes", "3000000"},
                                              {"cleanup.policy", "compact, delete"},
                                              {"leat.durability", "os"},
                                              {"message.timestamp.type", "LogAppendTime"}});
    EXPECT_EQ(own->segment_bytes, 3'000'000);
    EXPECT_TRUE(own->cleanup_compact && own->cleanup_delete);
    EXPECT_EQ(own->durability, Durability::kOs);
    EXPECT_EQ(own->timestamp_type, TimestampType::kLogAppendTime);
    EXPECT_EQ(
        resolve_topic(**broker, {{"internal.segment.bytes", "9"}, {"segment.bytes", "3000000"}})
            ->segment_bytes,
        9);
}

}  // namespace
}  // namespace leat::config
