// SPDX-License-Identifier: Apache-2.0
#include "streams/internal_topics.h"

#include <functional>
#include <map>
#include <string>

namespace leat::streams {

client::NewTopic creation_of(const InternalTopic& topic, const Settings& settings) {
    std::map<std::string, std::string, std::less<>> configs{topic.configs.begin(),
                                                            topic.configs.end()};
    for (const auto& [name, value] : settings.topic) configs.insert_or_assign(name, value);
    for (const auto& [name, value] : topic.own_configs) configs.insert_or_assign(name, value);
    client::NewTopic out{.name = topic.name,
                         .partitions = topic.partitions,
                         .replication_factor = settings.replication_factor,
                         .configs = {}};
    for (const auto& [name, value] : configs) out.configs.push_back({.name = name, .value = value});
    return out;
}

Result<Layout::Counts> count_partitions(client::Admin& admin, std::span<const std::string> topics) {
    Layout::Counts out;
    if (topics.empty()) return out;
    LEAT_TRY(const client::ClusterInfo cluster, admin.describe_cluster(topics));
    for (const auto& topic : cluster.topics) {
        if (topic.code == Errc::kNone)
            out[topic.name] = static_cast<std::int32_t>(topic.partitions.size());
        else if (topic.code != Errc::kUnknownTopicOrPartition)
            return Error{topic.code, "topic " + topic.name};
    }
    return out;
}

Result<void> ensure_topics(client::Admin& admin, std::span<const InternalTopic> wanted,
                           const Settings& settings) {
    std::vector<std::string> names;
    names.reserve(wanted.size());
    for (const auto& topic : wanted) names.push_back(topic.name);
    LEAT_TRY(const Layout::Counts there, count_partitions(admin, names));
    std::vector<client::NewTopic> missing;
    for (const auto& topic : wanted) {
        const auto found = there.find(topic.name);
        if (found == there.end()) {
            missing.push_back(creation_of(topic, settings));
        } else if (found->second != topic.partitions) {
            return Error{Errc::kStreamsInvalidTopology,
                         "internal topic " + topic.name + " has " + std::to_string(found->second) +
                             " partitions, but must have " + std::to_string(topic.partitions) +
                             ": reset the application, or bring the input topics back to what "
                             "they were"};
        }
    }
    if (missing.empty()) return {};
    LEAT_TRY(const auto created, admin.create_topics(missing, false));
    for (const auto& one : created)
        if (one.outcome.code != Errc::kNone && one.outcome.code != Errc::kTopicAlreadyExists)
            return Error{one.outcome.code, "creating internal topic " + one.outcome.name + ": " +
                                               one.outcome.message};
    return {};
}

}  // namespace leat::streams
