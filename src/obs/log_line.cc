// SPDX-License-Identifier: Apache-2.0
#include "obs/log_line.h"

#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/check.h"
#include "base/utf8.h"

namespace leat::obs {
namespace {

template <class T>
void append_number(std::string& out, T number) {
    char buffer[40];
    std::to_chars_result end{};
    if constexpr (std::same_as<T, double>) {
        end = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::general, 6);
    } else {
        end = std::to_chars(buffer, buffer + sizeof buffer, number);
    }
    out.append(buffer, end.ptr);
}

/// Precondition: `point` is below 0x10000.
void append_hex(std::string& out, std::uint32_t point) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out.append("\\u");
    for (const std::uint32_t shift : {12U, 8U, 4U, 0U})
        out.push_back(kDigits[(point >> shift) & 15U]);
}

/// The number of a character beyond ASCII that makes a terminal or an editor show the line as
/// something else: C1 controls, separators of lines, changes of direction. 0 of all others.
/// Precondition: `sequence` is one valid UTF-8 sequence.
std::uint32_t control_beyond_ascii(std::string_view sequence) {
    const auto bits = [&](std::size_t i, std::uint32_t mask) {
        return std::uint32_t{static_cast<unsigned char>(sequence[i])} & mask;
    };
    std::uint32_t point = 0;
    if (sequence.size() == 2) point = (bits(0, 0x1F) << 6U) | bits(1, 0x3F);
    if (sequence.size() == 3)
        point = (bits(0, 0x0F) << 12U) | (bits(1, 0x3F) << 6U) | bits(2, 0x3F);
    const bool is_control = (point >= 0x80 && point <= 0x9F) ||
                            (point >= 0x2028 && point <= 0x202E) ||
                            (point >= 0x2066 && point <= 0x2069);
    return is_control ? point : 0;
}

void append_quoted(std::string& out, std::string_view text) {
    out.push_back('"');
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const char c = text.front();
        if (length == 0) {
            out.append("\\ufffd");
        } else if (const std::uint32_t control = control_beyond_ascii(text.substr(0, length));
                   control != 0) {
            append_hex(out, control);
        } else if (length > 1) {
            out.append(text.substr(0, length));
        } else if (c == '"' || c == '\\') {
            out.append({'\\', c});
        } else if (c == '\n') {
            out.append("\\n");
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            append_hex(out, static_cast<unsigned char>(c));
        } else {
            out.push_back(c);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    out.push_back('"');
}

bool needs_quotes(std::string_view text) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= 0x20 || byte >= 0x7F || c == '"' || c == '=' || c == '\\') return true;
    }
    return text.empty();
}

void append_value(std::string& out, const Field::Value& value, bool always_quote) {
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        if (always_quote || needs_quotes(*text)) {
            append_quoted(out, *text);
        } else {
            out.append(*text);
        }
    } else if (const auto* flag = std::get_if<bool>(&value)) {
        out.append(*flag ? "true" : "false");
    } else if (const auto* i = std::get_if<std::int64_t>(&value)) {
        append_number(out, *i);
    } else if (const auto* u = std::get_if<std::uint64_t>(&value)) {
        append_number(out, *u);
    } else if (const double number = std::get<double>(value); std::isfinite(number)) {
        append_number(out, number);
    } else {
        out.append(always_quote ? "null" : "nan");
    }
}

}  // namespace

std::string_view name_of(Level level) {
    switch (level) {
        case Level::kTrace:
            return "trace";
        case Level::kDebug:
            return "debug";
        case Level::kInfo:
            return "info";
        case Level::kWarn:
            return "warn";
        case Level::kError:
            return "error";
        case Level::kOff:
            return "off";
    }
    LEAT_CHECK(false);
}

void append_logfmt(std::string& out, std::string_view component, std::string_view event,
                   Fields fields, std::uint64_t suppressed) {
    out.append("component=").append(component).append(" event=");
    append_value(out, event, false);
    for (const Field& field : fields) {
        out.append(" ").append(field.key()).append("=");
        append_value(out, field.value(), false);
    }
    if (suppressed > 0) append_number(out.append(" suppressed="), suppressed);
}

void append_json(std::string& out, std::string_view component, std::string_view event,
                 Fields fields, std::uint64_t suppressed) {
    append_quoted(out.append("\"component\":"), component);
    append_quoted(out.append(",\"event\":"), event);
    for (const Field& field : fields) {
        append_quoted(out.append(","), field.key());
        append_value(out.append(":"), field.value(), true);
    }
    if (suppressed > 0) append_number(out.append(",\"suppressed\":"), suppressed);
}

}  // namespace leat::obs
