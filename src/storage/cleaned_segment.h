// SPDX-License-Identifier: Apache-2.0
//
// The segment that compaction writes, from ".cleaned" to ".swap". Layer: storage (L3).
// Spec:  docs/reference/formats/log.md, "Exchange of segments"
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/file_cache.h"
#include "storage/offset_index.h"
#include "storage/segment_files.h"
#include "storage/time_index.h"
#include "storage/txn_index.h"

namespace leat::storage {

/// Threading: not synchronised; on a thread that may block.
class CleanedSegment {
  public:
    CleanedSegment(rt::Disk& disk, FileCache& files, const std::string& directory, Offset base);

    /// Makes the files, in the place of what a run before left.
    Result<void> begin();
    Result<void> append(Bytes batch, std::int32_t interval);
    /// Durable under ".swap" names: the commit point of the exchange.
    Result<void> finish(const std::vector<TxnEntry>& aborted);
    /// Removes all of it, also what a finish() that failed has renamed.
    Result<void> discard();

  private:
    [[nodiscard]] std::string path(FileKind kind, FileStage stage) const;
    Result<void> write_out();

    rt::Disk& disk_;
    const std::string directory_;
    Offset base_;
    std::shared_ptr<rt::File> file_;
    std::vector<std::byte> buffer_;  ///< Batches that are not written yet.
    FilePos written_{0};
    FilePos size_{0};
    std::int64_t since_entry_ = 0;
    MaxTimestamp max_;
    OffsetIndex offsets_;
    TimeIndex times_;
    TxnIndex aborted_;
};

}  // namespace leat::storage
