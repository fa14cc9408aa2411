// SPDX-License-Identifier: Apache-2.0
#include "apps/record_text.h"

#include <boost/json.hpp>

#include "apps/base64.h"
#include "apps/command.h"
#include "apps/raw_json.h"
#include "apps/start_point.h"
#include "base/utf8.h"

namespace leat::apps {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepthMax = 500;
/// What a record without one has; it is given the present when it is sent again.
constexpr std::int64_t kNoTimestamp = -1;

Error bad_record(std::string_view why) {
    return Error{Errc::kMalformed, why};
}

std::optional<std::string> unless_null(std::string_view text, const LineRules& rules) {
    if (rules.null_marker && text == *rules.null_marker) return std::nullopt;
    return std::string{text};
}

/// A text as it is meant; anything else as `raw`, the way it was written.
std::optional<std::string> text_of(const json::value& value, std::string_view raw) {
    if (value.is_null()) return std::nullopt;
    if (value.is_string()) return std::string{value.get_string()};
    return std::string{raw};
}

/// The members of an object, parsed and as written.
struct Members {
    const json::object& parsed;
    std::vector<RawMember> raw;

    Members(const json::object& object, std::string_view text)
        : parsed(object), raw(raw_members(text)) {}
    /// Of several the last counts, as for the parser.
    [[nodiscard]] std::string_view text(std::string_view name) const {
        std::string_view found;
        for (const RawMember& member : raw)
            if (member.name == name) found = member.text;
        return found;
    }
};

/// `name` or `name`_base64 of `object`.
Result<std::optional<std::string>> bytes_field(const Members& object, const std::string& name) {
    if (const json::value* encoded = object.parsed.if_contains(name + "_base64");
        encoded != nullptr && !encoded->is_null()) {
        if (!encoded->is_string()) return bad_record(name + "_base64 is no text");
        std::optional<std::string> bytes = from_base64(std::string_view{encoded->get_string()});
        if (!bytes) return bad_record(name + "_base64 is not base64");
        return bytes;
    }
    const json::value* value = object.parsed.if_contains(name);
    return value == nullptr ? std::optional<std::string>{} : text_of(*value, object.text(name));
}

/// A name is text, under either of its fields.
Result<std::string> header_name(const Members& header) {
    const json::value* encoded = header.parsed.if_contains("name_base64");
    const json::value* plain = header.parsed.if_contains("name");
    const bool is_encoded = encoded != nullptr && !encoded->is_null();
    if (!is_encoded && (plain == nullptr || !plain->is_string()))
        return bad_record("a header has no name");
    LEAT_TRY(std::optional<std::string> name, bytes_field(header, "name"));
    return *std::move(name);
}

Result<std::vector<client::Header>> headers_field(const json::value& value, std::string_view raw) {
    std::vector<client::Header> out;
    if (value.is_null()) return out;
    if (value.is_object()) {
        const Members members{value.get_object(), raw};
        for (const auto& field : members.parsed) {
            const std::string_view name = field.key();
            out.push_back({std::string{name}, text_of(field.value(), members.text(name))});
        }
        return out;
    }
    if (!value.is_array()) return bad_record("headers are neither an object nor a list");
    const std::vector<std::string_view> items = raw_items(raw);
    for (std::size_t i = 0; i < items.size(); ++i) {
        const json::value& item = value.get_array()[i];
        if (!item.is_object()) return bad_record("a header has no name");
        const Members members{item.get_object(), items[i]};
        LEAT_TRY(std::string name, header_name(members));
        LEAT_TRY(std::optional<std::string> bytes, bytes_field(members, "value"));
        out.push_back({std::move(name), std::move(bytes)});
    }
    return out;
}

void put_bytes(json::object& out, const std::string& name, std::optional<std::string_view> bytes) {
    if (!bytes) {
        out[name] = nullptr;
    } else if (is_utf8(*bytes)) {
        out[name] = *bytes;
    } else {
        out[name + "_base64"] = to_base64(*bytes);
    }
}

std::string_view name_of(client::TimestampType type) {
    switch (type) {
        case client::TimestampType::kNone:
            return "none";
        case client::TimestampType::kCreateTime:
            return "create";
        case client::TimestampType::kLogAppendTime:
            return "append";
    }
    return {};
}

std::string headers_text(const std::vector<client::Header>& headers) {
    std::string out;
    for (const client::Header& header : headers)
        out += (out.empty() ? "" : ",") + header.name + "=" + header.value.value_or("");
    return out;
}

constexpr std::string_view kFields = "tpoTDkvh";

/// What `name` behind a backslash stands for. Errors: kUsage.
Result<char> escaped(std::string_view option, char name) {
    constexpr std::string_view kNames = "ntr0\\";
    constexpr std::string_view kChars{"\n\t\r\0\\", 5};
    const std::size_t at = kNames.find(name);
    if (at != std::string_view::npos) return kChars[at];
    return usage_error(std::string{option} + ": unknown escape '\\" + std::string(1, name) + "'");
}

}  // namespace

Result<std::string> unescaped(std::string_view option, std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '\\' && i + 1 < text.size()) {
            LEAT_TRY(c, escaped(option, text[++i]));
        }
        out += c;
    }
    return out;
}

