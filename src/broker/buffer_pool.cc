// SPDX-License-Identifier: Apache-2.0
#include "broker/buffer_pool.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"

namespace leat::broker {

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::move(other.data_)),
      capacity_(std::exchange(other.capacity_, 0)),
      pool_(std::exchange(other.pool_, nullptr)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
    if (this == &other) return *this;
    release();
    data_ = std::move(other.data_);
    capacity_ = std::exchange(other.capacity_, 0);
    pool_ = std::exchange(other.pool_, nullptr);
    return *this;
}

void Buffer::release() noexcept {
    if (pool_ != nullptr) std::exchange(pool_, nullptr)->put(std::move(data_), capacity_);
    capacity_ = 0;
}

BufferPool::~BufferPool() = default;

std::size_t BufferPool::class_of(std::size_t size) noexcept {
    const std::size_t rounded = std::bit_ceil(std::max(size, kSmallest));
    const auto index =
        static_cast<std::size_t>(std::countr_zero(rounded) - std::countr_zero(kSmallest));
    LEAT_CHECK(index < kClasses);
    return index;
}

bool BufferPool::has(std::size_t size) const noexcept {
    return !free_[class_of(size)].empty();
}

Buffer BufferPool::get(std::size_t size) {
    const std::size_t index = class_of(size);
    Buffer out;
    out.capacity_ = kSmallest << index;
    out.pool_ = this;
    auto& free = free_[index];
    if (free.empty()) {
        out.data_ = std::make_unique_for_overwrite<std::byte[]>(out.capacity_);
    } else {
        out.data_ = std::move(free.back());
        free.pop_back();
        kept_bytes_ -= out.capacity_;
    }
    return out;
}

void BufferPool::put(std::unique_ptr<std::byte[]> data, std::size_t capacity) noexcept {
    if (kept_bytes_ + capacity > kept_bytes_max_) return;
    kept_bytes_ += capacity;
    free_[class_of(capacity)].push_back(std::move(data));
}

}  // namespace leat::broker
