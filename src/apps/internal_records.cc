// SPDX-License-Identifier: Apache-2.0
#include "apps/internal_records.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <string>

#include "apps/base64.h"
#include "base/arena.h"
#include "base/endian.h"
#include "wire/reader.h"
#include "wire/records/consumer_group_current_member_assignment.h"
#include "wire/records/consumer_group_member_metadata.h"
#include "wire/records/consumer_group_metadata.h"
#include "wire/records/consumer_group_partition_metadata.h"
#include "wire/records/consumer_group_regular_expression.h"
#include "wire/records/consumer_group_target_assignment_member.h"
#include "wire/records/consumer_group_target_assignment_metadata.h"
#include "wire/records/consumer_protocol_assignment.h"
#include "wire/records/consumer_protocol_subscription.h"
#include "wire/records/group_metadata.h"
#include "wire/records/offset_commit.h"
#include "wire/records/transaction_log.h"

namespace leat::apps {
namespace {

namespace json = boost::json;

template <class T>
json::array array_of(std::span<T> items) {
    json::array out;
    for (const auto& item : items) out.emplace_back(item);
    return out;
}

template <class T>
json::value or_null(const std::optional<T>& maybe) {
    return maybe ? json::value(*maybe) : json::value{};
}

std::string base64_of(Bytes bytes) {
    return to_base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// {"topic", "partitions"} of each.
template <class T>
json::array topics_of(std::span<T> items) {
    json::array out;
    for (const auto& item : items)
        out.push_back({{"topic", item.topic}, {"partitions", array_of(item.partitions)}});
    return out;
}
template <class T>
json::array topic_ids_of(std::span<T> items) {
    json::array out;
    for (const auto& item : items)
        out.push_back(
            {{"topic_id", item.topic_id.text()}, {"partitions", array_of(item.partitions)}});
    return out;
}

/// `bytes` start with their version. nullopt: unknown version, or not the message.
template <class Message, class Print>
std::optional<json::value> read_versioned(Bytes bytes, Print print) {
    if (bytes.size() < 2) return std::nullopt;
    const auto version = load_be<std::int16_t>(bytes.data());
    if (version < Message::kVersions.min || version > Message::kVersions.max) return std::nullopt;
    Arena arena;
    wire::Reader in{bytes.subspan(2), arena};
    Message message;
    if (!decode(in, version, message)) return std::nullopt;
    return json::value(print(message, version));
}

/// Keys start with the number of their type; their own version is always 0.
template <class Message, class Print>
std::optional<json::value> read_key(Bytes bytes, Print print) {
    Arena arena;
    wire::Reader in{bytes.subspan(2), arena};
    Message message;
    if (!decode(in, 0, message)) return std::nullopt;
    return json::value(print(message));
}

json::value subscription_of(std::string_view protocol_type, Bytes bytes) {
    if (protocol_type == "consumer") {
        const auto found = read_versioned<wire::ConsumerProtocolSubscription>(
            bytes, [](const auto& m, std::int16_t) {
                return json::object{{"topics", array_of(m.topics)},
                                    {"owned_partitions", topics_of(m.owned_partitions)}};
            });
        if (found) return *found;
    }
    return json::value(base64_of(bytes));
}

json::value assignment_of(std::string_view protocol_type, Bytes bytes) {
    if (protocol_type == "consumer" && !bytes.empty()) {
        const auto found = read_versioned<wire::ConsumerProtocolAssignment>(
            bytes, [](const auto& m, std::int16_t) { return topics_of(m.assigned_partitions); });
        if (found) return *found;
    }
    return json::value(base64_of(bytes));
}

json::object print(const wire::OffsetCommitValue& m, std::int16_t version) {
    json::object out{{"version", version},
                     {"offset", m.offset},
                     {"leader_epoch", m.leader_epoch},
                     {"metadata", m.metadata},
                     {"commit_timestamp", m.commit_timestamp}};
    if (m.expire_timestamp >= 0) out["expire_timestamp"] = m.expire_timestamp;
    if (!m.topic_id.is_zero()) out["topic_id"] = m.topic_id.text();
    return out;
}

json::object print(const wire::GroupMetadataValue& m, std::int16_t version) {
    json::array members;
    for (const auto& one : m.members)
        members.push_back({{"member_id", one.member_id},
                           {"group_instance_id", or_null(one.group_instance_id)},
                           {"client_id", one.client_id},
                           {"client_host", one.client_host},
                           {"rebalance_timeout_ms", one.rebalance_timeout},
                           {"session_timeout_ms", one.session_timeout},
                           {"subscription", subscription_of(m.protocol_type, one.subscription)},
                           {"assignment", assignment_of(m.protocol_type, one.assignment)}});
    return {{"version", version},           {"protocol_type", m.protocol_type},
            {"generation", m.generation},   {"protocol", or_null(m.protocol)},
            {"leader", or_null(m.leader)},  {"current_state_timestamp", m.current_state_timestamp},
            {"members", std::move(members)}};
}

json::object print(const wire::ConsumerGroupMetadataValue& m, std::int16_t version) {
    return {{"version", version}, {"epoch", m.epoch}, {"metadata_hash", m.metadata_hash}};
}

json::object print(const wire::ConsumerGroupPartitionMetadataValue& m, std::int16_t version) {
    json::array topics;
    for (const auto& topic : m.topics)
        topics.push_back({{"topic", topic.topic_name},
                          {"topic_id", topic.topic_id.text()},
                          {"partitions", topic.num_partitions}});
    return {{"version", version}, {"topics", std::move(topics)}};
}

json::object print(const wire::ConsumerGroupMemberMetadataValue& m, std::int16_t version) {
    return {{"version", version},
            {"instance_id", or_null(m.instance_id)},
            {"rack_id", or_null(m.rack_id)},
            {"client_id", m.client_id},
            {"client_host", m.client_host},
            {"subscribed_topic_names", array_of(m.subscribed_topic_names)},
            {"subscribed_topic_regex", or_null(m.subscribed_topic_regex)},
            {"rebalance_timeout_ms", m.rebalance_timeout_ms},
            {"server_assignor", or_null(m.server_assignor)},
            {"uses_classic_protocol", m.classic_member_metadata != nullptr}};
}

json::object print(const wire::ConsumerGroupTargetAssignmentMetadataValue& m,
                   std::int16_t version) {
    return {{"version", version}, {"assignment_epoch", m.assignment_epoch}};
}

json::object print(const wire::ConsumerGroupTargetAssignmentMemberValue& m, std::int16_t version) {
    return {{"version", version}, {"topic_partitions", topic_ids_of(m.topic_partitions)}};
}

json::object print(const wire::ConsumerGroupCurrentMemberAssignmentValue& m, std::int16_t version) {
    return {{"version", version},
            {"member_epoch", m.member_epoch},
            {"previous_member_epoch", m.previous_member_epoch},
            {"state", m.state},
            {"assigned_partitions", topic_ids_of(m.assigned_partitions)},
            {"partitions_pending_revocation", topic_ids_of(m.partitions_pending_revocation)}};
}

json::object print(const wire::ConsumerGroupRegularExpressionValue& m, std::int16_t version) {
    return {{"version", version},
            {"topics", array_of(m.topics)},
            {"regular_expression_version", m.version},
            {"timestamp", m.timestamp}};
}

std::string_view transaction_state(std::int8_t number) {
    static constexpr std::string_view kNames[] = {
        "Empty",          "Ongoing",       "PrepareCommit", "PrepareAbort",
        "CompleteCommit", "CompleteAbort", "Dead",          "PrepareEpochFence"};
    const auto place = static_cast<std::uint8_t>(number);  // Negative ones are beyond all.
    return place < std::size(kNames) ? kNames[place] : "unknown";
}

json::object print(const wire::TransactionLogValue& m, std::int16_t version) {
    json::array partitions;
    if (m.transaction_partitions)
        for (const auto& topic : *m.transaction_partitions)
            partitions.push_back(
                {{"topic", topic.topic}, {"partitions", array_of(topic.partition_ids)}});
    return {{"version", version},
            {"state", transaction_state(m.transaction_status)},
            {"producer_id", m.producer_id},
            {"producer_epoch", m.producer_epoch},
            {"previous_producer_id", m.previous_producer_id},
            {"next_producer_id", m.next_producer_id},
            {"next_producer_epoch", m.next_producer_epoch},
            {"timeout_ms", m.transaction_timeout_ms},
            {"last_update_timestamp", m.transaction_last_update_timestamp_ms},
            {"start_timestamp", m.transaction_start_timestamp_ms},
            {"client_transaction_version", m.client_transaction_version},
            {"partitions", std::move(partitions)}};
}

template <class Message>
std::optional<json::value> value_of(Bytes bytes) {
    return read_versioned<Message>(
        bytes, [](const Message& m, std::int16_t version) { return print(m, version); });
}

/// How keys and values of one type are read.
struct RecordKind {
    std::int16_t type;
    std::optional<json::value> (*key)(Bytes);
    std::optional<json::value> (*value)(Bytes);
};

template <class Key, class Value>
constexpr RecordKind kind_of() {
    return {.type = Key::kType,
            .key =
                [](Bytes bytes) {
                    return read_key<Key>(bytes, [](const Key& m) {
                        json::object out{{"type", Key::kType}};
                        if constexpr (requires { m.group_id; }) out["group"] = m.group_id;
                        if constexpr (requires { m.group; }) out["group"] = m.group;
                        if constexpr (requires { m.topic; }) out["topic"] = m.topic;
                        if constexpr (requires { m.partition; }) out["partition"] = m.partition;
                        if constexpr (requires { m.member_id; }) out["member_id"] = m.member_id;
                        if constexpr (requires { m.regular_expression; })
                            out["regular_expression"] = m.regular_expression;
                        if constexpr (requires { m.transactional_id; })
                            out["transactional_id"] = m.transactional_id;
                        return out;
                    });
                },
            .value = value_of<Value>};
}

constexpr auto kOffsetKinds = std::to_array<RecordKind>({
    kind_of<wire::OffsetCommitKey, wire::OffsetCommitValue>(),
    kind_of<wire::GroupMetadataKey, wire::GroupMetadataValue>(),
    kind_of<wire::ConsumerGroupMetadataKey, wire::ConsumerGroupMetadataValue>(),
    kind_of<wire::ConsumerGroupPartitionMetadataKey, wire::ConsumerGroupPartitionMetadataValue>(),
    kind_of<wire::ConsumerGroupMemberMetadataKey, wire::ConsumerGroupMemberMetadataValue>(),
    kind_of<wire::ConsumerGroupTargetAssignmentMetadataKey,
            wire::ConsumerGroupTargetAssignmentMetadataValue>(),
    kind_of<wire::ConsumerGroupTargetAssignmentMemberKey,
            wire::ConsumerGroupTargetAssignmentMemberValue>(),
    kind_of<wire::ConsumerGroupCurrentMemberAssignmentKey,
            wire::ConsumerGroupCurrentMemberAssignmentValue>(),
    kind_of<wire::ConsumerGroupRegularExpressionKey, wire::ConsumerGroupRegularExpressionValue>(),
});
constexpr auto kTransactionKinds = std::to_array<RecordKind>({
    kind_of<wire::TransactionLogKey, wire::TransactionLogValue>(),
});

}  // namespace

std::optional<DecodedRecord> decode_internal(std::string_view topic, std::optional<Bytes> key,
                                             std::optional<Bytes> value) {
    std::span<const RecordKind> kinds;
    if (topic == "__consumer_offsets") kinds = kOffsetKinds;
    if (topic == "__transaction_state") kinds = kTransactionKinds;
    if (kinds.empty() || !key || key->size() < 2) return std::nullopt;
    auto type = load_be<std::int16_t>(key->data());
    // Offsets have been written under two types, with the same fields.
    if (topic == "__consumer_offsets" && type == 0) type = wire::OffsetCommitKey::kType;
    const auto kind = std::ranges::find(kinds, type, &RecordKind::type);
    if (kind == kinds.end()) return std::nullopt;
    auto decoded_key = kind->key(*key);
    if (!decoded_key) return std::nullopt;
    DecodedRecord out{.key = *std::move(decoded_key), .value = nullptr};
    if (!value) return out;
    auto decoded_value = kind->value(*value);
    if (!decoded_value) return std::nullopt;
    out.value = *std::move(decoded_value);
    return out;
}

}  // namespace leat::apps
