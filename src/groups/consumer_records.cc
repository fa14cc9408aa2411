// SPDX-License-Identifier: Apache-2.0
#include "groups/consumer_records.h"

#include <algorithm>
#include <array>

#include "base/arena.h"
#include "base/check.h"
#include "wire/reader.h"
#include "wire/records/consumer_group_current_member_assignment.h"
#include "wire/records/consumer_group_member_metadata.h"
#include "wire/records/consumer_group_metadata.h"
#include "wire/records/consumer_group_partition_metadata.h"
#include "wire/records/consumer_group_regular_expression.h"
#include "wire/records/consumer_group_target_assignment_member.h"
#include "wire/records/consumer_group_target_assignment_metadata.h"
#include "wire/writer.h"

namespace leat::groups {
namespace {

constexpr std::int16_t kVersion = 0;

constexpr std::array kTypes{
    wire::ConsumerGroupMetadataKey::kType,
    wire::ConsumerGroupPartitionMetadataKey::kType,
    wire::ConsumerGroupMemberMetadataKey::kType,
    wire::ConsumerGroupTargetAssignmentMetadataKey::kType,
    wire::ConsumerGroupTargetAssignmentMemberKey::kType,
    wire::ConsumerGroupCurrentMemberAssignmentKey::kType,
    wire::ConsumerGroupRegularExpressionKey::kType,
};

// Encoding: the message behind two bytes, the type of a key or the version of a value.

template <class Message>
std::vector<std::byte> bytes_of(std::int16_t before, const Message& message) {
    std::vector<std::byte> out(sizeof before + wire::encoded_size(message, kVersion).inline_bytes);
    wire::Writer writer{out};
    writer.i16(before);
    wire::encode(message, kVersion, writer);
    LEAT_CHECK(writer.written() == out.size());
    return out;
}

template <class Key>
std::vector<std::byte> key_of(const Key& key) {
    return bytes_of(Key::kType, key);
}

std::optional<std::string_view> view(const std::optional<std::string>& text) {
    return text ? std::optional<std::string_view>{*text} : std::nullopt;
}

std::span<std::string_view> views(const std::set<std::string>& texts, Arena& arena) {
    const auto out = arena.array<std::string_view>(texts.size());
    std::ranges::copy(texts, out.begin());
    return out;
}

using CurrentValue = wire::ConsumerGroupCurrentMemberAssignmentValue;

std::span<CurrentValue::TopicPartitions> rows_of(const OwnedPartitions& owned, Arena& arena) {
    const auto out = arena.array<CurrentValue::TopicPartitions>(owned.size());
    std::size_t next = 0;
    for (const auto& [topic, partitions] : owned) {
        CurrentValue::TopicPartitions& row = out[next++];
        row.topic_id = topic;
        row.partitions = arena.array<std::int32_t>(partitions.size());
        row.assignment_epochs = arena.array<std::int32_t>(partitions.size());
        std::size_t i = 0;
        for (const auto& [partition, epoch] : partitions) {
            row.partitions[i] = partition;
            (*row.assignment_epochs)[i++] = epoch;
        }
    }
    return out;
}

struct Encoder {
    std::string_view group_id;
    Arena arena = {};

