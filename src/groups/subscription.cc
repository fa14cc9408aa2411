// SPDX-License-Identifier: Apache-2.0
#include "groups/subscription.h"

#include <algorithm>

#include "base/check.h"
#include "wire/reader.h"
#include "wire/records/consumer_protocol_assignment.h"
#include "wire/records/consumer_protocol_subscription.h"
#include "wire/writer.h"

namespace leat::groups {
namespace {

/// The version in front, no newer than the newest we know: each only adds to the one before.
Result<std::int16_t> known_version(wire::Reader& in, std::int16_t newest) {
    const std::int16_t version = in.i16();
    LEAT_TRY_VOID(in.finish());
    if (version < 0) return Error{Errc::kMalformed, "negative version of a consumer's blob"};
    return std::min(version, newest);
}

}  // namespace

Result<std::vector<std::string_view>> subscribed_topics(Bytes subscription) {
    Arena arena;
    wire::Reader in{subscription, arena};
    const std::int16_t version = in.i16();
    LEAT_TRY_VOID(in.finish());
    if (version < 0) return Error{Errc::kMalformed, "negative version of a subscription"};
    const std::span<std::string_view> topics = in.array<std::string_view>(false, 2);
    for (std::string_view& topic : topics) {
        topic = in.string(false);
        if (in.failed()) break;
    }
    LEAT_TRY_VOID(in.finish());
    return std::vector<std::string_view>(topics.begin(), topics.end());
}

Result<ConsumerSubscription> parse_subscription(Bytes subscription) {
    Arena arena;
    wire::Reader in{subscription, arena};
    LEAT_TRY(const std::int16_t version,
             known_version(in, wire::ConsumerProtocolSubscription::kVersions.max));
    wire::ConsumerProtocolSubscription read;
    LEAT_TRY_VOID(wire::decode(in, version, read));
    ConsumerSubscription out;
    out.topics.assign(read.topics.begin(), read.topics.end());
    for (const auto& owned : read.owned_partitions)
        out.owned.push_back(
            {std::string{owned.topic}, {owned.partitions.begin(), owned.partitions.end()}});
    out.rack_id = std::string{read.rack_id.value_or("")};
    return out;
}

std::span<OwnedTopic> owned_topics(const ConsumerSubscription& subscription,
                                   const ClusterView& cluster, Arena& arena) {
    const auto out = arena.array<OwnedTopic>(subscription.owned.size());
    std::size_t count = 0;
    for (const ConsumerSubscription::Owned& owned : subscription.owned)
        if (const auto found = cluster.find(owned.topic))
            out[count++] = {.topic_id = found->id, .partitions = owned.partitions};
    return out.first(count);
}

Result<TopicPartitions> parse_assignment(Bytes assignment, const ClusterView& cluster) {
    TopicPartitions out;
    if (assignment.empty()) return out;
    Arena arena;
    wire::Reader in{assignment, arena};
    LEAT_TRY(const std::int16_t version,
             known_version(in, wire::ConsumerProtocolAssignment::kVersions.max));
    wire::ConsumerProtocolAssignment read;
    LEAT_TRY_VOID(wire::decode(in, version, read));
    if (read.user_data && !read.user_data->empty())
        return Error{Errc::kUnsupportedVersion, "user data of a custom assignor would be lost"};
    for (const auto& assigned : read.assigned_partitions) {
        const auto found = cluster.find(assigned.topic);
        if (!found || assigned.partitions.empty()) continue;
        std::vector<std::int32_t>& into = out[found->id];
        into.insert(into.end(), assigned.partitions.begin(), assigned.partitions.end());
        std::ranges::sort(into);
        const auto doubles = std::ranges::unique(into);
        into.erase(doubles.begin(), doubles.end());
    }
    return out;
}

std::vector<std::byte> encode_assignment(const TopicPartitions& assignment,
                                         const ClusterView& cluster, Bytes subscription) {
    using Message = wire::ConsumerProtocolAssignment;
    Arena arena;
    wire::Reader in{subscription, arena};
    const Result<std::int16_t> read = known_version(in, Message::kVersions.max);
    const std::int16_t version = read ? *read : std::int16_t{0};
    Message message;
    message.assigned_partitions = arena.array<Message::TopicPartition>(assignment.size());
    std::size_t count = 0;
    for (const auto& [topic, partitions] : assignment) {
        const auto found = cluster.find(topic);
        if (!found) continue;
        Message::TopicPartition& row = message.assigned_partitions[count++];
        row.topic = found->name;
        row.partitions = arena.array<std::int32_t>(partitions.size());
        std::ranges::copy(partitions, row.partitions.begin());
    }
    message.assigned_partitions = message.assigned_partitions.first(count);
    std::vector<std::byte> out(sizeof version + wire::encoded_size(message, version).inline_bytes);
    wire::Writer writer{out};
    writer.i16(version);
    wire::encode(message, version, writer);
    LEAT_CHECK(writer.written() == out.size());
    return out;
}

}  // namespace leat::groups
