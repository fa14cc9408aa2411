// SPDX-License-Identifier: Apache-2.0
#include "config/resource_config.h"

#include <algorithm>
#include <array>
#include <string>

namespace leat::config {
namespace {

using enum Type;

constexpr std::array<std::string_view, 6> kMatchKeys{
    "client_instance_id",    "client_id",         "client_software_name", "client_software_version",
    "client_source_address", "client_source_port"};

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
    return text;
}

/// The expressions are checked where they can be compiled: by the controller.
std::string_view check_match(const Value& value) {
    const auto* patterns = std::get_if<std::vector<std::string>>(&value);
    if (patterns == nullptr) return "";
    const bool are_good = std::ranges::all_of(*patterns, [](const std::string& pattern) {
        return parse_client_match(pattern).has_value();
    });
    return are_good ? "" : "Illegal client matching pattern";
}

constexpr auto kClientMetrics = std::to_array<Setting>({
    {.name = "interval.ms",
     .type = kInt,
     .fallback = "300000",
     .doc = "How often clients push, in milliseconds."},
    {.name = "match",
     .type = kList,
     .fallback = "",
     .doc = "Which clients: client_id=REGEX and the like, all of them; empty for every client.",
     .check = check_match},
    {.name = "metrics",
     .type = kList,
     .fallback = "",
     .doc = "Prefixes of the names of metrics; * for all."},
});

constexpr std::int64_t kIntervalMinMs = 100;
constexpr std::int64_t kIntervalMaxMs = 3'600'000;

constexpr auto kGroup = std::to_array<Setting>({
    {.name = "consumer.assignment.interval.ms",
     .type = kInt,
     .fallback = "1000",
     .min = 0,
     .doc = "Least time between two assignments of the group.",
     .synonym = "group.consumer.assignment.interval.ms"},
    {.name = "consumer.heartbeat.interval.ms",
     .type = kInt,
     .fallback = "5000",
     .min = 1,
     .doc = "How often members of the group send heartbeats.",
     .synonym = "group.consumer.heartbeat.interval.ms"},
    {.name = "consumer.session.timeout.ms",
     .type = kInt,
     .fallback = "45000",
     .min = 1,
     .doc = "A member of the group that is silent for this long is lost.",
     .synonym = "group.consumer.session.timeout.ms"},
});

const Setting* find(std::span<const Setting> rows, std::string_view name) {
    const auto row = std::ranges::find(rows, name, &Setting::name);
    return row != rows.end() ? &*row : nullptr;
}

/// Whether each name is known and each value is one that its setting can have.
Result<void> check_resource(const ResourceSettings& settings, const Values& values) {
    for (const auto& [name, text] : values) {
        const Setting* row = find(settings.rows, name);
        if (row == nullptr)
            return Error{settings.unknown_code, std::string{settings.unknown} + name};
        if (auto value = parse(*row, text); !value.has_value()) return std::move(value).error();
    }
    return {};
}

}  // namespace

std::optional<ClientMatch> parse_client_match(std::string_view pattern) {
    // Java's split: what is empty at the end is not there.
    while (pattern.ends_with('=')) pattern.remove_suffix(1);
    const std::size_t at = pattern.find('=');
    if (at == std::string_view::npos || pattern.find('=', at + 1) != std::string_view::npos)
        return std::nullopt;
    const ClientMatch out{trimmed(pattern.substr(0, at)), trimmed(pattern.substr(at + 1))};
    if (std::ranges::find(kMatchKeys, out.part) == kMatchKeys.end()) return std::nullopt;
    return out;
}

const ResourceSettings& client_metrics_settings() {
    static constexpr ResourceSettings kSettings{
        kClientMetrics, Source::kClientMetrics,
        "Unknown client metrics configuration: ", Errc::kInvalidRequest};
    return kSettings;
}

const ResourceSettings& group_settings() {
    static constexpr ResourceSettings kSettings{kGroup, Source::kGroup,
                                                "Unknown group config name: "};
    return kSettings;
}