    RecordToWrite operator()(const GroupEpochRecord& record) {
        RecordToWrite out{.key = key_of(wire::ConsumerGroupMetadataKey{group_id})};
        if (record.value)
            out.value = bytes_of(kVersion, wire::ConsumerGroupMetadataValue{
                                               .epoch = record.value->epoch,
                                               .metadata_hash = record.value->metadata_hash});
        return out;
    }
    RecordToWrite operator()(const PartitionMetadataRecord& record) {
        LEAT_CHECK(!record.has_value);
        return {.key = key_of(wire::ConsumerGroupPartitionMetadataKey{group_id})};
    }
    RecordToWrite operator()(const MemberMetadataRecord& record) {
        RecordToWrite out{
            .key = key_of(wire::ConsumerGroupMemberMetadataKey{group_id, record.member_id})};
        if (record.value) out.value = value_of(*record.value);
        return out;
    }
    RecordToWrite operator()(const TargetEpochRecord& record) {
        RecordToWrite out{.key = key_of(wire::ConsumerGroupTargetAssignmentMetadataKey{group_id})};
        if (record.value)
            out.value = bytes_of(kVersion, wire::ConsumerGroupTargetAssignmentMetadataValue{
                                               .assignment_epoch = record.value->epoch,
                                               .assignment_timestamp = record.value->timestamp});
        return out;
    }
    RecordToWrite operator()(const TargetMemberRecord& record) {
        RecordToWrite out{.key = key_of(wire::ConsumerGroupTargetAssignmentMemberKey{
                              group_id, record.member_id})};
        if (!record.value) return out;
        wire::ConsumerGroupTargetAssignmentMemberValue value;
        value.topic_partitions =
            arena.array<wire::ConsumerGroupTargetAssignmentMemberValue::TopicPartition>(
                record.value->size());
        std::size_t next = 0;
        for (const auto& [topic, partitions] : *record.value) {
            auto& row = value.topic_partitions[next++];
            row.topic_id = topic;
            row.partitions = arena.array<std::int32_t>(partitions.size());
            std::ranges::copy(partitions, row.partitions.begin());
        }
        out.value = bytes_of(kVersion, value);
        return out;
    }
    RecordToWrite operator()(const CurrentAssignmentRecord& record) {
        RecordToWrite out{.key = key_of(wire::ConsumerGroupCurrentMemberAssignmentKey{
                              group_id, record.member_id})};
        if (!record.value) return out;
        out.value = bytes_of(
            kVersion,
            CurrentValue{.member_epoch = record.value->epoch,
                         .previous_member_epoch = record.value->previous_epoch,
                         .state = static_cast<std::int8_t>(record.value->state),
                         .assigned_partitions = rows_of(record.value->assigned, arena),
                         .partitions_pending_revocation = rows_of(record.value->revoking, arena)});
        return out;
    }
    RecordToWrite operator()(const RegexRecord& record) {
        RecordToWrite out{
            .key = key_of(wire::ConsumerGroupRegularExpressionKey{group_id, record.regex})};
        if (record.value)
            out.value = bytes_of(kVersion, wire::ConsumerGroupRegularExpressionValue{
                                               .topics = views(record.value->topics, arena),
                                               .version = record.value->version,
                                               .timestamp = record.value->timestamp});
        return out;
    }

