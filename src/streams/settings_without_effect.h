// SPDX-License-Identifier: Apache-2.0
//
// Settings that change nothing here: those of Kafka Streams, so that a file of a Java application
// can be taken over, and what nobody knows. Layer: streams (L6).
// Spec:  org.apache.kafka.streams.StreamsConfig of 4.2.1, by name, type and default.
#pragma once

#include <span>
#include <string_view>

#include "config/setting.h"

namespace leat::streams {

/// Sorted.
[[nodiscard]] std::span<const config::Setting> settings_without_effect();

/// Null: there is no such setting.
[[nodiscard]] const config::Setting* find_without_effect(std::string_view name);

}  // namespace leat::streams
