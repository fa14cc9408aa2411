// SPDX-License-Identifier: Apache-2.0
#include "apps/admin_access.h"

#include <boost/json.hpp>

#include <algorithm>

#include "apps/cluster_access.h"
#include "apps/login_helpers.h"
#include "apps/next_step.h"
#include "apps/output.h"

namespace leat::apps {

Result<AdminAccess> connect_admin(const Invocation& line) {
    LEAT_TRY(ClusterAccess access, cluster_access(line));
    LEAT_TRY(client::LoginHelpers helpers, login_helpers(access.properties));
    Result<std::unique_ptr<client::Admin>> admin =
        client::Admin::connect(access.properties, std::move(helpers));
    if (!admin) {
        if (admin.error().code() == Errc::kInvalidSetting) return std::move(admin).error();
        return failed_to("reach the cluster at " + access.where, admin.error());
    }
    return AdminAccess{*std::move(admin), std::move(access.where)};
}

Outcomes::Outcomes(std::string verb, std::string noun, std::string where)
    : verb_(std::move(verb)), noun_(std::move(noun)), where_(std::move(where)) {}

bool Outcomes::note(const client::Outcome& outcome) {
    if (outcome.code == Errc::kNone) return true;
    const std::string_view name = info(outcome.code).name;
    failures_.push_back({{"name", outcome.name}, {"error", name}, {"message", outcome.message}});
    std::string text = "leat: cannot " + verb_ + " " + noun_ + " '" + outcome.name + "' on " +
                       where_ + ": " + std::string{name};
    if (!outcome.message.empty()) text += ": " + outcome.message;
    say(text);
    if (const std::string_view next = next_step(Error{outcome.code, outcome.message});
        !next.empty())
        say("  next: " + std::string{next});
    return false;
}

int Outcomes::exit_code() const {
    return failures_.empty() ? kExitDone : kExitFailed;
}

Result<std::vector<client::ConfigChange>> config_changes(const Invocation& line) {
    using Kind = client::ConfigChange::Kind;
    std::vector<client::ConfigChange> out;
    const auto add_pairs = [&](std::string_view key, Kind kind) -> Result<void> {
        for (const std::string& pair : line.all(key)) {
            const std::size_t equals = pair.find('=');
            if (equals == std::string::npos || equals == 0)
                return usage_error("--" + std::string{key} + ": '" + pair + "' is no NAME=VALUE");
            out.push_back(
                {.name = pair.substr(0, equals), .kind = kind, .value = pair.substr(equals + 1)});
        }
        return {};
    };
    LEAT_TRY_VOID(add_pairs("set", Kind::kSet));
    LEAT_TRY_VOID(add_pairs("append", Kind::kAppend));
    LEAT_TRY_VOID(add_pairs("subtract", Kind::kSubtract));
    for (const std::string& name : line.all("unset"))
        out.push_back({.name = name, .kind = Kind::kDelete, .value = {}});
    return out;
}

Result<void> check_names(std::span<const client::ConfigEntry> known,
                         std::span<const std::string> names) {
    // Settings of one listener are not told while they are not set.
    for (const std::string& name : names)
        if (std::ranges::find(known, name, &client::ConfigEntry::name) == known.end() &&
            !name.starts_with("listener.name."))
            return Error{Errc::kInvalidConfig, "there is no setting '" + name + "'"};
    return {};
}

Result<void> check_unset(client::Admin& admin, const client::Resource& resource,
                         std::span<const std::string> names) {
    // What all brokers share is told only as far as it is set.
    const bool is_partial = resource.type == client::ResourceType::kBroker && resource.name.empty();
    if (names.empty() || is_partial) return {};
    const auto known = admin.describe_configs(resource);
    if (!known || known->empty()) return {};
    return check_names(*known, names);
}

Result<std::vector<std::int32_t>> numbers_of(const Invocation& line, std::string_view key) {
    std::vector<std::int32_t> out;
    for (const std::string& text : line.all(key)) {
        Invocation one{line.command()};
        one.add(key, text, false);
        LEAT_TRY(const std::int64_t number, one.integer(key, 0, INT32_MAX));
        out.push_back(static_cast<std::int32_t>(number));
    }
    return out;
}

std::string_view config_source_name(std::int8_t source) {
    switch (source) {
        case 1:
            return "topic";
        case 2:
            return "broker";
        case 3:
            return "all-brokers";
        case 4:
            return "static";
        case 5:
            return "default";
        case 6:
            return "broker-logger";
        case 7:
            return "client-metrics";
        case 8:
            return "group";
        default:
            return "unknown";
    }
}

boost::json::array configs_json(std::span<const client::ConfigEntry> entries, bool only_set) {
    constexpr std::int8_t kDefault = 5;
    constexpr std::int8_t kStatic = 4;
    boost::json::array out;
    for (const client::ConfigEntry& entry : entries) {
        if (only_set && (entry.source == kDefault || entry.source == kStatic)) continue;
        boost::json::object one;
        one["name"] = entry.name;
        one["value"] = nullptr;
        if (entry.value) one["value"] = *entry.value;
        one["source"] = config_source_name(entry.source);
        one["read_only"] = entry.is_read_only;
        one["sensitive"] = entry.is_sensitive;
        out.emplace_back(std::move(one));
    }
    return out;
}

boost::json::object log_dir_json(const client::LogDirInfo& directory) {
    return {
        {"path", directory.path},
        {"error", directory.code == Errc::kNone ? boost::json::value{}
                                                : boost::json::value(info(directory.code).name)},
        {"size_bytes", directory.size_bytes},
        {"total_bytes", or_null(directory.total_bytes)},
        {"usable_bytes", or_null(directory.usable_bytes)}};
}

}  // namespace leat::apps
