// SPDX-License-Identifier: Apache-2.0
#include "apps/output.h"

#include <boost/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "apps/base64.h"
#include "apps/command.h"

namespace leat::apps {
namespace {

namespace json = boost::json;

/// What others sent need not be UTF-8, which a JSON text is. Boost's signs are all ASCII: none is
/// taken into a torn sequence before it.
std::string json_text(const json::value& value) {
    return as_utf8(json::serialize(value));
}

/// The shortest that is read back as the same number; whole numbers in full, as far as each has a
/// double of its own. Boost prints 1.5 as 1.5E0, which is valid and unreadable.
std::string number_text(double value) {
    constexpr double kExactMax = 9'007'199'254'740'992;  // 2^53
    // JSON has no other numbers.
    if (!std::isfinite(value)) return "null";
    const bool is_whole = std::abs(value) < kExactMax && std::trunc(value) == value;
    char text[40];
    const std::to_chars_result done =
        is_whole ? std::to_chars(text, std::end(text), value, std::chars_format::fixed)
                 : std::to_chars(text, std::end(text), value);
    return {text, done.ptr};
}

void append_json(const json::value& value, std::size_t indent, std::string& out) {
    const std::string inner(indent + 2, ' ');
    if (value.is_object() && !value.get_object().empty()) {
        out += "{\n";
        bool first = true;
        for (const auto& field : value.get_object()) {
            out += (first ? "" : ",\n") + inner + json_text(json::value(field.key())) + ": ";
            append_json(field.value(), indent + 2, out);
            first = false;
        }
        out += "\n" + std::string(indent, ' ') + "}";
    } else if (value.is_array() && !value.get_array().empty()) {
        out += "[\n";
        bool first = true;
        for (const json::value& item : value.get_array()) {
            out += (first ? "" : ",\n") + inner;
            append_json(item, indent + 2, out);
            first = false;
        }
        out += "\n" + std::string(indent, ' ') + "]";
    } else if (value.is_double()) {
        out += number_text(value.get_double());
    } else {
        out += json_text(value);
    }
}

bool is_container(const json::value& value) {
    return (value.is_object() && !value.get_object().empty()) ||
           (value.is_array() && !value.get_array().empty());
}

/// Scalars are printed as JSON, which YAML 1.2 contains: no quoting rules of its own.
std::string scalar(const json::value& value) {
    std::string out;
    append_json(value, 0, out);
    return out;
}

void append_yaml(const json::value& value, std::size_t indent, bool in_list, std::string& out) {
    const std::string pad(indent, ' ');
    bool first = true;
    if (value.is_object()) {
        for (const auto& field : value.get_object()) {
            if (!(in_list && first)) out += pad;
            first = false;
            const std::string key = json_text(json::value(field.key()));
            const bool plain = std::ranges::all_of(field.key(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
            });
            out += (plain ? std::string{field.key()} : key) + ":";
            if (is_container(field.value())) {
                out += "\n";
                append_yaml(field.value(), indent + 2, false, out);
            } else {
                out += " " + scalar(field.value()) + "\n";
            }
        }
        return;
    }
    for (const json::value& item : value.get_array()) {
        if (!(in_list && first)) out += pad;
        first = false;
        out += "- ";
        if (is_container(item)) {
            append_yaml(item, indent + 2, true, out);
        } else {
            out += scalar(item) + "\n";
        }
    }
}

/// What a cell shows; control characters would tear the table (or the terminal) apart.
std::string cell_text(const json::value* value) {
    if (value == nullptr || value->is_null()) return "-";
    if (value->is_bool()) return value->get_bool() ? "yes" : "no";
    std::string out;
    if (value->is_string()) {
        out = std::string{value->get_string()};
    } else if (value->is_array()) {
        for (const json::value& item : value->get_array())
            out += (out.empty() ? "" : ",") + cell_text(&item);
        if (out.empty()) out = "-";
    } else {
        out = scalar(*value);
    }
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
    return out;
}

/// Columns on the screen: UTF-8 continuation bytes take none.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

const json::value* field_of(const json::value& row, std::string_view key) {
    return row.is_object() ? row.get_object().if_contains(key) : nullptr;
}

std::string table(const json::array& rows, std::span<const Column> columns) {
    std::vector<std::vector<std::string>> cells(1);
    std::vector<std::size_t> widths;
    std::vector<bool> numeric(columns.size(), true);
    for (const Column& column : columns) {
        cells[0].emplace_back(column.title);
        widths.push_back(width_of(column.title));
    }
    for (const json::value& row : rows) {
        cells.emplace_back();
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const json::value* value = field_of(row, columns[i].key);
            cells.back().push_back(cell_text(value));
            widths[i] = std::max(widths[i], width_of(cells.back().back()));
            if (value != nullptr && !value->is_number() && !value->is_null()) numeric[i] = false;
        }
    }
    std::string out;
    for (const std::vector<std::string>& line : cells) {
        std::string text;
        for (std::size_t i = 0; i < line.size(); ++i) {
            const std::string pad(widths[i] - width_of(line[i]), ' ');
            text += (i == 0 ? "" : "  ") + (numeric[i] ? pad + line[i] : line[i] + pad);
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out += text + "\n";
    }
    return out;
}

std::string lines(const json::value& object, std::span<const Column> columns) {
    std::size_t width = 0;
    for (const Column& column : columns) width = std::max(width, width_of(column.title) + 1);
    std::string out;
    for (const Column& column : columns) {
        const json::value* value = field_of(object, column.key);
        if (value == nullptr) continue;
        std::string title = std::string{column.title} + ":";
        title.resize(std::max(title.size(), width + 1), ' ');
        out += title + " " + cell_text(value) + "\n";
    }
    return out;
}

std::string text_of(const json::value& document, std::span<const Section> sections) {
    std::string out;
    for (const Section& section : sections) {
        boost::system::error_code missing;
        const json::value* value = document.find_pointer(section.pointer, missing);
        if (value == nullptr || (value->is_array() && value->get_array().empty())) continue;
        if (!out.empty()) out += "\n";
        if (!section.heading.empty()) out += std::string{section.heading} + "\n";
        out += value->is_array() ? table(value->get_array(), section.columns)
                                 : lines(*value, section.columns);
    }
    return out;
}

}  // namespace

Format format_of(const Invocation& line) {
    const std::string_view name = line.text("output");
    if (name == "json") return Format::kJson;
    return name == "yaml" ? Format::kYaml : Format::kTable;
}

std::string to_json(const json::value& value) {
    std::string out;
    append_json(value, 0, out);
    return out + "\n";
}

std::string to_json_line(const json::value& value) {
    return json_text(value) + "\n";
}

std::string to_yaml(const json::value& value) {
    if (!is_container(value)) return scalar(value) + "\n";
    std::string out;
    append_yaml(value, 0, false, out);
    return out;
}

std::string render(Format format, const json::value& document, std::span<const Section> sections) {
    switch (format) {
        case Format::kTable:
            return text_of(document, sections);
        case Format::kJson:
            return to_json(document);
        case Format::kYaml:
            return to_yaml(document);
    }
    return {};
}

Result<void> write_out(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()) return {};
    if (errno == EPIPE) return Error{Errc::kClosed};
    return Error{Errc::kIoError,
                 std::string{"cannot write to standard output: "} + std::strerror(errno)};
}

