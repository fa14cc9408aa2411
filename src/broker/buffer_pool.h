// SPDX-License-Identifier: Apache-2.0
//
// Buffers that requests are read into, kept for the next ones. Layer: broker (L6).
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/units.h"

namespace leat::broker {

class BufferPool;

/// A buffer of some power of two; goes back to its pool, or to the heap, when it dies.
///
/// Threading: not synchronised; dies on the pool's shard.
class Buffer {
  public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&& other) noexcept;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { release(); }

    [[nodiscard]] std::byte* data() const noexcept { return data_.get(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] MutableBytes bytes() const noexcept { return {data_.get(), capacity_}; }

  private:
    friend class BufferPool;
    void release() noexcept;

    std::unique_ptr<std::byte[]> data_;
    std::size_t capacity_ = 0;
    BufferPool* pool_ = nullptr;
};

/// Memory is touched the first time at a price that is near that of the whole request, so what was
/// used is kept, up to a bound.
///
/// Threading: shard-local; outlives its buffers.
class BufferPool {
  public:
    /// Keeps at most `kept_bytes_max` for later.
    explicit BufferPool(std::size_t kept_bytes_max) noexcept : kept_bytes_max_(kept_bytes_max) {}
    ~BufferPool();
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    /// A buffer of at least `size`.
    [[nodiscard]] Buffer get(std::size_t size);
    /// True when get(size) would take no new memory.
    [[nodiscard]] bool has(std::size_t size) const noexcept;
    [[nodiscard]] std::size_t kept_bytes() const noexcept { return kept_bytes_; }

  private:
    friend class Buffer;
    static constexpr std::size_t kSmallest = 512;
    static constexpr std::size_t kClasses = 23;  ///< 512 bytes to 2 GiB.
    static std::size_t class_of(std::size_t size) noexcept;
    void put(std::unique_ptr<std::byte[]> data, std::size_t capacity) noexcept;

    std::array<std::vector<std::unique_ptr<std::byte[]>>, kClasses> free_;
    std::size_t kept_bytes_ = 0;
    std::size_t kept_bytes_max_;
};

}  // namespace leat::broker
