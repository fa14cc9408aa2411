// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/metadata.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/access.h"
#include "broker/admin/cluster.h"
#include "broker/apis.h"
#include "broker/broker.h"
#include "broker/group_host.h"
#include "broker/handlers/topic_creation.h"
#include "broker/quotas.h"

namespace leat::broker {
namespace {

using Row = wire::MetadataResponse::MetadataResponseTopic;
using PartitionRow = wire::MetadataResponse::MetadataResponsePartition;
using Asked = wire::MetadataRequest::MetadataRequestTopic;

constexpr std::string_view kTransactionsTopic = "__transaction_state";
constexpr std::int32_t kNobody = -1;

/// What became of names that did not exist when they were asked for.
using Failures = std::map<std::string, Errc, std::less<>>;

bool asks_for_all(const wire::MetadataRequest& message, std::int16_t version) {
    return !message.topics || (version == 0 && message.topics->empty());
}

/// Versions 10 and 11 have ids in the request, and brokers that do not take them.
bool is_malformed(const wire::MetadataRequest& message, std::int16_t version) {
    if (!message.topics) return false;
    const bool takes_ids = version >= 12;
    return std::ranges::any_of(*message.topics, [takes_ids](const Asked& topic) {
        if (takes_ids) return !topic.name && topic.topic_id.is_zero();
        return !topic.name || !topic.topic_id.is_zero();
    });
}

class Answerer {
  public:
    Answerer(Request& request, const wire::MetadataRequest& message)
        : request_(request),
          message_(message),
          image_(request.shard->image()),
          node_(request.arena.array<std::int32_t>(1)) {
        node_[0] = image_.broker().node_id;
    }

    wire::MetadataResponse cluster() {
        wire::MetadataResponse out;
        out.brokers = request_.arena.array<wire::MetadataResponse::MetadataResponseBroker>(1);
        const admin::Endpoint& endpoint = request_.connection->endpoint;
        out.brokers[0].node_id = node_[0];
        out.brokers[0].host = endpoint.host;
        out.brokers[0].port = endpoint.port;
        if (const auto& rack = image_.broker().rack)
            out.brokers[0].rack = request_.arena.copy(std::string_view{*rack});
        out.cluster_id = image_.cluster_id();
        out.controller_id = node_[0];
        if (message_.include_cluster_authorized_operations)
            out.cluster_authorized_operations =
                may_see(request_, auth::Operation::kDescribe, auth::ResourceType::kCluster,
                        auth::kClusterName)
                    ? authorized_operations(request_, auth::ResourceType::kCluster,
                                            auth::kClusterName)
                    : 0;
        return out;
    }

    Row known(const metadata::Topic& topic) {
        Row row;
        row.name = topic.name;
        row.topic_id = topic.id;
        row.is_internal = topic.is_internal();
        row.partitions =
            request_.arena.array<PartitionRow>(static_cast<std::size_t>(topic.partition_count));
        const std::int32_t epoch = image_.leader_epoch(topic);
        for (std::size_t i = 0; i < row.partitions.size(); ++i) {
            const auto index = static_cast<std::int32_t>(i);
            row.partitions[i] = {.partition_index = index,
                                 .leader_id = node_[0],
                                 .leader_epoch = epoch,
                                 .replica_nodes = node_,
                                 .isr_nodes = node_,
                                 .offline_replicas = {}};
            if (!request_.shard->storage().quarantined->contains({topic.id, index})) continue;
            row.partitions[i].error_code = wire_code(Errc::kLeaderNotAvailable);
            row.partitions[i].leader_id = kNobody;
            row.partitions[i].isr_nodes = {};
            row.partitions[i].offline_replicas = node_;
        }
        if (message_.include_topic_authorized_operations)
            row.topic_authorized_operations =
                authorized_operations(request_, auth::ResourceType::kTopic, topic.name);
        return row;
    }

    Row failed(std::optional<std::string_view> name, const Uuid& id, Errc error) {
        Row row;
        row.error_code = wire_code(error);
        row.name = name;
        row.topic_id = id;
        count_error(request_, row.error_code);
        return row;
    }

    Row named(std::string_view name, const Failures& failures) {
        // Whether it exists is not told to one who may not know.
        if (!may_topic(request_, auth::Operation::kDescribe, name))
            return failed(name, {}, Errc::kTopicAuthorizationFailed);
        if (const metadata::Topic* topic = image_.find(name)) return known(*topic);
        const auto failure = failures.find(name);
        if (failure != failures.end()) return failed(name, {}, failure->second);
        const bool is_good = metadata::topic_name_error(name).empty();
        Row row = failed(name, {},
                         is_good ? Errc::kUnknownTopicOrPartition : Errc::kInvalidTopicException);
        if (message_.include_topic_authorized_operations)
            row.topic_authorized_operations =
                authorized_operations(request_, auth::ResourceType::kTopic, name);
        return row;
    }

