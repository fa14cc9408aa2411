// SPDX-License-Identifier: Apache-2.0
#include "topics.h"

#include <string>
#include <vector>

#include "streams/cluster/internal_topics.h"
#include "streams/cluster/layout.h"
#include "streams/settings.h"

namespace leat::streams::cases {
namespace {

namespace json = boost::json;

Result<json::object> made(const Topology& topology, const json::object& fields) {
    std::vector<config::Property> properties{
        {.name = "application.id", .value = std::string{fields.at("app").as_string()}},
        {.name = "bootstrap.servers", .value = "127.0.0.1:1"}};
    if (const auto* given = fields.if_contains("settings"))
        for (const auto& [name, value] : given->as_object())
            properties.push_back({.name = name, .value = std::string{value.as_string()}});
    LEAT_TRY(const Settings settings, read_settings(properties));
    Layout::Counts counts;
    for (const auto& [name, partitions] : fields.at("topics").as_object())
        counts.emplace(name, static_cast<std::int32_t>(partitions.as_int64()));
    const Layout layout{topology.parts(), settings.application_id};
    LEAT_TRY(counts, layout.with_repartition(std::move(counts)));
    json::object out;
    for (const auto& topic : layout.internal_topics(counts, settings.window_extra_retention_ms)) {
        const auto asked = creation_of(topic, settings);
        json::object configs;
        for (const auto& one : asked.configs) configs[one.name] = one.value;
        out[asked.name] =
            json::object{{"partitions", asked.partitions}, {"configs", std::move(configs)}};
    }
    return out;
}

}  // namespace

json::object internal_topics(const Topology& topology, const json::object& fields) {
    auto out = made(topology, fields);
    if (!out) return {{"error", std::string{out.error().detail()}}};
    return *std::move(out);
}

}  // namespace leat::streams::cases
