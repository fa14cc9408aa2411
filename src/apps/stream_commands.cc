// SPDX-License-Identifier: Apache-2.0
//
// leat stream describe, lag.
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "apps/cluster_access.h"
#include "apps/commands.h"
#include "apps/output.h"
#include "apps/stream_access.h"
#include "apps/stream_topics.h"

namespace leat::apps {
namespace {

namespace json = boost::json;
using client::PartitionOffset;
using client::TopicPartition;
using streams::TaskId;

constexpr auto kDescribe = std::to_array<OptionSpec>({kApplication, kTopologyOption});

std::string text_of(const TaskId& task) {
    return std::to_string(task.subtopology) + "_" + std::to_string(task.partition);
}

json::array names_of(const std::set<TaskId>& tasks) {
    json::array out;
    for (const TaskId& task : tasks) out.emplace_back(text_of(task));
    return out;
}

json::value text_or_null(std::string_view text) {
    return text.empty() ? json::value{} : json::value(text);
}

json::object member_json(const StreamMember& member, const streams::TaskShare& share) {
    json::object out;
    out["member"] = member.info.id;
    out["instance_id"] = text_or_null(member.info.instance_id);
    out["client_id"] = member.info.client_id;
    out["host"] = member.info.host;
    out["process"] = member.said ? text_or_null(member.said->data.process) : json::value{};
    out["endpoint"] = member.said ? text_or_null(member.said->data.endpoint) : json::value{};
    out["threads"] = member.said ? json::value(member.said->data.state.threads) : json::value{};
    out["active"] = names_of(share.active);
    out["standby"] = names_of(share.standby);
    return out;
}

/// What each task's state lacked when its members joined last.
std::int64_t state_lag(const StreamView& view, const TaskId& task, std::string_view member) {
    for (const StreamMember& one : view.members)
        if (one.info.id == member && one.said)
            if (const auto at = one.said->data.state.lags.find(task);
                at != one.said->data.state.lags.end())
                return at->second;
    return -1;
}

json::array tasks_json(const StreamView& view,
                       const std::map<std::string, streams::TaskShare>& shares) {
    struct Row {
        std::string active;
        std::vector<std::string> standby;
    };
    std::map<TaskId, Row> rows;
    for (const auto& [member, share] : shares) {
        for (const TaskId& task : share.active) rows[task].active = member;
        for (const TaskId& task : share.standby) rows[task].standby.push_back(member);
    }
    json::array out;
    for (const auto& [task, row] : rows) {
        json::array standby;
        for (const auto& member : row.standby) {
            const std::int64_t lag = state_lag(view, task, member);
            standby.push_back(
                {{"member", member}, {"lag", lag < 0 ? json::value{} : json::value(lag)}});
        }
        out.push_back({{"task", text_of(task)},
                       {"subtopology", task.subtopology},
                       {"partition", task.partition},
                       {"active", text_or_null(row.active)},
                       {"standby", std::move(standby)}});
    }
    return out;
}

json::object view_json(const StreamView& view, std::string_view application) {
    std::map<std::string, streams::TaskShare> shares;
    json::array members;
    for (const StreamMember& member : view.members) {
        const streams::TaskShare share = view.share_of(member, application);
        members.emplace_back(member_json(member, share));
        shares[member.info.id] = share;
    }
    json::object out;
    out["application"] = application;
    out["state"] = view.group.info.state;
    out["assignor"] = text_or_null(view.group.assignor);
    out["members"] = std::move(members);
    out["tasks"] = tasks_json(view, shares);
    out["topology"] = view.text ? json::value(*view.text) : json::value{};
    return out;
}

/// For the table: names of members only, joined.
json::value for_people(json::object document) {
    for (json::value& task : document["tasks"].as_array()) {
        std::string standby;
        for (const json::value& one : task.at("standby").as_array())
            standby += (standby.empty() ? "" : ", ") + std::string{one.at("member").as_string()};
        task.as_object()["standby"] = standby;
    }
    for (json::value& member : document["members"].as_array())
        for (const char* key : {"active", "standby"})
            member.as_object()[key] = member.at(key).as_array().size();
    return document;
}

struct LagRow {
    StreamTopic topic;
    TopicPartition where;
    std::int64_t committed = -1;
    std::int64_t end = -1;
    [[nodiscard]] std::int64_t lag() const {
        return committed < 0 || end < 0 ? -1 : std::max<std::int64_t>(0, end - committed);
    }
};

Result<std::vector<LagRow>> lag_rows(client::Admin& admin, const StreamView& view,
                                     std::string_view application) {
    LEAT_TRY(const auto committed, positions_of(admin, application));
    LEAT_TRY(const auto counts, all_topics(admin));
    std::set<std::string> existing;
    std::set<std::string> read;
    for (const auto& [name, count] : counts) existing.insert(name);
    for (const auto& [where, offset] : committed) read.insert(where.topic);
    std::vector<LagRow> out;
    std::vector<TopicPartition> all;
    for (const StreamTopic& topic :
         stream_topics(application, existing, read, view.topology ? &*view.topology : nullptr)) {
        const auto count = counts.find(topic.name);
        if (count == counts.end()) continue;
        for (std::int32_t i = 0; i < count->second; ++i) {
            LagRow row{.topic = topic, .where = {topic.name, i}};
            if (const auto at = committed.find(row.where); at != committed.end())
                row.committed = at->second;
            all.push_back(row.where);
            out.push_back(std::move(row));
        }
    }
    LEAT_TRY(const std::vector<PartitionOffset> ends, admin.list_offsets(all, client::kLatest));
    for (std::size_t i = 0; i < out.size(); ++i)
        if (ends[i].code == Errc::kNone) out[i].end = ends[i].offset;
    return out;
}

json::value lag_json(std::string_view application, const std::vector<LagRow>& rows) {
    json::array partitions;
    std::map<std::optional<std::int32_t>, std::int64_t> sums;
    std::map<TopicPartition, std::int64_t> once;  // One that two sub-topologies read counts once.
    for (const LagRow& row : rows) {
        const auto subtopology =
            row.topic.subtopology ? json::value(*row.topic.subtopology) : json::value{};
        partitions.push_back({{"subtopology", subtopology},
                              {"role", name_of(row.topic.role)},
                              {"topic", row.where.topic},
                              {"partition", row.where.partition},
                              {"committed_offset", or_null(row.committed)},
                              {"end_offset", or_null(row.end)},
                              {"lag", or_null(row.lag())}});
        auto& sum = sums[row.topic.subtopology];
        if (row.topic.role == TopicRole::kChangelog || row.lag() < 0) continue;
        sum += row.lag();
        once[row.where] = row.lag();
    }
    json::array subtopologies;
    for (const auto& [number, lag] : sums)
        if (number) subtopologies.push_back({{"subtopology", *number}, {"lag", lag}});
    std::int64_t total = 0;
    for (const auto& [where, lag] : once) total += lag;
    return {{"application", application},
            {"total_lag", total},
            {"subtopologies", std::move(subtopologies)},
            {"partitions", std::move(partitions)}};
}

Result<void> need_topology(const StreamView& view) {
    if (view.topology) return {};
    return Error{Errc::kNotFound,
                 view.members.empty()
                     ? "no member is there that tells the topology: give --topology FILE"
                     : "the members do not tell their topology: give --topology FILE"};
}

Result<int> run_stream_describe(const Invocation& line) {
    LEAT_TRY(AdminAccess access, connect_admin(line));
    LEAT_TRY(const StreamView view, view_application(line, access));
    if (line.text("output") == "text" || line.text("output") == "mermaid") {
        LEAT_TRY_VOID(need_topology(view));
        LEAT_TRY_VOID(write_out(line.text("output") == "text" ? *view.text
                                                              : streams::mermaid(*view.topology)));
        return kExitDone;
    }
    json::object document = view_json(view, line.text("APPLICATION"));
    if (format_of(line) != Format::kTable) {
        LEAT_TRY_VOID(write_out(render(format_of(line), document, {})));
        return kExitDone;
    }
    static constexpr Column kHead[] = {
        {"application", "application"}, {"state", "state"}, {"assignor", "assignor"}};
    static constexpr Column kMembers[] = {{"member", "MEMBER"},     {"host", "HOST"},
                                          {"endpoint", "ENDPOINT"}, {"threads", "THREADS"},
                                          {"active", "ACTIVE"},     {"standby", "STANDBY"}};
    static constexpr Column kTasks[] = {
        {"task", "TASK"}, {"active", "ACTIVE ON"}, {"standby", "STANDBY ON"}};
    const Section sections[] = {{.pointer = "", .columns = kHead},
                                {.pointer = "/members", .columns = kMembers},
                                {.pointer = "/tasks", .columns = kTasks}};
    LEAT_TRY_VOID(write_out(render(Format::kTable, for_people(std::move(document)), sections)));
    if (view.text) LEAT_TRY_VOID(write_out("\n" + *view.text));
    return kExitDone;
}

Result<int> run_stream_lag(const Invocation& line) {
    LEAT_TRY(AdminAccess access, connect_admin(line));
    LEAT_TRY(const StreamView view, view_application(line, access));
    const std::string_view application = line.text("APPLICATION");
    Result<std::vector<LagRow>> rows = lag_rows(*access.admin, view, application);
    if (!rows)
        return failed_to("read the lag of stream application '" + std::string{application} +
                             "' on " + access.where,
                         rows.error());
    static constexpr Column kHead[] = {{"application", "application"}, {"total_lag", "total lag"}};
    static constexpr Column kSums[] = {{"subtopology", "SUB-TOPOLOGY"}, {"lag", "LAG"}};
    static constexpr Column kRows[] = {{"subtopology", "SUB-TOPOLOGY"},
                                       {"role", "ROLE"},
                                       {"topic", "TOPIC"},
                                       {"partition", "PARTITION"},
                                       {"committed_offset", "COMMITTED"},
                                       {"end_offset", "END"},
                                       {"lag", "LAG"}};
    const Section sections[] = {{.pointer = "", .columns = kHead},
                                {.pointer = "/subtopologies", .columns = kSums},
                                {.pointer = "/partitions", .columns = kRows}};
    LEAT_TRY_VOID(write_out(render(format_of(line), lag_json(application, *rows), sections)));
    return kExitDone;
}

constexpr std::array kCommands{
    Command{.path = "stream describe",
            .summary = "show a stream application: members, tasks, topology",
            .details =
                "What its members told their group. The topology of an application that does "
                "not tell it, as one in Java, can be given as the text that its "
                "Topology.describe() prints.",
            .example = "leat stream describe word-count --output mermaid > word-count.mmd",
            .kind = CommandKind::kDrawn,
            .options = kDescribe,
            .run = run_stream_describe},
    Command{
        .path = "stream lag",
        .summary = "show how far a stream application is behind, by sub-topology",
        .details = "Positions of source and repartition topics, and the ends of its changelogs.",
        .example = "leat stream lag word-count",
        .options = kDescribe,
        .run = run_stream_lag},
};

}  // namespace

std::span<const Command> stream_commands() {
    return kCommands;
}

}  // namespace leat::apps
