// SPDX-License-Identifier: Apache-2.0
//
// An HTTP request as it was read and a response to be written. Layer: http (L2). Pure.
// Spec:  RFC 9110 (semantics), RFC 9112 (HTTP/1.1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leat::http {

struct Request {
    std::string method;  ///< As sent: "GET".
    std::string path;    ///< Percent-decoded; starts with '/' ("*" for OPTIONS *).
    std::string query;   ///< What stands behind '?', not decoded.
    std::vector<std::pair<std::string, std::string>> headers;  ///< Names in lower case.
    std::string body;
    bool keep_alive = true;

    /// Value of the first header `lower_case_name`; empty when absent.
    [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
};

struct Response {
    std::int16_t status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body = {};
    /// More headers. A value's CR and LF are sent as spaces, so no value can end the header early.
    std::vector<std::pair<std::string, std::string>> headers = {};
};

struct WriteOptions {
    bool keep_alive = true;
    bool is_head = false;  ///< Content-Length, but no body.
};

/// The bytes of `response`, with Content-Length.
[[nodiscard]] std::string write_response(const Response& response, WriteOptions options);

/// "Not Found"; "Unknown" for a number without a name.
[[nodiscard]] std::string_view reason_phrase(std::int16_t status);

/// The value of `name` in "a=1&b=x%20y", decoded; empty when absent.
[[nodiscard]] std::string query_value(std::string_view query, std::string_view name);

}  // namespace leat::http
