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

/// "client_id=regex" each; the expressions are checked where they are used.
std::string_view check_match(const Value& value) {
    const auto* patterns = std::get_if<std::vector<std::string>>(&value);
    if (patterns == nullptr) return "";
    for (const std::string& pattern : *patterns) {
        const std::size_t at = pattern.find('=');
        if (at == std::string::npos) return "Illegal client matching pattern";
        if (std::ranges::find(kMatchKeys, std::string_view{pattern}.substr(0, at)) ==
            kMatchKeys.end())
            return "Illegal client matching pattern";
    }
    return "";
}

constexpr auto kClientMetrics = std::to_array<Setting>({
    {.name = "interval.ms",
     .type = kInt,
     .fallback = "300000",
     .min = 100,
     .max = 3'600'000,
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

const Setting* find(std::span<const Setting> rows, std::string_view name) {
    const auto row = std::ranges::find(rows, name, &Setting::name);
    return row != rows.end() ? &*row : nullptr;
}

}  // namespace

std::span<const Setting> client_metrics_settings() {
    return kClientMetrics;
}

Result<void> alter_resource(std::span<const Setting> rows, Values& values,
                            const Alteration& change) {
    if (change.op == AlterOp::kDelete) {
        values.erase(change.name);
        return {};
    }
    const Setting* row = find(rows, change.name);
    if (row == nullptr)
        return Error{Errc::kInvalidConfig, "Unknown client metrics configuration: " + change.name};
    if (change.op == AlterOp::kSet) {
        values[change.name] = *change.value;
        return {};
    }
    if (row->type != kList)
        return Error{Errc::kInvalidConfig,
                     std::string{"Can't "} +
                         (change.op == AlterOp::kAppend ? "APPEND" : "SUBTRACT") + " to key " +
                         change.name + " because its type is not LIST."};
    const auto before = values.find(change.name);
    std::vector<std::string> items =
        split_list(before != values.end() ? std::string_view{before->second} : "");
    for (const std::string& item : split_list(*change.value)) {
        const bool is_there = std::ranges::find(items, item) != items.end();
        if (change.op == AlterOp::kSubtract)
            std::erase(items, item);
        else if (!is_there)
            items.push_back(item);
    }
    values[change.name] = *text_of(Value{std::move(items)});
    return {};
}

Result<void> check_resource(std::span<const Setting> rows, const Values& values) {
    for (const auto& [name, text] : values) {
        const Setting* row = find(rows, name);
        if (row == nullptr)
            return Error{Errc::kInvalidConfig, "Unknown client metrics configuration: " + name};
        if (auto value = parse(*row, text); !value.has_value()) return std::move(value).error();
    }
    return {};
}

std::vector<Described> describe_resource(std::span<const Setting> rows, const Values& values,
                                         Source source) {
    std::vector<Described> out;
    for (const Setting& row : rows) {
        Described& one = out.emplace_back();
        one.name = row.name;
        one.type = row.type;
        one.doc = row.doc;
        const auto set = values.find(row.name);
        one.source = set != values.end() ? source : Source::kDefault;
        one.value = set != values.end() ? set->second : std::string{row.fallback.value_or("")};
        if (set != values.end()) one.synonyms.push_back({one.name, one.value, source});
        one.synonyms.push_back(
            {one.name, std::string{row.fallback.value_or("")}, Source::kDefault});
    }
    return out;
}

}  // namespace leat::config
