// SPDX-License-Identifier: Apache-2.0
//
// Settings of things that are neither topic nor broker: client metrics (KIP-714).
// Layer: config (L1). Pure.
#pragma once

#include <span>
#include <vector>

#include "config/alter.h"
#include "config/describe.h"
#include "config/layers.h"
#include "config/setting.h"

namespace leat::config {

/// interval.ms, match, metrics: a subscription to metrics that clients push.
std::span<const Setting> client_metrics_settings();

/// Applies `change` to the values of a thing whose settings are `rows`.
/// Errors: kInvalidConfig (unknown name; append or subtract to what is no list).
Result<void> alter_resource(std::span<const Setting> rows, Values& values,
                            const Alteration& change);

/// Whether each value is one that its setting can have. Errors: kInvalidConfig.
Result<void> check_resource(std::span<const Setting> rows, const Values& values);

/// Each setting of `rows`, those that are set as of `source`.
std::vector<Described> describe_resource(std::span<const Setting> rows, const Values& values,
                                         Source source);

}  // namespace leat::config
