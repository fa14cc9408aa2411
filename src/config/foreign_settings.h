// SPDX-License-Identifier: Apache-2.0
//
// The part of the broker's table that is about parts of Kafka that do not exist here: known and
// checked, so that a Kafka user's file is understood. Layer: config (L1). Pure.
#pragma once

#include <vector>

#include "config/setting.h"

namespace leat::config {

[[nodiscard]] std::vector<Setting> foreign_settings();

}  // namespace leat::config
