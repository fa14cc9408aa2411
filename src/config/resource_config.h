// SPDX-License-Identifier: Apache-2.0
//
// Settings of things that are neither topic nor broker: client metrics (KIP-714), groups (KIP-848).
// Layer: config (L1). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "config/alter.h"
#include "config/broker_config.h"
#include "config/describe.h"
#include "config/layers.h"
#include "config/setting.h"

namespace leat::config {

struct ResourceSettings {
    std::span<const Setting> rows;
    Source source = Source::kDefault;  ///< Of values that are set.
    std::string_view unknown;          ///< What is said before a name that is none of these.
    Errc unknown_code = Errc::kInvalidConfig;  ///< And its code.
};

/// interval.ms, match, metrics: a subscription to metrics that clients push.
const ResourceSettings& client_metrics_settings();
/// Those of one group of the consumer protocol; the broker has the defaults.
const ResourceSettings& group_settings();

/// One pattern of the setting match, "client_id=app-.*", as Kafka takes it apart.
struct ClientMatch {
    std::string_view part;        ///< Of what is known of a client, such as "client_id".
    std::string_view expression;  ///< A regular expression for all of it; not checked.
};
/// Of one expression, compiled and while it matches.
inline constexpr std::int64_t kClientMatchMemory = 1 << 20;
/// nullopt for what is no such pattern.
std::optional<ClientMatch> parse_client_match(std::string_view pattern);

/// Applies `change`; names and values are checked afterwards. Errors: kInvalidConfig: append or
/// subtract, which Kafka has for topics and brokers only, although a subscription has lists.
Result<void> alter_resource(Values& values, const Alteration& change);

/// Whether each value is one that its setting can have. Errors: kInvalidConfig, and
/// kInvalidRequest for an unknown name and an interval out of bounds, as Kafka has it.
Result<void> check_client_metrics(const Values& values);

/// What the broker says of one setting of groups: its default and what a group may have.
struct GroupBound {
    std::string_view name;  ///< Without "consumer." or "group.consumer.min."
    std::int32_t value = 0;
    std::int32_t min = 0;
    std::int32_t max = 0;
};
std::array<GroupBound, 3> group_bounds(const BrokerConfig& broker);

/// So too, and within the broker's bounds. Errors: kInvalidConfig.
Result<void> check_group(const BrokerConfig& broker, const Values& values);

/// The number that a group has of its own.
std::optional<std::int64_t> group_number(const Values& values, std::string_view name);

/// Each setting, with its value.
std::vector<Described> describe_resource(const ResourceSettings& settings, const Values& values);

}  // namespace leat::config
