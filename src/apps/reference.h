// SPDX-License-Identifier: Apache-2.0
//
// Reference pages printed from the tables in the code. Layer: apps (L7). Pure.
#pragma once

#include <string>
#include <string_view>

namespace leat::apps {

/// Markdown of the page `name` of kReferencePages.
[[nodiscard]] std::string reference_page(std::string_view name);

/// What can be printed, as a choice list: docs/reference/<name>.md.
inline constexpr std::string_view kReferencePages =
    "apis|cli|errors|log-findings|metrics|rights|settings|streams-metrics";

}  // namespace leat::apps
