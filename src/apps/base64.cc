// SPDX-License-Identifier: Apache-2.0
#include "apps/base64.h"

#include <algorithm>
#include <cstdint>

namespace leat::apps {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
    return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
}

/// Bytes of the character that begins at `at`; 0 when none does.
std::size_t sequence_size(std::string_view bytes, std::size_t at) {
    const std::uint32_t lead = byte_at(bytes, at);
    std::size_t more = 0;
    std::uint32_t code = lead;
    if (lead >= 0xC2 && lead <= 0xDF) {
        more = 1;
        code = lead & 0x1FU;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        more = 2;
        code = lead & 0x0FU;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        more = 3;
        code = lead & 0x07U;
    } else if (lead >= 0x80) {
        return 0;
    }
    if (bytes.size() - at <= more) return 0;
    for (std::size_t j = 1; j <= more; ++j) {
        if ((byte_at(bytes, at + j) & 0xC0U) != 0x80U) return 0;
        code = code << 6U | (byte_at(bytes, at + j) & 0x3FU);
    }
    const bool is_overlong = (more == 2 && code < 0x800) || (more == 3 && code < 0x10000);
    if (is_overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return 0;
    return more + 1;
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

bool is_utf8(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size();) {
        const std::size_t size = sequence_size(bytes, i);
        if (size == 0) return false;
        i += size;
    }
    return true;
}

std::string as_utf8(std::string text) {
    if (is_utf8(text)) return text;
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t size = sequence_size(text, i);
        out += size == 0 ? kReplacement : std::string_view{text}.substr(i, size);
        i += std::max<std::size_t>(size, 1);
    }
    return out;
}

}  // namespace leat::apps
