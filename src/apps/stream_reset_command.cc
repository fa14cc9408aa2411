// SPDX-License-Identifier: Apache-2.0
//
// leat stream reset: what Kafka's kafka-streams-application-reset does.
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "apps/admin_access.h"
#include "apps/cluster_access.h"
#include "apps/commands.h"
#include "apps/offset_plan.h"
#include "apps/output.h"
#include "apps/stream_access.h"
#include "apps/stream_topics.h"

namespace leat::apps {
namespace {

namespace json = boost::json;
using client::PartitionOffset;
using client::TopicPartition;
using Topics = std::map<std::string, std::int32_t>;  ///< With their numbers of partitions.

constexpr auto kReset = std::to_array<OptionSpec>({
    kApplication,
    kToOption,
    kShiftOption,
    {.names = "--from-file",
     .value = "FILE",
     .help = "lines topic,partition,offset: those partitions of input topics, to those offsets"},
    {.names = "--input",
     .value = "TOPIC",
     .help = "an input topic; all that the application has positions in unless given",
     .repeated = true},
    {.names = "--intermediate",
     .value = "TOPIC",
     .help = "a topic that the application writes and reads: positions go to its end",
     .repeated = true},
    {.names = "--internal",
     .value = "TOPIC",
     .help = "an internal topic to delete; all of them unless given, but for those of --input and "
             "--intermediate",
     .repeated = true},
    {.names = "--force", .value = {}, .help = "take members out of the group that are still in it"},
    {.names = "--dry-run", .value = {}, .help = "only show what would be done"},
});

struct Plan {
    std::vector<client::MemberInfo> members;  ///< To be taken out.
    std::vector<PartitionOffset> moves;
    Offsets committed;
    std::vector<std::string> deletes;
};

std::vector<std::string> chosen(const Invocation& line, std::string_view key) {
    const std::span<const std::string> all = line.all(key);
    return {all.begin(), all.end()};
}

/// A topic that is called as internal ones are may be one of the user's own.
std::set<std::string> named_to_keep(const Invocation& line) {
    std::set<std::string> out;
    for (const std::string_view key : {"input", "intermediate"})
        for (const auto& topic : line.all(key)) out.insert(topic);
    return out;
}

Result<void> check_usage(const Invocation& line) {
    if (line.has("to") + line.has("shift-by") + line.has("from-file") > 1)
        return usage_error("give one of --to, --shift-by and --from-file");
    for (const auto& topic : line.all("internal"))
        if (!is_internal_topic(line.text("APPLICATION"), topic))
            return usage_error("'" + topic + "' is no internal topic of '" +
                               std::string{line.text("APPLICATION")} + "'");
    for (const auto& topic : line.all("input"))
        if (std::ranges::find(line.all("intermediate"), topic) != line.all("intermediate").end())
            return usage_error("'" + topic + "' is either an input topic or an intermediate one");
    const std::set<std::string> kept = named_to_keep(line);
    for (const auto& topic : line.all("internal"))
        if (kept.contains(topic))
            return usage_error(
                "'" + topic + "' is given by --internal, which deletes it, and as a topic to read");
    return {};
}

Result<void> check_existence(const Invocation& line, const Topics& topics) {
    for (const std::string_view key : {"input", "intermediate", "internal"})
        for (const auto& topic : line.all(key))
            if (!topics.contains(topic))
                return Error{Errc::kUnknownTopicOrPartition, "there is no topic '" + topic + "'"};
    return {};
}

/// Members that the group still has. Errors: kNonEmptyGroup unless they may be taken out.
Result<std::vector<client::MemberInfo>> members_of(const Invocation& line, client::Admin& admin) {
    LEAT_TRY(client::GroupDetails group, admin.describe_group(line.text("APPLICATION")));
    if (group.outcome.code == Errc::kGroupIdNotFound) return std::vector<client::MemberInfo>{};
    if (group.outcome.code != Errc::kNone) return Error{group.outcome.code, group.outcome.message};
    if (group.members.empty() || line.has("force")) return std::move(group.members);
    std::string names;
    for (const auto& one : group.members) names += (names.empty() ? "" : ", ") + one.id;
    return Error{Errc::kNonEmptyGroup,
                 "it still runs, as " + names + "; stop it, or take these out with --force"};
}

void add_partitions(const std::string& topic, const Topics& topics,
                    std::vector<TopicPartition>& out) {
    const auto found = topics.find(topic);
    for (std::int32_t i = 0; found != topics.end() && i < found->second; ++i)
        out.push_back({topic, i});
}

/// Partitions of inputs that a file says nothing of stay where they are: forgotten, most likely.
void tell_unnamed(const std::vector<TopicPartition>& inputs, const Offsets& named) {
    constexpr std::size_t kShown = 10;
    std::vector<std::string> unnamed;
    for (const TopicPartition& one : inputs)
        if (!named.contains(one))
            unnamed.push_back(one.topic + "-" + std::to_string(one.partition));
    if (unnamed.empty()) return;
    std::string text = "leat: the file does not name, and so leaves as they are:";
    for (std::size_t i = 0; i < std::min(unnamed.size(), kShown); ++i)
        text += (i == 0 ? " " : ", ") + unnamed[i];
    if (unnamed.size() > kShown)
        text += " and " + std::to_string(unnamed.size() - kShown) + " more";
    say(text);
}

/// Input partitions by the options: those of the file, of --input, or all that have positions.
std::vector<TopicPartition> inputs_of(const Invocation& line, const Topics& topics,
                                      const Offsets& committed, const OffsetRule& rule) {
    std::set<std::string> names;
    for (const auto& topic : line.all("input")) names.insert(topic);
    if (names.empty())
        for (const auto& [where, offset] : committed)
            if (!is_internal_topic(line.text("APPLICATION"), where.topic) &&
                topics.contains(where.topic))
                names.insert(where.topic);
    for (const auto& topic : line.all("intermediate")) names.erase(topic);
    std::vector<TopicPartition> out;
    for (const auto& name : names) add_partitions(name, topics, out);
    if (!rule.given) return out;
    tell_unnamed(out, *rule.given);
    if (line.has("input")) {
        std::erase_if(out, [&](const auto& one) { return !rule.given->contains(one); });
    } else {
        out.clear();
        for (const auto& [where, offset] : *rule.given) out.push_back(where);
    }
    return out;
}

Result<std::vector<PartitionOffset>> moves_of(const Invocation& line, client::Admin& admin,
                                              const Topics& topics, const Offsets& committed) {
    LEAT_TRY(OffsetRule rule, offset_rule(line));
    if (!rule.to && !line.has("shift-by")) rule.to = StartPoint{StartPoint::Kind::kBeginning, 0};
    if (line.has("from-file")) {
        const std::string file{line.text("from-file")};
        LEAT_TRY(const std::string text, read_text_file(file));
        Result<Offsets> given = parse_offsets(text);
        if (!given) return usage_error(file + ", " + std::string{given.error().detail()});
        // The internal topics would go all the same, and the state with them.
        if (given->empty()) return usage_error("--from-file: '" + file + "' names no partition");
        rule = {.given = *std::move(given)};
    }
    std::vector<TopicPartition> inputs = inputs_of(line, topics, committed, rule);
    if (line.has("shift-by")) {
        // As `group reset`: of topics that nobody named, partitions without a position stay so.
        if (!line.has("input"))
            std::erase_if(inputs, [&](const auto& one) { return !committed.contains(one); });
        LEAT_TRY_VOID(check_committed(inputs, committed));
    }
    LEAT_TRY(std::vector<PartitionOffset> out, target_offsets(admin, inputs, committed, rule));
    std::vector<TopicPartition> between;
    for (const auto& topic : line.all("intermediate")) add_partitions(topic, topics, between);
    LEAT_TRY(
        const std::vector<PartitionOffset> ends,
        target_offsets(admin, between, committed, {.to = StartPoint{StartPoint::Kind::kEnd, 0}}));
    out.insert(out.end(), ends.begin(), ends.end());
    for (const PartitionOffset& one : out)
        if (one.code != Errc::kNone)
            return Error{one.code, one.where.topic + "-" + std::to_string(one.where.partition)};
    return out;
}

Result<Plan> plan_of(const Invocation& line, client::Admin& admin) {
    Plan out;
    LEAT_TRY(out.members, members_of(line, admin));
    LEAT_TRY(const Topics topics, all_topics(admin));
    LEAT_TRY_VOID(check_existence(line, topics));
    LEAT_TRY(out.committed, positions_of(admin, line.text("APPLICATION")));
    LEAT_TRY(out.moves, moves_of(line, admin, topics, out.committed));
    out.deletes = chosen(line, "internal");
    if (!out.deletes.empty()) return out;
    std::set<std::string> existing;
    for (const auto& [name, count] : topics) existing.insert(name);
    out.deletes = deleted_by_reset(line.text("APPLICATION"), existing, named_to_keep(line));
    return out;
}

/// What is to be done, or was.
json::value plan_json(const Invocation& line, const Plan& plan) {
    json::array members;
    for (const auto& one : plan.members) members.emplace_back(one.id);
    json::array deletes;
    for (const auto& name : plan.deletes) deletes.push_back({{"topic", name}});
    return {{"application", line.text("APPLICATION")},
            {"dry_run", line.has("dry-run")},
            {"removed_members", std::move(members)},
            {"partitions", moves_json(plan.moves, plan.committed)},
            {"deleted_topics", std::move(deletes)}};
}

Result<void> remove_members(const Invocation& line, const Plan& plan, client::Admin& admin) {
    if (plan.members.empty()) return {};
    LEAT_TRY(const std::vector<client::Outcome> done,
             admin.remove_members(line.text("APPLICATION"), plan.members, "leat stream reset"));
    for (const client::Outcome& one : done)
        if (one.code != Errc::kNone && one.code != Errc::kUnknownMemberId)
            return Error{one.code, one.name};
    return {};
}

Result<int> run_stream_reset(const Invocation& line) {
    LEAT_TRY_VOID(check_usage(line));
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const std::string application{line.text("APPLICATION")};
    const std::string what = "reset stream application '" + application + "' on " + access.where;
    Result<Plan> plan = plan_of(line, *access.admin);
    if (!plan)
        return plan.error().code() == Errc::kUsage ? std::move(plan).error()
                                                   : failed_to(what, plan.error());
    if (plan->moves.empty() && plan->deletes.empty() && plan->members.empty())
        return failed_to(what, Error{Errc::kNotFound,
                                     "it has no positions and no internal topics; name its input "
                                     "topics with --input"});
    Outcomes outcomes{"delete", "topic", access.where};
    if (!line.has("dry-run")) {
        LEAT_TRY_VOID(confirm(line, "Move " + std::to_string(plan->moves.size()) +
                                        " positions of '" + application + "' and delete " +
                                        std::to_string(plan->deletes.size()) +
                                        " internal topics with their state?"));
        if (const auto done = remove_members(line, *plan, *access.admin); !done)
            return failed_to(what, done.error());
        if (!plan->moves.empty())
            if (const auto done = commit_plan(*access.admin, application, plan->moves); !done)
                return failed_to(what, done.error());
        if (!plan->deletes.empty()) {
            Result<std::vector<client::Outcome>> done = access.admin->delete_topics(plan->deletes);
            if (!done) return failed_to(what, done.error());
            for (const client::Outcome& one : *done)
                if (!outcomes.note(one)) std::erase(plan->deletes, one.name);
        }
    }
    json::value document = plan_json(line, *plan);
    document.as_object()["failed"] = outcomes.failures();
    const Column topics[] = {
        {"topic", line.has("dry-run") ? "INTERNAL TOPIC TO DELETE" : "INTERNAL TOPIC DELETED"}};
    const Section sections[] = {{.pointer = "/partitions", .columns = kMoveColumns},
                                {.pointer = "/deleted_topics", .columns = topics}};
    LEAT_TRY_VOID(write_last(render(format_of(line), document, sections)));
    if (format_of(line) == Format::kTable && !line.has("dry-run"))
        say("remove the state.dir of each instance before it starts again");
    return outcomes.exit_code();
}

constexpr std::array kCommands{
    Command{.path = "stream reset",
            .summary = "let a stopped stream application start over",
            .details = "Moves its positions in input topics to the beginning or where --to says, "
                       "those in intermediate topics to the end, and deletes its internal topics, "
                       "with all state they hold. Instances keep state in state.dir too: remove it "
                       "before they start again.",
            .example = "leat stream reset word-count --input lines --dry-run",
            .options = kReset,
            .run = run_stream_reset},
};

}  // namespace

std::span<const Command> stream_reset_commands() {
    return kCommands;
}

}  // namespace leat::apps
