// SPDX-License-Identifier: Apache-2.0
//
// The bound on memory of all requests in the process (queued.max.request.bytes).
// Layer: broker (L6).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace leat::broker {

/// Whoever wants memory while some is left gets it, so that a request larger than the whole bound
/// is not stuck for ever: the bound is exceeded by one request at most a shard.
///
/// Threading: thread-safe.
class RequestMemory {
  public:
    /// `bytes_max` < 0: no bound.
    explicit RequestMemory(std::int64_t bytes_max) noexcept : bytes_max_(bytes_max) {}

    [[nodiscard]] bool has_room() const noexcept {
        return bytes_max_ < 0 || used_.load(std::memory_order_relaxed) < bytes_max_;
    }
    void take(std::size_t bytes) noexcept {
        used_.fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
    }
    void give_back(std::size_t bytes) noexcept {
        used_.fetch_sub(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
    }
    [[nodiscard]] std::int64_t used_bytes() const noexcept {
        return used_.load(std::memory_order_relaxed);
    }

  private:
    std::int64_t bytes_max_;
    std::atomic<std::int64_t> used_{0};
};

}  // namespace leat::broker
