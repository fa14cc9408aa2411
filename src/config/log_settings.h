// SPDX-License-Identifier: Apache-2.0
//
// The broker settings about its logs: where they are, rolling and retention, syncs, compaction,
// scrub. Layer: config (L1). Part of broker_settings().
#pragma once

#include <span>

#include "config/broker_config.h"

namespace leat::config {

std::span<const Setting> log_settings();

}  // namespace leat::config
