// SPDX-License-Identifier: Apache-2.0
//
// Settings that change nothing here: those of Kafka Streams, so that a file of a Java application
// can be taken over, and what nobody knows. Layer: streams (L6).
// Spec:  org.apache.kafka.streams.StreamsConfig of 4.2.1, by name, type and default.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "config/setting.h"

namespace leat::streams {

struct Settings;

/// Sorted.
[[nodiscard]] std::span<const config::Setting> settings_without_effect();

/// Null: there is no such setting.
[[nodiscard]] const config::Setting* find_without_effect(std::string_view name);

/// What no client knows is left out of their settings with a note, as Java's clients do; what they
/// know must be good. Errors: kInvalidSetting.
Result<void> check_client_settings(Settings& s);

}  // namespace leat::streams
