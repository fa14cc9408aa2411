// SPDX-License-Identifier: Apache-2.0
//
// Zigzag varints at the end and at the front of text. Layer: streams (L6).
// Spec:  as codec/varint.h. Threading: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codec/varint.h"

namespace leat::streams {

inline void append_varint(std::string& out, std::int32_t value) {
    std::byte bytes[codec::kVarintBytesMax];
    const auto* const end = codec::put_varint(bytes, value);
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(end - bytes));
}

/// Takes one off the front; nothing when it is cut off or does not fit.
[[nodiscard]] inline std::optional<std::int32_t> take_varint(std::string_view& text) {
    const auto* const begin = reinterpret_cast<const std::byte*>(text.data());
    std::int32_t value = 0;
    const auto* const at = codec::get_varint(begin, begin + text.size(), value);
    if (at == nullptr) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(at - begin));
    return value;
}

}  // namespace leat::streams
