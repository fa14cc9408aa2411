// SPDX-License-Identifier: Apache-2.0
#include "groups/offset_records.h"

#include "base/check.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace leat::groups {
namespace {

constexpr std::int16_t kOffsetKeyVersionMax = 1;
constexpr std::int16_t kGroupKeyVersion = 2;
constexpr std::int16_t kFlexibleFrom = 4;

/// Measures with one pass of `put`, writes with another.
template <class Put>
std::vector<std::byte> encode(Put put) {
    wire::Sizer sizer;
    put(sizer);
    std::vector<std::byte> out(sizer.size().inline_bytes);
    wire::Writer writer{out};
    put(writer);
    LEAT_CHECK(writer.written() == out.size());
    return out;
}

void put_member(auto& out, const MemberValue& member, std::int16_t version) {
    const bool flex = version >= kFlexibleFrom;
    out.string(member.member_id, flex);
    if (version >= 3) out.nullable_string(member.instance_id, flex);
    out.string(member.client_id, flex);
    out.string(member.client_host, flex);
    if (version >= 1) out.i32(member.rebalance_timeout_ms);
    out.i32(member.session_timeout_ms);
    out.bytes(member.subscription, flex);
    out.bytes(member.assignment, flex);
    if (flex) out.uvarint(0);
}

void read_member(wire::Reader& in, std::int16_t version, MemberValue& member) {
    const bool flex = version >= kFlexibleFrom;
    member.member_id = in.string(flex);
    if (version >= 3) member.instance_id = in.nullable_string(flex);
    member.client_id = in.string(flex);
    member.client_host = in.string(flex);
    if (version >= 1) member.rebalance_timeout_ms = in.i32();
    member.session_timeout_ms = in.i32();
    // The old versions have one timeout for both.
    if (version < 1) member.rebalance_timeout_ms = member.session_timeout_ms;
    member.subscription = in.bytes(flex);
    member.assignment = in.bytes(flex);
    if (flex) in.skip_tags();
}

/// The version that starts a value. Errors: kTruncated, kUnsupportedVersion.
Result<std::int16_t> value_version(wire::Reader& in, std::int16_t max) {
    const std::int16_t version = in.i16();
    LEAT_TRY_VOID(in.finish());
    if (version < 0 || version > max) return wire::unsupported_version();
    return version;
}

void read_topic_id(wire::Reader& in, Uuid& out) {
    const std::uint32_t count = in.tag_count();
    for (std::uint32_t i = 0; i < count && !in.failed(); ++i) {
        const wire::TagMark tag = in.tag();
        if (tag.number == 0)
            out = in.uuid();
        else
            in.skip_tag(tag);
    }
}

}  // namespace

Result<Key> decode_key(Bytes bytes) {
    Arena unused;
    wire::Reader in{bytes, unused};
    const std::int16_t version = in.i16();
    LEAT_TRY_VOID(in.finish());
    if (version >= 0 && version <= kOffsetKeyVersionMax) {
        OffsetKey key;
        key.group_id = in.string(false);
        key.topic = in.string(false);
        key.partition = in.i32();
        LEAT_TRY_VOID(in.finish());
        return Key{key};
    }
    if (version == kGroupKeyVersion) {
        const GroupKey key{in.string(false)};
        LEAT_TRY_VOID(in.finish());
        return Key{key};
    }
    return Key{OtherKey{version}};
}

Result<OffsetValue> decode_offset_value(Bytes bytes) {
    Arena unused;
    wire::Reader in{bytes, unused};
    LEAT_TRY(const std::int16_t version, value_version(in, kOffsetValueVersionMax));
    const bool flex = version >= kFlexibleFrom;
    OffsetValue value;
    value.offset = in.i64();
    if (version >= 3) value.leader_epoch = in.i32();
    value.metadata = in.string(flex);
    value.committed_at = WallMs{in.i64()};
    if (version == 1) value.expires_at = WallMs{in.i64()};
    if (flex) read_topic_id(in, value.topic_id);
    LEAT_TRY_VOID(in.finish());
    return value;
}

Result<GroupValue> decode_group_value(Bytes bytes, Arena& arena) {
    wire::Reader in{bytes, arena};
    LEAT_TRY(const std::int16_t version, value_version(in, kGroupValueVersionMax));
    const bool flex = version >= kFlexibleFrom;
    GroupValue value;
    value.protocol_type = in.string(flex);
    value.generation = in.i32();
    value.protocol = in.nullable_string(flex);
    value.leader = in.nullable_string(flex);
    if (version >= 2) value.state_changed_at = WallMs{in.i64()};
    // Least sizes: three strings, the timeouts, two byte fields, in the form of the version.
    value.members = in.array<MemberValue>(flex, flex ? 15 : 18);
    for (MemberValue& member : value.members) {
        read_member(in, version, member);
        if (in.failed()) break;
    }
    if (flex) in.skip_tags();
    LEAT_TRY_VOID(in.finish());
    return value;
}

std::vector<std::byte> encode_key(const OffsetKey& key) {
    return encode([&](auto& out) {
        out.i16(kOffsetKeyVersionMax);
        out.string(key.group_id, false);
        out.string(key.topic, false);
        out.i32(key.partition);
    });
}

std::vector<std::byte> encode_key(const GroupKey& key) {
    return encode([&](auto& out) {
        out.i16(kGroupKeyVersion);
        out.string(key.group_id, false);
    });
}

std::vector<std::byte> encode_value(const OffsetValue& value, std::int16_t version) {
    LEAT_CHECK(version >= 0 && version <= kOffsetValueVersionMax);
    const bool flex = version >= kFlexibleFrom;
    return encode([&](auto& out) {
        out.i16(version);
        out.i64(value.offset);
        if (version >= 3) out.i32(value.leader_epoch);
        out.string(value.metadata, flex);
        out.i64(value.committed_at.value);
        if (version == 1) out.i64(value.expires_at.value);
        if (!flex) return;
        out.uvarint(value.topic_id.is_zero() ? 0 : 1);
        if (value.topic_id.is_zero()) return;
        out.tag(0, value.topic_id.bytes.size());
        out.uuid(value.topic_id);
    });
}

std::int16_t version_for(const OffsetValue& value) {
    if (value.expires_at.value >= 0) return kOffsetValueVersionWithExpiry;
    return value.topic_id.is_zero() ? kOffsetValueVersion : kOffsetValueVersionWithTopicId;
}

std::vector<std::byte> encode_value(const GroupValue& value, std::int16_t version) {
    LEAT_CHECK(version >= 0 && version <= kGroupValueVersionMax);
    const bool flex = version >= kFlexibleFrom;
    return encode([&](auto& out) {
        out.i16(version);
        out.string(value.protocol_type, flex);
        out.i32(value.generation);
        out.nullable_string(value.protocol, flex);
        out.nullable_string(value.leader, flex);
        if (version >= 2) out.i64(value.state_changed_at.value);
        out.array(flex, value.members.size());
        for (const MemberValue& member : value.members) put_member(out, member, version);
        if (flex) out.uvarint(0);
    });
}

}  // namespace leat::groups
