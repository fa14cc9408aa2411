// SPDX-License-Identifier: Apache-2.0
//
// The part of the broker's table that is about parts of Kafka that do not exist here: known and
// checked, so that a Kafka user's file is understood. Layer: config (L1). Pure.
#pragma once

#include <string_view>
#include <vector>

#include "config/setting.h"

namespace leat::config {

[[nodiscard]] std::vector<Setting> foreign_settings();

/// The setting, without the listener and mechanism that may stand before it, when it names a class
/// that would have a say in who may do what: any but Kafka's own is refused. Else "".
[[nodiscard]] std::string_view class_named_by(std::string_view name);

}  // namespace leat::config
