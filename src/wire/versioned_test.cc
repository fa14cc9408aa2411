// SPDX-License-Identifier: Apache-2.0
#include "wire/versioned.h"

#include <gtest/gtest.h>

#include "testkit/bytes.h"
#include "testkit/result_matchers.h"
#include "wire/records/consumer_protocol_subscription.h"
#include "wire/records/offset_commit.h"

namespace leat::wire {
namespace {

using testkit::hex;

TEST(Versioned, KeyStandsBehindItsTypeAndValueBehindItsVersion) {
    const auto key = encode_key(OffsetCommitKey{.group = "g", .topic = "t", .partition = 3});
    EXPECT_EQ(key, hex("00 01 00 01 67 00 01 74 00 00 00 03"));
    OffsetCommitValue value;
    value.offset = 7;
    const auto bytes = encode_versioned(value, 3);
    EXPECT_EQ(bytes[1], std::byte{3});

    Arena arena;
    Reader in{key, arena};
    const auto type = decode_type(in);
    ASSERT_OK(type);
    EXPECT_EQ(*type, OffsetCommitKey::kType);
    OffsetCommitKey got;
    ASSERT_OK(decode(in, 0, got));
    EXPECT_EQ(got.partition, 3);
    Reader value_in{bytes, arena};
    OffsetCommitValue got_value;
    ASSERT_OK(decode_versioned(value_in, NewerVersion::kRefuse, got_value));
    EXPECT_EQ(got_value.offset, 7);
}

TEST(Versioned, NewerStateIsRefusedAndNewerMetadataIsReadAsTheNewestKnown) {
    Arena arena;
    const auto state = hex("00 63 00 00 00 00 00 00 00 00");
    Reader refused{state, arena};
    OffsetCommitValue value;
    EXPECT_ERRC(decode_versioned(refused, NewerVersion::kRefuse, value), Errc::kUnsupportedVersion);
    ConsumerProtocolSubscription one;
    std::vector<std::byte> bytes =
        encode_versioned(one, ConsumerProtocolSubscription::kVersions.max);
    bytes[1] = std::byte{99};
    bytes.push_back(std::byte{0xAB});
    Reader lenient{bytes, arena};
    EXPECT_OK(decode_versioned(lenient, NewerVersion::kReadAsNewest, one));
    const auto cut = hex("00");
    Reader short_in{cut, arena};
    EXPECT_ERRC(decode_versioned(short_in, NewerVersion::kReadAsNewest, one), Errc::kTruncated);
}

}  // namespace
}  // namespace leat::wire
