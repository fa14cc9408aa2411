// SPDX-License-Identifier: Apache-2.0
#include "client/leader_finder.h"

#include <utility>
#include <vector>

#include "obs/log.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"

namespace leat::client {
namespace {

constexpr obs::Logger kLog{"client"};
using std::chrono::milliseconds;

void add_leaders(const wire::MetadataResponse::MetadataResponseTopic& topic,
                 std::map<TopicPartition, FoundLeader>& out) {
    for (const auto& partition : topic.partitions)
        out[{std::string{*topic.name}, partition.partition_index}] = {
            .code = errc_from_wire(partition.error_code),
            .topic_id = topic.topic_id,
            .leader = partition.leader_id,
            .epoch = partition.leader_epoch};
}

}  // namespace

void LeaderFinder::run() {
    while (const auto topics = board_.wanted_topics()) {
        if (!topics->empty()) {
            if (const Result<void> done = look(*topics); !done)
                note_failure(done.error());
            else
                failures_ = 0;
        }
        start_serving();
    }
    serving_.clear();  // Waits for them.
}

Result<void> LeaderFinder::look(const std::set<std::string>& topics) {
    if (cluster_ == nullptr) {
        LEAT_TRY(cluster_, Cluster::connect(options_.cluster));
    }
    std::vector<wire::MetadataRequest::MetadataRequestTopic> asked;
    asked.reserve(topics.size());
    for (const std::string& topic : topics) asked.push_back({.name = topic});
    const wire::MetadataRequest request{.topics = asked,
                                        .allow_auto_topic_creation = options_.creates_topics};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::MetadataResponse>(
                 Target::any(), request,
                 [](const wire::MetadataResponse& response) { return response.error_code; }));
    if (answer.message.error_code != 0) return Error{errc_from_wire(answer.message.error_code)};
    cluster_->learn(answer.message);
    std::map<std::int32_t, Endpoint> brokers;
    for (const auto& broker : answer.message.brokers)
        brokers[broker.node_id] = {.host = std::string{broker.host},
                                   .port = static_cast<std::uint16_t>(broker.port)};
    std::map<TopicPartition, FoundLeader> leaders;
    std::map<std::string, Errc> refused;
    for (const auto& topic : answer.message.topics) {
        if (!topic.name) continue;
        const Errc code = errc_from_wire(topic.error_code);
        if (code != Errc::kNone)
            refused[std::string{*topic.name}] = code;
        else
            add_leaders(topic, leaders);
    }
    board_.found(brokers, leaders, topics, refused);
    return {};
}

void LeaderFinder::note_failure(const Error& why) {
    if (board_.is_stopped()) return;
    if (why.code() == Errc::kSaslAuthenticationFailed ||
        why.code() == Errc::kUnsupportedSaslMechanism)
        board_.fail(why);
    // The first may be a connection that was closed because it was silent, or its login is too old.
    if (failures_ == 1)
        kLog.warn("cannot look up who leads the partitions",
                  {{"for", options_.purpose}, {"code", why.code()}, {"why", why.detail()}});
    board_.not_found(options_.pauses.after(failures_++));
}

void LeaderFinder::start_serving() {
    for (const std::int32_t node : board_.nodes()) {
        const auto [thread, is_new] = serving_.try_emplace(node);
        if (!is_new) continue;
        thread->second = rt::NamedThread{options_.purpose + "-" + std::to_string(node),
                                         [this, node] { serve_(node); }};
    }
}

}  // namespace leat::client
