// SPDX-License-Identifier: Apache-2.0
//
// Output of a decompressor whose size nobody knows beforehand. Layer: codec (L1).
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/units.h"

namespace leat::codec {

/// Grows by doubling up to one byte past its limit: that byte tells "exactly at the limit" from
/// "there is more".
///
/// Threading: not synchronised.
class BoundedBuffer {
  public:
    /// Starts with room for a few times `in_bytes`, whatever the stream claims.
    BoundedBuffer(std::size_t in_bytes, std::size_t bytes_max)
        : bytes_max_(bytes_max), cap_(bytes_max == SIZE_MAX ? SIZE_MAX : bytes_max + 1) {
        const std::size_t guess = in_bytes > SIZE_MAX / 4 ? in_bytes : 4 * in_bytes;
        bytes_.resize(std::min(cap_, std::max<std::size_t>(guess, 4096)));
    }

    /// Unused space, never empty. Precondition: not overflowed().
    [[nodiscard]] MutableBytes room() {
        if (used_ == bytes_.size() && used_ < cap_) {
            bytes_.resize(bytes_.size() > cap_ / 2 ? cap_ : 2 * bytes_.size());
        }
        LEAT_CHECK(used_ < bytes_.size());  // Without room a decompressor would go round for ever.
        return MutableBytes{bytes_}.subspan(used_);
    }
    /// `size` bytes of the room have been written.
    void commit(std::size_t size) {
        LEAT_CHECK(size <= bytes_.size() - used_);
        used_ += size;
    }
    [[nodiscard]] bool overflowed() const noexcept { return used_ > bytes_max_; }
    [[nodiscard]] std::vector<std::byte> take() && {
        bytes_.resize(used_);
        return std::move(bytes_);
    }

  private:
    std::size_t bytes_max_;
    std::size_t cap_;
    std::vector<std::byte> bytes_;
    std::size_t used_ = 0;
};

}  // namespace leat::codec
