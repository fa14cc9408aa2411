// SPDX-License-Identifier: Apache-2.0
//
// Prints one document as a table, JSON or YAML. Layer: apps (L7).
// Spec:  docs/reference/cli-json.md for the shapes; YAML is the same document.
#pragma once

#include <boost/json/value.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::apps {

class Invocation;

enum class Format : std::uint8_t { kTable, kJson, kYaml };

/// The format --output names.
[[nodiscard]] Format format_of(const Invocation& line);

/// A column of a table: the field `key` of each row, under `title`.
struct Column {
    std::string_view key;
    std::string_view title;
};

/// How a document looks as text: what stands at `pointer` (RFC 6901; "" is the whole), as a table
/// of `columns` when it is an array of objects, as "title: value" lines when it is an object.
/// Sections that are absent or empty are left out.
struct Section {
    std::string_view pointer;
    std::span<const Column> columns;
    std::string_view heading = {};
};

/// `document` as `format` says. JSON ends with a newline, is indented by two spaces and keeps the
/// order of fields. What is no UTF-8 in a text has U+FFFD instead, in JSON and YAML.
[[nodiscard]] std::string render(Format format, const boost::json::value& document,
                                 std::span<const Section> sections);

[[nodiscard]] std::string to_json(const boost::json::value& value);
/// The same on one line, with the line's end. Precondition: no numbers but whole ones.
[[nodiscard]] std::string to_json_line(const boost::json::value& value);
[[nodiscard]] std::string to_yaml(const boost::json::value& value);

/// Writes to stdout. Errors: kIoError (disk full, device error); a reader that went away (EPIPE) is
/// kClosed, which ends the program quietly.
Result<void> write_out(std::string_view text);
Result<void> flush_out();
/// What a command has to say at its end, for those whose exit code is a verdict: it stands, whether
/// anybody reads the text or not. Errors: kIoError.
Result<void> write_last(std::string_view text);
/// Whether that is how write_out() and flush_out() tell of it.
[[nodiscard]] bool is_reader_gone(const Error& error);

/// Of numbers that Kafka has -1 for where there is none.
[[nodiscard]] boost::json::value or_null(std::int64_t number);

/// A message for the user on stderr; a line break is added.
void say(std::string_view text);

/// True when stderr is a terminal: progress and questions only then.
[[nodiscard]] bool is_terminal();

/// "12.3 MB", powers of 1000.
[[nodiscard]] std::string human_bytes(double bytes);
/// "1,234,567".
[[nodiscard]] std::string human_count(std::int64_t count);
/// "1.5 s", "2 m 05 s".
[[nodiscard]] std::string human_seconds(double seconds);

}  // namespace leat::apps
