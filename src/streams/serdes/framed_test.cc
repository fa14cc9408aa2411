// SPDX-License-Identifier: Apache-2.0
// Frames byte for byte as the wire format's description has them, and a codec within.
#include "leat/streams/framed.h"

#include <gmock/gmock.h>

#include <limits>

namespace leat::streams {
namespace {

using std::string;
using std::vector;
using std::string_literals::operator""s;
using testing::ElementsAre;

string frame(std::int32_t id, const vector<std::int32_t>& message) {
    string out;
    append_schema_frame(out, id, &message);
    return out;
}

/// Text, under a schema of the number that its topic's name is.
class Words final : public SchemaCodec<string> {
  public:
    Result<std::int32_t> schema_id(std::string_view topic) const override {
        if (topic.empty()) return Error{Errc::kInvalidRecord, "no schema"};
        return std::stoi(string{topic});
    }
    [[nodiscard]] vector<std::int32_t> message() const override { return {1, 0}; }
    Result<void> write(const string& value, string& out) const override {
        out += value;
        return {};
    }
    Result<string> read(std::string_view topic, const SchemaFrame& frame) const override {
        return string{topic} + "/" + std::to_string(frame.schema_id) + "/" +
               std::to_string(frame.message.size()) + "/" + string{frame.value};
    }
};

TEST(Framed, ValuesFollowMagicAndId) {
    const auto serde = avro<string>(std::make_shared<Words>());
    string out;
    ASSERT_TRUE(serde->encode("16909060", "ab", out));
    EXPECT_EQ(out, "\0\1\2\3\4ab"s);
    EXPECT_EQ(*serde->decode("t", out), "t/16909060/0/ab");
    EXPECT_EQ(*json_schema<string>(std::make_shared<Words>())->decode("t", out), "t/16909060/0/ab");
    EXPECT_EQ(serde->encode("", "ab", out).error().detail(), "no schema");
}

TEST(Framed, ProtobufTellsTheMessage) {
    const auto serde = protobuf<string>(std::make_shared<Words>());
    string out;
    ASSERT_TRUE(serde->encode("7", "ab", out));
    EXPECT_EQ(out, "\0\0\0\0\7\4\2\0ab"s);
    EXPECT_EQ(*serde->decode("t", out), "t/7/2/ab");
    EXPECT_EQ(frame(1, {0}), "\0\0\0\0\1\0"s);
    EXPECT_EQ(frame(1, {100}), "\0\0\0\0\1\2\xC8\1"s);
    EXPECT_THAT(parse_schema_frame("\0\0\0\0\1\0x"s, true)->message, ElementsAre(0));
    EXPECT_THAT(
        parse_schema_frame(frame(-1, {3, std::numeric_limits<std::int32_t>::max()}), true)->message,
        ElementsAre(3, std::numeric_limits<std::int32_t>::max()));
}

TEST(Framed, WhatHasNoFrameIsRefused) {
    for (const auto& bytes : {""s, "\0\0\0\0"s, "\1\0\0\0\1x"s, "{}"s})
        EXPECT_FALSE(parse_schema_frame(bytes, false)) << bytes;
    for (const auto& bytes : {"\0\0\0\0\1"s, "\0\0\0\0\1\4\2"s, "\0\0\0\0\1\1x"s,
                              "\0\0\0\0\1\2\1x"s, "\0\0\0\0\1\xFE\xFF\xFF\xFF\x0Fx"s})
        EXPECT_FALSE(parse_schema_frame(bytes, true));
}

}  // namespace
}  // namespace leat::streams
