// SPDX-License-Identifier: Apache-2.0
//
// PartitionReader on librdkafka: for logins and settings that our own connections do not have.
// Layer: client (L3). Internal to client.
#pragma once

#include <memory>
#include <vector>

#include "client/partition_reader.h"

namespace leat::client {

/// Sets group.id when there is none (librdkafka wants one). Errors: kInvalidSetting.
Result<std::unique_ptr<PartitionReader>> open_rdkafka_reader(
    const std::vector<Property>& properties);

}  // namespace leat::client
