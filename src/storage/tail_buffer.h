// SPDX-License-Identifier: Apache-2.0
//
// The newest batches of a partition in memory, for readers at the end of the log. Layer: storage
// (L3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/units.h"
#include "storage/types.h"

namespace leat::storage {

/// Batches without a gap up to the last one that was pushed. Empty and without memory until
/// keep() is called.
///
/// Threading: shard-local; what read() returns may be used on any thread.
/// Memory:    at most the bound and one chunk more, besides what slices still hold.
class TailBuffer {
  public:
    /// Keep what comes from now on, at most `bytes_max` (0: nothing).
    void keep(std::size_t bytes_max);
    /// Keep nothing, free everything.
    void clear();
    [[nodiscard]] bool is_kept() const noexcept { return bytes_max_ > 0; }
    [[nodiscard]] std::size_t memory_bytes() const noexcept { return chunks_bytes_; }

    /// Copies a batch. One that is too large empties the buffer.
    void push(Offset base, Offset last, Bytes batch);

    /// Whole batches from the one that holds `from` up to `below`, as Log::read(); false when
    /// `from` is not in here.
    bool read(Offset from, Offset below, std::size_t bytes_max, bool at_least_one,
              std::vector<ReadSlice>& out) const;

  private:
    struct Chunk {
        std::unique_ptr<std::byte[]> bytes;
        std::size_t capacity = 0;
        std::size_t used = 0;
    };
    struct Batch {
        Offset base;
        Offset last;
        std::shared_ptr<Chunk> chunk;
        std::size_t at = 0;
        std::size_t size = 0;
    };
    void make_room(std::size_t size);
    void drop_first();

    std::size_t bytes_max_ = 0;
    std::size_t chunks_bytes_ = 0;
    std::deque<Batch> batches_;
};

}  // namespace leat::storage
