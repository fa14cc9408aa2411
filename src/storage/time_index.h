// SPDX-License-Identifier: Apache-2.0
//
// Sparse map from timestamp to offset inside one segment. Layer: storage (L3).
// Spec:  Kafka's ".timeindex" file: 12-byte big-endian entries {i64 timestamp, i32 offset - base}.
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

struct TimeEntry {
    static constexpr std::size_t kBytes = 12;
    std::int64_t timestamp = -1;
    std::int32_t relative = 0;

    static TimeEntry get(const std::byte* in) noexcept;
    void put(std::byte* out) const noexcept;
    friend bool operator==(const TimeEntry&, const TimeEntry&) = default;
};

/// The largest timestamp so far and the last offset of the batch that has it first.
struct MaxTimestamp {
    WallMs timestamp{-1};
    Offset offset{-1};
    friend bool operator==(const MaxTimestamp&, const MaxTimestamp&) = default;
};

/// An entry says: up to the batch that ends at its offset, no timestamp is larger than its own.
///
/// Invariant: timestamps grow strictly, offsets never fall.
/// Threading: not synchronised.
class TimeIndex {
  public:
    TimeIndex(FileCache& files, std::string path, bool exists, Offset base)
        : entries_(files, std::move(path), exists), base_(base) {}

    /// As OffsetIndex::valid_entries().
    [[nodiscard]] static std::size_t valid_entries(Bytes file) noexcept;

    /// Does nothing when the timestamp is not above the last one. Errors: kIoError.
    Result<void> append(const MaxTimestamp& max);

    /// The last entry at or below `timestamp`: no batch before it reaches beyond it.
    Result<std::optional<MaxTimestamp>> lookup(WallMs timestamp);
    Result<std::optional<MaxTimestamp>> last();
    /// The last entry whose batch ends below `offset`.
    Result<std::optional<MaxTimestamp>> last_below(Offset offset);
    Result<std::size_t> count() { return entries_.count(); }

    /// Drops the entries at `offset` or later.
    Result<std::shared_ptr<rt::File>> truncate(Offset offset);

    [[nodiscard]] EntryFile<TimeEntry>& entries() noexcept { return entries_; }

  private:
    Result<std::optional<MaxTimestamp>> before(std::size_t index);
    Result<std::size_t> count_below(Offset offset);

    EntryFile<TimeEntry> entries_;
    Offset base_;
};

}  // namespace leat::storage
