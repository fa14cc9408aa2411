// SPDX-License-Identifier: Apache-2.0
//
// leat quota list, set: limits of clients.
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "apps/admin_access.h"
#include "apps/cluster_access.h"
#include "apps/commands.h"
#include "apps/output.h"
#include "client/admin_rights.h"

namespace leat::apps {
namespace {

namespace json = boost::json;

constexpr OptionSpec kUser{.names = "--user", .value = "NAME", .help = "of this user"};
constexpr OptionSpec kClient{.names = "--client-id", .value = "ID", .help = "of this client id"};
constexpr OptionSpec kIp{.names = "--ip", .value = "ADDRESS", .help = "of this address"};
constexpr OptionSpec kDefault{.names = "--default",
                              .value = "TYPE",
                              .help = "of all of this type that have no limit of their own",
                              .choices = "user|client-id|ip",
                              .repeated = true};

constexpr auto kList = std::to_array<OptionSpec>({kUser, kClient, kIp, kDefault});
constexpr auto kSet = std::to_array<OptionSpec>({
    kUser,
    kClient,
    kIp,
    kDefault,
    {.names = "--set",
     .value = "NAME=NUMBER",
     .help = "a limit: producer_byte_rate, consumer_byte_rate, request_percentage, "
             "controller_mutation_rate; of addresses connection_creation_rate",
     .repeated = true},
    {.names = "--unset", .value = "NAME", .help = "no limit any more", .repeated = true},
    {.names = "--dry-run", .value = {}, .help = "only ask the broker whether it would work"},
});

auth::QuotaEntity entity_of(const Invocation& line) {
    auth::QuotaEntity out;
    for (const std::string_view type : {auth::kUserEntity, auth::kClientEntity, auth::kIpEntity})
        if (line.is_given(type)) out.emplace(type, std::string{line.text(type)});
    for (const std::string& type : line.all("default")) out.emplace(type, std::nullopt);
    return out;
}

/// A type that is both named and a default would be one of them only.
Result<void> check_types(const Invocation& line) {
    for (const std::string& type : line.all("default"))
        if (line.is_given(type))
            return usage_error(std::string{"--"}
                                   .append(type)
                                   .append(" and --default ")
                                   .append(type)
                                   .append(" exclude each other: give one"));
    return {};
}

Result<std::vector<client::QuotaChange>> changes_of(const Invocation& line) {
    std::vector<client::QuotaChange> out;
    for (const std::string& text : line.all("set")) {
        const std::size_t at = text.find('=');
        double value = 0;
        const char* end = text.data() + text.size();
        if (at == std::string::npos || at == 0)
            return usage_error("--set: '" + text + "' is not NAME=NUMBER");
        const auto [stop, error] = std::from_chars(text.data() + at + 1, end, value);
        if (error != std::errc{} || stop != end || !std::isfinite(value))
            return usage_error("--set: '" + text + "' is not NAME=NUMBER");
        out.push_back({.name = text.substr(0, at), .value = value});
    }
    for (const std::string& name : line.all("unset"))
        out.push_back({.name = name, .value = std::nullopt});
    if (out.empty()) return usage_error("nothing to change: give --set or --unset");
    for (std::size_t i = 1; i < out.size(); ++i)
        if (std::ranges::find(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(i),
                              out[i].name, &client::QuotaChange::name) !=
            out.begin() + static_cast<std::ptrdiff_t>(i))
            return usage_error("'" + out[i].name + "' is changed twice");
    return out;
}

Result<int> run_quota_list(const Invocation& line) {
    LEAT_TRY_VOID(check_types(line));
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const auto entries = client::list_quotas(*access.admin, entity_of(line));
    if (!entries) return failed_to("list the quotas of " + access.where, entries.error());
    json::array quotas;
    for (const client::QuotaEntry& entry : *entries)
        for (const auto& [name, value] : entry.values) {
            json::object row;
            row["entity"] = auth::text_of(entry.entity);
            for (const std::string_view type :
                 {auth::kUserEntity, auth::kClientEntity, auth::kIpEntity}) {
                const auto part = entry.entity.find(type);
                if (part == entry.entity.end()) continue;
                row[type] = part->second ? json::value(*part->second) : json::value();
            }
            row["quota"] = name;
            // JSON has no infinity, which other clients can set: it is no limit.
            row["value"] = std::isfinite(value) ? json::value(value) : json::value();
            quotas.push_back(std::move(row));
        }
    static constexpr Column kColumns[] = {
        {"entity", "ENTITY"}, {"quota", "QUOTA"}, {"value", "VALUE"}};
    static constexpr Section kSections[] = {{.pointer = "/quotas", .columns = kColumns}};
    if (format_of(line) == Format::kTable && quotas.empty()) say("no quotas");
    const json::value document{{"quotas", std::move(quotas)}};
    LEAT_TRY_VOID(write_out(render(format_of(line), document, kSections)));
    return kExitDone;
}

Result<int> run_quota_set(const Invocation& line) {
    LEAT_TRY_VOID(check_types(line));
    const auth::QuotaEntity entity = entity_of(line);
    if (const std::string why = auth::entity_error(entity); !why.empty())
        return usage_error(
            entity.empty() ? "of whom? give --user, --client-id, --ip or --default TYPE" : why);
    LEAT_TRY(const std::vector<client::QuotaChange> changes, changes_of(line));
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const auto done = client::alter_quotas(*access.admin, entity, changes, line.has("dry-run"));
    if (!done) return failed_to("change quotas on " + access.where, done.error());
    Outcomes outcomes{"change the quotas of", "client", access.where};
    const bool is_done = outcomes.note(*done);
    if (format_of(line) != Format::kTable) {
        const json::value document{{"entity", auth::text_of(entity)},
                                   {"dry_run", line.has("dry-run")},
                                   {"failed", outcomes.failures()}};
        LEAT_TRY_VOID(write_last(render(format_of(line), document, {})));
    }
    if (is_done) say(line.has("dry-run") ? "the quotas could be changed so" : "quotas changed");
    return outcomes.exit_code();
}

constexpr std::array kCommands{
    Command{.path = "quota list",
            .summary = "list quotas, all or those that match",
            .example = "leat quota list --user alice",
            .options = kList,
            .run = run_quota_list},
    Command{.path = "quota set",
            .summary = "limit what clients use",
            .details =
                "The most specific limit holds: of a user and client id together, of the user, "
                "of the client id, then the defaults.",
            .example = "leat quota set --user alice --set producer_byte_rate=1048576",
            .options = kSet,
            .run = run_quota_set},
};

}  // namespace

std::span<const Command> quota_commands() {
    return kCommands;
}

}  // namespace leat::apps
