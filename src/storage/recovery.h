// SPDX-License-Identifier: Apache-2.0
//
// Brings a partition's folder into the state of an open log. Layer: storage (L3).
// Spec:  docs/reference/formats/log.md, "Recovery"
#pragma once

#include "base/result.h"
#include "storage/log.h"

namespace leat::storage {

class LogState;

/// Fills `state` from its folder, which is made when missing. When it returns, all batches of the
/// log are durable. Errors: kIoError, kNoSpace (a torn tail could not be kept).
Result<void> recover(LogState& state, Offset replay_from, const ReplayBatch& replay);

}  // namespace leat::storage
