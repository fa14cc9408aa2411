// SPDX-License-Identifier: Apache-2.0
//
// What a producer is opened with: the --config file's settings, under either of their names, and
// the line's over them. Layer: apps (L7). Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "apps/cluster_access.h"
#include "apps/command.h"
#include "base/result.h"
#include "client/client_properties.h"

namespace leat::apps {

/// The value that counts of a setting with Kafka's name `name`, which may stand under librdkafka's
/// own name for it: the last that was set. Empty when absent.
[[nodiscard]] std::string_view producer_value(const std::vector<client::Property>& properties,
                                              std::string_view name);

/// Whether brokers say what became of a record: not with acks=0.
[[nodiscard]] bool is_acknowledged(const std::vector<client::Property>& properties);

/// Sets `name` to the option `key` where it was given, or where `properties` have nothing.
void set_unless_in_file(const Invocation& line, std::string_view key, std::string_view name,
                        std::vector<client::Property>& properties);

/// Of `leat produce`. Errors: kUsage.
[[nodiscard]] Result<std::vector<client::Property>> produce_properties(const Invocation& line,
                                                                       const ClusterAccess& access);

/// --timeout's highest value, in seconds.
inline constexpr std::int64_t kProduceTimeoutMax = 86'400;

}  // namespace leat::apps
