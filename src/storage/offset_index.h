// SPDX-License-Identifier: Apache-2.0
//
// Sparse map from offset to byte position inside one segment. Layer: storage (L3).
// Spec:  Kafka's ".index" file: 8-byte big-endian entries {i32 offset - base, i32 position}, the
//        offset being the last one of the batch at the position.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "storage/entry_file.h"

namespace leat::storage {

struct OffsetEntry {
    static constexpr std::size_t kBytes = 8;
    std::int32_t relative = 0;
    std::int32_t position = 0;

    static OffsetEntry get(const std::byte* in) noexcept;
    void put(std::byte* out) const noexcept;
    friend bool operator==(const OffsetEntry&, const OffsetEntry&) = default;
};

/// What an index says: the batch that ends at `offset` lies at `at`.
struct IndexedBatch {
    Offset offset;
    FilePos at;
    friend bool operator==(const IndexedBatch&, const IndexedBatch&) = default;
};

/// Invariant: offsets and positions both grow strictly. Entries may be missing at the end, never
///            wrong: what was written beyond the durable mark is dropped by recovery.
/// Threading: not synchronised.
class OffsetIndex {
  public:
    OffsetIndex(FileCache& files, std::string path, bool exists, Offset base)
        : entries_(files, std::move(path), exists), base_(base) {}

    /// Entries of `file` before the first that cannot be one: out of order, negative, torn, or
    /// the zeros of a file whose size was set in advance. Pure.
    [[nodiscard]] static std::size_t valid_entries(Bytes file) noexcept;

    /// Precondition: beyond the last entry, at most INT32_MAX above the base. Errors: kIoError.
    Result<void> append(Offset last_offset, FilePos at);

    /// The last entry at or below `target`; nullopt: look from the start of the segment.
    /// Errors: kIoError, kCorruptIndex.
    Result<std::optional<IndexedBatch>> lookup(Offset target);
    /// The last entry whose batch starts at or before `at`.
    Result<std::optional<IndexedBatch>> lookup_at(FilePos at);
    Result<std::optional<IndexedBatch>> last();
    Result<std::size_t> count() { return entries_.count(); }
    /// Precondition: `index` is below count().
    Result<IndexedBatch> at(std::size_t index);

    /// Drops the entries that end at `offset` or later, or start at `size` or later.
    Result<std::shared_ptr<rt::File>> truncate(Offset offset, FilePos size);
    /// Keeps the first `count` entries.
    Result<std::shared_ptr<rt::File>> keep(std::size_t count) { return entries_.truncate(count); }

    [[nodiscard]] EntryFile<OffsetEntry>& entries() noexcept { return entries_; }

  private:
    [[nodiscard]] IndexedBatch batch(const OffsetEntry& entry) const noexcept {
        return {{base_.value + entry.relative}, {entry.position}};
    }
    Result<std::optional<IndexedBatch>> before(std::size_t index);

    EntryFile<OffsetEntry> entries_;
    Offset base_;
};

}  // namespace leat::storage
