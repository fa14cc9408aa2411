// SPDX-License-Identifier: Apache-2.0
//
// Makes the indexes of aborted transactions fit the markers in the log. Layer: storage (L3).
// Spec:  docs/reference/formats/log.md, "Recovery"
#pragma once

#include "base/result.h"
#include "storage/log_state.h"

namespace leat::storage {

/// What a start knows when it looks at them.
struct AbortedRepair {
    /// Entries of markers from here on may lack: the producers' state that is brought up to the end
    /// of the log adds them.
    Offset complete_below;
    /// The folder has a list, which may turn out corrupt.
    bool has_list = false;
    /// Something tells of transactions, if only of committed ones.
    bool has_transactions = false;
};

/// Holds against the batches what the list does not vouch for, and puts new files in the place of
/// those that are wrong, each in one step. Where that fails, the file stays one that the next start
/// sees to be wrong. Precondition: where the segments end is settled.
/// Errors: kIoError, kNoSpace; kCorruptMessage: a segment, which the detail names, is damaged.
Result<void> repair_aborted(LogState& state, const AbortedRepair& how);

}  // namespace leat::storage