Result<void> write_last(std::string_view text) {
    Result<void> done = write_out(text);
    if (!done && is_reader_gone(done.error())) return {};
    return done;
}

bool is_reader_gone(const Error& error) {
    return error.code() == Errc::kClosed && error.detail().empty();
}

json::value or_null(std::int64_t number) {
    return number < 0 ? json::value{} : json::value(number);
}

Result<void> flush_out() {
    if (std::fflush(stdout) == 0) return {};
    if (errno == EPIPE) return Error{Errc::kClosed};
    return Error{Errc::kIoError,
                 std::string{"cannot write to standard output: "} + std::strerror(errno)};
}

void say(std::string_view text) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

bool is_terminal() {
    return isatty(STDERR_FILENO) == 1;
}

std::string human_bytes(double bytes) {
    static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    std::size_t unit = 0;
    while (bytes >= 999.5 && unit + 1 < std::size(kUnits)) {
        bytes /= 1000;
        ++unit;
    }
    char text[40];
    std::snprintf(text, sizeof text, unit == 0 || bytes >= 99.95 ? "%.0f %s" : "%.1f %s", bytes,
                  kUnits[unit]);
    return text;
}

std::string human_count(std::int64_t count) {
    std::string out = std::to_string(count);
    const std::size_t first = count < 0 ? 1 : 0;
    for (std::size_t at = out.size(); at > first + 3; at -= 3) out.insert(at - 3, 1, ',');
    return out;
}

std::string human_seconds(double seconds) {
    char text[40];
    if (seconds < 60) {
        std::snprintf(text, sizeof text, "%.1f s", seconds);
    } else {
        const int whole = static_cast<int>(std::lround(seconds));
        std::snprintf(text, sizeof text, "%d m %02d s", whole / 60, whole % 60);
    }
    return text;
}

}  // namespace leat::apps
