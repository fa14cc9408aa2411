// SPDX-License-Identifier: Apache-2.0
//
// What a handler gives back: bytes to send, nothing, or the end of the connection.
// Layer: broker (L6).
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/types.h"
#include "wire/frame.h"

namespace leat::broker {

/// Threading: a value. Memory: owns its bytes; slices keep theirs alive until they are sent.
struct Answer {
    enum class Kind : std::uint8_t {
        kFrame,
        kNothing,  ///< The client expects no answer (Produce with acks=0).
        kClose,    ///< Kafka's way of refusing what has no error field.
    };

    Kind kind = Kind::kFrame;
    wire::Frame frame;
    /// Bytes of the frame's splices, one after the other: their sizes add up to the splices'.
    std::vector<storage::ReadSlice> slices;
    /// A literal: label of a metric. With a frame: the connection ends once that is sent.
    std::string_view close_reason;

    [[nodiscard]] static Answer of(wire::Frame frame) {
        Answer out;
        out.frame = std::move(frame);
        return out;
    }
    [[nodiscard]] static Answer nothing() {
        Answer out;
        out.kind = Kind::kNothing;
        return out;
    }
    /// `reason` must live for ever.
    [[nodiscard]] static Answer close(std::string_view reason) {
        Answer out;
        out.kind = Kind::kClose;
        out.close_reason = reason;
        return out;
    }
    /// Bytes on the wire.
    [[nodiscard]] std::size_t size_bytes() const noexcept {
        std::size_t total = frame.size_bytes;
        for (const storage::ReadSlice& slice : slices) total += slice.size_bytes;
        return total;
    }
};

}  // namespace leat::broker