    Row identified(const Uuid& id) {
        const metadata::Topic* topic = image_.find(id);
        if (topic == nullptr) return failed(std::nullopt, id, Errc::kUnknownTopicId);
        if (!may_topic(request_, auth::Operation::kDescribe, topic->name))
            return failed(std::nullopt, id, Errc::kTopicAuthorizationFailed);
        return known(*topic);
    }

    std::span<Row> all() {
        const auto rows = request_.arena.array<Row>(image_.topics().size());
        std::size_t next = 0;
        for (const auto& [name, topic] : image_.topics())
            if (may_see(request_, auth::Operation::kDescribe, auth::ResourceType::kTopic, name))
                rows[next++] = known(*topic);
        return rows.first(next);
    }

    std::span<Row> asked(const Failures& failures) {
        std::vector<Row> rows;
        std::set<std::string_view> names;
        std::set<Uuid> ids;
        for (const Asked& topic : *message_.topics)
            if (!topic.topic_id.is_zero() && ids.insert(topic.topic_id).second)
                rows.push_back(identified(topic.topic_id));
        // Who asks by id is not answered about names.
        for (const Asked& topic : *message_.topics)
            if (ids.empty() && topic.name && names.insert(*topic.name).second)
                rows.push_back(named(*topic.name, failures));
        const auto out = request_.arena.array<Row>(rows.size());
        std::ranges::copy(rows, out.begin());
        return out;
    }

  private:
    Request& request_;
    const wire::MetadataRequest& message_;
    const metadata::Image& image_;
    std::span<std::int32_t> node_;
};

wire::MetadataResponse refuse(Request& request, const wire::MetadataRequest& message) {
    Answerer answerer{request, message};
    wire::MetadataResponse out;  // Without brokers, as Kafka refuses a request.
    out.topics = request.arena.array<Row>(message.topics->size());
    for (std::size_t i = 0; i < out.topics.size(); ++i) {
        const Asked& topic = (*message.topics)[i];
        out.topics[i] =
            answerer.failed(topic.name.value_or(""), topic.topic_id, Errc::kInvalidRequest);
    }
    return out;
}

/// What is told of a topic that was to be made on demand.
Errc answer_of(Errc outcome) {
    if (outcome == Errc::kNone) return Errc::kLeaderNotAvailable;
    // The name is good by itself, but collides with another ("a.b" and "a_b"): Kafka's broker does
    // not know why its controller refused, and answers as for any topic that is not there.
    return outcome == Errc::kInvalidTopicException ? Errc::kUnknownTopicOrPartition : outcome;
}

bool may_create(Request& request, std::string_view topic) {
    return may_see(request, auth::Operation::kCreate, auth::ResourceType::kCluster,
                   auth::kClusterName) ||
           may_topic(request, auth::Operation::kCreate, topic);
}

/// Names to be made: good ones that do not exist, each once. Those that the sender may see and not
/// make go to `failures`.
std::vector<std::string> missing(Request& request, const wire::MetadataRequest& message,
                                 Failures& failures) {
    std::set<std::string, std::less<>> names;
    const auto is_by_id = [](const Asked& topic) { return !topic.topic_id.is_zero(); };
    if (std::ranges::any_of(*message.topics, is_by_id)) return {};
    for (const Asked& topic : *message.topics) {
        if (!topic.name || *topic.name == kTransactionsTopic) continue;
        if (request.shard->image().find(*topic.name) != nullptr) continue;
        if (!metadata::topic_name_error(*topic.name).empty()) continue;
        if (!may_topic(request, auth::Operation::kDescribe, *topic.name)) continue;
        if (names.contains(*topic.name)) continue;
        const auto& config = request.shard->config();
        if (!may_create(request, *topic.name))
            failures.emplace(*topic.name, Errc::kTopicAuthorizationFailed);
        else if (*topic.name != kOffsetsTopic && !may_mutate(request, config.num_partitions, true))
            failures.emplace(*topic.name, Errc::kUnknownTopicOrPartition);  // It asks again.
        else
            names.insert(std::string{*topic.name});
    }
    return {names.begin(), names.end()};
}

}  // namespace

rt::Task<wire::MetadataResponse> handle_metadata(Request* request,
                                                 const wire::MetadataRequest* message) {
    if (is_malformed(*message, request->version())) co_return refuse(*request, *message);
    const bool is_all = asks_for_all(*message, request->version());
    Failures failures;
    if (!is_all && may_auto_create(*request, message->allow_auto_topic_creation)) {
        std::vector<std::string> names = missing(*request, *message, failures);
        if (!names.empty()) {
            const auto outcomes = co_await auto_create(request, std::move(names));
            for (const metadata::Outcome& outcome : outcomes)
                failures.emplace(outcome.name, answer_of(outcome.error));
        }
    }
    Answerer answerer{*request, *message};
    wire::MetadataResponse out = answerer.cluster();
    out.topics = is_all ? answerer.all() : answerer.asked(failures);
    co_return out;
}

}  // namespace leat::broker
