// SPDX-License-Identifier: Apache-2.0
//
// The command line of `leat serve` as settings: what to listen on, where the data lies, what is
// refused. Layer: apps (L7). Reads the settings file and the environment; starts nothing.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "apps/command.h"
#include "base/result.h"
#include "config/broker_config.h"
#include "config/layers.h"

namespace leat::apps {

/// A name in the file that no part of Leat knows: of another program, or of Kafka's plugins.
struct UnknownSetting {
    std::string name;
    std::string place;  ///< "leat.properties:12".

    friend bool operator==(const UnknownSetting&, const UnknownSetting&) = default;
};

struct ServePlan {
    config::Layers
        layers;  ///< Command line and file; the dynamic layers come from the metadata store.
    std::shared_ptr<const config::BrokerConfig> config;  ///< Of these layers.
    std::string data_directory;  ///< Absolute: as clients are told it, and name it in turn.
    std::vector<UnknownSetting> unknown_settings;  ///< To be warned about.
    bool is_ready_line_json = false;
};

/// Errors: kUsage, kInvalidSetting (naming setting and "FILE:LINE" or option), kIoError.
///         An unknown name is one when it was given by --set, or begins with "leat.": then nobody
///         else can be meant.
[[nodiscard]] Result<ServePlan> serve_plan(const Invocation& line);

/// Refuses listeners that others can reach while nobody has to say who they are, and protocols that
/// this version does not speak. Errors: kInvalidSetting, naming the listener.
[[nodiscard]] Result<void> check_exposure(const config::BrokerConfig& config);

/// One listener that is up, its real port included.
struct ListeningAt {
    std::string name;     ///< "PLAINTEXT", "HTTP".
    std::string address;  ///< "127.0.0.1:9092".
};

/// The line that says the server is ready: one for people, or one JSON object.
[[nodiscard]] std::string ready_line(std::span<const ListeningAt> listeners,
                                     std::string_view data_directory, bool is_json);

}  // namespace leat::apps
