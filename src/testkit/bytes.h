// SPDX-License-Identifier: Apache-2.0
//
// Byte literals for tests. Layer: test-only.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string_view>
#include <vector>

namespace leat::testkit {

/// hex("00 FF") is {0x00, 0xFF}.
inline std::vector<std::byte> hex(std::string_view text) {
    std::vector<std::byte> out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 3) {
        unsigned value = 0;
        std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
        out.push_back(static_cast<std::byte>(value));
    }
    return out;
}

}  // namespace leat::testkit
