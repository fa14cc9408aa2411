// SPDX-License-Identifier: Apache-2.0
//
// Bounds on memory of all requests in the process: of their frames (queued.max.request.bytes,
// leat.request.memory.max.bytes), and of what they are decoded into and answered with
// (leat.response.memory.max.bytes).
// Layer: broker (L6).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "obs/metrics.h"

namespace leat::broker {

/// Whoever wants memory while some is left gets it, so that a request larger than the whole bound
/// is not stuck for ever: the bound is exceeded by what is in execution then. What can be refused
/// asks can_hold(), which ends at twice the bound.
///
/// Threading: thread-safe.
class RequestMemory {
  public:
    /// `bytes_max` < 0: no bound. `gauge` tells what is taken.
    RequestMemory(std::int64_t bytes_max, obs::Gauge gauge) noexcept
        : bytes_max_(bytes_max < 0 ? kNoBound : std::min(bytes_max, kNoBound)), gauge_(gauge) {}

    [[nodiscard]] bool has_room() const noexcept { return used_bytes() < bytes_max_; }
    [[nodiscard]] bool can_hold(std::size_t more) const noexcept {
        return used_bytes() + static_cast<std::int64_t>(more) <= 2 * bytes_max_;
    }
    void take(std::size_t bytes) noexcept { add(static_cast<std::int64_t>(bytes)); }
    void give_back(std::size_t bytes) noexcept { add(-static_cast<std::int64_t>(bytes)); }
    [[nodiscard]] std::int64_t used_bytes() const noexcept {
        return used_.load(std::memory_order_relaxed);
    }

  private:
    /// Its double, which can_hold() asks for, is a number too, with what is taken added to it.
    static constexpr std::int64_t kNoBound = std::numeric_limits<std::int64_t>::max() / 4;

    void add(std::int64_t bytes) noexcept {
        used_.fetch_add(bytes, std::memory_order_relaxed);
        gauge_.add(bytes);
    }

    std::int64_t bytes_max_;
    std::atomic<std::int64_t> used_{0};
    obs::Gauge gauge_;
};

/// What a connection wants memory for.
enum class MemoryWait : std::uint8_t {
    kToStart,  ///< A request that was read: for its answer, and what it is decoded into.
    kToRead,   ///< The next frame, and then to start what it holds.
};

/// Which of them is full: who waits for nothing but records, members or time gives way.
struct Shortage {
    bool frames = false;
    bool answers = false;
};

struct RequestMemories {
    RequestMemory frames;
    RequestMemory answers;  ///< And what requests were decoded into.

    [[nodiscard]] bool has_room(MemoryWait wait) const noexcept {
        return answers.has_room() && (wait == MemoryWait::kToStart || frames.has_room());
    }
    [[nodiscard]] Shortage shortage() const noexcept {
        return {.frames = !frames.has_room(), .answers = !answers.has_room()};
    }
};

/// What one holder has of a bound; it goes back when the holder dies.
///
/// Threading: not synchronised. Memory: the bound outlives it.
class MemoryShare {
  public:
    /// What is no larger is not counted: the memory of ordinary requests is bounded by their number
    /// (leat.queued.responses.max of a connection), and counting it would cost them.
    static constexpr std::size_t kUncounted = std::size_t{16} * 1024;

    MemoryShare() = default;
    explicit MemoryShare(RequestMemory& of) noexcept : of_(&of) {}
    MemoryShare(MemoryShare&& other) noexcept
        : of_(other.of_), bytes_(std::exchange(other.bytes_, 0)) {}
    MemoryShare& operator=(MemoryShare&& other) noexcept {
        release();
        of_ = other.of_;
        bytes_ = std::exchange(other.bytes_, 0);
        return *this;
    }
    MemoryShare(const MemoryShare&) = delete;
    MemoryShare& operator=(const MemoryShare&) = delete;
    ~MemoryShare() { release(); }

    /// It holds `bytes` now, if that is more than before.
    void grow_to(std::size_t bytes) noexcept {
        if (bytes <= kUncounted || bytes <= bytes_ || of_ == nullptr) return;
        of_->take(bytes - bytes_);
        bytes_ = bytes;
    }
    /// Whether `more` bytes, if they count, may be had.
    [[nodiscard]] bool can_hold(std::size_t more) const noexcept {
        return more <= kUncounted || of_ == nullptr || of_->can_hold(more);
    }
    [[nodiscard]] bool is_empty() const noexcept { return bytes_ == 0; }
    /// There is no more for anybody who holds some that counts.
    [[nodiscard]] bool is_short() const noexcept { return bytes_ > 0 && !of_->can_hold(0); }
    void release() noexcept {
        if (bytes_ > 0) of_->give_back(std::exchange(bytes_, 0));
    }

  private:
    RequestMemory* of_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace leat::broker