    std::vector<std::byte> value_of(const MemberMetadata& from) {
        using Value = wire::ConsumerGroupMemberMetadataValue;
        Value value{.instance_id = view(from.instance_id),
                    .rack_id = view(from.rack_id),
                    .client_id = from.client_id,
                    .client_host = from.client_host,
                    .subscribed_topic_names = views(from.topics, arena),
                    .subscribed_topic_regex = from.regex,
                    .rebalance_timeout_ms = from.rebalance_timeout_ms,
                    .server_assignor = view(from.assignor)};
        Value::ClassicMemberMetadata classic;
        if (from.classic) {
            classic.session_timeout_ms = from.classic->session_timeout_ms;
            classic.supported_protocols =
                arena.array<Value::ClassicProtocol>(from.classic->protocols.size());
            for (std::size_t i = 0; i < classic.supported_protocols.size(); ++i)
                classic.supported_protocols[i] = {from.classic->protocols[i].name,
                                                  from.classic->protocols[i].metadata};
            value.classic_member_metadata = &classic;
        }
        return bytes_of(kVersion, value);
    }
};

// Decoding.

std::optional<std::string> owned(const std::optional<std::string_view>& text) {
    return text ? std::optional<std::string>{*text} : std::nullopt;
}

/// Copies of what nobody may send twice: topics once, partitions ascending.
OwnedPartitions partitions_of(std::span<const CurrentValue::TopicPartitions> rows,
                              std::int32_t member_epoch) {
    OwnedPartitions out;
    for (const CurrentValue::TopicPartitions& row : rows) {
        // Brokers before 4.3 did not write when a partition was given.
        const bool has_epochs =
            row.assignment_epochs && row.assignment_epochs->size() == row.partitions.size();
        for (std::size_t i = 0; i < row.partitions.size(); ++i)
            out[row.topic_id][row.partitions[i]] =
                has_epochs ? (*row.assignment_epochs)[i] : std::max(member_epoch, 0);
    }
    return out;
}

MemberState state_of(std::int8_t number) {
    const auto state = static_cast<MemberState>(number);
    const bool is_known = state == MemberState::kStable || state == MemberState::kUnrevoked ||
                          state == MemberState::kUnreleased;
    return is_known ? state : MemberState::kUnknown;
}

std::optional<GroupEpochRecord::Value> from_wire(const wire::ConsumerGroupMetadataValue& value) {
    return GroupEpochRecord::Value{.epoch = value.epoch, .metadata_hash = value.metadata_hash};
}

std::optional<MemberMetadata> from_wire(const wire::ConsumerGroupMemberMetadataValue& value) {
    MemberMetadata out{
        .instance_id = owned(value.instance_id),
        .rack_id = owned(value.rack_id),
        .client_id = std::string{value.client_id},
        .client_host = std::string{value.client_host},
        .topics = {value.subscribed_topic_names.begin(), value.subscribed_topic_names.end()},
        .regex = std::string{value.subscribed_topic_regex.value_or("")},
        .rebalance_timeout_ms = value.rebalance_timeout_ms,
        .assignor = owned(value.server_assignor),
        .classic = {}};
    if (value.classic_member_metadata != nullptr) {
        // A member of the classic protocol has one at least.
        if (value.classic_member_metadata->supported_protocols.empty()) return std::nullopt;
        out.classic.emplace();
        out.classic->session_timeout_ms = value.classic_member_metadata->session_timeout_ms;
        for (const auto& protocol : value.classic_member_metadata->supported_protocols)
            out.classic->protocols.push_back(
                {std::string{protocol.name}, {protocol.metadata.begin(), protocol.metadata.end()}});
    }
    return out;
}

std::optional<TargetEpochRecord::Value> from_wire(
    const wire::ConsumerGroupTargetAssignmentMetadataValue& value) {
    return TargetEpochRecord::Value{.epoch = value.assignment_epoch,
                                    .timestamp = value.assignment_timestamp};
}

std::optional<TopicPartitions> from_wire(
    const wire::ConsumerGroupTargetAssignmentMemberValue& value) {
    TopicPartitions out;
    for (const auto& row : value.topic_partitions) {
        if (row.partitions.empty()) continue;
        std::vector<std::int32_t>& into = out[row.topic_id];
        into.insert(into.end(), row.partitions.begin(), row.partitions.end());
        std::ranges::sort(into);
        const auto doubles = std::ranges::unique(into);
        into.erase(doubles.begin(), doubles.end());
    }
    return out;
}

std::optional<CurrentAssignment> from_wire(const CurrentValue& value) {
    return CurrentAssignment{
        .epoch = value.member_epoch,
        .previous_epoch = value.previous_member_epoch,
        .state = state_of(value.state),
        .assigned = partitions_of(value.assigned_partitions, value.member_epoch),
        .revoking = partitions_of(value.partitions_pending_revocation, value.member_epoch)};
}

std::optional<ResolvedRegex> from_wire(const wire::ConsumerGroupRegularExpressionValue& value) {
    return ResolvedRegex{.topics = {value.topics.begin(), value.topics.end()},
                         .version = value.version,
                         .timestamp = value.timestamp};
}

template <class Message>
Result<Message> message_of(Bytes bytes, Arena& arena, bool has_version) {
    wire::Reader in{bytes, arena};
    const std::int16_t before = in.i16();
    LEAT_TRY_VOID(in.finish());
    if (has_version && before != kVersion) return wire::unsupported_version();
    Message out;
    LEAT_TRY_VOID(wire::decode(in, kVersion, out));
    return out;
}

/// Key and value of one kind; `make(key, value or nullopt)` puts the record together.
template <class Key, class Value, class Make>
Result<DecodedConsumerRecord> decoded(Bytes key_bytes, std::optional<Bytes> value_bytes,
                                      Make make) {
    Arena arena;
    LEAT_TRY(const Key key, message_of<Key>(key_bytes, arena, false));
    DecodedConsumerRecord out{.group_id = std::string{key.group_id}, .record = {}};
    if (!value_bytes) {
        out.record = make(key, std::nullopt);
        return out;
    }
    LEAT_TRY(const Value value, message_of<Value>(*value_bytes, arena, true));
    out.record = make(key, from_wire(value));
    return out;
}

}  // namespace

RecordToWrite encode(std::string_view group_id, const ConsumerRecord& record) {
    Encoder encoder{group_id};
    return std::visit(encoder, record);
}

bool is_consumer_record(std::int16_t type) {
    return std::ranges::find(kTypes, type) != kTypes.end();
}

Result<DecodedConsumerRecord> decode_consumer_record(Bytes key, std::optional<Bytes> value) {
    Arena unused;
    wire::Reader in{key, unused};
    const std::int16_t type = in.i16();
    LEAT_TRY_VOID(in.finish());
    LEAT_CHECK(is_consumer_record(type));
    const auto of_group = [](auto record) {
        return [record](const auto&, auto v) mutable {
            record.value = std::move(v);
            return record;
        };
    };
    const auto of_member = [](auto record) {
        return [record](const auto& k, auto v) mutable {
            record.member_id = k.member_id;
            record.value = std::move(v);
            return record;
        };
    };
    switch (type) {
        case wire::ConsumerGroupMetadataKey::kType:
            return decoded<wire::ConsumerGroupMetadataKey, wire::ConsumerGroupMetadataValue>(
                key, value, of_group(GroupEpochRecord{}));
        case wire::ConsumerGroupMemberMetadataKey::kType:
            return decoded<wire::ConsumerGroupMemberMetadataKey,
                           wire::ConsumerGroupMemberMetadataValue>(
                key, value, of_member(MemberMetadataRecord{}));
        case wire::ConsumerGroupTargetAssignmentMetadataKey::kType:
            return decoded<wire::ConsumerGroupTargetAssignmentMetadataKey,
                           wire::ConsumerGroupTargetAssignmentMetadataValue>(
                key, value, of_group(TargetEpochRecord{}));
        case wire::ConsumerGroupTargetAssignmentMemberKey::kType:
            return decoded<wire::ConsumerGroupTargetAssignmentMemberKey,
                           wire::ConsumerGroupTargetAssignmentMemberValue>(
                key, value, of_member(TargetMemberRecord{}));
        case wire::ConsumerGroupCurrentMemberAssignmentKey::kType:
            return decoded<wire::ConsumerGroupCurrentMemberAssignmentKey, CurrentValue>(
                key, value, of_member(CurrentAssignmentRecord{}));
        case wire::ConsumerGroupRegularExpressionKey::kType:
            return decoded<wire::ConsumerGroupRegularExpressionKey,
                           wire::ConsumerGroupRegularExpressionValue>(
                key, value, [](const auto& k, auto v) {
                    return RegexRecord{std::string{k.regular_expression}, std::move(v)};
                });
        default:
            break;
    }
    // What the old broker knew of the topics is of no use any more: only that it is there.
    Arena arena;
    LEAT_TRY(const auto old,
             message_of<wire::ConsumerGroupPartitionMetadataKey>(key, arena, false));
    return DecodedConsumerRecord{std::string{old.group_id},
                                 PartitionMetadataRecord{value.has_value()}};
}

}  // namespace leat::groups
