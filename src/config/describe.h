// SPDX-License-Identifier: Apache-2.0
//
// What DescribeConfigs tells about a topic or the broker. Layer: config (L1). Pure.
// Spec:  Kafka DescribeConfigs v0 to v4; order and choice of synonyms compared with Kafka 4.3.1.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/layers.h"
#include "config/setting.h"

namespace leat::config {

/// One place that gives the setting a value, nearest first in a list of them.
struct Synonym {
    std::string name;
    std::optional<std::string> value;  ///< nullopt: hidden.
    Source source = Source::kDefault;

    friend bool operator==(const Synonym&, const Synonym&) = default;
};

struct Described {
    std::string name;
    std::optional<std::string> value;  ///< nullopt: none, or hidden.
    Source source = Source::kDefault;
    Type type = Type::kUnknown;
    bool read_only = false;
    bool sensitive = false;
    std::string_view doc;  ///< Lives for ever.
    std::vector<Synonym> synonyms;

    [[nodiscard]] bool is_default() const noexcept { return source == Source::kDefault; }
};

/// Every topic setting that is shown, in name order.
std::vector<Described> describe_topic(const Layers& layers, const Values& overrides);

/// Every setting of a group of the consumer protocol, in name order.
std::vector<Described> describe_group(const Layers& layers, const Values& overrides);

/// Every broker setting that is shown, in name order, and unknown names that were set.
std::vector<Described> describe_broker(const Layers& layers);

/// The dynamic settings of every broker (DescribeConfigs with an empty broker name).
std::vector<Described> describe_broker_default(const Layers& layers);

/// docs/reference/settings.md.
std::string settings_reference();

}  // namespace leat::config
