// SPDX-License-Identifier: Apache-2.0
//
// Where settings come from and which one wins. Layer: config (L1). Pure.
// Spec:  precedence: dynamic broker > dynamic default > command line > file > default.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/broker_config.h"

namespace leat::config {

/// Setting names to texts.
using Values = std::map<std::string, std::string, std::less<>>;

/// A text and where it was written: "leat.properties:12" or "--set".
struct Placed {
    std::string text;
    std::string place;
};
using PlacedValues = std::map<std::string, Placed, std::less<>>;

/// All that was said about the broker, by source.
///
/// Threading: not synchronised.
struct Layers {
    PlacedValues command_line;
    PlacedValues file;
    Values dynamic_default;  ///< Of every broker.
    Values dynamic_broker;   ///< Of this broker.
};

/// The text that wins for a broker setting, and from where; nullptr when only the default is left.
struct Winner {
    const std::string* text = nullptr;
    Source source = Source::kDefault;
    std::string_view place;
};
Winner winner(const Layers& layers, std::string_view name);
/// The same without the dynamic layers: of what can only change with a restart.
Winner static_winner(const Layers& layers, std::string_view name);

/// Parses what wins and checks what must fit together.
/// Errors: kInvalidSetting; the detail names place, setting and reason.
Result<std::shared_ptr<const BrokerConfig>> resolve(const Layers& layers);

/// Names in file and command line that are no setting; the caller warns, as Kafka does.
std::vector<std::string> unknown_names(const Layers& layers);

/// Names in the dynamic layers that decide nothing: the security of listeners, as an older
/// version let it be set. The caller warns.
std::vector<std::string> ignored_dynamic_names(const Layers& layers);

/// The settings of a topic with `overrides`. Texts were validated when they were set: one that does
/// not parse any more (an older version's) is left at its default.
std::shared_ptr<const TopicConfig> resolve_topic(const BrokerConfig& broker,
                                                 const Values& overrides);

/// Checks one topic's overrides: names, values, and what must fit together.
/// Errors: kInvalidConfig, with Kafka's wording of the cause.
Result<void> check_topic_overrides(const Values& overrides);

}  // namespace leat::config
