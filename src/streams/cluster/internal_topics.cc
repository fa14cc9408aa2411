// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/internal_topics.h"

#include <charconv>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "obs/log.h"
#include "streams/cluster/trouble.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
using Configs = std::map<std::string, std::string, std::less<>>;

std::int64_t number_of(std::string_view text) {
    std::int64_t out = 0;
    const auto end = text.data() + text.size();
    return std::from_chars(text.data(), end, out).ptr == end ? out : 0;
}

}  // namespace

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

std::int64_t kept_ms(const Configs& configs) {
    constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();
    const auto policy = configs.find("cleanup.policy");
    // A record that another one replaces is not needed.
    if (policy != configs.end() && policy->second.find("delete") == std::string::npos)
        return kForEver;
    const auto bytes = configs.find("retention.bytes");
    if (bytes != configs.end() && number_of(bytes->second) >= 0) return 0;
    const auto time = configs.find("retention.ms");
    if (time == configs.end()) return 0;
    const std::int64_t kept = number_of(time->second);
    return kept < 0 ? kForEver : kept;
}

Result<std::int64_t> kept_ms(client::Admin& admin, const InternalTopic& changelog,
                             const Settings& settings) {
    Configs configs;
    const auto told = admin.describe_configs({client::ResourceType::kTopic, changelog.name});
    if (told) {
        for (const auto& one : *told)
            if (one.value) configs.insert_or_assign(one.name, *one.value);
    } else if (may_pass(told.error().code())) {
        return Error{told.error().code(), changelog.name};
    } else {
        kLog.info("how a changelog is kept is not told: taken for what it is created with",
                  {{"changelog", changelog.name}, {"code", told.error().code()}});
        for (const auto& one : creation_of(changelog, settings).configs)
            configs.insert_or_assign(one.name, one.value);
    }
    // What ages is looked at once in a commit interval.
    constexpr int kIntervals = 4;
    const std::int64_t kept = kept_ms(configs);
    return kept / kIntervals < settings.commit_interval.count() ? 0 : kept;
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