Result<client::Record> record_from_line(std::string_view line, const LineRules& rules) {
    client::Record out;
    if (rules.key_separator) {
        const std::size_t at = line.find(*rules.key_separator);
        if (at != std::string_view::npos) {
            out.key = unless_null(line.substr(0, at), rules);
            line.remove_prefix(at + rules.key_separator->size());
        } else if (!rules.is_key_optional) {
            return bad_record("the key separator is not in it");
        }
    }
    out.value = unless_null(line, rules);
    return out;
}

Result<client::Record> record_from_json(std::string_view line) {
    boost::system::error_code failure;
    json::parse_options options;
    options.max_depth = kDepthMax;
    const json::value parsed = json::parse(line, failure, {}, options);
    if (failure) return bad_record("not JSON: " + failure.message());
    if (!parsed.is_object()) return bad_record("not a JSON object");
    const json::object& object = parsed.get_object();
    const Members members{object, line};
    client::Record out;
    LEAT_TRY(out.key, bytes_field(members, "key"));
    // A misspelt name would else send a tombstone.
    if (!object.contains("value") && !object.contains("value_base64"))
        return bad_record("it has no value; a tombstone has \"value\": null");
    LEAT_TRY(out.value, bytes_field(members, "value"));
    if (const json::value* headers = object.if_contains("headers"); headers != nullptr) {
        LEAT_TRY(out.headers, headers_field(*headers, members.text("headers")));
    }
    if (const json::value* partition = object.if_contains("partition");
        partition != nullptr && !partition->is_null()) {
        if (!partition->is_int64() || partition->get_int64() < 0 ||
            partition->get_int64() > INT32_MAX)
            return bad_record("partition is no whole number of 0 or more");
        out.partition = static_cast<std::int32_t>(partition->get_int64());
    }
    if (const json::value* timestamp = object.if_contains("timestamp");
        timestamp != nullptr && !timestamp->is_null()) {
        std::optional<std::int64_t> ms;
        if (timestamp->is_int64()) ms = timestamp->get_int64();
        if (timestamp->is_string()) ms = parse_time(std::string_view{timestamp->get_string()});
        if (!ms) return bad_record("timestamp is neither milliseconds nor a date and time");
        if (*ms < kNoTimestamp) return bad_record("timestamp is before 1970");
        if (*ms == 0)
            return bad_record("timestamp 0 cannot be sent: librdkafka takes it for the present");
        if (*ms > 0) out.timestamp = WallMs{*ms};
    }
    return out;
}

Result<std::vector<client::Header>> parse_headers(std::string_view text) {
    std::vector<client::Header> out;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const std::string_view pair = text.substr(0, comma);
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos || equals == 0)
            return usage_error("--headers: '" + std::string{pair} + "' is no NAME=VALUE");
        out.push_back({std::string{pair.substr(0, equals)}, std::string{pair.substr(equals + 1)}});
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return out;
}

json::object record_to_json(const client::ReceivedRecord& record) {
    json::object out;
    out["topic"] = record.topic;
    out["partition"] = record.partition;
    out["offset"] = record.offset.value;
    out["timestamp"] = record.timestamp.value;
    out["timestamp_type"] = name_of(record.timestamp_type);
    put_bytes(out, "key", record.key);
    put_bytes(out, "value", record.value);
    json::array headers;
    for (const client::Header& header : record.headers) {
        json::object item;
        put_bytes(item, "name", header.name);
        put_bytes(item, "value",
                  header.value ? std::optional<std::string_view>{*header.value} : std::nullopt);
        headers.emplace_back(std::move(item));
    }
    out["headers"] = std::move(headers);
    return out;
}

Result<RecordFormat> RecordFormat::parse(std::string_view text) {
    RecordFormat out;
    std::string literal;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if ((c != '%' && c != '\\') || i + 1 == text.size()) {
            literal += c;
            continue;
        }
        const char next = text[++i];
        if (c == '\\') {
            LEAT_TRY(const char meant, escaped("--format", next));
            literal += meant;
        } else if (next == '%') {
            literal += '%';
        } else if (kFields.find(next) != std::string_view::npos) {
            out.parts_.push_back({0, std::exchange(literal, {})});
            out.parts_.push_back({next, {}});
        } else {
            return usage_error("--format: unknown field '%" + std::string(1, next) +
                               "'; known are %t %p %o %T %D %k %v %h %%");
        }
    }
    out.parts_.push_back({0, std::move(literal)});
    return out;
}

void RecordFormat::append(const client::ReceivedRecord& record, std::string& out) const {
    for (const Part& part : parts_) {
        switch (part.field) {
            case 't':
                out += record.topic;
                break;
            case 'p':
                out += std::to_string(record.partition);
                break;
            case 'o':
                out += std::to_string(record.offset.value);
                break;
            case 'T':
                out += std::to_string(record.timestamp.value);
                break;
            case 'D':
                out += format_time(record.timestamp);
                break;
            case 'k':
                out += record.key.value_or(std::string_view{});
                break;
            case 'v':
                out += record.value.value_or(std::string_view{});
                break;
            case 'h':
                out += headers_text(record.headers);
                break;
            default:
                out += part.literal;
                break;
        }
    }
}

}  // namespace leat::apps
