// SPDX-License-Identifier: Apache-2.0
//
// leat cluster status, brokers.
#include <boost/json.hpp>

#include <algorithm>
#include <array>

#include "apps/admin_access.h"
#include "apps/commands.h"
#include "apps/output.h"

namespace leat::apps {
namespace {

namespace json = boost::json;

/// Counts of what needs attention.
struct Health {
    std::int64_t partitions = 0;
    std::int64_t offline = 0;
    std::int64_t under_replicated = 0;
};

Health health_of(const client::ClusterInfo& cluster) {
    Health out;
    for (const client::TopicInfo& topic : cluster.topics) {
        for (const client::PartitionInfo& partition : topic.partitions) {
            ++out.partitions;
            if (partition.leader < 0) ++out.offline;
            if (partition.in_sync.size() < partition.replicas.size()) ++out.under_replicated;
        }
    }
    return out;
}

Result<int> run_cluster_status(const Invocation& line) {
    LEAT_TRY(AdminAccess access, connect_admin(line));
    LEAT_TRY(const client::ClusterInfo cluster, access.admin->describe_cluster(std::nullopt));
    const Health health = health_of(cluster);
    const auto internal = std::ranges::count_if(cluster.topics, &client::TopicInfo::is_internal);
    json::object document;
    document["cluster_id"] = cluster.id;
    document["healthy"] = health.offline == 0 && health.under_replicated == 0;
    document["controller"] =
        cluster.controller < 0 ? json::value{} : json::value(cluster.controller);
    document["brokers"] = cluster.brokers.size();
    document["topics"] = static_cast<std::int64_t>(cluster.topics.size()) - internal;
    document["internal_topics"] = internal;
    document["partitions"] = health.partitions;
    document["offline_partitions"] = health.offline;
    document["under_replicated_partitions"] = health.under_replicated;
    static constexpr Column kColumns[] = {
        {"cluster_id", "cluster id"},
        {"healthy", "healthy"},
        {"controller", "controller"},
        {"brokers", "brokers"},
        {"topics", "topics"},
        {"internal_topics", "internal topics"},
        {"partitions", "partitions"},
        {"offline_partitions", "offline partitions"},
        {"under_replicated_partitions", "under-replicated partitions"}};
    const Section sections[] = {{.pointer = "", .columns = kColumns}};
    LEAT_TRY_VOID(write_out(render(format_of(line), document, sections)));
    return kExitDone;
}

Result<int> run_cluster_brokers(const Invocation& line) {
    LEAT_TRY(AdminAccess access, connect_admin(line));
    LEAT_TRY(const client::ClusterInfo cluster, access.admin->describe_cluster(std::nullopt));
    LEAT_TRY(const std::vector<client::LogDirInfo> directories, access.admin->log_dirs());
    json::array brokers;
    for (const client::BrokerInfo& broker : cluster.brokers) {
        std::int64_t size = 0;
        std::int64_t replicas = 0;
        json::array rows;
        for (const client::LogDirInfo& directory : directories) {
            if (directory.broker != broker.id) continue;
            size += directory.size_bytes;
            replicas += directory.partitions;
            rows.push_back(log_dir_json(directory));
        }
        json::object one;
        one["id"] = broker.id;
        one["host"] = broker.endpoint.host;
        one["port"] = broker.endpoint.port;
        one["rack"] = broker.rack ? json::value(*broker.rack) : json::value{};
        one["controller"] = broker.id == cluster.controller;
        one["partitions"] = replicas;
        one["size_bytes"] = size;
        one["log_dirs"] = std::move(rows);
        brokers.emplace_back(std::move(one));
    }
    json::value document{{"brokers", brokers}};
    if (format_of(line) == Format::kTable)
        for (json::value& broker : document.at("brokers").as_array())
            broker.as_object()["size"] =
                human_bytes(static_cast<double>(broker.at("size_bytes").to_number<std::int64_t>()));
    static constexpr Column kColumns[] = {{"id", "ID"},
                                          {"host", "HOST"},
                                          {"port", "PORT"},
                                          {"rack", "RACK"},
                                          {"controller", "CONTROLLER"},
                                          {"partitions", "PARTITIONS"},
                                          {"size", "SIZE"}};
    const Section sections[] = {{.pointer = "/brokers", .columns = kColumns}};
    LEAT_TRY_VOID(write_out(render(format_of(line), document, sections)));
    return kExitDone;
}

constexpr std::array kCommands{
    Command{.path = "cluster status",
            .summary = "show whether the cluster is well",
            .example = "leat cluster status --output json",
            .options = {},
            .run = run_cluster_status},
    Command{.path = "cluster brokers",
            .summary = "list the brokers and what they store",
            .example = "leat cluster brokers",
            .options = {},
            .run = run_cluster_brokers},
};

}  // namespace

std::span<const Command> cluster_commands() {
    return kCommands;
}

}  // namespace leat::apps
