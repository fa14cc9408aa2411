// SPDX-License-Identifier: Apache-2.0
//
// Compares the index files of one segment with its batches. Layer: storage (L3). Pure.
// Spec:  docs/reference/formats/log.md
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/units.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"
#include "storage/txn_index.h"
#include "wire/record_batch.h"

namespace leat::storage {

/// The first thing that is wrong with an index, and how many entries are wrong.
/// Threading: not synchronised.
struct IndexFault {
    std::size_t entry = 0;  ///< Counted from 0.
    std::size_t count = 0;
    std::string what;

    void note(std::size_t at, std::string_view why) {
        if (count++ > 0) return;
        entry = at;
        what = why;
    }
};

/// Shown every good batch of a segment in order, then finish().
/// Threading: not synchronised.
/// Memory:    the index's entries.
class OffsetIndexCheck {
  public:
    OffsetIndexCheck(Bytes file, Offset base);

    void batch(const wire::BatchHeader& header, FilePos at);
    /// `whole`: all of the segment was walked; otherwise what lies behind is not judged.
    [[nodiscard]] const IndexFault& finish(bool whole);

  private:
    Offset base_;
    std::vector<OffsetEntry> entries_;
    std::size_t next_ = 0;
    IndexFault fault_;
};

/// As OffsetIndexCheck.
/// Threading: not synchronised.
class TimeIndexCheck {
  public:
    TimeIndexCheck(Bytes file, Offset base);

    void batch(const wire::BatchHeader& header);
    [[nodiscard]] const IndexFault& finish(bool whole);

  private:
    Offset base_;
    std::vector<TimeEntry> entries_;
    std::size_t next_ = 0;
    std::int64_t largest_ = -1;
    IndexFault fault_;
};

/// Transactions of one log, segment by segment.
/// Threading: not synchronised.
/// Memory:    the entries of one segment; 16 bytes for each producer with an open transaction.
class TxnIndexCheck {
  public:
    /// A new segment, and its index (empty without one).
    void begin(Bytes file, Offset base);
    /// `aborts`: the batch is an abort marker; false for one that commits, nullopt for data.
    void batch(const wire::BatchHeader& header, std::optional<bool> aborts);
    [[nodiscard]] const IndexFault& finish(bool whole);

  private:
    void take_marker(const wire::BatchHeader& header, bool aborts);

    Offset base_;
    Offset end_;
    std::vector<TxnEntry> entries_;
    std::unordered_map<std::int64_t, Offset> open_;  ///< Producer, where its transaction began.
    IndexFault fault_;
};

}  // namespace leat::storage
