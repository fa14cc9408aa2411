// SPDX-License-Identifier: Apache-2.0
//
// leat topic create, list, describe, delete.
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "apps/admin_access.h"
#include "apps/cluster_access.h"
#include "apps/commands.h"
#include "apps/output.h"

namespace leat::apps {
namespace {

namespace json = boost::json;

constexpr auto kCreate = std::to_array<OptionSpec>({
    {.names = "TOPIC",
     .value = {},
     .help = "name of the topic",
     .required = true,
     .repeated = true},
    {.names = "--partitions",
     .value = "N",
     .help = "number of partitions; the broker's default unless given"},
    {.names = "--replication-factor",
     .value = "N",
     .help = "copies of each partition; the broker's default unless given"},
    {.names = "--set", .value = "NAME=VALUE", .help = "setting of the topic", .repeated = true},
    {.names = "--if-not-exists", .value = {}, .help = "a topic that exists already is no failure"},
    {.names = "--dry-run", .value = {}, .help = "only ask the broker whether it would work"},
});
constexpr auto kList = std::to_array<OptionSpec>({
    {.names = "--internal", .value = {}, .help = "show the cluster's own topics too"},
});
constexpr auto kDescribe = std::to_array<OptionSpec>({
    {.names = "TOPIC",
     .value = {},
     .help = "name of the topic",
     .required = true,
     .repeated = true},
    {.names = "--all-settings", .value = {}, .help = "show the settings left at their default too"},
});
constexpr auto kDelete = std::to_array<OptionSpec>({
    {.names = "TOPIC",
     .value = {},
     .help = "name of the topic",
     .required = true,
     .repeated = true},
    {.names = "--if-exists", .value = {}, .help = "a topic that does not exist is no failure"},
    {.names = "--internal",
     .value = {},
     .help = "delete topics of the cluster itself too, such as __consumer_offsets"},
});

json::value id_json(const Uuid& id) {
    return id.is_zero() ? json::value{} : json::value(id.text());
}

std::int64_t replication_of(const client::TopicInfo& topic) {
    return topic.partitions.empty()
               ? 0
               : static_cast<std::int64_t>(topic.partitions[0].replicas.size());
}

Result<std::vector<client::NewTopic>> new_topics(const Invocation& line) {
    client::NewTopic pattern;
    if (line.has("partitions")) {
        LEAT_TRY(const std::int64_t partitions, line.integer("partitions", 1, INT32_MAX));
        pattern.partitions = static_cast<std::int32_t>(partitions);
    }
    if (line.has("replication-factor")) {
        LEAT_TRY(const std::int64_t factor, line.integer("replication-factor", 1, INT16_MAX));
        pattern.replication_factor = static_cast<std::int16_t>(factor);
    }
    LEAT_TRY(pattern.configs, config_changes(line));
    std::set<std::string_view> set;
    for (const client::ConfigChange& one : pattern.configs)
        if (!set.insert(one.name).second)
            return usage_error("--set: " + one.name + " is given twice");
    std::vector<client::NewTopic> out;
    for (const std::string& name : line.all("TOPIC")) {
        out.push_back(pattern);
        out.back().name = name;
    }
    return out;
}

/// Brokers delete their own topics like any other, and what is in them is gone. Errors: kUsage.
Result<void> check_internal(const Invocation& line) {
    if (line.has("internal")) return {};
    constexpr std::pair<std::string_view, std::string_view> kLost[] = {
        {"__consumer_offsets", "all groups and their positions"},
        {"__transaction_state", "all transactional ids, and what they have open"},
        {"__share_group_state", "what share groups have acknowledged"}};
    for (const auto& [topic, what] : kLost)
        if (std::ranges::find(line.all("TOPIC"), topic) != line.all("TOPIC").end())
            return usage_error("'" + std::string{topic} + "' is the cluster's own and holds " +
                               std::string{what} + ": --internal deletes it all the same");
    return {};
}

json::array ids(std::span<const std::int32_t> some) {
    json::array out;
    for (const std::int32_t id : some) out.emplace_back(id);
    return out;
}

using OffsetMap = std::map<client::TopicPartition, std::int64_t>;

Result<OffsetMap> offsets_at(client::Admin& admin, std::span<const client::TopicPartition> where,
                             std::int64_t timestamp) {
    LEAT_TRY(const auto found, admin.list_offsets(where, timestamp));
    OffsetMap out;
    for (const client::PartitionOffset& one : found)
        if (one.code == Errc::kNone) out[one.where] = one.offset;
    return out;
}

json::value offset_json(const OffsetMap& offsets, const client::TopicPartition& where) {
    const auto found = offsets.find(where);
    return found == offsets.end() ? json::value{} : json::value(found->second);
}

Result<json::object> topic_json(client::Admin& admin, const client::TopicInfo& topic,
                                bool all_settings) {
    std::vector<client::TopicPartition> where;
    where.reserve(topic.partitions.size());
    for (const client::PartitionInfo& partition : topic.partitions)
        where.push_back({topic.name, partition.id});
    LEAT_TRY(const OffsetMap starts, offsets_at(admin, where, client::kEarliest));
    LEAT_TRY(const OffsetMap ends, offsets_at(admin, where, client::kLatest));
    json::object out;
    out["name"] = topic.name;
    out["id"] = id_json(topic.id);
    out["internal"] = topic.is_internal;
    out["partition_count"] = topic.partitions.size();
    out["replication_factor"] = replication_of(topic);
    json::array partitions;
    for (const client::PartitionInfo& partition : topic.partitions) {
        json::object one;
        one["partition"] = partition.id;
        one["leader"] = partition.leader < 0 ? json::value{} : json::value(partition.leader);
        one["leader_epoch"] = partition.leader_epoch;
        one["replicas"] = ids(partition.replicas);
        one["in_sync_replicas"] = ids(partition.in_sync);
        one["offline_replicas"] = ids(partition.offline);
        one["start_offset"] = offset_json(starts, {topic.name, partition.id});
        one["end_offset"] = offset_json(ends, {topic.name, partition.id});
        partitions.emplace_back(std::move(one));
    }
    out["partitions"] = std::move(partitions);
    const auto configs =
        admin.describe_configs({.type = client::ResourceType::kTopic, .name = topic.name});
    const bool is_secret = !configs && configs.error().code() == Errc::kTopicAuthorizationFailed;
    if (!configs && !is_secret) return Error{configs.error().code(), configs.error().detail()};
    out["settings"] = nullptr;  // May not be read, unlike the rest.
    if (configs) out["settings"] = configs_json(*configs, !all_settings);
    return out;
}

constexpr Column kTopicHead[] = {{"name", "topic"},
                                 {"id", "id"},
                                 {"internal", "internal"},
                                 {"partition_count", "partitions"},
                                 {"replication_factor", "replication factor"}};
constexpr Column kPartitionColumns[] = {{"partition", "PARTITION"}, {"leader", "LEADER"},
                                        {"replicas", "REPLICAS"},   {"in_sync_replicas", "IN SYNC"},
                                        {"start_offset", "START"},  {"end_offset", "END"}};
constexpr Column kSettingColumns[] = {
    {"name", "SETTING"}, {"value", "VALUE"}, {"source", "SOURCE"}};
constexpr Section kTopicSections[] = {{.pointer = "", .columns = kTopicHead},
                                      {.pointer = "/partitions", .columns = kPartitionColumns},
                                      {.pointer = "/settings", .columns = kSettingColumns}};

Result<int> run_topic_create(const Invocation& line) {
    LEAT_TRY(const std::vector<client::NewTopic> wanted, new_topics(line));
    LEAT_TRY(AdminAccess access, connect_admin(line));
    LEAT_TRY(const auto created, access.admin->create_topics(wanted, line.has("dry-run")));
    Outcomes outcomes{"create", "topic", access.where};
    json::array rows;
    for (const client::CreatedTopic& topic : created) {
        if (topic.outcome.code == Errc::kTopicAlreadyExists && line.has("if-not-exists")) continue;
        if (!outcomes.note(topic.outcome)) continue;
        rows.push_back({{"name", topic.outcome.name},
                        {"id", id_json(topic.id)},
                        {"partitions", topic.partitions},
                        {"replication_factor", topic.replication_factor}});
    }
    const json::value document{
        {"created", rows}, {"failed", outcomes.failures()}, {"dry_run", line.has("dry-run")}};
    static constexpr Column kColumns[] = {{"name", "TOPIC"},
                                          {"partitions", "PARTITIONS"},
                                          {"replication_factor", "REPLICAS"},
                                          {"id", "ID"}};
    const Section sections[] = {{.pointer = "/created", .columns = kColumns}};
    LEAT_TRY_VOID(write_last(render(format_of(line), document, sections)));
    return outcomes.exit_code();
}

Result<int> run_topic_list(const Invocation& line) {
    LEAT_TRY(AdminAccess access, connect_admin(line));
    LEAT_TRY(const client::ClusterInfo cluster, access.admin->describe_cluster(std::nullopt));
    json::array rows;
    for (const client::TopicInfo& topic : cluster.topics) {
        if (topic.is_internal && !line.has("internal")) continue;
        rows.push_back({{"name", topic.name},
                        {"partitions", topic.partitions.size()},
                        {"replication_factor", replication_of(topic)},
                        {"internal", topic.is_internal},
                        {"id", id_json(topic.id)}});
    }
    static constexpr Column kColumns[] = {{"name", "TOPIC"},
                                          {"partitions", "PARTITIONS"},
                                          {"replication_factor", "REPLICAS"},
                                          {"id", "ID"}};
    const Section sections[] = {{.pointer = "/topics", .columns = kColumns}};
    if (rows.empty() && format_of(line) == Format::kTable)
        say("no topics on " + access.where + "; 'leat topic create NAME' makes one");
    LEAT_TRY_VOID(write_out(render(format_of(line), json::value{{"topics", rows}}, sections)));
    return kExitDone;
}

Result<int> run_topic_describe(const Invocation& line) {
    LEAT_TRY(AdminAccess access, connect_admin(line));
    LEAT_TRY(const client::ClusterInfo cluster, access.admin->describe_cluster(line.all("TOPIC")));
    Outcomes outcomes{"describe", "topic", access.where};
    json::array rows;
    for (const client::TopicInfo& topic : cluster.topics) {
        if (!outcomes.note({.name = topic.name, .code = topic.code, .message = {}})) continue;
        Result<json::object> one = topic_json(*access.admin, topic, line.has("all-settings"));
        if (!one) {
            outcomes.note({.name = topic.name,
                           .code = one.error().code(),
                           .message = std::string{one.error().detail()}});
            continue;
        }
        if (one->at("settings").is_null())
            say("you may not read the settings of topic '" + topic.name +
                "' (TOPIC_AUTHORIZATION_FAILED)");
        rows.emplace_back(*std::move(one));
    }
    if (format_of(line) != Format::kTable) {
        const json::value document{{"topics", rows}, {"failed", outcomes.failures()}};
        LEAT_TRY_VOID(write_last(render(format_of(line), document, {})));
        return outcomes.exit_code();
    }
    bool first = true;
    for (const json::value& topic : rows) {
        LEAT_TRY_VOID(
            write_last((first ? "" : "\n") + render(Format::kTable, topic, kTopicSections)));
        first = false;
    }
    return outcomes.exit_code();
}

Result<int> run_topic_delete(const Invocation& line) {
    LEAT_TRY_VOID(check_internal(line));
    const std::span<const std::string> names = line.all("TOPIC");
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "'" : ", '") + name + "'";
    LEAT_TRY_VOID(confirm(line, "Delete " + list + " and all records?"));
    LEAT_TRY(AdminAccess access, connect_admin(line));
    LEAT_TRY(const auto done, access.admin->delete_topics(names));
    Outcomes outcomes{"delete", "topic", access.where};
    json::array deleted;
    for (const client::Outcome& outcome : done) {
        if (outcome.code == Errc::kUnknownTopicOrPartition && line.has("if-exists")) continue;
        if (outcomes.note(outcome)) deleted.emplace_back(outcome.name);
    }
    if (format_of(line) != Format::kTable) {
        const json::value document{{"deleted", deleted}, {"failed", outcomes.failures()}};
        LEAT_TRY_VOID(write_last(render(format_of(line), document, {})));
    }
    for (const json::value& name : deleted)
        say("deleted topic '" + std::string{name.get_string()} + "'");
    return outcomes.exit_code();
}

constexpr std::array kCommands{
    Command{.path = "topic create",
            .summary = "create topics",
            .example = "leat topic create flights --partitions 6 --set retention.ms=86400000",
            .options = kCreate,
            .run = run_topic_create},
    Command{.path = "topic list",
            .summary = "list the topics",
            .example = "leat topic list --output json",
            .options = kList,
            .run = run_topic_list},
    Command{.path = "topic describe",
            .summary = "show partitions, offsets and settings of topics",
            .example = "leat topic describe flights",
            .options = kDescribe,
            .run = run_topic_describe},
    Command{.path = "topic delete",
            .summary = "delete topics and all their records",
            .details =
                "The cluster's own topics, such as __consumer_offsets with the positions of all "
                "groups, are refused without --internal.",
            .example = "leat topic delete flights --yes",
            .options = kDelete,
            .run = run_topic_delete},
};

}  // namespace

std::span<const Command> topic_commands() {
    return kCommands;
}

}  // namespace leat::apps
