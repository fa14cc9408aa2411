// SPDX-License-Identifier: Apache-2.0
//
// Records as lines of text: what `produce` reads and `consume` prints. Layer: apps (L7). Pure.
// Spec:  docs/reference/cli-json.md for the JSON form, which consume writes and produce reads back.
#pragma once

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/record.h"

namespace leat::apps {

/// How a plain line becomes a record.
struct LineRules {
    std::optional<std::string> key_separator;  ///< None: the line is the value.
    std::optional<std::string> null_marker;    ///< A key or value equal to it is null.
    bool is_key_optional = false;  ///< A line without the separator is a value without a key.
};

/// "key<separator>value" or "value".
/// Errors: kMalformed: there is a separator, and the line is without it.
[[nodiscard]] Result<client::Record> record_from_line(std::string_view line,
                                                      const LineRules& rules);

/// `text` with what its escapes \n \t \r \0 \\ stand for; a backslash at the end is one.
/// Errors: kUsage, naming `option` and the escape that is unknown.
[[nodiscard]] Result<std::string> unescaped(std::string_view option, std::string_view text);

/// A JSON object with value, key, headers, partition, timestamp; other fields are ignored, so that
/// what consume printed can be produced again. A key, value or header that is no string is sent as
/// it was written; "key_base64" and "value_base64", and of headers "name_base64", carry bytes.
///
/// Errors: kMalformed.
[[nodiscard]] Result<client::Record> record_from_json(std::string_view line);

/// "a=1,b=2"; a value may be empty, a name may not.
/// Errors: kUsage.
[[nodiscard]] Result<std::vector<client::Header>> parse_headers(std::string_view text);

/// One object; key, value, and names and values of headers that are no UTF-8 go under
/// "..._base64".
[[nodiscard]] boost::json::object record_to_json(const client::ReceivedRecord& record);

/// How `consume --format` prints a record: %t topic, %p partition, %o offset, %T timestamp (ms), %D
/// timestamp (date), %k key, %v value, %h headers, %% percent; \n \t \r \0 \\ escapes.
///
/// Threading: immutable.
class RecordFormat {
  public:
    /// Errors: kUsage, naming the unknown sequence.
    static Result<RecordFormat> parse(std::string_view text);

    /// Null keys and values are printed as nothing.
    void append(const client::ReceivedRecord& record, std::string& out) const;

  private:
    struct Part {
        char field = 0;  ///< 0: `literal`.
        std::string literal;
    };
    std::vector<Part> parts_;
};

}  // namespace leat::apps
