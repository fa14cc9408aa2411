// SPDX-License-Identifier: Apache-2.0
//
// Method: examples, and the round trip of any record through its JSON form.
#include "apps/record_text.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "apps/base64.h"
#include "apps/output.h"
#include "base/utf8.h"
#include "testkit/random.h"
#include "testkit/result_matchers.h"

namespace leat::apps {
namespace {

TEST(RecordJson, SendsWhatIsNoTextAsItWasWritten) {
    const auto record = record_from_json(
        R"( {"k\u0065y" : 1.10 , "value":{"a": [1.0,  0.1000000000000000055511151231257827, "]}"],)"
        R"( "b":1E5},"headers":{"h": 1.50,"t":"x"}, "value" : {"deg":37.37800000000000011, "s":"\"}"} } )");
    ASSERT_OK(record);
    EXPECT_EQ(record->key, "1.10");
    EXPECT_EQ(record->value, R"({"deg":37.37800000000000011, "s":"\"}"})");
    ASSERT_EQ(record->headers.size(), 2U);
    EXPECT_EQ(record->headers[0].value, "1.50");
    EXPECT_EQ(record->headers[1].value, "x");
    const auto list = record_from_json(
        R"({"headers":[{"name":"n","value":[1,2 ,3.00]},{"name":"m","value":null}],"value":true})");
    ASSERT_OK(list);
    EXPECT_EQ(list->value, "true");
    EXPECT_EQ(list->headers[0].value, "[1,2 ,3.00]");
    EXPECT_EQ(list->headers[1].value, std::nullopt);
}

TEST(RecordFromLine, SplitsAtTheFirstSeparatorOnly) {
    const LineRules rules{.key_separator = ";;", .null_marker = "NULL"};
    const auto record = record_from_line("k;;v;;w", rules);
    ASSERT_OK(record);
    EXPECT_EQ(record->key, "k");
    EXPECT_EQ(record->value, "v;;w");
    EXPECT_EQ(record_from_line("k;;NULL", rules)->value, std::nullopt);
    EXPECT_EQ(record_from_line("", {})->value, "");
}

TEST(RecordFromLine, WithoutTheSeparatorIsRefusedUnlessTheKeyIsOptional) {
    LineRules rules{.key_separator = ":", .null_marker = std::nullopt};
    for (const char* line : {"no key", "", "k;v"})
        EXPECT_ERRC(record_from_line(line, rules), Errc::kMalformed) << line;
    EXPECT_EQ(record_from_line(":v", rules)->key, "");
    rules.is_key_optional = true;
    EXPECT_EQ(record_from_line("no key", rules)->key, std::nullopt);
    EXPECT_EQ(record_from_line("no key", rules)->value, "no key");
    EXPECT_EQ(record_from_line("k:v", rules)->key, "k");
}

TEST(Unescaped, TakesTheEscapesOfAFormat) {
    EXPECT_EQ(*unescaped("--key-separator", R"(\t\\a\0)"), (std::string{"\t\\a\0", 4}));
    EXPECT_EQ(*unescaped("--key-separator", R"(;\)"), R"(;\)");
    const auto bad = unescaped("--key-separator", R"(\x)");
    EXPECT_ERRC(bad, Errc::kUsage);
    EXPECT_EQ(bad.error().detail(), R"(--key-separator: unknown escape '\x')");
}

TEST(RecordFromJson, SendsNonTextAsItsJson) {
    const auto record = record_from_json(
        R"({"key":7,"value":{"a":[1]},"headers":{"h":"x","n":null},"timestamp":"1970-01-01T00:00:01Z"})");
    ASSERT_OK(record);
    EXPECT_EQ(record->key, "7");
    EXPECT_EQ(record->value, R"({"a":[1]})");
    EXPECT_EQ(record->headers, (std::vector<client::Header>{{"h", "x"}, {"n", std::nullopt}}));
    EXPECT_EQ(record->timestamp, WallMs{1000});
    EXPECT_EQ(record->partition, std::nullopt);
}

TEST(RecordFromJson, RefusesWhatItCannotSend) {
    for (const char* bad :
         {"", "[]", "{\"key\":", R"({"value":"a","partition":-1})",
          R"({"value":"a","partition":"0"})", R"({"value_base64":"???"})",
          R"({"value":"a","headers":7})", R"({"value":"a","headers":[{}]})",
          R"({"value":"a","timestamp":"soon"})", R"({"value":"a","timestamp":-5})",
          R"({"value":"a","timestamp":0})", "{}", R"({"vlaue":"a"})", R"({"key":"k","vlaue":"a"})"})
        EXPECT_ERRC(record_from_json(bad), Errc::kMalformed) << bad;
}

TEST(RecordFromJson, TakesATombstoneAndARecordThatHadNoTimestamp) {
    const auto record = record_from_json(R"({"value":null,"timestamp":-1})");
    ASSERT_OK(record);
    EXPECT_EQ(record->value, std::nullopt);
    EXPECT_EQ(record->timestamp, std::nullopt);
}

