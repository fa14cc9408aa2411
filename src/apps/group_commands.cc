// SPDX-License-Identifier: Apache-2.0
//
// leat group list, describe, reset, delete, delete-offsets, remove-members.
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "apps/admin_access.h"
#include "apps/cluster_access.h"
#include "apps/commands.h"
#include "apps/offset_plan.h"
#include "apps/output.h"

namespace leat::apps {
namespace {

namespace json = boost::json;
using client::PartitionOffset;
using client::TopicPartition;

constexpr OptionSpec kGroup{
    .names = "GROUP", .value = {}, .help = "name of the group", .required = true};

constexpr auto kDescribe = std::to_array<OptionSpec>({kGroup});
constexpr auto kReset = std::to_array<OptionSpec>({
    kGroup,
    kToOption,
    kShiftOption,
    {.names = "--topic",
     .value = "TOPIC[:N]",
     .help = "topic, or one partition of it; all the group has committed to unless given",
     .repeated = true},
    {.names = "--dry-run", .value = {}, .help = "only show what would be committed"},
});
constexpr auto kList = std::to_array<OptionSpec>({
    {.names = "--state",
     .value = "STATE",
     .help = "only groups in this state",
     .choices =
         "Assigning|CompletingRebalance|Dead|Empty|NotReady|PreparingRebalance|Reconciling|Stable",
     .repeated = true},
    {.names = "--type",
     .value = "TYPE",
     .help = "only groups of this type",
     .choices = "classic|consumer|share|streams",
     .repeated = true},
});
constexpr auto kDeleteOffsets = std::to_array<OptionSpec>({
    kGroup,
    {.names = "--topic",
     .value = "TOPIC[:N]",
     .help = "topic, or one partition of it",
     .required = true,
     .repeated = true},
});
constexpr auto kRemoveMembers = std::to_array<OptionSpec>({
    kGroup,
    {.names = "--member",
     .value = "MEMBER",
     .help = "a member's id, as group describe shows it",
     .repeated = true},
    {.names = "--instance",
     .value = "INSTANCE",
     .help = "a static member, by its group.instance.id",
     .repeated = true},
    {.names = "--all", .value = {}, .help = "every member"},
    {.names = "--reason",
     .value = "TEXT",
     .help = "why, for the broker's log",
     .fallback = "removed by an administrator"},
});
constexpr auto kDelete = std::to_array<OptionSpec>({
    {.names = "GROUP",
     .value = {},
     .help = "name of the group",
     .required = true,
     .repeated = true},
});

struct Row {
    TopicPartition where;
    std::int64_t committed = -1;
    std::int64_t end = -1;
    const client::MemberInfo* member = nullptr;
};

std::string describing(const Invocation& line, const AdminAccess& access) {
    return "describe group '" + std::string{line.text("GROUP")} + "' on " + access.where;
}

/// Every partition the group committed to or is assigned, with its lag.
Result<std::vector<Row>> rows_of(client::Admin& admin, const client::GroupDetails& group) {
    LEAT_TRY(const std::vector<PartitionOffset> committed, admin.committed_offsets(group.info.id));
    std::map<TopicPartition, Row> rows;
    for (const PartitionOffset& one : committed) {
        if (one.offset < 0) continue;
        rows[one.where] = {.where = one.where, .committed = one.offset};
    }
    for (const client::MemberInfo& member : group.members) {
        for (const TopicPartition& where : member.assigned) {
            rows[where].where = where;
            rows[where].member = &member;
        }
    }
    std::vector<TopicPartition> all;
    all.reserve(rows.size());
    for (const auto& [where, row] : rows) all.push_back(where);
    LEAT_TRY(const std::vector<PartitionOffset> ends, admin.list_offsets(all, client::kLatest));
    std::vector<Row> out;
    for (const PartitionOffset& end : ends) {
        Row row = rows[end.where];
        if (end.code == Errc::kNone) row.end = end.offset;
        out.push_back(row);
    }
    return out;
}

json::object row_json(const Row& row) {
    json::object out;
    out["topic"] = row.where.topic;
    out["partition"] = row.where.partition;
    out["committed_offset"] = or_null(row.committed);
    out["end_offset"] = or_null(row.end);
    out["lag"] = row.committed < 0 || row.end < 0
                     ? json::value{}
                     : json::value(std::max<std::int64_t>(0, row.end - row.committed));
    out["member"] = row.member == nullptr ? json::value{} : json::value(row.member->id);
    out["client_id"] = row.member == nullptr ? json::value{} : json::value(row.member->client_id);
    out["host"] = row.member == nullptr ? json::value{} : json::value(row.member->host);
    return out;
}

json::object group_json(const client::GroupDetails& group, std::span<const Row> rows) {
    json::object out;
    out["group"] = group.info.id;
    out["state"] = group.info.state;
    out["type"] = group.info.type;
    out["protocol_type"] = group.info.protocol_type;
    out["assignor"] = group.assignor.empty() ? json::value() : json::value(group.assignor);
    std::int64_t lag = 0;
    json::array partitions;
    for (const Row& row : rows) {
        if (row.committed >= 0 && row.end >= 0)
            lag += std::max<std::int64_t>(0, row.end - row.committed);
        partitions.emplace_back(row_json(row));
    }
    out["total_lag"] = lag;
    json::array members;
    for (const client::MemberInfo& member : group.members)
        members.push_back(
            {{"member", member.id},
             {"instance_id",
              member.instance_id.empty() ? json::value{} : json::value(member.instance_id)},
             {"client_id", member.client_id},
             {"host", member.host},
             {"partitions", member.assigned.size()}});
    out["members"] = std::move(members);
    out["partitions"] = std::move(partitions);
    return out;
}

/// Of "orders:3"; none of "orders".
Result<std::optional<TopicPartition>> one_partition(const Invocation& line,
                                                    const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) return std::optional<TopicPartition>{};
    Invocation number{line.command()};
    number.add("topic", text.substr(colon + 1), false);
    LEAT_TRY(const std::int64_t partition, number.integer("topic", 0, INT32_MAX));
    return std::optional{
        TopicPartition{text.substr(0, colon), static_cast<std::int32_t>(partition)}};
}

/// "orders" or "orders:3".
Result<std::vector<TopicPartition>> chosen_partitions(const Invocation& line,
                                                      client::Admin& admin) {
    std::vector<TopicPartition> out;
    const auto add = [&out](TopicPartition where) {
        if (std::ranges::find(out, where) == out.end()) out.push_back(std::move(where));
    };
    for (const std::string& text : line.all("topic")) {
        LEAT_TRY(std::optional<TopicPartition> one, one_partition(line, text));
        if (one) {
            add(*std::move(one));
            continue;
        }
        const std::vector<std::string> names{text};
        LEAT_TRY(const client::ClusterInfo found,
                 admin.describe_cluster(std::span<const std::string>{names}));
        if (found.topics.size() != 1 || found.topics[0].code != Errc::kNone)
            return Error{Errc::kUnknownTopicOrPartition, "there is no topic '" + text + "'"};
        for (const client::PartitionInfo& partition : found.topics[0].partitions)
            add({text, partition.id});
    }
    return out;
}

/// What the group has committed to of what --topic names. The topic itself may be gone.
Result<std::vector<PartitionOffset>> chosen_offsets(const Invocation& line,
                                                    std::span<const PartitionOffset> committed) {
    std::vector<PartitionOffset> out;
    for (const std::string& text : line.all("topic")) {
        LEAT_TRY(const std::optional<TopicPartition> one, one_partition(line, text));
        const std::size_t before = out.size();
        for (const PartitionOffset& each : committed)
            if (each.offset >= 0 && (one ? each.where == *one : each.where.topic == text) &&
                std::ranges::find(out, each.where, &PartitionOffset::where) == out.end())
                out.push_back(each);
        if (out.size() == before)
            return Error{Errc::kNotFound, "it has committed nothing to '" + text + "'"};
    }
    return out;
}

/// Those that --member and --instance name, or with --all every one there is.
Result<std::vector<client::MemberInfo>> chosen_members(const Invocation& line,
                                                       client::Admin& admin) {
    std::vector<client::MemberInfo> out;
    for (const std::string& id : line.all("member")) out.emplace_back().id = id;
    for (const std::string& id : line.all("instance")) out.emplace_back().instance_id = id;
    if (!line.has("all")) return out;
    LEAT_TRY(client::GroupDetails group, admin.describe_group(line.text("GROUP")));
    if (group.outcome.code != Errc::kNone) return Error{group.outcome.code, group.outcome.message};
    return std::move(group.members);
}

/// What the coordinator would say of a commit: offsets of a group with members are theirs.
Result<void> check_empty(client::Admin& admin, std::string_view group) {
    const Result<client::GroupDetails> details = admin.describe_group(group);
    // A group that is not there yet, or may not be described, is no obstacle that this knows of.
    if (!details || details->outcome.code != Errc::kNone || details->members.empty()) return {};
    return Error{Errc::kNonEmptyGroup, std::to_string(details->members.size()) + " members"};
}

json::value plan_json(const Invocation& line, std::span<const PartitionOffset> plan,
                      const std::map<TopicPartition, std::int64_t>& committed) {
    return {{"group", line.text("GROUP")},
            {"dry_run", line.has("dry-run")},
            {"partitions", moves_json(plan, committed)}};
}

Result<int> run_group_list(const Invocation& line) {
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const std::span<const std::string> states = line.all("state");
    const std::span<const std::string> types = line.all("type");
    Result<std::vector<client::GroupInfo>> groups = access.admin->list_groups(
        {.states = {states.begin(), states.end()}, .types = {types.begin(), types.end()}});
    if (!groups) return failed_to("list groups on " + access.where, groups.error());
    json::array rows;
    for (const client::GroupInfo& group : *groups)
        rows.push_back({{"group", group.id},
                        {"state", group.state},
                        {"type", group.type},
                        {"protocol_type", group.protocol_type}});
    static constexpr Column kColumns[] = {
        {"group", "GROUP"}, {"state", "STATE"}, {"type", "TYPE"}, {"protocol_type", "PROTOCOL"}};
    const Section sections[] = {{.pointer = "/groups", .columns = kColumns}};
    if (rows.empty() && format_of(line) == Format::kTable)
        say((states.empty() && types.empty() ? "no groups on " : "no such groups on ") +
            access.where);
    LEAT_TRY_VOID(write_out(render(format_of(line), json::value{{"groups", rows}}, sections)));
    return kExitDone;
}

Result<int> run_group_describe(const Invocation& line) {
    LEAT_TRY(AdminAccess access, connect_admin(line));
    Result<client::GroupDetails> group = access.admin->describe_group(line.text("GROUP"));
    if (!group) return failed_to(describing(line, access), group.error());
    if (group->outcome.code != Errc::kNone)
        return failed_to(describing(line, access),
                         Error{group->outcome.code, group->outcome.message});
    Result<std::vector<Row>> rows = rows_of(*access.admin, *group);
    if (!rows) return failed_to(describing(line, access), rows.error());
    static constexpr Column kHead[] = {{"group", "group"},
                                       {"state", "state"},
                                       {"assignor", "assignor"},
                                       {"total_lag", "total lag"}};
    static constexpr Column kMembers[] = {{"member", "MEMBER"},
                                          {"instance_id", "INSTANCE"},
                                          {"client_id", "CLIENT"},
                                          {"host", "HOST"},
                                          {"partitions", "PARTITIONS"}};
    static constexpr Column kRows[] = {{"topic", "TOPIC"},
                                       {"partition", "PARTITION"},
                                       {"committed_offset", "COMMITTED"},
                                       {"end_offset", "END"},
                                       {"lag", "LAG"},
                                       {"client_id", "CLIENT"}};
    const Section sections[] = {{.pointer = "", .columns = kHead},
                                {.pointer = "/members", .columns = kMembers},
                                {.pointer = "/partitions", .columns = kRows}};
    LEAT_TRY_VOID(write_out(render(format_of(line), group_json(*group, *rows), sections)));
    return kExitDone;
}

Result<int> run_group_reset(const Invocation& line) {
    if (line.has("to") == line.has("shift-by"))
        return usage_error("give either --to or --shift-by");
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const std::string what =
        "reset group '" + std::string{line.text("GROUP")} + "' on " + access.where;
    Result<std::vector<PartitionOffset>> known =
        access.admin->committed_offsets(line.text("GROUP"));
    if (!known) return failed_to(what, known.error());
    std::map<TopicPartition, std::int64_t> committed;
    for (const PartitionOffset& one : *known)
        if (one.offset >= 0) committed[one.where] = one.offset;
    Result<std::vector<TopicPartition>> where = chosen_partitions(line, *access.admin);
    if (!where) return failed_to(what, where.error());
    if (!line.has("topic"))
        for (const auto& [one, offset] : committed) where->push_back(one);
    if (where->empty())
        return failed_to(what, Error{Errc::kNotFound,
                                     "it has committed nothing yet: name what to reset with "
                                     "--topic"});
    LEAT_TRY(const OffsetRule rule, offset_rule(line));
    if (line.has("shift-by"))
        if (const Result<void> good = check_committed(*where, committed); !good)
            return failed_to(what, good.error());
    if (line.has("dry-run"))
        if (const Result<void> good = check_empty(*access.admin, line.text("GROUP")); !good)
            return failed_to(what, good.error());
    Result<std::vector<PartitionOffset>> plan =
        target_offsets(*access.admin, *where, committed, rule);
    if (!plan) return failed_to(what, plan.error());
    for (const PartitionOffset& one : *plan)
        if (one.code != Errc::kNone)
            return failed_to(
                what, Error{one.code, one.where.topic + "-" + std::to_string(one.where.partition)});
    const json::value document = plan_json(line, *plan, committed);
    const Section sections[] = {{.pointer = "/partitions", .columns = kMoveColumns}};
    if (!line.has("dry-run")) {
        LEAT_TRY_VOID(
            confirm(line, "Move the group's " + std::to_string(plan->size()) + " offsets?"));
        if (const Result<void> done = commit_plan(*access.admin, line.text("GROUP"), *plan); !done)
            return failed_to(what, done.error());
    }
    LEAT_TRY_VOID(write_out(render(format_of(line), document, sections)));
    return kExitDone;
}

Result<int> run_group_delete(const Invocation& line) {
    const std::span<const std::string> names = line.all("GROUP");
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "'" : ", '") + name + "'";
    LEAT_TRY_VOID(confirm(line, "Delete " + list + " and the offsets committed?"));
    LEAT_TRY(AdminAccess access, connect_admin(line));
    Result<std::vector<client::Outcome>> done = access.admin->delete_groups(names);
    if (!done) return failed_to("delete groups on " + access.where, done.error());
    Outcomes outcomes{"delete", "group", access.where};
    json::array deleted;
    for (const client::Outcome& outcome : *done)
        if (outcomes.note(outcome)) deleted.emplace_back(outcome.name);
    if (format_of(line) != Format::kTable) {
        const json::value document{{"deleted", deleted}, {"failed", outcomes.failures()}};
        LEAT_TRY_VOID(write_last(render(format_of(line), document, {})));
    }
    for (const json::value& name : deleted)
        say("deleted group '" + std::string{name.get_string()} + "'");
    return outcomes.exit_code();
}

