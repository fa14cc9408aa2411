// SPDX-License-Identifier: Apache-2.0
#include "apps/base64.h"

#include <algorithm>
#include <cstdint>

#include "base/utf8.h"

namespace leat::apps {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
    return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
}

}  // namespace

std::string to_base64(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::uint32_t group =
            byte_at(bytes, i) << 16U | byte_at(bytes, i + 1) << 8U | byte_at(bytes, i + 2);
        out += kAlphabet[group >> 18U];
        out += kAlphabet[(group >> 12U) & 63U];
        out += i + 1 < bytes.size() ? kAlphabet[(group >> 6U) & 63U] : '=';
        out += i + 2 < bytes.size() ? kAlphabet[group & 63U] : '=';
    }
    return out;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
        ++padding;
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 4) {
        std::uint32_t group = 0;
        for (std::size_t j = i; j < i + 4; ++j) {
            const bool is_padding = j >= text.size() - padding;
            const std::size_t digit = is_padding ? 0 : kAlphabet.find(text[j]);
            if (digit == std::string_view::npos) return std::nullopt;
            group = group << 6U | static_cast<std::uint32_t>(digit);
        }
        for (const std::uint32_t shift : {16U, 8U, 0U})
            out += static_cast<char>((group >> shift) & 0xFFU);
    }
    out.resize(out.size() - padding);
    return out;
}

std::string as_utf8(std::string text) {
    if (is_utf8(text)) return text;
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t size = utf8_length(std::string_view{text}.substr(i));
        out += size == 0 ? kReplacement : std::string_view{text}.substr(i, size);
        i += std::max<std::size_t>(size, 1);
    }
    return out;
}

}  // namespace leat::apps