TEST(RecordJson, IsReadBackAsTheSameRecord) {
    testkit::Random random;
    const auto some_bytes = [&random]() -> std::optional<std::string> {
        if (random.between(0, 4) == 0) return std::nullopt;
        std::string out(static_cast<std::size_t>(random.between(0, 9)), 'x');
        const int top = random.between(0, 1) == 0 ? 127 : 255;
        for (char& c : out) c = static_cast<char>(random.between(0, top));
        return out;
    };
    for (int round = 0; round < 500; ++round) {
        const auto key = some_bytes();
        const auto value = some_bytes();
        const auto header = some_bytes();
        const std::string name = some_bytes().value_or("h");
        const client::ReceivedRecord sent{.topic = "t",
                                          .partition = 3,
                                          .offset = Offset{9},
                                          .timestamp = WallMs{123},
                                          .timestamp_type = client::TimestampType::kCreateTime,
                                          .key = key,
                                          .value = value,
                                          .headers = {{name, header}}};
        const std::string line = to_json_line(record_to_json(sent));
        EXPECT_TRUE(is_utf8(line));
        const auto back = record_from_json(line);
        ASSERT_OK(back);
        EXPECT_EQ(back->key, key);
        EXPECT_EQ(back->value, value);
        EXPECT_EQ(back->headers, sent.headers);
        EXPECT_EQ(back->partition, 3);
        EXPECT_EQ(back->timestamp, WallMs{123});
    }
}

TEST(RecordJson, HasAHeadersNameThatIsNoTextInBase64) {
    client::ReceivedRecord sent;
    sent.headers = {{"\xFF", "v"}, {"h", "w"}};
    const boost::json::array headers = record_to_json(sent).at("headers").as_array();
    EXPECT_EQ(headers.at(0).at("name_base64"), "/w==");
    EXPECT_FALSE(headers.at(0).as_object().contains("name"));
    EXPECT_EQ(headers.at(1).at("name"), "h");
    const auto read = record_from_json(
        R"({"value":"","headers":[{"name_base64":"/w==","value":"v"},{"name":"h","name_base64":null}]})");
    ASSERT_OK(read);
    EXPECT_EQ(read->headers, (std::vector<client::Header>{{"\xFF", "v"}, {"h", std::nullopt}}));
    for (const char* bad :
         {R"({"value":"","headers":[{"name_base64":"?"}]})",
          R"({"value":"","headers":[{"name_base64":7}]})", R"({"value":"","headers":[{"name":7}]})",
          R"({"value":"","headers":[7]})"})
        EXPECT_ERRC(record_from_json(bad), Errc::kMalformed);
}

TEST(RecordFormat, PrintsFieldsAndEscapes) {
    const auto format = RecordFormat::parse(R"(%t/%p@%o %T %D [%k=%v] %h%%\t\\)");
    ASSERT_OK(format);
    std::string out;
    format->append({.topic = "t",
                    .partition = 1,
                    .offset = Offset{2},
                    .timestamp = WallMs{0},
                    .key = std::nullopt,
                    .value = "v",
                    .headers = {{"a", "1"}, {"b", std::nullopt}}},
                   out);
    EXPECT_EQ(out, "t/1@2 0 1970-01-01T00:00:00.000Z [=v] a=1,b=%\t\\");
    EXPECT_ERRC(RecordFormat::parse("%q"), Errc::kUsage);
    EXPECT_ERRC(RecordFormat::parse("\\q"), Errc::kUsage);
}

TEST(ParseHeaders, RefusesANameless) {
    const auto got = parse_headers("a=1,b=,c=x=y");
    ASSERT_OK(got);
    EXPECT_EQ(*got, (std::vector<client::Header>{{"a", "1"}, {"b", ""}, {"c", "x=y"}}));
    EXPECT_ERRC(parse_headers("=1"), Errc::kUsage);
    EXPECT_ERRC(parse_headers("a"), Errc::kUsage);
}

TEST(Base64, FollowsTheRfcsExamples) {
    EXPECT_EQ(to_base64(""), "");
    EXPECT_EQ(to_base64("f"), "Zg==");
    EXPECT_EQ(to_base64("fo"), "Zm8=");
    EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(from_base64("Zm8="), "fo");
    EXPECT_EQ(from_base64("Zm8"), std::nullopt);
    EXPECT_EQ(from_base64("Z==="), std::nullopt);
}

TEST(IsUtf8, RefusesOverlongSurrogatesAndTornSequences) {
    for (const char* good : {"", "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"})
        EXPECT_TRUE(is_utf8(good)) << good;
    for (const char* bad : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xC3",
                            "\x80", "\xE2\x82", "\xF4\x90\x80\x80"})
        EXPECT_FALSE(is_utf8(bad));
}

TEST(AsUtf8, ReplacesWhatBelongsToNoCharacter) {
    for (const char* good : {"", "a", "\xC3\xA9z", "\xF0\x9F\x98\x80"})
        EXPECT_EQ(as_utf8(good), good);
    EXPECT_EQ(as_utf8("a\xFF\xC3\xA9\xC3"), "a\xEF\xBF\xBD\xC3\xA9\xEF\xBF\xBD");
    EXPECT_EQ(as_utf8("\"\xE2\x82\""), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace leat::apps
