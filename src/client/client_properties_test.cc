// SPDX-License-Identifier: Apache-2.0
//
// Method: example files against what java.util.Properties makes of them, and translations by name.
#include "client/client_properties.h"

#include <gtest/gtest.h>

#include "testkit/result_matchers.h"

namespace leat::client {
namespace {

TEST(ParseProperties, ReadsEveryFormThatJavaReads) {
    const auto got = parse_properties(
        "# comment\n! comment\n\n  a=1\r\nb : two words \nc three\nlong=one,\\\n   two\n"
        "path=C:\\\\x\nkey\\=x=\\u00e9\\n\nempty=\nlone\n");
    ASSERT_OK(got);
    const std::vector<std::pair<std::string, std::string>> want{
        {"a", "1"},        {"b", "two words "},     {"c", "three"}, {"long", "one,two"},
        {"path", "C:\\x"}, {"key=x", "\xC3\xA9\n"}, {"empty", ""},  {"lone", ""}};
    ASSERT_EQ(got->size(), want.size());
    for (std::size_t i = 0; i < want.size(); ++i) {
        EXPECT_EQ((*got)[i].name, want[i].first);
        EXPECT_EQ((*got)[i].value, want[i].second);
    }
    EXPECT_EQ((*got)[0].line, 4);
    EXPECT_EQ((*got)[4].line, 9);
}

TEST(ParseProperties, NamesTheLineOfABadEscape) {
    const auto got = parse_properties("a=1\nb=\\u12\n");
    EXPECT_ERRC(got, Errc::kInvalidSetting);
    EXPECT_TRUE(std::string{got.error().detail()}.starts_with("line 2"));
    EXPECT_ERRC(parse_properties("=1\n"), Errc::kInvalidSetting);
}

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
    EXPECT_ERRC(
        to_librdkafka({{"partition.assignment.strategy", "x.MyAssignor", 3}}, Role::kConsumer),
        Errc::kInvalidSetting);
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
