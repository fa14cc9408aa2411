// SPDX-License-Identifier: Apache-2.0
//
// leat acl list, add, delete: who may do what.
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "apps/admin_access.h"
#include "apps/cluster_access.h"
#include "apps/commands.h"
#include "apps/output.h"
#include "auth/address.h"
#include "client/admin_rights.h"

namespace leat::apps {
namespace {

namespace json = boost::json;
using auth::Acl;
using auth::AclFilter;

constexpr std::string_view kOperations =
    "all|read|write|create|delete|alter|describe|cluster-action|describe-configs|alter-configs|"
    "idempotent-write|create-tokens|describe-tokens|two-phase-commit";

constexpr OptionSpec kTopic{
    .names = "--topic", .value = "TOPIC", .help = "a topic, * for all", .repeated = true};
constexpr OptionSpec kGroup{
    .names = "--group", .value = "GROUP", .help = "a consumer group, * for all", .repeated = true};
constexpr OptionSpec kTransactional{.names = "--transactional-id",
                                    .value = "ID",
                                    .help = "a transactional id, * for all",
                                    .repeated = true};
constexpr OptionSpec kToken{.names = "--delegation-token",
                            .value = "ID",
                            .help = "a delegation token, * for all",
                            .repeated = true};
constexpr OptionSpec kUser{.names = "--user",
                           .value = "PRINCIPAL",
                           .help = "a user whose tokens are meant, * for all",
                           .repeated = true};
constexpr OptionSpec kCluster{.names = "--cluster", .value = {}, .help = "the cluster itself"};
constexpr OptionSpec kPrefixed{
    .names = "--prefixed", .value = {}, .help = "names stand for all that begin with them"};
constexpr OptionSpec kHost{.names = "--host",
                           .value = "ADDRESS",
                           .help = "where from; everywhere unless given",
                           .repeated = true};
constexpr OptionSpec kOperation{.names = "--operation",
                                .value = "NAME",
                                .help = "what",
                                .choices = kOperations,
                                .repeated = true};
constexpr OptionSpec kPrincipal{.names = "--principal",
                                .value = "PRINCIPAL",
                                .help = "who: User:alice, or User:* for everybody",
                                .repeated = true};
constexpr OptionSpec kDeny{
    .names = "--deny", .value = {}, .help = "rules that forbid, which go before those that allow"};

constexpr auto kAdd =
    std::to_array<OptionSpec>({kPrincipal, kOperation, kTopic, kGroup, kTransactional, kToken,
                               kUser, kCluster, kPrefixed, kHost, kDeny});

/// What a rule is made of chooses rules too.
constexpr std::array<OptionSpec, kAdd.size() + 1> rules_and(const OptionSpec& option) {
    std::array<OptionSpec, kAdd.size() + 1> out;
    std::ranges::copy(kAdd, out.begin());
    out.back() = option;
    return out;
}
constexpr auto kList = rules_and({.names = "--match",
                                  .value = {},
                                  .help = "every rule that applies to the names: of the very name, "
                                          "of prefixes of it and of *"});
constexpr auto kDelete = rules_and({.names = "--all", .value = {}, .help = "every rule there is"});

std::string upper(std::string_view text) {
    std::string out{text};
    for (char& c : out)
        c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return out;
}

std::string lower(std::string_view text) {
    std::string out{text};
    for (char& c : out)
        c = c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

auth::Operation operation_named(std::string_view name) {
    const std::string wanted = upper(name);
    for (int number = 2; number < 16; ++number)
        if (auth::name_of(static_cast<auth::Operation>(number)) == wanted)
            return static_cast<auth::Operation>(number);
    return auth::Operation::kUnknown;
}

using Resource = std::pair<auth::ResourceType, std::string>;

std::vector<Resource> resources_of(const Invocation& line) {
    std::vector<Resource> out;
    const std::pair<std::string_view, auth::ResourceType> kinds[] = {
        {"topic", auth::ResourceType::kTopic},
        {"group", auth::ResourceType::kGroup},
        {"transactional-id", auth::ResourceType::kTransactionalId},
        {"delegation-token", auth::ResourceType::kDelegationToken},
        {"user", auth::ResourceType::kUser}};
    for (const auto& [key, type] : kinds)
        for (const std::string& name : line.all(key)) out.emplace_back(type, name);
    if (line.has("cluster"))
        out.emplace_back(auth::ResourceType::kCluster, std::string{auth::kClusterName});
    return out;
}

/// `values`, or one nothing when there are none.
std::vector<std::optional<std::string>> or_any(std::span<const std::string> values) {
    if (values.empty()) return {std::nullopt};
    return {values.begin(), values.end()};
}

/// Every filter that the options describe; what is not said matches all.
std::vector<AclFilter> filters_of(const Invocation& line) {
    std::vector<std::optional<Resource>> resources;
    for (Resource& resource : resources_of(line)) resources.emplace_back(std::move(resource));
    if (resources.empty()) resources.emplace_back();
    std::vector<AclFilter> out;
    for (const auto& resource : resources)
        for (const auto& principal : or_any(line.all("principal")))
            for (const auto& host : or_any(line.all("host")))
                for (const auto& operation : or_any(line.all("operation"))) {
                    AclFilter& filter = out.emplace_back();
                    if (resource) {
                        filter.type = resource->first;
                        filter.name = resource->second;
                        filter.pattern = auth::PatternType::kLiteral;
                    }
                    if (line.has("prefixed")) filter.pattern = auth::PatternType::kPrefixed;
                    if (line.has("match")) filter.pattern = auth::PatternType::kMatch;
                    filter.principal = principal;
                    filter.host = host;
                    if (operation) filter.operation = operation_named(*operation);
                    if (line.has("deny")) filter.permission = auth::Permission::kDeny;
                }
    return out;
}

/// Brokers store a rule whose host is no address, and compare it with addresses.
Result<void> check_host(const std::string& host) {
    if (host == auth::kWildcard || auth::canonical_address(host)) return {};
    return usage_error("--host: '" + host +
                       "' is no IP address: a rule holds for one address or, without --host, for "
                       "all; names and networks never match");
}

/// A broker of Kafka's may have a class of its own that makes principals of other types.
void warn_of_principal(const std::string& principal) {
    if (principal.starts_with("User:") || !principal.contains(':')) return;
    say("leat: '" + principal +
        "' is nobody where the broker does not make principals of its own: clients are User:NAME");
}

/// Brokers store a rule about what its resource cannot be asked; nothing ever looks at it.
Result<void> check_matters(const Acl& acl) {
    const std::int32_t known = auth::operations_of(acl.type);
    const auto has = [&](int number) { return (known >> number & 1) != 0; };
    if (acl.operation == auth::Operation::kAll || has(static_cast<int>(acl.operation))) return {};
    std::string names = "all";
    for (int number = 0; number < 16; ++number)
        if (has(number)) names += ", " + lower(auth::name_of(static_cast<auth::Operation>(number)));
    return usage_error("a rule for " + lower(auth::name_of(acl.operation)) + " on a " +
                       lower(auth::name_of(acl.type)) + " can never matter: its operations are " +
                       names);
}

Result<std::vector<Acl>> acls_of(const Invocation& line) {
    const std::vector<Resource> resources = resources_of(line);
    if (resources.empty())
        return usage_error("on what? give --topic, --group, --transactional-id or --cluster");
    if (line.all("principal").empty()) return usage_error("for whom? give --principal User:NAME");
    if (line.all("operation").empty()) return usage_error("to do what? give --operation NAME");
    std::vector<std::string> hosts{line.all("host").begin(), line.all("host").end()};
    if (hosts.empty()) hosts.emplace_back(auth::kWildcard);
    for (const std::string& host : hosts) LEAT_TRY_VOID(check_host(host));
    for (const std::string& principal : line.all("principal")) warn_of_principal(principal);
    std::vector<Acl> out;
    for (const auto& [type, name] : resources)
        for (const std::string& principal : line.all("principal"))
            for (const std::string& host : hosts)
                for (const std::string& operation : line.all("operation"))
                    out.push_back({.type = type,
                                   .name = name,
                                   .pattern = line.has("prefixed") ? auth::PatternType::kPrefixed
                                                                   : auth::PatternType::kLiteral,
                                   .principal = principal,
                                   .host = host,
                                   .operation = operation_named(operation),
                                   .permission = line.has("deny") ? auth::Permission::kDeny
                                                                  : auth::Permission::kAllow});
    for (const Acl& acl : out) {
        if (const std::string why = auth::acl_error(acl); !why.empty()) return usage_error(why);
        LEAT_TRY_VOID(check_matters(acl));
    }
    return out;
}

json::value document_of(std::vector<Acl> acls) {
    std::ranges::sort(acls);
    const auto same = std::ranges::unique(acls);
    acls.erase(same.begin(), same.end());
    json::array rules;
    for (const Acl& acl : acls)
        rules.push_back(json::object{{"resource", lower(auth::name_of(acl.type))},
                                     {"name", acl.name},
                                     {"pattern", lower(auth::name_of(acl.pattern))},
                                     {"permission", lower(auth::name_of(acl.permission))},
                                     {"principal", acl.principal},
                                     {"operation", lower(auth::name_of(acl.operation))},
                                     {"host", acl.host}});
    return json::object{{"rules", std::move(rules)}};
}

constexpr Column kColumns[] = {{"resource", "RESOURCE"},
                               {"name", "NAME"},
                               {"pattern", "PATTERN"},
                               {"permission", "PERMISSION"},
                               {"principal", "PRINCIPAL"},
                               {"operation", "OPERATION"},
                               {"host", "HOST"}};
constexpr Section kSections[] = {{.pointer = "/rules", .columns = kColumns}};

Result<int> run_acl_list(const Invocation& line) {
    if (line.has("match") && (line.has("prefixed") || resources_of(line).empty()))
        return usage_error("--match goes with --topic, --group and the like, without --prefixed");
    LEAT_TRY(AdminAccess access, connect_admin(line));
    std::vector<Acl> acls;
    for (const AclFilter& filter : filters_of(line)) {
        auto some = client::list_acls(*access.admin, filter);
        if (!some) return failed_to("list the access rules of " + access.where, some.error());
        acls.insert(acls.end(), some->begin(), some->end());
    }
    if (format_of(line) == Format::kTable && acls.empty()) say("no access rules");
    LEAT_TRY_VOID(write_out(render(format_of(line), document_of(std::move(acls)), kSections)));
    return kExitDone;
}

Result<int> run_acl_add(const Invocation& line) {
    LEAT_TRY(const std::vector<Acl> acls, acls_of(line));
    LEAT_TRY(AdminAccess access, connect_admin(line));
    auto done = client::create_acls(*access.admin, acls);
    if (!done) return failed_to("add access rules on " + access.where, done.error());
    Outcomes outcomes{"add a rule about", "resource", access.where};
    std::vector<Acl> added;
    for (std::size_t i = 0; i < acls.size(); ++i)
        if (outcomes.note((*done)[i])) added.push_back(acls[i]);
    LEAT_TRY_VOID(write_last(render(format_of(line), document_of(std::move(added)), kSections)));
    return outcomes.exit_code();
}

Result<int> run_acl_delete(const Invocation& line) {
    const bool is_filtered =
        std::ranges::any_of(kAdd, [&](const OptionSpec& option) { return line.has(option.key()); });
    if (is_filtered == line.has("all"))
        return usage_error(is_filtered ? "--all goes with no filter: it means every rule"
                                       : "which rules? give a filter, such as --principal or "
                                         "--topic, or --all for every rule there is");
    const std::vector<AclFilter> filters = filters_of(line);
    LEAT_TRY(AdminAccess access, connect_admin(line));
    std::vector<Acl> matched;
    for (const AclFilter& filter : filters) {
        auto some = client::list_acls(*access.admin, filter);
        if (!some) return failed_to("list the access rules of " + access.where, some.error());
        matched.insert(matched.end(), some->begin(), some->end());
    }
    if (matched.empty()) {
        if (format_of(line) != Format::kTable)
            LEAT_TRY_VOID(write_last(render(format_of(line), document_of({}), kSections)));
        say("no access rule matches");
        return kExitFailed;
    }
    LEAT_TRY_VOID(confirm(line, "Delete " + std::to_string(matched.size()) + " access rules on " +
                                    access.where + "?"));
    auto gone = client::delete_acls(*access.admin, filters);
    if (!gone) return failed_to("delete access rules on " + access.where, gone.error());
    LEAT_TRY_VOID(write_out(render(format_of(line), document_of(*std::move(gone)), kSections)));
    return kExitDone;
}

constexpr std::array kCommands{
    Command{.path = "acl list",
            .summary = "list access rules, all or those that match",
            .details =
                "A name finds the rules of that very name; with --match also those of prefixes "
                "and of *, which apply to it.",
            .example = "leat acl list --topic orders",
            .options = kList,
            .run = run_acl_list},
    Command{.path = "acl add",
            .summary = "allow or forbid something",
            .details = "A rule for each combination of principal, operation, resource and host. A "
                       "host is an IP address: rules know no names and no networks.",
            .example =
                "leat acl add --principal User:alice --operation read --topic orders --group "
                "billing",
            .options = kAdd,
            .run = run_acl_add},
    Command{.path = "acl delete",
            .summary = "delete the access rules that match",
            .example = "leat acl delete --principal User:alice --topic orders --yes",
            .options = kDelete,
            .run = run_acl_delete},
};

}  // namespace

std::span<const Command> acl_commands() {
    return kCommands;
}

}  // namespace leat::apps
