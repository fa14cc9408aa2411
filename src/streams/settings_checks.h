// SPDX-License-Identifier: Apache-2.0
//
// What settings must be to each other, and those whose text has a form of its own.
// Layer: streams (L6).
// Spec:  Kafka Streams' StreamsConfig; KIP-708 for the bounds of tags.
#pragma once

#include "base/result.h"

namespace leat::streams {

struct Settings;

/// Fills in what such texts say, and notes what does not count as it stands there.
/// Errors: kInvalidSetting.
Result<void> check_together(Settings& s);

}  // namespace leat::streams
