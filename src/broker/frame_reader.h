// SPDX-License-Identifier: Apache-2.0
//
// Cuts a stream of bytes into request frames. Layer: broker (L6). No socket.
// Spec:  Kafka protocol guide, "Common Request and Response Structure".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/result.h"
#include "broker/buffer_pool.h"

namespace leat::broker {

/// A whole request without its length.
struct RequestFrame {
    Buffer buffer;
    std::size_t size_bytes = 0;
    [[nodiscard]] Bytes bytes() const noexcept { return {buffer.data(), size_bytes}; }
};

/// Bytes are read into a scratch buffer that connections share, from which whole frames are copied;
/// a frame that is not whole gets a buffer of its own, and the rest of it is read right into it.
///
/// Invariant: between requests nothing is held. A frame's buffer is never more than four times as
///            large as what has arrived of it, or 64 KiB, unless memory of that size is at hand
///            anyway: a peer that only claims to send much costs little.
/// Threading: shard-local.
/// Usage:     space() for a read, filled() after it, then next() until it gives nullopt; or stash()
///            to stop before, and next() again later.
class FrameReader {
  public:
    /// Of a request: its header.
    static constexpr std::size_t kFrameMin = 8;
    static constexpr std::size_t kUnprovenMax = std::size_t{64} * 1024;

    /// Where to read to. Precondition: next() has given nullopt; `scratch` is the same until
    /// filled().
    MutableBytes space(MutableBytes scratch);
    void filled(std::size_t bytes);

    /// The next whole frame. Errors: kMalformed: its length is none (negative, too small);
    /// kLimitExceeded: larger than `frame_bytes_max`. After an error the stream cannot be read on.
    /// A message of SASL that is no request (SaslHandshake 0) may be empty: `frame_bytes_min` 0.
    Result<std::optional<RequestFrame>> next(BufferPool& pool, std::size_t frame_bytes_max,
                                             std::size_t frame_bytes_min = kFrameMin);

    /// Keeps what next() has not looked at: the scratch buffer is needed for others.
    void stash(BufferPool& pool);

    /// A frame has begun and is not whole.
    [[nodiscard]] bool is_inside() const noexcept { return head_have_ > 0; }
    /// Length of the frame that has begun; 0 while that is not known.
    [[nodiscard]] std::size_t expected_bytes() const noexcept {
        return head_have_ == head_.size() ? size_ : 0;
    }
    /// Bytes held in buffers.
    [[nodiscard]] std::size_t held_bytes() const noexcept {
        return frame_.capacity() + stash_.capacity();
    }

  private:
    Result<bool> read_head(std::size_t frame_bytes_max, std::size_t frame_bytes_min);
    void take_into_frame(BufferPool& pool);
    void grow(BufferPool& pool);

    std::array<std::byte, 4> head_{};
    std::size_t head_have_ = 0;
    std::size_t size_ = 0;  ///< Of the frame, once the head is whole.
    Buffer frame_;
    std::size_t have_ = 0;  ///< Bytes of the frame in frame_.
    MutableBytes scratch_;  ///< Of the read that is going on.
    bool reads_into_frame_ = false;
    Bytes input_;  ///< Not looked at yet; in scratch_ or stash_.
    Buffer stash_;
};

}  // namespace leat::broker
