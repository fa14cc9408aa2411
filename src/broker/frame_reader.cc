// SPDX-License-Identifier: Apache-2.0
#include "broker/frame_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/endian.h"

namespace leat::broker {

MutableBytes FrameReader::space(MutableBytes scratch) {
    LEAT_CHECK(input_.empty());
    scratch_ = scratch;
    reads_into_frame_ = frame_.capacity() > have_;
    if (!reads_into_frame_) return scratch;
    // Past the frame's end no more than fits into scratch: that is where it goes on from.
    const std::size_t wanted = std::max<std::size_t>(size_ - have_, 1) + scratch.size();
    return frame_.bytes().subspan(have_).first(std::min(wanted, frame_.capacity() - have_));
}

void FrameReader::filled(std::size_t bytes) {
    if (!std::exchange(reads_into_frame_, false)) {
        input_ = scratch_.first(bytes);
        return;
    }
    have_ += bytes;
    if (have_ <= size_) return;
    const std::size_t beyond = have_ - size_;
    LEAT_CHECK(beyond <= scratch_.size());
    std::memcpy(scratch_.data(), frame_.data() + size_, beyond);
    input_ = scratch_.first(beyond);
    have_ = size_;
}

Result<bool> FrameReader::read_head(std::size_t frame_bytes_max, std::size_t frame_bytes_min) {
    const std::size_t take = std::min(head_.size() - head_have_, input_.size());
    if (take > 0) std::memcpy(head_.data() + head_have_, input_.data(), take);
    head_have_ += take;
    input_ = input_.subspan(take);
    if (head_have_ < head_.size()) return false;
    const auto size = load_be<std::int32_t>(head_.data());
    if (size < 0) return Error{Errc::kMalformed};
    size_ = static_cast<std::size_t>(size);
    if (size_ < frame_bytes_min) return Error{Errc::kMalformed};
    if (size_ > frame_bytes_max) return Error{Errc::kLimitExceeded};
    return true;
}

/// More room for a frame whose buffer is full.
void FrameReader::grow(BufferPool& pool) {
    std::size_t capacity = size_;
    if (size_ > kUnprovenMax && !pool.has(size_))
        capacity = std::min(size_, std::max(kUnprovenMax, 2 * have_));
    Buffer larger = pool.get(capacity);
    if (have_ > 0) std::memcpy(larger.data(), frame_.data(), have_);
    frame_ = std::move(larger);
}

void FrameReader::take_into_frame(BufferPool& pool) {
    if (frame_.data() == nullptr) grow(pool);
    for (;;) {
        const std::size_t take =
            std::min({size_ - have_, frame_.capacity() - have_, input_.size()});
        if (take > 0) std::memcpy(frame_.data() + have_, input_.data(), take);
        have_ += take;
        input_ = input_.subspan(take);
        if (have_ == size_ || have_ < frame_.capacity()) return;
        grow(pool);
    }
}

Result<std::optional<RequestFrame>> FrameReader::next(BufferPool& pool, std::size_t frame_bytes_max,
                                                      std::size_t frame_bytes_min) {
    if (head_have_ < head_.size()) {
        LEAT_TRY(const bool is_known, read_head(frame_bytes_max, frame_bytes_min));
        if (!is_known) {
            stash_ = {};
            return std::optional<RequestFrame>{};
        }
    }
    take_into_frame(pool);
    if (input_.empty()) stash_ = {};
    if (have_ < size_) return std::optional<RequestFrame>{};
    std::optional<RequestFrame> out{RequestFrame{.buffer = std::move(frame_), .size_bytes = size_}};
    head_have_ = 0;
    have_ = 0;
    return out;
}

void FrameReader::stash(BufferPool& pool) {
    if (input_.empty() || stash_.data() != nullptr) return;  // Or lies there already.
    stash_ = pool.get(input_.size());
    std::memcpy(stash_.data(), input_.data(), input_.size());
    input_ = Bytes{stash_.data(), input_.size()};
}

}  // namespace leat::broker
