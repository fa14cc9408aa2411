// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <algorithm>

namespace leat {

void* Arena::allocate(std::size_t size, std::size_t alignment) {
    LEAT_CHECK(alignment <= alignof(std::max_align_t));
    const std::size_t pad =
        (alignment - reinterpret_cast<std::uintptr_t>(next_) % alignment) % alignment;
    if (next_ == nullptr || left_ < pad || left_ - pad < size) {
        const std::size_t block = std::max(size, next_block_);
        blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(block));
        capacity_ += block;
        if (blocks_.size() == 1) first_size_ = block;
        // An oversized request gets its own block; the current one stays in use for the rest.
        if (block > next_block_) {
            if (blocks_.size() == 1) {
                next_ = blocks_.back().get() + size;
                left_ = 0;
            }
            return blocks_.back().get();
        }
        next_ = blocks_.back().get() + size;
        left_ = block - size;
        next_block_ = std::min(next_block_ * 2, kBlockMax);
        return blocks_.back().get();
    }
    std::byte* out = next_ + pad;
    next_ = out + size;
    left_ -= pad + size;
    return out;
}

void Arena::reset() noexcept {
    if (blocks_.empty()) return;
    if (first_size_ > kBlockMax) {
        blocks_.clear();
        next_ = nullptr;
        left_ = capacity_ = first_size_ = 0;
    } else {
        blocks_.resize(1);
        next_ = blocks_.front().get();
        left_ = capacity_ = first_size_;
    }
    next_block_ = kFirstBlock;
}

}  // namespace leat