Result<int> run_group_delete_offsets(const Invocation& line) {
    const std::string group{line.text("GROUP")};
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const std::string what = "delete offsets of group '" + group + "' on " + access.where;
    Result<std::vector<PartitionOffset>> committed = access.admin->committed_offsets(group);
    if (!committed) return failed_to(what, committed.error());
    Result<std::vector<PartitionOffset>> chosen = chosen_offsets(line, *committed);
    if (!chosen && chosen.error().code() == Errc::kUsage) return std::move(chosen).error();
    if (!chosen) return failed_to(what, chosen.error());
    LEAT_TRY_VOID(confirm(line, "Delete " + std::to_string(chosen->size()) +
                                    " offsets that group '" + group + "' has committed?"));
    std::vector<TopicPartition> where;
    where.reserve(chosen->size());
    for (const PartitionOffset& one : *chosen) where.push_back(one.where);
    Result<std::vector<client::Outcome>> done = access.admin->delete_offsets(group, where);
    if (!done) return failed_to(what, done.error());
    Outcomes outcomes{"delete the group's offset of", "partition", access.where};
    json::array deleted;
    for (std::size_t i = 0; i < chosen->size(); ++i)
        if (outcomes.note((*done)[i]))
            deleted.push_back({{"topic", where[i].topic},
                               {"partition", where[i].partition},
                               {"old_offset", (*chosen)[i].offset}});
    static constexpr Column kColumns[] = {
        {"topic", "TOPIC"}, {"partition", "PARTITION"}, {"old_offset", "DELETED"}};
    const Section sections[] = {{.pointer = "/partitions", .columns = kColumns}};
    const json::value document{
        {"group", group}, {"partitions", deleted}, {"failed", outcomes.failures()}};
    LEAT_TRY_VOID(write_last(render(format_of(line), document, sections)));
    return outcomes.exit_code();
}

