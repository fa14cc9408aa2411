// SPDX-License-Identifier: Apache-2.0
//
// Lengths of time as ISO 8601 writes them: "PT1H30M", "P2DT0.5S". Layer: streams (L6). Pure.
// Spec:  java.time.Duration.parse(), in which settings of Kafka's are written.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace leat::streams {

/// Days to seconds, each part with a sign of its own; parts of a millisecond are cut off. Nothing:
/// it is no such text, or longer than 64 bits of milliseconds hold.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_iso_duration(std::string_view text);

}  // namespace leat::streams
