// SPDX-License-Identifier: Apache-2.0
//
// What a partition's side asks of the transaction coordinator. Layer: broker (L6).
// Spec:  KIP-890: no partition takes the first batch of a transaction that its coordinator does not
//        know to be in the transaction, or nobody would ever end it there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/errc.h"
#include "rt/task.h"
#include "storage/types.h"

namespace leat::broker {

class Shard;

/// Partitions that are about to take the first batch of a transaction.
struct TransactionCheck {
    std::string transactional_id;
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
    /// Protocol 2 (Produce v12, TxnOffsetCommit v5): partitions join the transaction by this. Else
    /// they must have joined it before.
    bool joins = false;

    struct Partition {
        std::string topic;
        storage::PartitionId id;
        /// The verdict. kNone: durably in the open transaction. kTransactionAbortable: not in it.
        /// kInvalidProducerEpoch or kProducerFenced, kInvalidProducerIdMapping,
        /// kConcurrentTransactions (the last one is still being ended),
        /// kCoordinatorLoadInProgress, kCoordinatorNotAvailable, kNotCoordinator, kInvalidTxnState.
        Errc error = Errc::kInvalidTxnState;
    };
    std::vector<Partition> partitions;
};

/// Sets the verdicts. Begins and ends on `home`; `check` outlives it. The answer must not wait for
/// markers of an earlier transaction, or for anything else that a partition's appends may hold up.
using CheckTransaction = rt::Task<void> (*)(Shard& home, TransactionCheck& check);

}  // namespace leat::broker
