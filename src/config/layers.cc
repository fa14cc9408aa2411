// SPDX-License-Identifier: Apache-2.0
#include "config/layers.h"

#include <algorithm>

#include "config/foreign_settings.h"
#include "config/resource_config.h"

namespace leat::config {
namespace {

Error bad(std::string_view place, std::string_view name, std::string_view why) {
    std::string detail;
    if (!place.empty()) detail.append(place).append(": ");
    return Error{Errc::kInvalidSetting, detail.append(name).append(": ").append(why)};
}

/// The value of `row` and who said it. Errors: kInvalidSetting.
Result<Value> value_of(const Layers& layers, const Setting& row) {
    const Winner won = winner(layers, row.name);
    if (won.text == nullptr && !row.fallback) return Value{};
    Result<Value> value =
        parse(row, won.text != nullptr ? std::string_view{*won.text} : *row.fallback);
    if (!value.has_value()) return bad(won.place, row.name, value.error().detail());
    return value;
}

/// A topic's default in other units; the last one that says something wins.
Result<void> apply_units(const Layers& layers, TopicConfig& topic) {
    for (const std::string_view name :
         {"log.flush.scheduler.interval.ms", "log.retention.hours", "log.retention.minutes",
          "log.roll.hours", "log.roll.jitter.hours"}) {
        const Setting& row = *find_broker_setting(name);
        LEAT_TRY(Value value, value_of(layers, row));
        const auto* number = std::get_if<std::int64_t>(&value);
        if (number == nullptr) continue;
        const std::int64_t scaled =
            *number < 0 ? -1
                        : (*number > kNever / row.unit_factor ? kNever : *number * row.unit_factor);
        find_topic_setting(row.unit_of)->into_topic(topic, Value{scaled});
    }
    return {};
}

Result<void> apply_rows(const Layers& layers, BrokerConfig& config) {
    for (const Setting& row : broker_settings()) {
        if (row.into_topic == nullptr && row.into_broker == nullptr) continue;
        // Below: two names for one field, and a default that depends on the listeners.
        if (row.name == "broker.id" || row.name == "log.dir") continue;
        LEAT_TRY(const Value value, value_of(layers, row));
        if (row.into_topic != nullptr) row.into_topic(config.topic, value);
        if (row.into_broker != nullptr) row.into_broker(config, value);
    }
    for (const auto& [older, newer] :
         {std::pair{"broker.id", "node.id"}, std::pair{"log.dir", "log.dirs"}}) {
        if (winner(layers, newer).text != nullptr || winner(layers, older).text == nullptr)
            continue;
        const Setting& row = *find_broker_setting(older);
        LEAT_TRY(const Value value, value_of(layers, row));
        row.into_broker(config, value);
    }
    if (winner(layers, "auto.create.topics.enable").text == nullptr)
        config.auto_create_topics.reset();
    if (config.http_listen && config.http_listen->empty()) config.http_listen.reset();
    return {};
}

/// Classes are refused wherever they may stand, also behind a listener and a mechanism.
Result<void> refuse_classes(const Layers& layers) {
    for (const PlacedValues* values : {&layers.command_line, &layers.file})
        for (const auto& [name, told] : *values) {
            const std::string_view row = class_named_by(name);
            if (row.empty()) continue;
            const auto parsed = parse(*find_broker_setting(row), told.text);
            if (!parsed.has_value()) return bad(told.place, name, parsed.error().detail());
        }
    return {};
}

Result<void> resolve_listeners(const Layers& layers, BrokerConfig& config) {
    const auto parsed =
        [&](std::string_view name,
            const std::vector<std::string>& texts) -> Result<std::vector<Listener>> {
        auto listeners = parse_listeners(texts, config.listener_protocols);
        if (listeners.has_value()) return listeners;
        return bad(winner(layers, name).place, name, listeners.error().detail());
    };
    LEAT_TRY(config.listeners, parsed("listeners", config.listener_texts));
    LEAT_TRY(config.advertised_listeners,
             parsed("advertised.listeners", config.advertised_listener_texts));
    // A Kafka file names its controller's listener too, in both lists; it has no use here.
    const Winner controllers = winner(layers, "controller.listener.names");
    if (controllers.text != nullptr)
        for (const std::string& name : split_list(*controllers.text))
            for (std::vector<Listener>* some : {&config.listeners, &config.advertised_listeners})
                std::erase_if(*some, [&](const Listener& l) { return l.name == name; });
    if (config.listeners.empty())
        return bad(winner(layers, "listeners").place, "listeners", "at least one is needed");
    for (const Listener& told : config.advertised_listeners) {
        const std::string_view place = winner(layers, "advertised.listeners").place;
        if (told.host.empty() || told.host == "0.0.0.0" || told.host == "::")
            return bad(place, "advertised.listeners",
                       text_of(told) + ": clients cannot connect to every address; name one");
        if (std::ranges::none_of(config.listeners,
                                 [&](const Listener& l) { return l.name == told.name; }))
            return bad(place, "advertised.listeners",
                       text_of(told) + ": there is no listener " + told.name);
    }
    return {};
}

/// Beside the limits of all listeners together, which hold too.
Result<void> resolve_listener_limits(const Layers& layers, BrokerConfig& config) {
    const auto read = [&](const Listener& listener, std::string_view row,
                          std::int32_t& to) -> Result<void> {
        const std::string name = prefix_of(listener) + std::string{row};
        const Winner won = winner(layers, name);
        if (won.text == nullptr) return {};
        const auto value = parse(*find_broker_setting(row), *won.text);
        if (!value.has_value()) return bad(won.place, name, value.error().detail());
        to = static_cast<std::int32_t>(std::get<std::int64_t>(*value));
        return {};
    };
    for (const Listener& listener : config.listeners) {
        ListenerLimits& limits = config.listener_limits[listener.name];
        LEAT_TRY_VOID(read(listener, "max.connections", limits.max_connections));
        LEAT_TRY_VOID(
            read(listener, "max.connection.creation.rate", limits.max_connection_creation_rate));
    }
    return {};
}

/// What groups of the consumer protocol get by default lies within what they may have.
Result<void> check_consumer_groups(const Layers& layers, const BrokerConfig& config) {
    for (const GroupBound& one : group_bounds(config)) {
        const std::string name = "group.consumer." + std::string{one.name};
        if (one.value < one.min)
            return bad(winner(layers, name).place, name,
                       "is below group.consumer.min." + std::string{one.name});
        if (one.value > one.max)
            return bad(winner(layers, name).place, name,
                       "is above group.consumer.max." + std::string{one.name});
    }
    if (config.consumer_session_timeout_ms <= config.consumer_heartbeat_interval_ms)
        return bad(winner(layers, "group.consumer.session.timeout.ms").place,
                   "group.consumer.session.timeout.ms",
                   "is not above group.consumer.heartbeat.interval.ms");
    return {};
}

/// Settings that contradict each other.
Result<void> check_together(const Layers& layers, const BrokerConfig& config) {
    const auto fail = [&](std::string_view name, std::string_view why) {
        return bad(winner(layers, name).place, name, why);
    };
    if (config.group_min_session_timeout_ms > config.group_max_session_timeout_ms)
        return fail("group.min.session.timeout.ms", "is above group.max.session.timeout.ms");
    LEAT_TRY_VOID(check_consumer_groups(layers, config));
    if (config.log_dirs.size() > 1) return fail("log.dirs", "one data directory per process");
    const Winner node = winner(layers, "node.id");
    const Winner broker = winner(layers, "broker.id");
    if (node.text != nullptr && broker.text != nullptr && *node.text != *broker.text)
        return fail("broker.id", "differs from node.id");
    if (config.topic.retention_ms == 0) return fail("log.retention.ms", "must be -1 or at least 1");
    if (config.max_connections_per_ip == 0 && config.max_connections_per_ip_overrides.empty())
        return fail("max.connections.per.ip",
                    "0 needs exceptions in max.connections.per.ip.overrides");
    return {};
}

}  // namespace

Winner static_winner(const Layers& layers, std::string_view name) {
    for (const PlacedValues* values : {&layers.command_line, &layers.file})
        if (const auto found = values->find(name); found != values->end())
            return {&found->second.text, Source::kStatic, found->second.place};
    return {};
}

Winner winner(const Layers& layers, std::string_view name) {
    for (const auto& [values, source] :
         {std::pair{&layers.dynamic_broker, Source::kDynamicBroker},
          std::pair{&layers.dynamic_default, Source::kDynamicDefault}})
        if (const auto found = values->find(name); found != values->end())
            return {&found->second, source, {}};
    return static_winner(layers, name);
}

Result<std::shared_ptr<const BrokerConfig>> resolve(const Layers& layers) {
    auto config = std::make_shared<BrokerConfig>();
    LEAT_TRY_VOID(refuse_classes(layers));
    LEAT_TRY_VOID(apply_units(layers, config->topic));
    LEAT_TRY_VOID(apply_rows(layers, *config));
    LEAT_TRY_VOID(resolve_listeners(layers, *config));
    LEAT_TRY_VOID(resolve_listener_limits(layers, *config));
    LEAT_TRY_VOID(check_together(layers, *config));
    LEAT_TRY(config->security, resolve_security(layers, *config));
    return std::shared_ptr<const BrokerConfig>{std::move(config)};
}

std::vector<std::string> unknown_names(const Layers& layers) {
    std::vector<std::string> unknown;
    const auto config = resolve(layers);
    for (const PlacedValues* values : {&layers.command_line, &layers.file})
        for (const auto& [name, placed] : *values)
            if (find_broker_setting(name) == nullptr &&
                !(config.has_value() && is_listener_setting(**config, name)))
                unknown.push_back(name);
    return unknown;
}

std::vector<std::string> ignored_dynamic_names(const Layers& layers) {
    std::vector<std::string> ignored;
    for (const Values* values : {&layers.dynamic_broker, &layers.dynamic_default})
        for (const auto& [name, text] : *values)
            if (is_listener_security(name)) ignored.push_back(name);
    return ignored;
}

std::shared_ptr<const TopicConfig> resolve_topic(const BrokerConfig& broker,
                                                 const Values& overrides) {
    auto config = std::make_shared<TopicConfig>(broker.topic);
    // internal.segment.bytes has the last word, as its name sorts before segment.bytes.
    const Setting* last = nullptr;
    for (const auto& [name, text] : overrides) {
        const Setting* row = find_topic_setting(name);
        if (row == nullptr || row->into_topic == nullptr) continue;
        if (row->hidden) {
            last = row;
            continue;
        }
        if (const auto value = parse(*row, text); value.has_value())
            row->into_topic(*config, *value);
    }
    if (last != nullptr)
        if (const auto value = parse(*last, overrides.find(last->name)->second); value.has_value())
            last->into_topic(*config, *value);
    return config;
}

Result<void> check_topic_overrides(const Values& overrides) {
    for (const auto& [name, text] : overrides) {
        const Setting* row = find_topic_setting(name);
        if (row == nullptr)
            return Error{Errc::kInvalidConfig, "Unknown topic config name: " + name};
        if (auto value = parse(*row, text); !value.has_value()) return std::move(value).error();
    }
    const TopicConfig config = *resolve_topic(BrokerConfig{}, overrides);
    if (config.min_compaction_lag_ms > config.max_compaction_lag_ms)
        return Error{Errc::kInvalidConfig, "conflict topic config setting min.compaction.lag.ms (" +
                                               std::to_string(config.min_compaction_lag_ms) +
                                               ") > max.compaction.lag.ms (" +
                                               std::to_string(config.max_compaction_lag_ms) + ")"};
    return {};
}

}  // namespace leat::config
