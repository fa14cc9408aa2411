// SPDX-License-Identifier: Apache-2.0
//
// What all groups of a node hold in memory, and the part that one thing in them has of it.
// Layer: groups (L5).
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace leat::groups {

/// What a node of a map takes beside its key and its value, about.
inline constexpr std::size_t kNodeBytes = 48;

/// The sum over all coordinators that share it, for leat.groups.max.bytes. An estimate: objects by
/// their size, texts and blobs by their length, nodes of maps by a constant.
///
/// The bound holds back newcomers only. It is exceeded by what those come to say and are given who
/// are in, up to the bounds of one group, and by what one request a shard brings: whoever looks and
/// then takes may do so beside another shard.
/// Threading: thread-safe.
class GroupMemory {
  public:
    [[nodiscard]] std::size_t used_bytes() const noexcept {
        return used_.load(std::memory_order_relaxed);
    }
    /// Somebody who held `from` holds `to`.
    void change(std::size_t from, std::size_t to) noexcept {
        // What shrinks wraps around, and the sum wraps back.
        used_.fetch_add(to - from, std::memory_order_relaxed);
    }

  private:
    std::atomic<std::size_t> used_{0};
};

/// What one holder has of it; goes back with the holder, so nothing that removes one can forget it.
/// Threading: not synchronised. Memory: the GroupMemory outlives it.
class HeldBytes {
  public:
    explicit HeldBytes(GroupMemory& memory, std::size_t bytes = 0) noexcept : memory_(&memory) {
        set(bytes);
    }
    HeldBytes(HeldBytes&& other) noexcept
        : memory_(other.memory_), bytes_(std::exchange(other.bytes_, 0)) {}
    HeldBytes& operator=(HeldBytes&&) = delete;
    ~HeldBytes() { set(0); }

    void set(std::size_t bytes) noexcept { memory_->change(std::exchange(bytes_, bytes), bytes); }
    void add(std::size_t bytes) noexcept { set(bytes_ + bytes); }
    /// Precondition: it holds as much.
    void remove(std::size_t bytes) noexcept { set(bytes_ - bytes); }

  private:
    GroupMemory* memory_;
    std::size_t bytes_ = 0;
};

}  // namespace leat::groups
