// SPDX-License-Identifier: Apache-2.0
//
// One change of IncrementalAlterConfigs to a set of values. Layer: config (L1). Pure.
// Spec:  KIP-339; error codes compared with Kafka 4.3.1.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "config/layers.h"

namespace leat::config {

/// Numbers are those of IncrementalAlterConfigs.
enum class AlterOp : std::int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };

struct Alteration {
    std::string name;
    AlterOp op = AlterOp::kSet;
    std::optional<std::string> value;
};

/// Shape of the whole list: no name twice, a value wherever the operation needs one.
/// Errors: kInvalidRequest.
Result<void> check_alterations(std::span<const Alteration> alterations);

/// Applies `change` to a topic's own values; the result is not validated (check_topic_overrides()).
/// Errors: kInvalidConfig: unknown name (deleting one is fine), append or subtract to what is no
/// list.
Result<void> alter_topic(Values& values, const Alteration& change);

/// Applies `change` to the dynamic values of one broker, or with `is_default` of all.
/// Errors: kInvalidRequest: cannot change while running, bad value; kInvalidConfig: append or
///         subtract to what is no list.
Result<void> alter_broker(Values& values, const Alteration& change, bool is_default);

}  // namespace leat::config
