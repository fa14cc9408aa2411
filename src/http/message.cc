// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include "http/percent.h"

namespace leat::http {

std::string_view Request::header(std::string_view lower_case_name) const {
    for (const auto& [name, value] : headers)
        if (name == lower_case_name) return value;
    return {};
}

std::string_view reason_phrase(std::int16_t status) {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 204:
            return "No Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 411:
            return "Length Required";
        case 413:
            return "Content Too Large";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 421:
            return "Misdirected Request";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Unknown";
    }
}

std::string write_response(const Response& response, WriteOptions options) {
    std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
    out += reason_phrase(response.status);
    const auto add = [&out](std::string_view name, std::string_view value) {
        out += "\r\n";
        out += name;
        out += ": ";
        for (const char c : value) out += c == '\r' || c == '\n' ? ' ' : c;
    };
    // A 204 or 304 must not carry a length of its own; every other answer is delimited by it.
    const bool has_body = response.status != 204 && response.status != 304;
    if (has_body) {
        add("Content-Type", response.content_type);
        add("Content-Length", std::to_string(response.body.size()));
    }
    for (const auto& [name, value] : response.headers) add(name, value);
    if (!options.keep_alive) add("Connection", "close");
    out += "\r\n\r\n";
    if (has_body && !options.is_head) out += response.body;
    return out;
}

std::string query_value(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        const std::size_t equals = std::min(pair.find('='), pair.size());
        if (percent_decode(pair.substr(0, equals), true) == name)
            return percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return {};
}

}  // namespace leat::http