Result<int> run_group_remove_members(const Invocation& line) {
    const std::string group{line.text("GROUP")};
    const bool is_named = line.has("member") || line.has("instance");
    if (is_named == line.has("all"))
        return usage_error("which members? give --member and --instance, or else --all");
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const std::string what = "remove members from group '" + group + "' on " + access.where;
    Result<std::vector<client::MemberInfo>> members = chosen_members(line, *access.admin);
    if (!members) return failed_to(what, members.error());
    Outcomes outcomes{"remove", "member", access.where};
    json::array removed;
    if (!members->empty()) {
        LEAT_TRY_VOID(confirm(line, "Remove " + std::to_string(members->size()) +
                                        " members from group '" + group + "'?"));
        Result<std::vector<client::Outcome>> done =
            access.admin->remove_members(group, *members, line.text("reason"));
        if (!done) return failed_to(what, done.error());
        for (const client::Outcome& one : *done)
            if (outcomes.note(one)) removed.emplace_back(one.name);
    }
    if (format_of(line) != Format::kTable) {
        const json::value document{
            {"group", group}, {"removed", removed}, {"failed", outcomes.failures()}};
        LEAT_TRY_VOID(write_last(render(format_of(line), document, {})));
    }
    if (members->empty()) say("group '" + group + "' has no members");
    for (const json::value& name : removed)
        say("removed member '" + std::string{name.get_string()} + "'");
    return outcomes.exit_code();
}

