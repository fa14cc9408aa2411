// SPDX-License-Identifier: Apache-2.0
//
// Method: translations by name, and a refusal for each value without one.
#include "client/client_properties.h"

#include <gtest/gtest.h>

#include "testkit/result_matchers.h"

namespace leat::client {
namespace {

TEST(ToLibrdkafka, TranslatesJavasNamesAndValues) {
    const std::vector<Property> java{
        {"max.request.size", "5", 1},
        {"buffer.memory", "33554432", 2},
        {"key.serializer", "x.StringSerializer", 3},
        {"fetch.max.wait.ms", "7", 4},
        {"partition.assignment.strategy",
         "org.apache.kafka.clients.consumer.CooperativeStickyAssignor", 5},
        {"socket.nagle.disable", "true", 6}};
    const auto producer = to_librdkafka(java, Role::kProducer);
    ASSERT_OK(producer);
    EXPECT_EQ(find_property(*producer, "message.max.bytes"), "5");
    EXPECT_EQ(find_property(*producer, "queue.buffering.max.kbytes"), "32768");
    EXPECT_EQ(find_property(*producer, "socket.nagle.disable"), "true");
    EXPECT_EQ(producer->size(), 3U);
    const auto consumer = to_librdkafka(java, Role::kConsumer);
    ASSERT_OK(consumer);
    EXPECT_EQ(find_property(*consumer, "fetch.wait.max.ms"), "7");
    EXPECT_EQ(find_property(*consumer, "partition.assignment.strategy"), "cooperative-sticky");
}

TEST(ToLibrdkafka, RefusesAValueItCannotTranslate) {
    EXPECT_ERRC(to_librdkafka({{"buffer.memory", "lots", 3}}, Role::kProducer),
                Errc::kInvalidSetting);
    EXPECT_ERRC(to_librdkafka({{"leat.input.buffer.max.bytes", "-1", 3}}, Role::kConsumer),
                Errc::kInvalidSetting);
    EXPECT_ERRC(
        to_librdkafka({{"partition.assignment.strategy", "x.MyAssignor", 3}}, Role::kConsumer),
        Errc::kInvalidSetting);
}

TEST(ToLibrdkafka, MetadataThatMayBeOlderThanItsBoundIsADayOld) {
    const auto age_of = [](const char* given) {
        const auto translated = to_librdkafka({{"metadata.max.age.ms", given, 1}}, Role::kConsumer);
        return translated ? std::string{find_property(*translated, "metadata.max.age.ms")} : "";
    };
    EXPECT_EQ(age_of("300000"), "300000");
    EXPECT_EQ(age_of("9223372036854775807"), "86400000");
    EXPECT_EQ(age_of("soon"), "soon");  // For librdkafka to refuse.
}

TEST(IsClientSetting, KnowsJavasAndLibrdkafkasNames) {
    for (const char* known :
         {"acks", "key.serializer", "fetch.max.wait.ms", "ssl.truststore.location",
          "sasl.login.callback.handler.class", "sasl.jaas.config", "queued.max.messages.kbytes",
          "queuing.strategy", "compression.codec", "client.rack", "bootstrap.servers"})
        EXPECT_TRUE(is_client_setting(known)) << known;
    for (const char* unknown : {"interceptor.classes", "my.own", "", "Acks", "ssl.truststore"})
        EXPECT_FALSE(is_client_setting(unknown)) << unknown;
}

TEST(CheckProperties, NamesAValueThatNoClientWouldTake) {
    EXPECT_OK(check_properties({{"linger.ms", "5", 1}}, Role::kProducer));
    const auto wrong = check_properties({{"linger.ms", "soon", 3}}, Role::kProducer);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code(), Errc::kInvalidSetting);
    EXPECT_NE(wrong.error().detail().find("linger.ms (line 3)"), std::string_view::npos);
    // The other kind's settings are none of its business.
    EXPECT_OK(check_properties({{"linger.ms", "soon", 3}}, Role::kConsumer));
}

TEST(SetProperty, ReplacesEveryEarlierValue) {
    std::vector<Property> some{{"a", "1", 1}, {"a", "2", 2}};
    EXPECT_EQ(find_property(some, "a"), "2");
    set_property(some, "a", "3");
    EXPECT_EQ(some.size(), 1U);
    EXPECT_EQ(find_property(some, "a"), "3");
    EXPECT_EQ(find_property(some, "b"), "");
}

}  // namespace
}  // namespace leat::client
