// SPDX-License-Identifier: Apache-2.0
//
// Keys and values of the records in __consumer_offsets, byte for byte as Kafka has them.
// Layer: groups (L5).
// Spec:  Kafka's OffsetCommitKey (1), OffsetCommitValue (0-4), GroupMetadataKey (2) and
//        GroupMetadataValue (0-4); docs/reference/formats/consumer-offsets.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "base/units.h"
#include "base/uuid.h"

namespace leat::groups {

/// Versions that we write, those that Kafka 4.3 writes and 3.x reads too.
inline constexpr std::int16_t kOffsetValueVersion = 3;
/// Needed for a topic id.
inline constexpr std::int16_t kOffsetValueVersionWithTopicId = 4;
/// Needed when the commit has a retention of its own.
inline constexpr std::int16_t kOffsetValueVersionWithExpiry = 1;
inline constexpr std::int16_t kGroupValueVersion = 3;
inline constexpr std::int16_t kOffsetValueVersionMax = 4;
inline constexpr std::int16_t kGroupValueVersionMax = 4;

struct OffsetKey {
    std::string_view group_id;
    std::string_view topic;
    std::int32_t partition = 0;
};

struct GroupKey {
    std::string_view group_id;
};

/// A key of a version that this coordinator has no use for: those of the newer group protocols
/// (3 to 8, 16) and those of the future. Its records are kept in the log and skipped.
struct OtherKey {
    std::int16_t version = 0;
};

using Key = std::variant<OffsetKey, GroupKey, OtherKey>;

struct OffsetValue {
    std::int64_t offset = 0;
    std::int32_t leader_epoch = -1;
    std::string_view metadata;
    WallMs committed_at{-1};
    WallMs expires_at{-1};  ///< -1: when the retention of the broker says so.
    Uuid topic_id;          ///< Zero when unknown.
};

struct MemberValue {
    std::string_view member_id;
    std::optional<std::string_view> instance_id;
    std::string_view client_id;
    std::string_view client_host;
    std::int32_t rebalance_timeout_ms = 0;
    std::int32_t session_timeout_ms = 0;
    Bytes subscription;
    Bytes assignment;
};

struct GroupValue {
    std::string_view protocol_type;
    std::int32_t generation = 0;
    std::optional<std::string_view> protocol;
    std::optional<std::string_view> leader;
    WallMs state_changed_at{-1};
    std::span<MemberValue> members;
};

/// Errors: kTruncated, kMalformed; an unknown version is no error but OtherKey. Views into `bytes`.
[[nodiscard]] Result<Key> decode_key(Bytes bytes);
/// Errors: kTruncated, kMalformed; kUnsupportedVersion for a version newer than we know.
[[nodiscard]] Result<OffsetValue> decode_offset_value(Bytes bytes);
/// The same errors; kLimitExceeded for more members than the arena bound of wire::Reader. `members`
/// lie in `arena`.
[[nodiscard]] Result<GroupValue> decode_group_value(Bytes bytes, Arena& arena);

[[nodiscard]] std::vector<std::byte> encode_key(const OffsetKey& key);
[[nodiscard]] std::vector<std::byte> encode_key(const GroupKey& key);
/// Precondition: 0 <= version <= the newest. Fields that the version lacks are left out.
[[nodiscard]] std::vector<std::byte> encode_value(const OffsetValue& value, std::int16_t version);
/// The version for `value`, as Kafka picks it; one with an expiry loses its topic id.
[[nodiscard]] std::int16_t version_for(const OffsetValue& value);
[[nodiscard]] std::vector<std::byte> encode_value(const GroupValue& value, std::int16_t version);

}  // namespace leat::groups
