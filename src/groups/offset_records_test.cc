// SPDX-License-Identifier: Apache-2.0
// Method: records that a Kafka node wrote are read and written back, byte for byte; then each
// version by hand.
#include "groups/offset_records.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/endian.h"
#include "testkit/result_matchers.h"

namespace leat::groups {
namespace {

using Buffer = std::vector<std::byte>;

Buffer unhex(std::string_view text) {
    Buffer out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        out.push_back(
            static_cast<std::byte>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16)));
    }
    return out;
}

TEST(OffsetRecords, KafkasRecordsComeBackByteForByte) {
    std::ifstream in{"tests/fixtures/consumer-offsets-kafka-4.3.1.hex"};
    std::string line;
    int offsets = 0;
    int groups = 0;
    while (std::getline(in, line)) {
        if (line.starts_with('#')) continue;
        const std::size_t space = line.find(' ');
        const Buffer key_bytes = unhex(line.substr(0, space));
        const bool is_tombstone = line.substr(space + 1) == "-";
        const Buffer value = is_tombstone ? Buffer{} : unhex(line.substr(space + 1));
        const auto key = decode_key(key_bytes);
        ASSERT_OK(key) << line;
        if (const auto* offset = std::get_if<OffsetKey>(&*key)) {
            EXPECT_EQ(encode_key(*offset), key_bytes);
            if (is_tombstone) continue;
            const auto decoded = decode_offset_value(value);
            ASSERT_OK(decoded) << line;
            EXPECT_EQ(encode_value(*decoded, version_for(*decoded)), value) << line;
            ++offsets;
        }
        if (const auto* group = std::get_if<GroupKey>(&*key)) {
            EXPECT_EQ(encode_key(*group), key_bytes);
            if (is_tombstone) continue;
            Arena arena;
            const auto decoded = decode_group_value(value, arena);
            ASSERT_OK(decoded) << line;
            EXPECT_EQ(encode_value(*decoded, kGroupValueVersion), value) << line;
            ++groups;
        }
    }
    EXPECT_GE(offsets, 10);
    EXPECT_GE(groups, 20);
}

TEST(OffsetRecords, OffsetValueKeepsWhatEachVersionHas) {
    Uuid id;
    id.bytes.fill(7);
    const OffsetValue value{.offset = 42,
                            .leader_epoch = 5,
                            .metadata = "note",
                            .committed_at = WallMs{1000},
                            .expires_at = WallMs{2000},
                            .topic_id = id};
    for (std::int16_t version = 0; version <= kOffsetValueVersionMax; ++version) {
        const auto bytes = encode_value(value, version);
        EXPECT_EQ(load_be<std::int16_t>(bytes.data()), version);
        const auto back = decode_offset_value(bytes);
        ASSERT_OK(back);
        EXPECT_EQ(back->offset, 42);
        EXPECT_EQ(back->metadata, "note");
        EXPECT_EQ(back->committed_at, WallMs{1000});
        EXPECT_EQ(back->leader_epoch, version >= 3 ? 5 : -1);
        EXPECT_EQ(back->expires_at, WallMs{version == 1 ? 2000 : -1});
        EXPECT_EQ(back->topic_id, version == 4 ? id : Uuid{});
    }
}

TEST(OffsetRecords, GroupValueKeepsWhatEachVersionHas) {
    const Buffer blob(3, std::byte{9});
    MemberValue members[] = {{.member_id = "m1",
                              .instance_id = "i1",
                              .client_id = "c",
                              .client_host = "/h",
                              .rebalance_timeout_ms = 7,
                              .session_timeout_ms = 8,
                              .subscription = blob,
                              .assignment = blob}};
    const GroupValue value{.protocol_type = "consumer",
                           .generation = 3,
                           .protocol = "range",
                           .leader = "m1",
                           .state_changed_at = WallMs{99},
                           .members = members};
    for (std::int16_t version = 0; version <= kGroupValueVersionMax; ++version) {
        Arena arena;
        const auto bytes = encode_value(value, version);
        const auto back = decode_group_value(bytes, arena);
        ASSERT_OK(back);
        EXPECT_EQ(back->generation, 3);
        EXPECT_EQ(back->protocol, "range");
        EXPECT_EQ(back->leader, "m1");
        EXPECT_EQ(back->state_changed_at, WallMs{version >= 2 ? 99 : -1});
        ASSERT_EQ(back->members.size(), 1);
        EXPECT_EQ(back->members[0].member_id, "m1");
        EXPECT_EQ(back->members[0].instance_id.has_value(), version >= 3);
        EXPECT_EQ(back->members[0].rebalance_timeout_ms, version >= 1 ? 7 : 8);
        EXPECT_EQ(back->members[0].subscription.size(), 3);
    }
}

TEST(OffsetRecords, KeysOfOtherProtocolsAreToldApart) {
    constexpr std::int16_t kOthers[] = {3, 4, 5, 6, 7, 8, 16, 99, -1};
    for (const std::int16_t version : kOthers) {
        Buffer key(4);
        store_be(key.data(), version);
        const auto decoded = decode_key(key);
        ASSERT_OK(decoded);
        ASSERT_TRUE(std::holds_alternative<OtherKey>(*decoded));
        EXPECT_EQ(std::get<OtherKey>(*decoded).version, version);
    }
}

TEST(OffsetRecords, CutAndForeignValuesAreRefused) {
    const auto key = encode_key(OffsetKey{"g", "t", 1});
    for (std::size_t size = 0; size < key.size(); ++size) {
        EXPECT_FALSE(decode_key(Bytes{key}.first(size))) << size;
    }
    const auto value = encode_value(OffsetValue{}, 3);
    for (std::size_t size = 0; size < value.size(); ++size) {
        EXPECT_FALSE(decode_offset_value(Bytes{value}.first(size))) << size;
    }
    Buffer newer = value;
    store_be(newer.data(), std::int16_t{5});
    EXPECT_ERRC(decode_offset_value(newer), Errc::kUnsupportedVersion);
    Arena arena;
    EXPECT_ERRC(decode_group_value(newer, arena), Errc::kUnsupportedVersion);
}

}  // namespace
}  // namespace leat::groups