constexpr std::array kCommands{
    Command{.path = "group list",
            .summary = "list the groups",
            .example = "leat group list --state Stable --type consumer",
            .options = kList,
            .run = run_group_list},
    Command{.path = "group describe",
            .summary = "show members, committed offsets and lag of a group",
            .example = "leat group describe billing",
            .options = kDescribe,
            .run = run_group_describe},
    Command{
        .path = "group reset",
        .summary = "move the committed offsets of a group that has no members",
        .example = "leat group reset billing --to 2026-01-31T12:00:00Z --topic flights --dry-run",
        .options = kReset,
        .run = run_group_reset},
    Command{.path = "group delete",
            .summary = "delete groups and their committed offsets",
            .example = "leat group delete billing --yes",
            .options = kDelete,
            .run = run_group_delete},
    Command{.path = "group delete-offsets",
            .summary = "delete offsets that a group has committed",
            .details = "Its members may run, but not subscribe to the topic.",
            .example = "leat group delete-offsets billing --topic flights --yes",
            .options = kDeleteOffsets,
            .run = run_group_delete_offsets},
    Command{.path = "group remove-members",
            .summary = "take members out of a classic group",
            .details =
                "As if they had left: the others share their partitions at once. A member that "
                "still runs joins again.",
            .example = "leat group remove-members billing --instance billing-1 --yes",
            .options = kRemoveMembers,
            .run = run_group_remove_members},
};

}  // namespace

std::span<const Command> group_commands() {
    return kCommands;
}

}  // namespace leat::apps
