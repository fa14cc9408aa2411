// SPDX-License-Identifier: Apache-2.0
//
// The page of settings of applications: docs/reference/streams-settings.md. Layer: streams (L6).
#pragma once

#include <string>

namespace leat::streams {

[[nodiscard]] std::string settings_reference();

}  // namespace leat::streams
