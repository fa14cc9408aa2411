// SPDX-License-Identifier: Apache-2.0
//
// The level of the log as the setting leat.log.level has it. Layer: broker (L6).
#pragma once

#include "config/broker_config.h"
#include "obs/log.h"

namespace leat::broker {

[[nodiscard]] constexpr obs::Level level_of(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::kTrace:
            return obs::Level::kTrace;
        case config::LogLevel::kDebug:
            return obs::Level::kDebug;
        case config::LogLevel::kInfo:
            return obs::Level::kInfo;
        case config::LogLevel::kWarn:
            return obs::Level::kWarn;
        case config::LogLevel::kError:
            return obs::Level::kError;
    }
    return obs::Level::kInfo;
}

/// The setting has changed from `before` to `after`. What a client set for the process itself (a
/// BrokerLogger) stays until then.
inline void follow_log_level(const config::BrokerConfig& before,
                             const config::BrokerConfig& after) {
    if (before.log_level != after.log_level) obs::set_level(level_of(after.log_level));
}

}  // namespace leat::broker
