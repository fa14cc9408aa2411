// SPDX-License-Identifier: Apache-2.0
//
// Transactions that are open in a partition's log and that no coordinator knows. Layer: broker
// (L6). Spec:  docs/explanation/transactions.md
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/shard.h"
#include "rt/task.h"
#include "storage/types.h"

namespace leat::broker {

/// One that nobody would end.
struct UnknownTransaction {
    storage::PartitionId id;
    std::string topic = {};
    storage::OpenTransaction open = {};
};

/// What the logs have open and no coordinator knows; nullopt while a coordinator cannot be asked.
/// What a producer begins or ends meanwhile is not in it, or is not open any more when
/// abort_unknown() comes to it. Begins and ends on `home`.
rt::Task<std::optional<std::vector<UnknownTransaction>>> find_unknown(Shard* home);

/// Ends it with an abort marker of its own epoch, if it is still open. Begins and ends on `home`.
/// Errors: as append_marker().
rt::Task<Errc> abort_unknown(Shard* home, UnknownTransaction unknown);

}  // namespace leat::broker
