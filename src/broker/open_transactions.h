// SPDX-License-Identifier: Apache-2.0
//
// Transactions that are open in a partition's log and that no coordinator knows. Layer: broker
// (L6). Spec:  docs/decisions/0015-transactions.md
#pragma once

#include <string>
#include <vector>

#include "broker/shard.h"
#include "rt/task.h"
#include "storage/types.h"

namespace leat::broker {

/// One in a partition that may have no coordinator, so that nobody would end it.
struct UnknownTransaction {
    storage::PartitionId id;
    std::string topic = {};
    storage::OpenTransaction open = {};
    Errc refused = Errc::kNone;  ///< What its last abort met with.
    std::string owner = {};      ///< Who has its producer now; "": nobody, or not asked.
};
using UnknownTransactions = std::vector<UnknownTransaction>;

/// Adds what is open in the partition. Runs on: its shard.
void collect_open(const storage::Partition& partition, UnknownTransactions& out);
/// What is open in the logs of all shards. Begins and ends on `home`.
rt::Task<UnknownTransactions> find_open(Shard* home);

/// What the coordinators say of transactions that were open.
struct CoordinatorsSay {
    /// What no coordinator knows of those that could be asked. What a producer ended meanwhile is
    /// not open any more when abort_unknown() comes to it.
    UnknownTransactions unknown;
    bool is_loading = false;  ///< One still reads its log, and may know them.
    bool lacks_one = false;   ///< One has no log to read: nobody can say what it knew.
};
/// Asks all of them. Begins and ends on `home`.
rt::Task<CoordinatorsSay> ask_coordinators(Shard* home, UnknownTransactions open);

/// Asks all that can be asked for the owners. Begins and ends on `home`.
rt::Task<UnknownTransactions> with_owners(Shard* home, UnknownTransactions open);

/// Ends it with an abort marker of its own epoch, if it is still open. Begins and ends on `home`.
/// Errors: as append_marker().
rt::Task<Errc> abort_unknown(Shard* home, UnknownTransaction unknown);

}  // namespace leat::broker
