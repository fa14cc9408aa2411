// SPDX-License-Identifier: Apache-2.0
//
// Walks the batches of one segment file. Layer: storage (L3).
// Spec:  wire/record_batch.h
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "rt/disk.h"
#include "wire/record_batch.h"

namespace leat::storage {

/// A batch in a file.
struct FoundBatch {
    wire::BatchHeader header;
    FilePos at;
    /// The whole batch, valid until the next one is asked for; empty when only headers are read.
    Bytes bytes;

    [[nodiscard]] FilePos end() const noexcept {
        return {at.value + static_cast<std::int64_t>(header.size_bytes())};
    }
};

/// Checked of every batch: that it is of magic 2, ends within the range, and lies behind the one
/// before it. Checksums are the caller's.
///
/// Threading: not synchronised.
/// Memory:    a buffer of 16 KiB for headers, of 256 KiB or the largest batch for whole batches.
class BatchScan {
  public:
    enum class Depth : std::uint8_t { kHeaders, kWhole };
    struct Range {
        FilePos from;  ///< Where a batch begins.
        FilePos end;
        Offset least;  ///< No batch may begin below.
    };
    BatchScan(std::shared_ptr<rt::File> file, const Range& range, Depth depth)
        : file_(std::move(file)), range_(range), depth_(depth) {}

    /// nullopt at the end of the range. Errors: kCorruptMessage (there is no batch at position(),
    /// and the detail says why); kIoError.
    Result<std::optional<FoundBatch>> next();

    /// Behind the last batch that was given.
    [[nodiscard]] FilePos position() const noexcept { return range_.from; }
    /// The offset behind the last batch that was given, or `least`.
    [[nodiscard]] Offset next_offset() const noexcept { return range_.least; }

  private:
    Result<Bytes> look(std::size_t size, std::size_t ahead);

    std::shared_ptr<rt::File> file_;
    Range range_;
    Depth depth_;
    std::vector<std::byte> buffer_;
    FilePos buffer_at_{0};
    std::size_t buffered_ = 0;
    std::size_t last_size_ = 0;
};

}  // namespace leat::storage
