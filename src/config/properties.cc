// SPDX-License-Identifier: Apache-2.0
#include "config/properties.h"

#include <charconv>

namespace leat::config {
namespace {

constexpr std::string_view kBlank = " \t\f";

std::string_view skip_blank(std::string_view text) {
    const auto first = text.find_first_not_of(kBlank);
    return first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

/// Takes one natural line off `text`; "\n", "\r" and "\r\n" end it.
std::string_view take_line(std::string_view& text) {
    const auto end = text.find_first_of("\r\n");
    const std::string_view line = text.substr(0, end);
    if (end == std::string_view::npos) {
        text = {};
    } else {
        const bool is_pair = text.substr(end, 2) == "\r\n";
        text.remove_prefix(end + (is_pair ? 2 : 1));
    }
    return line;
}

bool continues(std::string_view line) {
    std::size_t slashes = 0;
    while (slashes < line.size() && line[line.size() - 1 - slashes] == '\\') ++slashes;
    return slashes % 2 == 1;
}

void append_utf8(std::string& out, unsigned code) {
    const auto put = [&out](unsigned byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | (code >> 6));
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | (code >> 12));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | (code >> 18));
        put(0x80 | ((code >> 12) & 0x3F));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

/// Four hex digits at the front of `text`; false when they are not there.
bool take_hex4(std::string_view& text, unsigned& code) {
    if (text.size() < 4) return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + 4, code, 16);
    if (error != std::errc{} || end != text.data() + 4) return false;
    text.remove_prefix(4);
    return true;
}

Result<std::string> unescape(std::string_view text, int line) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const char c = text.front();
        text.remove_prefix(1);
        if (c != '\\' || text.empty()) {
            out.push_back(c);
            continue;
        }
        const char escaped = text.front();
        text.remove_prefix(1);
        if (escaped == 'u') {
            unsigned code = 0;
            if (!take_hex4(text, code))
                return Error{Errc::kInvalidSetting,
                             "line " + std::to_string(line) + ": \\u needs four hex digits"};
            unsigned low = 0;
            std::string_view rest = text.substr(text.starts_with("\\u") ? 2 : 0);
            const bool is_high = code >= 0xD800 && code < 0xDC00;
            if (is_high && text.starts_with("\\u") && take_hex4(rest, low) && low >= 0xDC00 &&
                low < 0xE000) {
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                text = rest;
            }
            append_utf8(out, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
            continue;
        }
        constexpr std::string_view kFrom = "tnrf";
        constexpr std::string_view kTo = "\t\n\r\f";
        const auto known = kFrom.find(escaped);
        out.push_back(known == std::string_view::npos ? escaped : kTo[known]);
    }
    return out;
}

/// Where the name ends: an unescaped blank, '=' or ':'.
std::size_t name_end(std::string_view line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\\') {
            ++i;
        } else if (line[i] == '=' || line[i] == ':' || kBlank.contains(line[i])) {
            return i;
        }
    }
    return line.size();
}

Result<Property> parse_line(std::string_view logical, int line) {
    const std::size_t end = name_end(logical);
    std::string_view value = skip_blank(logical.substr(end));
    if (value.starts_with('=') || value.starts_with(':')) value = skip_blank(value.substr(1));
    Property property;
    property.line = line;
    LEAT_TRY(property.name, unescape(logical.substr(0, end), line));
    LEAT_TRY(property.value, unescape(value, line));
    return property;
}

}  // namespace

Result<std::vector<Property>> parse_properties(std::string_view text) {
    std::vector<Property> properties;
    for (int line = 1; !text.empty();) {
        const int first_line = line;
        std::string_view natural = skip_blank(take_line(text));
        ++line;
        if (natural.empty() || natural.starts_with('#') || natural.starts_with('!')) continue;
        std::string logical;
        while (continues(natural)) {
            natural.remove_suffix(1);
            logical.append(natural);
            natural = {};
            if (text.empty()) break;
            natural = skip_blank(take_line(text));
            ++line;
        }
        logical.append(natural);
        if (logical.empty()) continue;
        LEAT_TRY(Property property, parse_line(logical, first_line));
        properties.push_back(std::move(property));
    }
    return properties;
}

}  // namespace leat::config
