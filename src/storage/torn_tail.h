// SPDX-License-Identifier: Apache-2.0
//
// What lies behind the last good batch: whether it is anything, and how it is put aside.
// Layer: storage (L3).
// Spec:  docs/reference/formats/log.md, "Torn tails"
#pragma once

#include <cstddef>
#include <memory>

#include "base/result.h"
#include "rt/disk.h"
#include "storage/batch_scan.h"

namespace leat::storage {

class LogState;

/// Whether all bytes of [from, to) are zero. Errors: kIoError.
Result<bool> is_all_zero(rt::File& file, FilePos from, FilePos to);

/// Whether a message of magic 0 or 1, as Kafka wrote until 2017, begins at `from`. Errors:
/// kIoError.
Result<bool> is_legacy_message(rt::File& file, FilePos from, FilePos to);

/// Whether `range` begins with a whole batch that has a good checksum and ends below `mark`.
/// Errors: kIoError.
Result<bool> has_batch(std::shared_ptr<rt::File> file, const BatchScan::Range& range, Offset mark);

/// Cuts off what segment `index` has behind its last batch, durably, where the next segment goes on
/// without a gap: half a batch that a full disk refused, say. It is kept and noted as below.
Result<void> keep_rest(LogState& state, std::size_t index, FilePos from, FilePos to);

/// Cuts segment `index` at `from` and drops those behind it, durably; what is cut stays in the
/// folder as ".cut" files, and is noted in `state.recovered`. `to` is the size of the file.
/// Errors: kIoError, kNoSpace; then nothing was cut.
Result<void> keep_tail(LogState& state, std::size_t index, FilePos from, FilePos to);

}  // namespace leat::storage
