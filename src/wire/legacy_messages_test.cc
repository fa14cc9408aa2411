// SPDX-License-Identifier: Apache-2.0
//
// Method: sets written here by the rules of the protocol guide, whole and broken in each way that
// the header names; record_fixtures_test.cc has Kafka's own.
#include "wire/legacy_messages.h"

#include <gtest/gtest.h>

#include "base/endian.h"
#include "codec/crc32.h"
#include "testkit/result_matchers.h"
#include "wire/record_reader.h"

namespace leat::wire {
namespace {

using Buffer = std::vector<std::byte>;
using codec::Codec;

constexpr LegacyLimits kPlenty{.inflated_bytes_max = std::size_t{1} << 24};

Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}

struct Spec {
    std::int64_t offset = 0;
    int magic = 1;
    int attributes = 0;
    std::int64_t timestamp = 5;
    std::optional<Bytes> key = {};
    std::optional<Bytes> value = {};
};

void put(Buffer& out, std::int32_t value) {
    out.resize(out.size() + 4);
    store_be(&out[out.size() - 4], value);
}

void put_field(Buffer& out, const std::optional<Bytes>& field) {
    put(out, field ? static_cast<std::int32_t>(field->size()) : -1);
    if (field) out.insert(out.end(), field->begin(), field->end());
}

Buffer message(const Spec& spec) {
    Buffer body = {static_cast<std::byte>(spec.magic), static_cast<std::byte>(spec.attributes)};
    if (spec.magic == 1) {
        body.resize(10);
        store_be(&body[2], spec.timestamp);
    }
    put_field(body, spec.key);
    put_field(body, spec.value);
    Buffer out(8);
    store_be(out.data(), spec.offset);
    put(out, static_cast<std::int32_t>(body.size() + 4));
    put(out, static_cast<std::int32_t>(codec::crc32(body)));
    out.insert(out.end(), body.begin(), body.end());
    return out;
}

Buffer joined(std::initializer_list<Buffer> parts) {
    Buffer out;
    for (const Buffer& part : parts) out.insert(out.end(), part.begin(), part.end());
    return out;
}

Buffer wrapped(const Buffer& inner, Spec outer, Codec codec = Codec::kGzip) {
    const auto packed = codec::compress(codec, inner);
    outer.attributes |= static_cast<int>(codec);
    outer.value = Bytes{*packed};
    return message(outer);
}

Errc error_of(const Buffer& set) {
    const auto parsed = LegacySet::parse(set, kPlenty);
    return parsed ? Errc::kNone : parsed.error().code();
}

TEST(LegacySet, TakesAppendTimeFromTheOuterMessage) {
    const Buffer inner =
        joined({message({.offset = 0, .timestamp = 1}), message({.offset = 1, .timestamp = 9})});
    const auto set = LegacySet::parse(
        wrapped(inner, {.offset = 101, .attributes = kAppendTimeBit, .timestamp = 77}), kPlenty);
    ASSERT_OK(set);
    ASSERT_EQ(set->messages().size(), 2U);
    EXPECT_EQ(set->messages()[0].timestamp, WallMs{77});
    EXPECT_EQ(set->messages()[0].offset, Offset{100});
    EXPECT_EQ(set->messages()[1].offset, Offset{101});
}

TEST(LegacySet, RefusesWhatMayNotStandInside) {
    const Buffer one = message({.value = bytes_of("v")});
    const Buffer zero = message({.magic = 0, .value = bytes_of("v")});
    EXPECT_EQ(error_of(one), Errc::kNone);
    EXPECT_EQ(error_of(wrapped(one, {})), Errc::kNone);
    EXPECT_EQ(error_of({}), Errc::kInvalidRecord);
    EXPECT_EQ(error_of(joined({one, zero})), Errc::kInvalidRecord);
    EXPECT_EQ(error_of(joined({one, wrapped(one, {})})), Errc::kInvalidRecord);
    EXPECT_EQ(error_of(joined({wrapped(one, {}), one})), Errc::kInvalidRecord);
    EXPECT_EQ(error_of(wrapped(zero, {})), Errc::kInvalidRecord);
    EXPECT_EQ(error_of(wrapped(wrapped(one, {}), {})), Errc::kInvalidRecord);
    EXPECT_EQ(error_of(wrapped({}, {})), Errc::kInvalidRecord);
    EXPECT_EQ(error_of(message({.attributes = 1})), Errc::kInvalidRecord);
    EXPECT_EQ(error_of(message({.attributes = 1, .value = bytes_of("no stream")})),
              Errc::kInvalidRecord);
    EXPECT_EQ(error_of(wrapped(one, {}, Codec::kZstd)), Errc::kUnsupportedCompressionType);
    EXPECT_EQ(error_of(message({.attributes = 7, .value = bytes_of("x")})),
              Errc::kUnsupportedCompressionType);
}

TEST(LegacySet, StopsABomb) {
    const Buffer zeros(1 << 22);
    const Buffer bomb = wrapped(message({.value = Bytes{zeros}}), {});
    EXPECT_ERRC(LegacySet::parse(bomb, {.inflated_bytes_max = 1 << 20}), Errc::kMessageTooLarge);
    EXPECT_OK(LegacySet::parse(bomb, {.inflated_bytes_max = (1 << 22) + 100}));
}

TEST(LegacySet, RefusesLargeMessagesBeforeTheyAreInflated) {
    const Buffer broken = message({.attributes = 1, .value = bytes_of("no stream")});
    const LegacyLimits limits{.inflated_bytes_max = 1 << 20,
                              .message_bytes_max = broken.size() - 1};
    EXPECT_ERRC(LegacySet::parse(broken, limits), Errc::kMessageTooLarge);
    const Buffer small = message({.value = bytes_of("v")});
    const Buffer large = message({.value = bytes_of("longer than the other")});
    const LegacyLimits one{.inflated_bytes_max = 1 << 20, .message_bytes_max = small.size()};
    EXPECT_OK(upconvert(joined({small, small}), one)) << "it is about one message, not the set";
    EXPECT_ERRC(upconvert(joined({small, large}), one), Errc::kMessageTooLarge);
}

TEST(LegacySet, RefusesEveryPrefixAndEveryFlippedByte) {
    const Buffer set = joined({message({.key = bytes_of("k"), .value = bytes_of("v")}),
                               message({.magic = 1, .value = bytes_of("w")})});
    const std::size_t half = message({.key = bytes_of("k"), .value = bytes_of("v")}).size();
    for (std::size_t size = 1; size < set.size(); ++size) {
        if (size == half) continue;
        const Buffer cut{set.begin(), set.begin() + static_cast<std::ptrdiff_t>(size)};
        EXPECT_EQ(error_of(cut), Errc::kCorruptMessage) << size;
    }
    for (std::size_t at = 8; at < set.size(); ++at) {
        if (at >= half && at < half + 8) continue;  // An offset.
        Buffer bad = set;
        bad[at] ^= std::byte{0x20};
        EXPECT_EQ(error_of(bad), Errc::kCorruptMessage) << at;
    }
}

TEST(Upconvert, NumbersMessagesWhateverTheirOffsets) {
    // Some clients put nothing useful inside of a compressed message.
    const Buffer inner =
        joined({message({.offset = 7, .timestamp = 30}), message({.offset = 7, .timestamp = 20}),
                message({.offset = 0, .timestamp = -1})});
    const auto batch = upconvert(wrapped(inner, {.offset = 2}, Codec::kLz4), kPlenty);
    ASSERT_OK(batch);
    const BatchHeader header = *parse_batch_header(*batch);
    EXPECT_EQ(header.record_count, 3);
    EXPECT_EQ(header.last_offset_delta, 2);
    EXPECT_EQ(header.base_timestamp, WallMs{30});
    EXPECT_EQ(header.max_timestamp, WallMs{30});
    EXPECT_EQ(header.codec(), Codec::kLz4);
    EXPECT_OK(check_crc(*batch));
}

TEST(Upconvert, RefusesANegativeTimestamp) {
    EXPECT_ERRC(upconvert(message({.timestamp = -2}), kPlenty), Errc::kInvalidTimestamp);
}

}  // namespace
}  // namespace leat::wire
