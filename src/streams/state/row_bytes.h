// SPDX-License-Identifier: Apache-2.0
//
// What rows and changelog keys of stores have in common. Layer: streams (L6).
// Threading: free functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "leat/streams/detail/big_endian.h"

namespace leat::streams::detail {

inline constexpr std::size_t kTimestampBytes = 8;

/// timestamp ‖ value.
inline std::string with_timestamp(std::int64_t timestamp, std::string_view value) {
    std::string out;
    out.reserve(kTimestampBytes + value.size());
    append_be(out, timestamp);
    out.append(value);
    return out;
}

/// The first bytes above all that begin with `prefix`; nothing when there are none.
inline std::optional<std::string> after_prefix(std::string_view prefix) {
    std::string out{prefix};
    while (!out.empty() && static_cast<unsigned char>(out.back()) == 0xFFU) out.pop_back();
    if (out.empty()) return std::nullopt;
    out.back() = static_cast<char>(static_cast<unsigned char>(out.back()) + 1);
    return out;
}

}  // namespace leat::streams::detail
