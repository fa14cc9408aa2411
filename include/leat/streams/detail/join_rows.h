// SPDX-License-Identifier: Apache-2.0
//
// Rows of records that wait for a match in an outer join. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' TimestampedKeyAndJoinSide: 8 big-endian bytes of time, 1 for the left side
// or 0 for the right, the key; LeftOrRightValue: the same byte of side, the value.
// Threading: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "leat/streams/detail/big_endian.h"

namespace leat::streams::detail {

struct WaitingRow {
    std::int64_t timestamp = -1;
    bool left = true;
    std::string_view key{};  ///< Into the row.
};

[[nodiscard]] inline std::string side_byte(bool left) {
    return std::string(1, left ? '\1' : '\0');
}

[[nodiscard]] inline std::string waiting_row(std::int64_t timestamp, bool left,
                                             std::string_view key) {
    std::string out;
    append_be(out, timestamp);
    return out.append(side_byte(left)).append(key);
}

/// Precondition: waiting_row() made it.
[[nodiscard]] inline WaitingRow read_waiting(std::string_view row) {
    constexpr std::size_t kTime = 8;
    return {read_be<std::int64_t>(row), row.size() > kTime && row[kTime] != '\0',
            row.size() > kTime ? row.substr(kTime + 1) : std::string_view{}};
}

}  // namespace leat::streams::detail
