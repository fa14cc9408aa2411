// SPDX-License-Identifier: Apache-2.0
//
// The broker settings about groups, their offsets and transactions: what their coordinators do.
// Layer: config (L1). Part of broker_settings().
#pragma once

#include <span>

#include "config/broker_config.h"

namespace leat::config {

std::span<const Setting> coordinator_settings();

}  // namespace leat::config
