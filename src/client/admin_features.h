// SPDX-License-Identifier: Apache-2.0
//
// Features of a cluster: the levels its brokers support and those that are finalized.
// Layer: client (L3), on wire.
// Spec:  KIP-584, KIP-1022.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/admin.h"

namespace leat::client {

struct FeatureInfo {
    std::string name;
    std::int16_t level_min = 0;
    std::int16_t level_max = 0;
    std::int16_t finalized = 0;  ///< 0: not in use.
};

struct Features {
    std::int64_t epoch = -1;           ///< Grows with each change; -1: not told.
    std::vector<FeatureInfo> entries;  ///< By name.
};

enum class FeatureChange : std::int8_t { kUpgrade = 1, kSafeDowngrade = 2, kUnsafeDowngrade = 3 };

struct FeatureLevel {
    std::string name;
    std::int16_t level = 0;
};

/// As the broker that is asked has them. Errors: those of the connection, kUnsupportedVersion.
Result<Features> describe_features(Admin& admin);

/// All levels or none. One outcome for each, in order. Errors: those of the connection,
/// kUnsupportedVersion.
Result<std::vector<Outcome>> update_features(Admin& admin, std::span<const FeatureLevel> levels,
                                             FeatureChange change, bool validate_only);

}  // namespace leat::client