Result<void> alter_resource(Values& values, const Alteration& change) {
    switch (change.op) {
        case AlterOp::kDelete:
            values.erase(change.name);
            return {};
        case AlterOp::kSet:
            values[change.name] = *change.value;
            return {};
        case AlterOp::kAppend:
        case AlterOp::kSubtract:
            break;
    }
    return Error{Errc::kInvalidConfig,
                 std::string{"Can't "} + (change.op == AlterOp::kAppend ? "APPEND" : "SUBTRACT") +
                     " to key " + change.name + " because its type is not LIST."};
}

Result<void> check_client_metrics(const Values& values) {
    LEAT_TRY_VOID(check_resource(client_metrics_settings(), values));
    const auto found = values.find("interval.ms");
    if (found == values.end()) return {};
    const auto value = parse(*find(kClientMetrics, "interval.ms"), found->second);
    const std::int64_t ms = value.has_value() ? std::get<std::int64_t>(*value) : 0;
    if (ms >= kIntervalMinMs && ms <= kIntervalMaxMs) return {};
    return Error{Errc::kInvalidRequest, "Invalid value " + std::to_string(ms) +
                                            " for interval.ms, interval must be between 100 and "
                                            "3600000 (1 hour)"};
}

std::optional<std::int64_t> group_number(const Values& values, std::string_view name) {
    const auto found = values.find(name);
    const Setting* row = find(kGroup, name);
    if (found == values.end() || row == nullptr) return std::nullopt;
    const auto value = parse(*row, found->second);
    return value.has_value() ? std::optional{std::get<std::int64_t>(*value)} : std::nullopt;
}

std::array<GroupBound, 3> group_bounds(const BrokerConfig& broker) {
    return {
        {{"heartbeat.interval.ms", broker.consumer_heartbeat_interval_ms,
          broker.consumer_heartbeat_interval_min_ms, broker.consumer_heartbeat_interval_max_ms},
         {"session.timeout.ms", broker.consumer_session_timeout_ms,
          broker.consumer_session_timeout_min_ms, broker.consumer_session_timeout_max_ms},
         {"assignment.interval.ms", broker.consumer_assignment_interval_ms,
          broker.consumer_assignment_interval_min_ms, broker.consumer_assignment_interval_max_ms}}};
}

Result<void> check_group(const BrokerConfig& broker, const Values& values) {
    LEAT_TRY_VOID(check_resource(group_settings(), values));
    for (const auto& [name, value, min, max] : group_bounds(broker)) {
        const std::string full = "consumer." + std::string{name};
        const auto own = group_number(values, full);
        if (own && *own < min)
            return Error{Errc::kInvalidConfig, full +
                                                   " must be greater than or equal to "
                                                   "group.consumer.min." +
                                                   std::string{name}};
        if (own && *own > max)
            return Error{
                Errc::kInvalidConfig,
                full + " must be less than or equal to group.consumer.max." + std::string{name}};
    }
    const auto heartbeat = group_number(values, "consumer.heartbeat.interval.ms");
    const auto session = group_number(values, "consumer.session.timeout.ms");
    if (session.value_or(broker.consumer_session_timeout_ms) <=
        heartbeat.value_or(broker.consumer_heartbeat_interval_ms))
        return Error{Errc::kInvalidConfig,
                     "consumer.session.timeout.ms must be greater than "
                     "consumer.heartbeat.interval.ms"};
    return {};
}

std::vector<Described> describe_resource(const ResourceSettings& settings, const Values& values) {
    std::vector<Described> out;
    for (const Setting& row : settings.rows) {
        Described& one = out.emplace_back();
        one.name = row.name;
        one.type = row.type;
        one.doc = row.doc;
        const auto set = values.find(row.name);
        one.source = set != values.end() ? settings.source : Source::kDefault;
        one.value = set != values.end() ? set->second : std::string{row.fallback.value_or("")};
        if (set != values.end()) one.synonyms.push_back({one.name, one.value, settings.source});
        one.synonyms.push_back(
            {one.name, std::string{row.fallback.value_or("")}, Source::kDefault});
    }
    return out;
}

}  // namespace leat::config
