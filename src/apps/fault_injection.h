// SPDX-License-Identifier: Apache-2.0
//
// Deliberate faults of `leat serve`, for the crash harness. Layer: apps (L7).
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "rt/fault_disk.h"
#include "storage/shard_context.h"

namespace leat::apps {

struct FaultInjection {
    std::vector<rt::FaultPoint> disk = {};  ///< LEAT_FAULT_DISK, see rt/fault_disk.h.
    storage::Faults storage = {};           ///< LEAT_FAULTS, member names divided by commas.
    bool trust_sync = false;                ///< So too: rt::PosixDisk::trusting().
};

/// Reads the two texts. Errors: kInvalidSetting.
Result<FaultInjection> parse_faults(std::string_view disk, std::string_view storage);

/// What the environment asks for. A build without LEAT_FAULT_INJECTION, such as every release, does
/// not look: nobody can make it lose records.
Result<FaultInjection> faults_from_environment();

}  // namespace leat::apps
