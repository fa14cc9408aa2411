// SPDX-License-Identifier: Apache-2.0
//
// An administrative answer and the metadata changes it promises. Layer: broker (L6). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/errc.h"
#include "metadata/delta.h"
#include "obs/log.h"

namespace leat::broker::admin {

/// A log's new level.
struct LogLevelChange {
    std::string_view component = {};  ///< Of obs::kComponents; empty: the root, all that have none.
    std::optional<obs::Level> level;  ///< nullopt: it follows the root again.

    void set() const {
        if (component.empty())
            obs::set_level(*level);
        else
            obs::set_level(component, level);
    }
};

/// The handler commits and applies `deltas`, then sends `response`. When the commit fails it calls
/// revoke() and sends that. Views in the response live as long as the request's arena.
template <class Response>
struct Change {
    Response response;
    std::vector<metadata::Delta> deltas;
    std::vector<LogLevelChange> log_levels;  ///< To be set once the rest is done, in this order.
};

/// Kafka's number for an error; for messages' error_code.
[[nodiscard]] inline std::int16_t code(Errc error) {
    return wire_code(error);
}

/// An error's text for error_message: null when the code says it all.
[[nodiscard]] inline std::optional<std::string_view> message(std::string_view text, Arena& arena) {
    if (text.empty()) return std::nullopt;
    return arena.copy(text);
}

[[nodiscard]] inline std::optional<std::string_view> copied(const std::optional<std::string>& text,
                                                            Arena& arena) {
    if (!text) return std::nullopt;
    return arena.copy(std::string_view{*text});
}

/// Turns every success in `results` into `error`: the change did not become durable.
template <class Results>
void revoke(Results results, Errc error) {
    for (auto& result : results)
        if (result.error_code == code(Errc::kNone)) result.error_code = code(error);
}

}  // namespace leat::broker::admin
