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
    {.name = "leat.quota.burst.ms",
     .type = kInt,
     .fallback = "250",
     .min = 0,
     .max = 3'600'000,
     .doc = "How far ahead of a byte rate or request percentage a client may be before it is "
            "throttled.",
     .into_broker = into_broker<&B::quota_burst_ms>},
    {.name = "leat.quotas.max",
     .type = kInt,
     .fallback = "100000",
     .min = 0,
     .doc = "Most entities (users, client ids, addresses, pairs) that can have quotas.",
     .into_broker = into_broker<&B::quotas_max>},
    {.name = "super.users",
     .type = kString,
     .fallback = "",
     .doc = "Principals that may do everything, separated by semicolons: User:admin;User:ops.",
     .hidden = true,
     .into_broker = into_broker<&B::super_users>},
});

}  // namespace

std::span<const Setting> access_settings() {
    return kRows;
}

bool has_authorizer(const BrokerConfig& config) {
    const auto asks_for_names = [&config](const Listener& listener) {
        if (listener.protocol == Protocol::kSaslPlaintext || listener.protocol == Protocol::kSaslSsl)
            return true;
        const auto security = config.security.find(listener.name);
        return listener.protocol == Protocol::kSsl && security != config.security.end() &&
               security->second.tls.client_auth != ClientAuth::kNone;
    };
    return !config.authorizer_class.empty() ||
           std::ranges::any_of(config.listeners, asks_for_names);
}

std::set<std::string, std::less<>> super_users(const BrokerConfig& config) {
    std::set<std::string, std::less<>> out;
    std::string_view rest = config.super_users;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(';'), rest.size());
        std::string_view one = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
        while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
        if (!one.empty()) out.emplace(one);
    }
    return out;
}

}  // namespace leat::config
