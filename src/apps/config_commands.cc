// SPDX-License-Identifier: Apache-2.0
//
// leat config list, describe, alter: settings of topics, brokers, groups, client metrics and
// loggers.
#include <boost/json.hpp>

#include <algorithm>
#include <array>

#include "apps/admin_access.h"
#include "apps/cluster_access.h"
#include "apps/commands.h"
#include "apps/output.h"

namespace leat::apps {
namespace {

namespace json = boost::json;

constexpr OptionSpec kKind{.names = "KIND",
                           .value = {},
                           .help = "what the settings belong to",
                           .choices = "topic|broker|broker-logger|client-metrics|group",
                           .required = true};
constexpr OptionSpec kName{
    .names = "NAME",
    .value = {},
    .help =
        "topic, broker id, group or subscription of client metrics; for a broker 'default' is "
        "what all brokers share",
    .required = true};

constexpr auto kList = std::to_array<OptionSpec>({kKind});
constexpr auto kDescribe = std::to_array<OptionSpec>({
    kKind,
    kName,
    {.names = "--all", .value = {}, .help = "show the settings left at their default too"},
    {.names = "--only", .value = "NAME", .help = "show this setting only", .repeated = true},
});
constexpr auto kAlter = std::to_array<OptionSpec>({
    kKind,
    kName,
    {.names = "--set", .value = "NAME=VALUE", .help = "change a setting", .repeated = true},
    {.names = "--unset",
     .value = "NAME",
     .help = "put a setting back to its default",
     .repeated = true},
    {.names = "--append",
     .value = "NAME=VALUE",
     .help = "add to a list of a topic or a broker",
     .repeated = true},
    {.names = "--subtract",
     .value = "NAME=VALUE",
     .help = "take from a list of a topic or a broker",
     .repeated = true},
    {.names = "--dry-run", .value = {}, .help = "only ask the broker whether it would work"},
});

client::ResourceType type_of(const Invocation& line) {
    const std::string_view kind = line.text("KIND");
    if (kind == "topic") return client::ResourceType::kTopic;
    if (kind == "group") return client::ResourceType::kGroup;
    if (kind == "client-metrics") return client::ResourceType::kClientMetrics;
    if (kind == "broker-logger") return client::ResourceType::kBrokerLogger;
    return client::ResourceType::kBroker;
}

client::Resource resource_of(const Invocation& line) {
    client::Resource out{.type = type_of(line), .name = std::string{line.text("NAME")}};
    if (out.type == client::ResourceType::kBroker && out.name == "default") out.name.clear();
    return out;
}

/// A broker id is a number, or "default". Loggers are those of one broker.
Result<void> check_resource(const Invocation& line) {
    const std::string_view name = line.text("NAME");
    const client::ResourceType type = type_of(line);
    if (type != client::ResourceType::kBroker && type != client::ResourceType::kBrokerLogger)
        return {};
    if (type == client::ResourceType::kBroker && name == "default") return {};
    if (!name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos) return {};
    return usage_error("'" + std::string{name} +
                       "' is no broker id; 'leat cluster brokers' lists them");
}

std::string describing(const Invocation& line, const AdminAccess& access) {
    return "describe the settings of " + std::string{line.text("KIND")} + " '" +
           std::string{line.text("NAME")} + "' on " + access.where;
}

/// A subscription of client metrics is there as long as something is set of it; brokers tell the
/// defaults of one that is not. Other resources a broker does not describe then.
bool is_there(const Invocation& line, std::span<const client::ConfigEntry> known) {
    constexpr std::int8_t kClientMetrics = 7;
    return type_of(line) != client::ResourceType::kClientMetrics ||
           std::ranges::find(known, kClientMetrics, &client::ConfigEntry::source) != known.end();
}

/// What is said of a resource beside rows, or instead of them; `known`: those that were asked for.
std::string why_none(const Invocation& line, bool exists,
                     std::span<const client::ConfigEntry> known) {
    const std::string name =
        std::string{line.text("KIND")} + " '" + std::string{line.text("NAME")} + "'";
    if (!exists) return "there is no subscription " + name;
    if (known.empty()) return "nothing is set of " + name;
    constexpr std::int8_t kStatic = 4;
    if (std::ranges::find(known, kStatic, &client::ConfigEntry::source) == known.end())
        return "every setting has its default; --all shows them";
    return "nothing is set of " + name +
           " but by the broker's file or command line; --all shows that, and the defaults";
}

Result<int> run_config_list(const Invocation& line) {
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const std::string kind{line.text("KIND")};
    Result<std::vector<std::string>> names = access.admin->list_config_resources(type_of(line));
    if (!names)
        return failed_to("list what has settings of kind " + kind + " on " + access.where,
                         names.error());
    json::array rows;
    for (const std::string& name : *names) rows.push_back({{"kind", kind}, {"name", name}});
    static constexpr Column kColumns[] = {{"kind", "KIND"}, {"name", "NAME"}};
    const Section sections[] = {{.pointer = "/resources", .columns = kColumns}};
    if (rows.empty() && format_of(line) == Format::kTable)
        say("nothing of kind " + kind + " on " + access.where);
    LEAT_TRY_VOID(write_out(render(format_of(line), json::value{{"resources", rows}}, sections)));
    return kExitDone;
}

Result<int> run_config_describe(const Invocation& line) {
    LEAT_TRY_VOID(check_resource(line));
    LEAT_TRY(AdminAccess access, connect_admin(line));
    Result<std::vector<client::ConfigEntry>> entries =
        access.admin->describe_configs(resource_of(line));
    if (!entries) return failed_to(describing(line, access), entries.error());
    const std::span<const std::string> only = line.all("only");
    const client::Resource resource = resource_of(line);
    const bool is_partial = resource.type == client::ResourceType::kBroker && resource.name.empty();
    if (const Result<void> good = check_names(*entries, only); !good && !is_partial)
        return failed_to(describing(line, access), good.error());
    const bool exists = is_there(line, *entries);
    if (!only.empty())
        std::erase_if(*entries, [&](const client::ConfigEntry& entry) {
            return std::ranges::find(only, entry.name) == only.end();
        });
    const json::value document{
        {"kind", line.text("KIND")},
        {"name", line.text("NAME")},
        {"settings", configs_json(*entries, !line.has("all") && only.empty())}};
    static constexpr Column kColumns[] = {
        {"name", "SETTING"}, {"value", "VALUE"}, {"source", "SOURCE"}, {"read_only", "READ ONLY"}};
    const Section sections[] = {{.pointer = "/settings", .columns = kColumns}};
    if (format_of(line) == Format::kTable &&
        (document.at("settings").get_array().empty() || !exists))
        say(why_none(line, exists, *entries));
    LEAT_TRY_VOID(write_out(render(format_of(line), document, sections)));
    return kExitDone;
}

Result<int> run_config_alter(const Invocation& line) {
    LEAT_TRY_VOID(check_resource(line));
    LEAT_TRY(const std::vector<client::ConfigChange> changes, config_changes(line));
    if (changes.empty())
        return usage_error("nothing to alter: give --set, --unset, --append or --subtract");
    LEAT_TRY(AdminAccess access, connect_admin(line));
    if (const Result<void> good = check_unset(*access.admin, resource_of(line), line.all("unset"));
        !good)
        return failed_to("alter the settings of " + std::string{line.text("KIND")} + " '" +
                             std::string{line.text("NAME")} + "' on " + access.where,
                         good.error());
    LEAT_TRY(client::Outcome done,
             access.admin->alter_configs(resource_of(line), changes, line.has("dry-run")));
    done.name = std::string{line.text("NAME")};
    Outcomes outcomes{"alter the settings of", std::string{line.text("KIND")}, access.where};
    const bool is_done = outcomes.note(done);
    if (format_of(line) != Format::kTable) {
        const json::value document{{"kind", line.text("KIND")},
                                   {"name", line.text("NAME")},
                                   {"dry_run", line.has("dry-run")},
                                   {"failed", outcomes.failures()}};
        LEAT_TRY_VOID(write_last(render(format_of(line), document, {})));
    }
    if (is_done) say(line.has("dry-run") ? "the settings could be altered so" : "settings altered");
    return outcomes.exit_code();
}

constexpr std::array kCommands{
    Command{.path = "config list",
            .summary = "list what has settings of a kind, as subscriptions of client metrics",
            .example = "leat config list client-metrics",
            .options = kList,
            .run = run_config_list},
    Command{.path = "config describe",
            .summary = "show the settings of a topic, a broker, a group or another kind",
            .details = "The settings of a broker-logger are its loggers, their values the levels; "
                       "those of client-metrics say what clients push to the broker.",
            .example = "leat config describe topic flights --all",
            .options = kDescribe,
            .run = run_config_describe},
    Command{
        .path = "config alter",
        .summary = "change the settings of a topic, a broker, a group or another kind",
        .details = "A subscription of client-metrics comes with its first setting and goes with "
                   "its last.",
        .example =
            "leat config alter topic flights --set retention.ms=3600000 --unset max.message.bytes",
        .options = kAlter,
        .run = run_config_alter},
};

}  // namespace

std::span<const Command> config_commands() {
    return kCommands;
}

}  // namespace leat::apps
