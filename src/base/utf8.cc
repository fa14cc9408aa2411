// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

namespace leat {

std::size_t utf8_length(std::string_view text) noexcept {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    const std::size_t length = first < 0x80                     ? 1
                               : first >= 0xC2 && first <= 0xDF ? 2
                               : (first & 0xF0) == 0xE0         ? 3
                               : first >= 0xF0 && first <= 0xF4 ? 4
                                                                : 0;
    if (length == 0 || length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    if (length == 3 && first == 0xE0 && byte(1) < 0xA0) return 0;
    if (length == 3 && first == 0xED && byte(1) > 0x9F) return 0;  // Surrogates.
    if (length == 4 && first == 0xF0 && byte(1) < 0x90) return 0;
    if (length == 4 && first == 0xF4 && byte(1) > 0x8F) return 0;
    return length;
}

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace leat
