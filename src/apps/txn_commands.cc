// SPDX-License-Identifier: Apache-2.0
//
// leat txn list, describe, find-hanging, abort, force-terminate.
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "apps/admin_access.h"
#include "apps/cluster_access.h"
#include "apps/commands.h"
#include "apps/hanging_transactions.h"
#include "apps/output.h"

namespace leat::apps {
namespace {

namespace json = boost::json;
using client::OpenTransaction;
using client::TopicPartition;

constexpr auto kList = std::to_array<OptionSpec>({
    {.names = "--state",
     .value = "STATE",
     .help = "only ids in this state",
     .choices = "Empty|Ongoing|PrepareCommit|PrepareAbort|CompleteCommit|CompleteAbort|"
                "PrepareEpochFence",
     .repeated = true},
    {.names = "--producer-id",
     .value = "NUMBER",
     .help = "only the id that has this producer",
     .repeated = true},
    {.names = "--older-than",
     .value = "SECONDS",
     .help = "only those whose transaction began longer ago, ended or not, and those that have "
             "made none"},
    {.names = "--pattern",
     .value = "REGEX",
     .help = "only ids that this regular expression matches as a whole"},
});
constexpr auto kDescribe = std::to_array<OptionSpec>({
    {.names = "ID", .value = {}, .help = "the transactional id", .required = true},
});
constexpr auto kFind = std::to_array<OptionSpec>({
    {.names = "--topic",
     .value = "TOPIC",
     .help = "only this topic; all unless given",
     .repeated = true},
    {.names = "--older-than",
     .value = "SECONDS",
     .help = "only those whose last record is older; 900 unless given, the longest that a "
             "transaction may take by default"},
});
constexpr auto kAbort = std::to_array<OptionSpec>({
    {.names = "TOPIC", .value = {}, .help = "the topic it hangs in", .required = true},
    {.names = "PARTITION", .value = {}, .help = "the partition", .required = true},
    {.names = "--start-offset",
     .value = "OFFSET",
     .help = "its first offset, as find-hanging shows it",
     .required = true},
});

constexpr Column kRows[] = {{"topic", "TOPIC"},           {"partition", "PARTITION"},
                            {"producer_id", "PRODUCER"},  {"epoch", "EPOCH"},
                            {"start_offset", "START"},    {"age_seconds", "AGE"},
                            {"transactional_id", "OWNER"}};

Result<std::int64_t> number(const Invocation& line, std::string_view key, std::int64_t fallback,
                            std::int64_t high = INT64_MAX) {
    if (line.text(key).empty()) return fallback;
    return line.integer(key, 0, high);
}

/// Errors: kUsage.
Result<client::TransactionFilter> filter_of(const Invocation& line) {
    client::TransactionFilter out;
    const std::span<const std::string> states = line.all("state");
    out.states = {states.begin(), states.end()};
    for (const std::string& text : line.all("producer-id")) {
        std::int64_t& id = out.producer_ids.emplace_back();
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
        if (error != std::errc{} || end != text.data() + text.size() || id < 0)
            return usage_error("--producer-id: '" + text + "' is not the number of a producer");
    }
    LEAT_TRY(const std::int64_t seconds, number(line, "older-than", -1, INT64_MAX / 1000));
    if (seconds >= 0) out.older_than_ms = seconds * 1000;
    out.pattern = line.text("pattern");
    return out;
}

std::int64_t now_ms() {
    return wall_clock_now().value;
}

/// Whether it lets all through.
bool is_any(const client::TransactionFilter& filter) {
    return filter.states.empty() && filter.producer_ids.empty() && filter.older_than_ms < 0 &&
           filter.pattern.empty();
}

json::object info_json(const client::TransactionInfo& info) {
    return {
        {"transactional_id", info.id}, {"producer_id", info.producer_id}, {"state", info.state}};
}

json::object open_json(const OpenTransaction& open, const std::string& owner) {
    return {{"topic", open.where.topic},
            {"partition", open.where.partition},
            {"producer_id", open.producer_id},
            {"epoch", open.epoch},
            {"coordinator_epoch", open.coordinator_epoch},
            {"start_offset", open.start_offset},
            {"last_timestamp_ms", open.last_timestamp_ms},
            {"age_seconds", (now_ms() - open.last_timestamp_ms) / 1000},
            {"transactional_id", owner.empty() ? json::value{} : json::value(owner)}};
}

Result<std::vector<TopicPartition>> all_partitions(const Invocation& line, client::Admin& admin) {
    LEAT_TRY(const client::ClusterInfo cluster, admin.describe_cluster(std::nullopt));
    const std::span<const std::string> wanted = line.all("topic");
    for (const std::string& name : wanted)
        if (std::ranges::find(cluster.topics, name, &client::TopicInfo::name) ==
            cluster.topics.end())
            return Error{Errc::kUnknownTopicOrPartition, "there is no topic '" + name + "'"};
    std::vector<TopicPartition> out;
    for (const client::TopicInfo& topic : cluster.topics) {
        if (!wanted.empty() && std::ranges::find(wanted, topic.name) == wanted.end()) continue;
        for (const client::PartitionInfo& partition : topic.partitions)
            out.push_back({topic.name, partition.id});
    }
    return out;
}

/// Those of `open` that no coordinator will end, with the id of who has the producer now.
Result<json::array> hanging(client::Admin& admin, std::span<const OpenTransaction> open,
                            std::int64_t age_ms) {
    json::array out;
    if (open.empty()) return out;
    LEAT_TRY(const std::vector<client::TransactionInfo> known, admin.list_transactions());
    for (const OpenTransaction& each : open) {
        if (now_ms() - each.last_timestamp_ms < age_ms) continue;
        std::string owner;
        bool is_known = false;
        for (const client::TransactionInfo& info : known) {
            if (info.producer_id != each.producer_id) continue;
            owner = info.id;
            LEAT_TRY(const client::TransactionDetails details, admin.describe_transaction(info.id));
            const Result<bool> known_there = is_known_in(details, each.where);
            if (!known_there)
                return Error{known_there.error().code(), "transactional id '" + info.id + "'"};
            is_known = is_known || *known_there;
        }
        if (!is_known) out.emplace_back(open_json(each, owner));
    }
    return out;
}

Result<int> run_txn_list(const Invocation& line) {
    LEAT_TRY(const client::TransactionFilter filter, filter_of(line));
    LEAT_TRY(AdminAccess access, connect_admin(line));
    Result<std::vector<client::TransactionInfo>> all = access.admin->list_transactions(filter);
    if (!all) return failed_to("list transactions on " + access.where, all.error());
    json::array rows;
    for (const client::TransactionInfo& info : *all) rows.emplace_back(info_json(info));
    static constexpr Column kColumns[] = {
        {"transactional_id", "ID"}, {"producer_id", "PRODUCER"}, {"state", "STATE"}};
    const Section sections[] = {{.pointer = "/transactions", .columns = kColumns}};
    if (rows.empty() && format_of(line) == Format::kTable)
        say((is_any(filter) ? "no transactional ids on " : "no such transactional ids on ") +
            access.where);
    LEAT_TRY_VOID(
        write_out(render(format_of(line), json::value{{"transactions", rows}}, sections)));
    return kExitDone;
}

Result<int> run_txn_describe(const Invocation& line) {
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const std::string what =
        "describe transactional id '" + std::string{line.text("ID")} + "' on " + access.where;
    Result<client::TransactionDetails> found = access.admin->describe_transaction(line.text("ID"));
    if (!found) return failed_to(what, found.error());
    if (found->code != Errc::kNone) return failed_to(what, Error{found->code});
    json::object out = info_json(found->info);
    out["epoch"] = found->epoch;
    out["timeout_ms"] = found->timeout_ms;
    out["started_ms"] =
        has_open_transaction(found->info.state) ? or_null(found->started_ms) : json::value{};
    json::array partitions;
    for (const TopicPartition& each : found->partitions)
        partitions.push_back({{"topic", each.topic}, {"partition", each.partition}});
    out["partitions"] = std::move(partitions);
    static constexpr Column kHead[] = {{"transactional_id", "transactional id"},
                                       {"state", "state"},
                                       {"producer_id", "producer id"},
                                       {"epoch", "epoch"},
                                       {"timeout_ms", "timeout, ms"},
                                       {"started_ms", "began, ms since 1970"}};
    static constexpr Column kPlaces[] = {{"topic", "TOPIC"}, {"partition", "PARTITION"}};
    const Section sections[] = {{.pointer = "", .columns = kHead},
                                {.pointer = "/partitions", .columns = kPlaces}};
    LEAT_TRY_VOID(write_out(render(format_of(line), out, sections)));
    return kExitDone;
}

Result<int> run_txn_find_hanging(const Invocation& line) {
    constexpr std::int64_t kLongest = 900;
    LEAT_TRY(const std::int64_t age, number(line, "older-than", kLongest, INT64_MAX / 1000));
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const std::string what = "look for hanging transactions on " + access.where;
    Result<std::vector<TopicPartition>> where = all_partitions(line, *access.admin);
    if (!where) return failed_to(what, where.error());
    Result<std::vector<OpenTransaction>> open = access.admin->open_transactions(*where);
    if (!open) return failed_to(what, open.error());
    Result<json::array> rows = hanging(*access.admin, *open, age * 1000);
    if (!rows) return failed_to(what, rows.error());
    const Section sections[] = {{.pointer = "/hanging", .columns = kRows}};
    if (rows->empty() && format_of(line) == Format::kTable) say("no transaction hangs");
    LEAT_TRY_VOID(write_out(render(format_of(line), json::value{{"hanging", *rows}}, sections)));
    return kExitDone;
}

Result<int> run_txn_abort(const Invocation& line) {
    LEAT_TRY(const std::int64_t partition, number(line, "PARTITION", 0, INT32_MAX));
    LEAT_TRY(const std::int64_t start, number(line, "start-offset", 0));
    const TopicPartition where{std::string{line.text("TOPIC")},
                               static_cast<std::int32_t>(partition)};
    const std::string name = where.topic + "-" + std::to_string(where.partition);
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const std::string what = "abort the transaction at offset " + std::to_string(start) + " of " +
                             name + " on " + access.where;
    Result<std::vector<OpenTransaction>> open = access.admin->open_transactions({&where, 1});
    if (!open) return failed_to(what, open.error());
    const auto at = std::ranges::find(*open, start, &OpenTransaction::start_offset);
    if (at == open->end())
        return failed_to(what, Error{Errc::kInvalidTxnState, "no transaction is open from there"});
    LEAT_TRY_VOID(confirm(line, "Abort the transaction of producer " +
                                    std::to_string(at->producer_id) + " in " + name + "?"));
    Result<client::Outcome> done = access.admin->abort_transaction(*at);
    if (!done) return failed_to(what, done.error());
    if (done->code != Errc::kNone) return failed_to(what, Error{done->code, done->message});
    if (format_of(line) != Format::kTable) {
        LEAT_TRY_VOID(write_out(render(format_of(line), open_json(*at, {}), {})));
    }
    say("aborted in " + name + " from offset " + std::to_string(start));
    return kExitDone;
}

Result<int> run_txn_force_terminate(const Invocation& line) {
    const std::string id{line.text("ID")};
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const std::string what = "force-terminate the transaction of '" + id + "' on " + access.where;
    // Asked first: to take the place of an id that nobody uses would make it.
    Result<client::TransactionDetails> found = access.admin->describe_transaction(id);
    if (!found) return failed_to(what, found.error());
    if (found->code != Errc::kNone) return failed_to(what, Error{found->code});
    if (!has_open_transaction(found->info.state))
        return failed_to(what, Error{Errc::kInvalidTxnState,
                                     "it has nothing open, its state is " + found->info.state});
    LEAT_TRY_VOID(confirm(line, "Abort what '" + id + "' has open in " +
                                    std::to_string(found->partitions.size()) +
                                    " partitions, and fence its producer?"));
    const Result<client::TransactionInfo> now =
        access.admin->force_terminate_transaction(id, std::max(1, found->timeout_ms));
    if (!now) return failed_to(what, now.error());
    if (format_of(line) != Format::kTable)
        LEAT_TRY_VOID(write_out(render(format_of(line), info_json(*now), {})));
    say("aborted what '" + id + "' had open; its producer is fenced");
    return kExitDone;
}

constexpr std::array kCommands{
    Command{.path = "txn list",
            .summary = "list the transactional ids and their states",
            .example = "leat txn list --state Ongoing --older-than 60",
            .options = kList,
            .run = run_txn_list},
    Command{.path = "txn describe",
            .summary = "show what one transactional id has open",
            .example = "leat txn describe billing-1",
            .options = kDescribe,
            .run = run_txn_describe},
    Command{.path = "txn find-hanging",
            .summary = "show transactions that are open and that nobody will end",
            .details = "Such a transaction keeps readers of committed records from going on. Its "
                       "owner is the transactional id that has the producer now, if one is left.",
            .example = "leat txn find-hanging --older-than 60",
            .options = kFind,
            .run = run_txn_find_hanging},
    Command{.path = "txn abort",
            .summary = "end a hanging transaction",
            .example = "leat txn abort orders 3 --start-offset 4711 --yes",
            .options = kAbort,
            .run = run_txn_abort},
    Command{.path = "txn force-terminate",
            .summary = "abort what a transactional id has open, and fence its producer",
            .details =
                "For a transaction whose coordinator knows it, such as one of a producer that "
                "is gone and has a long timeout, or a prepared one that nobody completes.",
            .example = "leat txn force-terminate billing-1 --yes",
            .options = kDescribe,
            .run = run_txn_force_terminate},
};

}  // namespace

std::span<const Command> txn_commands() {
    return kCommands;
}

}  // namespace leat::apps
