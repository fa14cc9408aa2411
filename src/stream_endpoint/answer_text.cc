// SPDX-License-Identifier: Apache-2.0
#include "stream_endpoint/answer_text.h"

#include <utility>

#include "leat/streams/detail/json_text.h"
#include "stream_endpoint/parameters.h"

namespace leat::stream_endpoint {
namespace {

using streams::detail::RawQuery;
using streams::detail::RawRow;
using Kind = RawQuery::Kind;

constexpr std::string_view kJson = "application/json";

void append_value(std::string& out, const RawRow& row) {
    if (row.timestamp >= 0) out += ",\"timestamp\":" + std::to_string(row.timestamp);
}

void append_span(std::string& out, std::string_view name, const RawRow& row) {
    out += ",\"" + std::string{name} + "\":{\"start\":" + std::to_string(row.start) +
           ",\"end\":" + std::to_string(row.end.value_or(row.start)) + "}";
}

/// Without braces.
Result<void> append_row(const ExposedStore& store, Kind kind, const RawRow& row, std::string& out) {
    out += "\"key\":";
    LEAT_TRY_VOID(store.write_key(row.key, out));
    switch (kind) {
        case Kind::kWindowsOfKey:
        case Kind::kWindows:
            append_span(out, "window", row);
            break;
        case Kind::kSession:
        case Kind::kSessionsOfKey:
        case Kind::kSessions:
            append_span(out, "session", row);
            break;
        case Kind::kVersion:
        case Kind::kVersions:
            out += ",\"from\":" + std::to_string(row.start) +
                   ",\"to\":" + (row.end ? std::to_string(*row.end) : "null");
            break;
        case Kind::kKey:
        case Kind::kRange:
        case Kind::kPrefix:
        case Kind::kCount:
        case Kind::kOwn:
            break;
    }
    out += ",\"value\":";
    LEAT_TRY_VOID(store.write_value(row.value, out));
    if (kind != Kind::kVersion && kind != Kind::kVersions) append_value(out, row);
    return {};
}

}  // namespace

std::string quoted(std::string_view text) {
    std::string out;
    if (streams::detail::append_json_text(out, text)) return out;
    std::string clean;
    for (const char c : text)
        if (static_cast<unsigned char>(c) < 0x80U) clean.push_back(c);
    out.clear();
    ignore(streams::detail::append_json_text(out, clean), "ASCII is UTF-8");
    return out;
}

http::Response refusal(std::int16_t status, std::string_view code, std::string_view message) {
    http::Response out{.status = status, .content_type = std::string{kJson}};
    out.body = "{\"code\":" + quoted(code) + ",\"message\":" + quoted(message) + "}\n";
    if (status == 503) out.headers.emplace_back("Retry-After", "1");
    return out;
}

http::Response json_response(std::string body) {
    return {.content_type = std::string{kJson}, .body = std::move(body) + "\n"};
}

Result<std::string> partition_text(const ExposedStore& store, const RawQuery& query,
                                   const streams::detail::RawAnswer& answer,
                                   std::string_view address) {
    std::string out = "{\"store\":" + quoted(store.name) +
                      ",\"partition\":" + std::to_string(answer.partition) +
                      ",\"instance\":" + (address.empty() ? "null" : quoted(address)) +
                      ",\"position\":" + quoted(position_text(answer.position)) + ",";
    if (query.kind == Kind::kKey || query.kind == Kind::kVersion) {
        LEAT_TRY_VOID(append_row(store, query.kind, answer.rows.at(0), out));
        return out + "}";
    }
    out += "\"rows\":[";
    std::string_view separator = "{";
    for (const RawRow& row : answer.rows) {
        out += std::exchange(separator, ",{");
        LEAT_TRY_VOID(append_row(store, query.kind, row, out));
        out += "}";
    }
    return out + "]}";
}

std::string partitions_text(std::string_view store, const std::vector<std::string>& partitions) {
    std::string out = "{\"store\":" + quoted(store) + ",\"partitions\":[";
    std::string_view separator;
    for (const std::string& one : partitions) {
        out += std::exchange(separator, ",");
        out += one;
    }
    return out + "]}";
}

std::string owners_text(std::string_view store,
                        const std::vector<streams::KeyQueryMetadata>& partitions) {
    const auto address = [](const std::string& text) {
        return text.empty() ? std::string{"null"} : quoted(text);
    };
    std::vector<std::string> all;
    for (const auto& one : partitions) {
        std::string row = "{\"partition\":" + std::to_string(one.partition) +
                          ",\"active\":" + address(one.active) + ",\"standby\":[";
        std::string_view separator;
        for (const std::string& standby : one.standby) {
            row += std::exchange(separator, ",");
            row += quoted(standby);
        }
        all.push_back(row + "]}");
    }
    return partitions_text(store, all);
}

}  // namespace leat::stream_endpoint
