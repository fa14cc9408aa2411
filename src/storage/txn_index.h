// SPDX-License-Identifier: Apache-2.0
//
// The aborted transactions of one segment. Layer: storage (L3).
// Spec:  Kafka's ".txnindex" file: 34-byte big-endian entries {i16 version 0, i64 producer id, i64
//        first offset, i64 last offset, i64 last stable offset}, one for each abort marker in the
//        segment; the last offset is the marker's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "storage/entry_file.h"

namespace leat::storage {

struct TxnEntry {
    static constexpr std::size_t kBytes = 34;
    std::int16_t version = 0;
    std::int64_t producer_id = 0;
    Offset first;
    Offset last;
    /// Without this transaction: nothing that starts below it is in a later entry.
    Offset last_stable;

    static TxnEntry get(const std::byte* in) noexcept;
    void put(std::byte* out) const noexcept;
    friend bool operator==(const TxnEntry&, const TxnEntry&) = default;
};

/// Invariant: last offsets grow strictly.
/// Threading: not synchronised.
class TxnIndex {
  public:
    TxnIndex(FileCache& files, std::string path, bool exists)
        : entries_(files, std::move(path), exists) {}

    /// As OffsetIndex::valid_entries(); `base` is the segment's.
    [[nodiscard]] static std::size_t valid_entries(Bytes file, Offset base) noexcept;

    /// Writes at once; the file to sync. Null: the entry, or one behind it, is there already, as
    /// when recovery shows a marker again. Errors: kNoSpace, kIoError.
    Result<std::shared_ptr<rt::File>> append(const TxnEntry& entry);

    /// Adds those that end at or after `from` and start below `below`. False: later segments
    /// cannot have more. Errors: kIoError, kCorruptIndex.
    Result<bool> collect(Offset from, Offset below, std::vector<TxnEntry>& out);

    /// Drops entries whose marker is at `offset` or later. The file to sync, or null.
    Result<std::shared_ptr<rt::File>> truncate(Offset offset);

    /// Writes the entries whose marker is at `from` or later again, as they are. The file to sync,
    /// or null. Errors: kIoError, kNoSpace.
    Result<std::shared_ptr<rt::File>> rewrite(Offset from);

    /// Puts a file with these in the place of the one that is there, in one step, durably. Errors:
    /// kIoError, kNoSpace.
    Result<void> replace(const std::vector<TxnEntry>& entries);
    /// Leaves of the file, when there is one, what nobody takes for an index.
    Result<void> spoil();

    [[nodiscard]] EntryFile<TxnEntry>& entries() noexcept { return entries_; }

  private:
    EntryFile<TxnEntry> entries_;
};

}  // namespace leat::storage
