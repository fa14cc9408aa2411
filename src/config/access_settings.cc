// SPDX-License-Identifier: Apache-2.0
#include "config/access_settings.h"

#include <algorithm>
#include <array>

#include "config/bind.h"

namespace leat::config {
namespace {

using enum Type;
using B = BrokerConfig;

// All of Kafka's authorizers of access rules, by any of their names, are the one that is here.
std::string_view check_class(const Value& value) {
    constexpr std::array<std::string_view, 3> kKnown{
        "", "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "kafka.security.authorizer.AclAuthorizer"};
    if (std::ranges::find(kKnown, std::get<std::string>(value)) != kKnown.end()) return "";
    return "Only org.apache.kafka.metadata.authorizer.StandardAuthorizer is there";
}

/// The principals of "User:a;User:b", blanks around each dropped.
std::vector<std::string_view> principals_of(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(';'), text.size());
        std::string_view one = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        while (one.starts_with(' ')) one.remove_prefix(1);
        while (one.ends_with(' ')) one.remove_suffix(1);
        if (!one.empty()) out.push_back(one);
    }
    return out;
}

// A name without its type would be nobody's, and its owner not the super user he was meant to be.
std::string_view check_principals(const Value& value) {
    for (const std::string_view one : principals_of(std::get<std::string>(value)))
        if (const std::size_t colon = one.find(':'); colon == 0 || colon >= one.size() - 1)
            return "Expected a string in format principalType:principalName";
    return "";
}

constexpr auto kRows = std::to_array<Setting>({
    {.name = "allow.everyone.if.no.acl.found",
     .type = kBoolean,
     .fallback = "false",
     .doc = "With an authorizer: allow what is done to a resource that no access rule speaks of.",
     .hidden = true,
     .into_broker = into_broker<&B::allow_without_acls>},
    {.name = "authorizer.class.name",
     .type = kString,
     .fallback = "",
     .doc = "Switches access rules on, by the name that they have in Kafka. Unless set they are on "
            "as soon as a listener authenticates.",
     .check = check_class,
     .into_broker = into_broker<&B::authorizer_class>},
    {.name = "controller.quota.window.num",
     .type = kInt,
     .fallback = "11",
     .min = 1,
     .doc = "controller_mutation_rate: windows whose rate may be used up at once.",
     .into_broker = into_broker<&B::mutation_window_count>},
    {.name = "controller.quota.window.size.seconds",
     .type = kInt,
     .fallback = "1",
     .min = 1,
     .doc = "controller_mutation_rate: length of a window.",
     .into_broker = into_broker<&B::mutation_window_seconds>},
    {.name = "leat.acls.max",
     .type = kInt,
     .fallback = "100000",
     .min = 0,
     .doc = "Most access rules that can be made.",
     .into_broker = into_broker<&B::acls_max>},
    {.name = "leat.audit.allowed",
     .type = kString,
     .fallback = "changes",
     .choices = "none,changes,all",
     .doc = "What of the allowed the audit log has beside all that was denied: logins and what "
            "changes something, everything, nothing.",
     .into_broker = into_broker<&B::audit_allowed>},
    {.name = "leat.audit.denials.per.second",
     .type = kInt,
     .fallback = "10",
     .min = 1,
     .max = 1'000'000,
     .doc =
         "Denials of one kind (who, what, on which resource) that are written; more are counted.",
     .into_broker = into_broker<&B::audit_denials_per_second>},
    {.name = "leat.audit.denials.total.per.second",
     .type = kInt,
     .fallback = "100",
     .min = 1,
     .max = 1'000'000,
     .doc = "Denials of all kinds that are written; how many more there were is told in one line.",
     .into_broker = into_broker<&B::audit_denials_total_per_second>},
    {.name = "leat.audit.log",
     .type = kString,
     .fallback = "",
     .doc = "File of the audit log, one JSON object a line; empty: the process's own log, as "
            "component audit.",
     .into_broker = into_broker<&B::audit_path>},
    {.name = "leat.audit.log.files.max",
     .type = kInt,
     .fallback = "5",
     .min = 1,
     .max = 1'000,
     .doc = "Files of the audit log that are kept: the one that is written, and older ones as .1, "
            ".2 and so on.",
     .into_broker = into_broker<&B::audit_files_max>},
    {.name = "leat.audit.log.max.bytes",
     .type = kLong,
     .fallback = "104857600",
     .min = 4'096,
     .doc = "Size at which the file of the audit log is put aside and a new one begun; what is "
            "written at once is not split.",
     .into_broker = into_broker<&B::audit_file_bytes_max>},
    {.name = "leat.client.telemetry",
     .type = kBoolean,
     .fallback = "true",
     .doc = "Take the metrics that clients push (KIP-714) and show them at /metrics.",
     .into_broker = into_broker<&B::telemetry>},
    {.name = "leat.client.telemetry.clients.max",
     .type = kInt,
     .fallback = "1000",
     .min = 1,
     .doc = "Clients whose metrics are kept; the one that was silent for longest goes first.",
     .into_broker = into_broker<&B::telemetry_clients_max>},
    {.name = "leat.client.telemetry.inflated.max.bytes",
     .type = kInt,
     .fallback = "16777216",
     .min = 1024,
     .doc = "Largest size one push may unpack to.",
     .into_broker = into_broker<&B::telemetry_inflated_max>},
    {.name = "leat.client.telemetry.values.max",
     .type = kInt,
     .fallback = "500",
     .min = 1,
     .doc = "Values that are kept of one client.",
     .into_broker = into_broker<&B::telemetry_values_max>},
    {.name = "leat.delegation.token.names.max.bytes",
     .type = kInt,
     .fallback = "16384",
     .min = 0,
     .doc = "Most bytes that the names of a delegation token's owner and renewers have together.",
     .into_broker = into_broker<&B::token_names_max_bytes>},
    {.name = "leat.delegation.token.renewers.max",
     .type = kInt,
     .fallback = "100",
     .min = 0,
     .doc = "Most renewers of one delegation token.",
     .into_broker = into_broker<&B::token_renewers_max>},
    {.name = "leat.delegation.tokens.max",
     .type = kInt,
     .fallback = "10000",
     .min = 0,
     .doc = "Most delegation tokens that can be there.",
     .into_broker = into_broker<&B::tokens_max>},
    {.name = "leat.delegation.tokens.per.owner.max",
     .type = kInt,
     .fallback = "500",
     .min = 0,
     .doc = "Most delegation tokens that can be there for one owner.",
     .into_broker = into_broker<&B::tokens_per_owner_max>},
    {.name = "leat.quota.burst.ms",
     .type = kInt,
     .fallback = "100",
     .min = 0,
     .max = 3'600'000,
     .doc = "How far ahead of a byte rate or request percentage a client may be before it is "
            "throttled. A Fetch brings no more than that of a byte rate, or one batch.",
     .into_broker = into_broker<&B::quota_burst_ms>},
    {.name = "leat.quotas.max",
     .type = kInt,
     .fallback = "100000",
     .min = 0,
     .doc = "Most entities (users, client ids, addresses, pairs) that can have quotas.",
     .into_broker = into_broker<&B::quotas_max>},
    {.name = "quota.window.size.seconds",
     .type = kInt,
     .fallback = "1",
     .min = 1,
     .doc = "request_percentage: the longest that a client rests after an answer. What it owes "
            "beyond, it rests for after the next ones.",
     .into_broker = into_broker<&B::quota_window_seconds>},
    {.name = "super.users",
     .type = kString,
     .fallback = "",
     .doc = "Principals that may do everything, separated by semicolons: User:admin;User:ops.",
     .hidden = true,
     .check = check_principals,
     .into_broker = into_broker<&B::super_users>},
    {.name = "telemetry.max.bytes",
     .type = kInt,
     .fallback = "1048576",
     .min = 1,
     .doc = "Largest metrics that a client may push at once, as they travel.",
     .into_broker = into_broker<&B::telemetry_bytes_max>},
});

}  // namespace

std::span<const Setting> access_settings() {
    return kRows;
}

bool has_authorizer(const BrokerConfig& config) {
    const auto asks_for_names = [&config](const Listener& listener) {
        if (listener.protocol == Protocol::kSaslPlaintext ||
            listener.protocol == Protocol::kSaslSsl)
            return true;
        const auto security = config.security.find(listener.name);
        return listener.protocol == Protocol::kSsl && security != config.security.end() &&
               security->second.tls.client_auth != ClientAuth::kNone;
    };
    return !config.authorizer_class.empty() ||
           std::ranges::any_of(config.listeners, asks_for_names);
}

std::set<std::string, std::less<>> super_users(const BrokerConfig& config) {
    const std::vector<std::string_view> all = principals_of(config.super_users);
    return {all.begin(), all.end()};
}

const std::string& token_secret(const BrokerConfig& config) {
    return config.token_secret_key.empty() ? config.token_master_key : config.token_secret_key;
}

}  // namespace leat::config
