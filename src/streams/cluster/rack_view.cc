// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/rack_view.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "obs/log.h"
#include "streams/cluster/trouble.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};

using Replicas = std::map<client::TopicPartition, std::vector<std::int32_t>>;
using Racks = std::map<std::int32_t, std::string>;  ///< Of the brokers that are up; empty: none.

/// Brokers that are down tell no racks, and do not count.
Result<std::set<std::string>> racks_of(const std::vector<std::int32_t>& replicas,
                                       const Racks& brokers) {
    std::set<std::string> out;
    for (const std::int32_t id : replicas) {
        const auto broker = brokers.find(id);
        if (broker == brokers.end()) continue;
        if (broker->second.empty())
            return Error{Errc::kInvalidConfig,
                         "broker " + std::to_string(id) + " has no broker.rack"};
        out.insert(broker->second);
    }
    return out;
}

Result<std::map<TaskId, TaskRacks::Partitions>> racks_of(const TaskPartitions& tasks,
                                                         const Replicas& replicas,
                                                         const Racks& brokers) {
    std::map<TaskId, TaskRacks::Partitions> out;
    for (const auto& [task, partitions] : tasks) {
        TaskRacks::Partitions& racks = out[task];
        for (const auto& partition : partitions) {
            const auto found = replicas.find(partition);
            std::set<std::string>& of = racks.emplace_back();
            if (found != replicas.end()) {
                LEAT_TRY(of, racks_of(found->second, brokers));
            }
            if (of.empty())
                return Error{Errc::kUnknownTopicOrPartition,
                             partition.topic + "-" + std::to_string(partition.partition)};
        }
    }
    return out;
}

Result<TaskRacks> ask_for_racks(client::Admin& admin, const TaskPartitions& inputs,
                                const TaskPartitions& changelogs) {
    std::set<std::string> names;
    for (const auto* all : {&inputs, &changelogs})
        for (const auto& [task, partitions] : *all)
            for (const auto& partition : partitions) names.insert(partition.topic);
    const std::vector<std::string> topics{names.begin(), names.end()};
    LEAT_TRY(const client::ClusterInfo cluster,
             admin.describe_cluster(std::span<const std::string>{topics}));
    return racks_in(cluster, inputs, changelogs);
}

}  // namespace

TaskPartitions changelogs_of(const Layout& layout, const TaskPartitions& tasks) {
    TaskPartitions out;
    for (const auto& [task, partitions] : tasks) {
        const Subtopology& of = layout.subtopologies()[static_cast<std::size_t>(task.subtopology)];
        if (!of.is_stateful()) continue;
        auto& changelogs = out[task];
        for (const detail::StoreSpec& store : of.stores) {
            if (store.source_topic)
                changelogs.push_back({layout.cluster_name(*store.source_topic), task.partition});
            else if (store.logging)
                changelogs.push_back({layout.changelog_name(store.name), task.partition});
        }
    }
    return out;
}

Result<TaskRacks> racks_in(const client::ClusterInfo& cluster, const TaskPartitions& inputs,
                           const TaskPartitions& changelogs) {
    Racks brokers;
    for (const auto& broker : cluster.brokers) brokers.emplace(broker.id, broker.rack.value_or(""));
    Replicas replicas;
    for (const auto& topic : cluster.topics)
        for (const auto& partition : topic.partitions)
            replicas[{topic.name, partition.id}] = partition.replicas;
    TaskRacks out;
    LEAT_TRY(out.inputs, racks_of(inputs, replicas, brokers));
    LEAT_TRY(out.changelogs, racks_of(changelogs, replicas, brokers));
    return out;
}

RackView look_at_racks(client::Admin& admin, const Layout& layout, const TaskPartitions& inputs,
                       const std::map<std::string, MemberState>& members,
                       const Settings& settings) {
    constexpr std::string_view kEvent = "tasks do not follow racks";
    if (settings.racks.strategy == RackStrategy::kNone) return {};
    for (const auto& [id, member] : members) {
        if (!member.rack.empty()) continue;
        kLog.warn(kEvent, {{"why", "a member has no client.rack"}, {"member", id}});
        return {};
    }
    TaskPartitions changelogs;
    if (settings.standbys > 0) changelogs = changelogs_of(layout, inputs);
    Result<TaskRacks> racks = ask_for_racks(admin, inputs, changelogs);
    if (racks) return {.racks = *std::move(racks)};
    const Errc code = racks.error().code();
    kLog.warn(kEvent, {{"code", code}, {"why", racks.error().detail()}});
    return {.is_early = !is_permanent(code)};
}

void tell_close_copies(const Plan& plan, const RackOptions& options) {
    if (plan.close_copies.empty()) return;
    std::string tags;
    for (const std::string& tag : options.tags) tags.append(tags.empty() ? "" : ",").append(tag);
    std::int64_t standbys = 0;
    for (const auto& [task, count] : plan.close_copies) standbys += count;
    kLog.warn("standbys are not kept apart: there are too few instances with other tags",
              {{"standbys", standbys},
               {"tasks", plan.close_copies.size()},
               {"first", plan.close_copies.begin()->first.text()},
               {"tags", tags.empty() ? "client.rack" : std::string_view{tags}}});
}

}  // namespace leat::streams
