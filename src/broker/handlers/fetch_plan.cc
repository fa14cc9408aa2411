// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/fetch_plan.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>

#include "broker/access.h"
#include "broker/metrics.h"

namespace leat::broker {
namespace {

using wire::FetchRequest;

constexpr std::int16_t kTopicIdsSince = 13;
constexpr std::int32_t kFinalEpoch = -1;  ///< Closes a session, or does without one.
constexpr std::int32_t kInitialEpoch = 0;

Errc error_of(const metadata::Topic* topic, std::int32_t index, bool by_id) {
    if (topic == nullptr) return by_id ? Errc::kUnknownTopicId : Errc::kUnknownTopicOrPartition;
    if (index < 0 || index >= topic->partition_count) return Errc::kUnknownTopicOrPartition;
    return Errc::kNone;
}

/// Only replicas fetch with an id of their own, and there are none.
bool is_replica(const FetchRequest& message) {
    return std::max(message.replica_id, message.replica_state.replica_id) >= 0;
}

/// Fills in what only the metadata of this moment can tell, the sender's rights included.
void resolve(Request& request, const FetchRequest& message, FetchItem& item, bool by_id) {
    const metadata::Image& image = request.shard->image();
    const metadata::Topic* topic = by_id ? image.find(item.id.topic) : image.find(item.topic);
    const bool has_name = !by_id || topic != nullptr;
    const std::string_view name = topic != nullptr ? std::string_view{topic->name} : item.topic;
    if (has_name && !is_replica(message) && !may_topic(request, auth::Operation::kRead, name))
        item.error = Errc::kTopicAuthorizationFailed;
    else
        item.error = error_of(topic, item.id.index, by_id);
    if (topic != nullptr) item.id.topic = topic->id;
}

FetchItem item_of(const FetchRequest::FetchTopic& topic, const FetchRequest::FetchPartition& from) {
    return {.topic = topic.topic,
            .id = {topic.topic_id, from.partition},
            .from = {from.fetch_offset},
            .bytes_max = static_cast<std::size_t>(std::max(0, from.partition_max_bytes)),
            .current_leader_epoch = from.current_leader_epoch,
            .last_fetched_epoch = from.last_fetched_epoch,
            .remembered = nullptr,
            .error = Errc::kNone,
            .diverging = {},
            .result = {}};
}

FetchItem item_of(SessionPartition& from) {
    return {.topic = from.topic,
            .id = from.id,
            .from = from.fetch_offset,
            .bytes_max = static_cast<std::size_t>(std::max(0, from.bytes_max)),
            .current_leader_epoch = from.current_leader_epoch,
            .last_fetched_epoch = from.last_fetched_epoch,
            .remembered = &from,
            .error = Errc::kNone,
            .diverging = {},
            .result = {}};
}

void remember(FetchSession& session, const FetchRequest::FetchTopic& topic,
              const FetchRequest::FetchPartition& from) {
    const storage::PartitionId id{topic.topic_id, from.partition};
    SessionPartition* known = session.find(topic.topic, id);
    if (known == nullptr) known = &session.add({.topic = std::string{topic.topic}, .id = id});
    known->fetch_offset = {from.fetch_offset};
    known->bytes_max = from.partition_max_bytes;
    known->current_leader_epoch = from.current_leader_epoch;
    known->last_fetched_epoch = from.last_fetched_epoch;
}

/// What the request would add to a session at most.
std::size_t weight_of(const FetchRequest& message) {
    std::size_t sum = 0;
    for (const FetchRequest::FetchTopic& topic : message.topics)
        sum += topic.partitions.size() * FetchSession::weight_of(topic.topic);
    return sum;
}

/// Most requests only move what the session has: that is counted when there might be no room.
bool has_room_for(const Request& request, const FetchRequest& message, FetchSession& session) {
    FetchSessions& sessions = request.shard->fetch_sessions();
    if (sessions.has_room_for(weight_of(message))) return true;
    std::size_t added = 0;
    for (const FetchRequest::FetchTopic& topic : message.topics)
        for (const FetchRequest::FetchPartition& partition : topic.partitions)
            if (session.find(topic.topic, {topic.topic_id, partition.partition}) == nullptr)
                added += FetchSession::weight_of(topic.topic);
    return added == 0 || sessions.make_room_for(added, request.shard->executor().now());
}

/// Whether a partition is named twice. Clients name each once, mostly in the order of their topics:
/// that is to cost little.
bool has_repeats(const FetchRequest& message) {
    if (message.topics.size() == 1 && message.topics[0].partitions.size() <= 1) return false;
    std::map<std::pair<std::string_view, Uuid>, std::uint64_t> topics;
    std::vector<std::uint64_t> keys;
    for (const FetchRequest::FetchTopic& topic : message.topics) {
        const auto [at, is_new] = topics.try_emplace({topic.topic, topic.topic_id}, topics.size());
        for (const FetchRequest::FetchPartition& partition : topic.partitions)
            keys.push_back(at->second << 32U | static_cast<std::uint32_t>(partition.partition));
    }
    std::ranges::sort(keys);
    return std::ranges::adjacent_find(keys) != keys.end();
}

/// What is named again takes the place of what was named before, as in Kafka: read each time, a few
/// bytes would be worth a whole answer.
void add_each_once(const FetchRequest& message, std::vector<FetchItem>& items) {
    std::map<std::tuple<std::string_view, Uuid, std::int32_t>, std::size_t> known;
    for (const FetchRequest::FetchTopic& topic : message.topics)
        for (const FetchRequest::FetchPartition& partition : topic.partitions) {
            const auto [at, is_new] =
                known.try_emplace({topic.topic, topic.topic_id, partition.partition}, items.size());
            if (is_new)
                items.push_back(item_of(topic, partition));
            else
                items[at->second] = item_of(topic, partition);
        }
}

void add_all(const FetchRequest& message, std::vector<FetchItem>& items) {
    for (const FetchRequest::FetchTopic& topic : message.topics)
        for (const FetchRequest::FetchPartition& partition : topic.partitions)
            items.push_back(item_of(topic, partition));
}

void plan_sessionless(Request& request, const FetchRequest& message, FetchPlan& plan) {
    if (has_repeats(message))
        add_each_once(message, plan.items);
    else
        add_all(message, plan.items);
    const bool by_id = request.version() >= kTopicIdsSince;
    for (FetchItem& item : plan.items) resolve(request, message, item, by_id);
}

void plan_of_session(Request& request, const FetchRequest& message, FetchPlan& plan) {
    FetchSession& session = *plan.session;
    session.in_use = true;
    plan.answered_session_id = session.id;
    for (SessionPartition& partition : session.partitions())
        resolve(request, message, plan.items.emplace_back(item_of(partition)),
                session.uses_topic_ids);
}

/// A full request: begins a session if it asks for one and there is room.
void plan_full(Request& request, const FetchRequest& message, FetchPlan& plan) {
    FetchSessions& sessions = request.shard->fetch_sessions();
    if (message.session_id != 0)
        if (const FetchSession* old = sessions.find(message.session_id); old && !old->in_use)
            sessions.erase(message.session_id);
    const bool has_partitions = std::ranges::any_of(
        message.topics, [](const auto& topic) { return !topic.partitions.empty(); });
    if (message.session_epoch == kInitialEpoch && request.version() >= 7 && has_partitions) {
        rt::Executor& executor = request.shard->executor();
        if (sessions.make_room_for(weight_of(message), executor.now()))
            plan.session =
                sessions.create(executor.now(), [&executor] { return executor.random(); });
    }
    if (plan.session == nullptr) return plan_sessionless(request, message, plan);
    plan.session->uses_topic_ids = request.version() >= kTopicIdsSince;
    for (const FetchRequest::FetchTopic& topic : message.topics)
        for (const FetchRequest::FetchPartition& partition : topic.partitions)
            remember(*plan.session, topic, partition);
    plan_of_session(request, message, plan);
}

Errc check_session(const FetchSession* session, const FetchRequest& message, bool by_id) {
    if (session == nullptr) return Errc::kFetchSessionIdNotFound;
    if (session->in_use || session->next_epoch != message.session_epoch)
        return Errc::kInvalidFetchSessionEpoch;
    if (session->uses_topic_ids != by_id) return Errc::kFetchSessionTopicIdError;
    return Errc::kNone;
}

void plan_incremental(Request& request, const FetchRequest& message, FetchPlan& plan) {
    FetchSessions& sessions = request.shard->fetch_sessions();
    FetchSession* session = sessions.find(message.session_id);
    plan.error = check_session(session, message, request.version() >= kTopicIdsSince);
    if (plan.error != Errc::kNone) return;
    session->next_epoch = FetchSessions::epoch_after(session->next_epoch);
    sessions.touch(*session, request.shard->executor().now());
    for (const FetchRequest::ForgottenTopic& topic : message.forgotten_topics_data)
        for (const std::int32_t index : topic.partitions)
            session->remove(topic.topic, {topic.topic_id, index});
    if (!has_room_for(request, message, *session)) {
        // The client begins anew, and does without a session if there is still no room.
        sessions.erase(session->id);
        plan.error = Errc::kFetchSessionIdNotFound;
        return;
    }
    for (const FetchRequest::FetchTopic& topic : message.topics)
        for (const FetchRequest::FetchPartition& partition : topic.partitions)
            remember(*session, topic, partition);
    if (session->partitions().empty()) {
        // Nothing left to read: the session ends, and the answer says so by its id.
        sessions.erase(session->id);
        return;
    }
    plan.session = session;
    plan.is_incremental = true;
    plan_of_session(request, message, plan);
}

/// A replica is none of the partition's. By an epoch that is the leader's, or newer, it may know of
/// an assignment that this node has not seen yet: as Kafka tells it.
Errc error_of_replica(const metadata::Image& image, const FetchItem& item) {
    if (item.current_leader_epoch < 0) return Errc::kNotLeaderOrFollower;
    const metadata::Topic* topic = image.find(item.id.topic);
    const bool is_old = topic != nullptr && item.current_leader_epoch < image.leader_epoch(*topic);
    return is_old ? Errc::kFencedLeaderEpoch : Errc::kUnknownLeaderEpoch;
}

/// A replica needs no right on the topics, but one on the cluster.
void answer_replica(Request& request, FetchPlan& plan) {
    plan.is_replica = true;
    const bool may_replicate = may_cluster(request, auth::Operation::kClusterAction);
    for (FetchItem& item : plan.items)
        if (!may_replicate)
            item.error = Errc::kTopicAuthorizationFailed;
        else if (item.error == Errc::kNone)
            item.error = error_of_replica(request.shard->image(), item);
}

}  // namespace

FetchPlan plan_fetch(Request& request, const FetchRequest& message) {
    FetchPlan plan;
    const bool is_full =
        message.session_epoch == kInitialEpoch || message.session_epoch == kFinalEpoch;
    if (is_full)
        plan_full(request, message, plan);
    else
        plan_incremental(request, message, plan);
    if (is_replica(message)) answer_replica(request, plan);
    request.shard->broker().metrics().fetch_sessions.set(
        static_cast<std::int64_t>(request.shard->fetch_sessions().size()));
    return plan;
}

void finish_fetch(Request& /*request*/, FetchPlan& plan) {
    if (plan.session != nullptr) plan.session->in_use = false;
}

}  // namespace leat::broker
