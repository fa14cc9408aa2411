// SPDX-License-Identifier: Apache-2.0
//
// What an application's clients get of its settings. Layer: streams (L6).
// Spec:  Kafka Streams' StreamsConfig: prefixes, what it sets itself, what it does not let others
//        set.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/properties.h"

namespace leat::streams {

struct Settings;

/// The rest of `name` behind `prefix`.
std::optional<std::string> behind(std::string_view prefix, std::string_view name);

/// One that is none of the engine's: to the client that its prefix names, without one to all.
void give_to_clients(const config::Property& property, Settings& out);

/// Adds what the engine needs and what Kafka Streams has other defaults for.
void complete_clients(Settings& s);

/// What no client knows is left out with a note, as Java's clients do, and so is what the engine
/// decides; what they know must be good. Errors: kInvalidSetting.
Result<void> check_client_settings(Settings& s);

/// Whether all clients could be opened. Errors: kInvalidSetting.
Result<void> check_clients_open(const Settings& s);

}  // namespace leat::streams
