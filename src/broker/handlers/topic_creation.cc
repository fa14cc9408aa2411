// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/topic_creation.h"

#include <algorithm>
#include <utility>

#include "broker/broker.h"
#include "broker/group_host.h"
#include "broker/transaction_host.h"
#include "obs/log.h"

namespace leat::broker {
namespace {

constexpr obs::Logger kLog{"broker"};

/// As brokers make it; one copy of it is all that one node can have.
metadata::NewTopic offsets_topic(const config::BrokerConfig& config) {
    metadata::NewTopic topic;
    topic.name = kOffsetsTopic;
    topic.partitions = config.offsets_topic_partitions;
    topic.replication_factor = 1;
    topic.settings = {{"cleanup.policy", "compact"},
                      {"compression.type", "producer"},
                      {"segment.bytes", std::to_string(config.offsets_topic_segment_bytes)}};
    return topic;
}

metadata::NewTopic transactions_topic(const config::BrokerConfig& config) {
    metadata::NewTopic topic;
    topic.name = kTransactionsTopic;
    topic.partitions = config.transactions_topic_partitions;
    topic.replication_factor = 1;
    topic.settings = {{"cleanup.policy", "compact"},
                      {"compression.type", "uncompressed"},
                      {"min.insync.replicas", "1"},
                      {"segment.bytes", std::to_string(config.transactions_topic_segment_bytes)},
                      {"unclean.leader.election.enable", "false"}};
    return topic;
}

struct Create {
    std::vector<std::string> names;
    std::vector<metadata::Outcome> operator()(metadata::Controller& controller,
                                              std::vector<metadata::Delta>& deltas) const {
        std::vector<metadata::NewTopic> topics;
        topics.reserve(names.size());
        for (const std::string& name : names)
            topics.push_back(topic_on_demand(name, controller.image().broker()));
        return controller.create_topics(topics, false, deltas);
    }
};

}  // namespace

metadata::NewTopic topic_on_demand(const std::string& name, const config::BrokerConfig& config) {
    if (name == kOffsetsTopic) return offsets_topic(config);
    if (name == kTransactionsTopic) return transactions_topic(config);
    metadata::NewTopic topic;
    topic.name = name;
    return topic;
}

rt::Task<std::vector<metadata::Outcome>> auto_create(Request* request,
                                                     std::vector<std::string> names) {
    Shard& shard = *request->shard;
    Create create{std::move(names)};
    auto changed = co_await shard.broker().authority().change(&shard.executor(), std::move(create));
    for (metadata::Outcome& outcome : changed.result) {
        // Somebody else was faster.
        if (outcome.error == Errc::kTopicAlreadyExists) outcome.error = Errc::kNone;
        if (outcome.error == Errc::kNone && !changed.durable.has_value())
            outcome.error = changed.durable.error().code();
        if (outcome.error != Errc::kNone)
            kLog.warn(
                "topic not created on demand",
                {{"topic", outcome.name}, {"error", outcome.error}, {"detail", outcome.message}});
    }
    co_return std::move(changed.result);
}

rt::Task<Errc> ensure_topic_of_coordinator(Request* request, std::string_view name) {
    const Shard& shard = *request->shard;
    if (shard.image().find(name) != nullptr) co_return Errc::kNone;
    std::vector<std::string> names{std::string{name}};
    const auto outcomes = co_await auto_create(request, std::move(names));
    const bool is_there =
        outcomes.front().error == Errc::kNone && shard.image().find(name) != nullptr;
    co_return is_there ? Errc::kNone : Errc::kCoordinatorNotAvailable;
}

bool may_auto_create(const Request& request, bool client_allows) {
    const Shard& shard = *request.shard;
    return client_allows && shard.broker().auto_creates_topics(shard.config());
}

}  // namespace leat::broker
