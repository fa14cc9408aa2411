// SPDX-License-Identifier: Apache-2.0
//
// What settings must be to each other, and those whose text has a form of its own.
// Layer: streams (L6).
// Spec:  Kafka Streams' StreamsConfig.
#pragma once

#include "base/result.h"

namespace leat::streams {

struct Settings;

/// Fills in what such texts say. Errors: kInvalidSetting.
Result<void> check_together(Settings& s);

}  // namespace leat::streams
