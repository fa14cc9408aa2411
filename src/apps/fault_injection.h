// SPDX-License-Identifier: Apache-2.0
//
// Deliberate faults of `leat serve`, for the crash harness. Layer: apps (L7).
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "groups/settings.h"
#include "metadata/store.h"
#include "rt/fault_disk.h"
#include "storage/shard_context.h"
#include "transactions/settings.h"

namespace leat::apps {

struct FaultInjection {
    std::vector<rt::FaultPoint> disk = {};   ///< LEAT_FAULT_DISK, see rt/fault_disk.h.
    storage::Faults storage = {};            ///< LEAT_FAULTS, member names divided by commas.
    groups::Faults groups = {};              ///< So too, "groups." before the name.
    transactions::Faults transactions = {};  ///< So too, "transactions." before the name.
    bool trust_sync = false;                 ///< So too: rt::PosixDisk::trusting().
    bool metadata_behind = false;            ///< So too, "metadata.behind": behind_by_some().
};

/// A store that keeps each change only when some more have come, and says at once that it has it.
std::unique_ptr<metadata::MetadataStore> behind_by_some(
    std::unique_ptr<metadata::MetadataStore> under);

/// Reads the two texts. Errors: kInvalidSetting.
Result<FaultInjection> parse_faults(std::string_view disk, std::string_view faults);

/// What the environment asks for. A build without LEAT_FAULT_INJECTION, such as every release, does
/// not look: nobody can make it lose records.
Result<FaultInjection> faults_from_environment();

}  // namespace leat::apps
