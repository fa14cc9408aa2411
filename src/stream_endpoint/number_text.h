// SPDX-License-Identifier: Apache-2.0
//
// Numbers in heads and addresses. Layer: stream_endpoint (L7).
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace leat::stream_endpoint {

/// All of `text` as a decimal number of an integer type; none when anything else stands there, or
/// when it does not fit.
template <class T>
[[nodiscard]] std::optional<T> number_of(std::string_view text) {
    T out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return out;
}

}  // namespace leat::stream_endpoint
