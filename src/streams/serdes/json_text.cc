// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/json_text.h"

// Boost.JSON is compiled in here, so that who links the installed library needs no Boost, and under
// a namespace of its own, so that it is nobody else's: a program may have another version, compiled
// in like this or linked. The macro must come before all of Boost.
#define BOOST_NO_USER_CONFIG  // Its name would be read with the namespace's in it.
#define boost leat_boost      // NOLINT(readability-identifier-naming)
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/utf8.h"

namespace leat::streams::detail {

namespace {

/// Doubles hold each whole number up to here.
constexpr double kWholeMax = 9'007'199'254'740'992.0;

std::string_view name_of(JsonKind kind) {
    switch (kind) {
        case JsonKind::kNull:
            return "null";
        case JsonKind::kTruth:
            return "true or false";
        case JsonKind::kNumber:
            return "a number";
        case JsonKind::kText:
            return "text";
        case JsonKind::kArray:
            return "an array";
        case JsonKind::kObject:
            return "an object";
    }
    LEAT_CHECK(false);
}

}  // namespace

/// Makes nodes of what the parser finds. Boost's own documents are not used: in 1.81 their doubles
/// may be off by one in the last place. Threading: not synchronised.
class JsonNodes {
  public:
    // NOLINTBEGIN(readability-identifier-naming): as the parser calls them.
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = max_object_size;
    static constexpr std::size_t max_key_size = max_object_size;
    static constexpr std::size_t max_string_size = max_object_size;
    // NOLINTEND(readability-identifier-naming)
    using Code = boost::json::error_code;
    using Text = boost::json::string_view;

    /// Texts never get longer by losing their escapes, so that `size` bytes hold them all.
    void expect(std::size_t size) { document_.texts_.reserve(size); }
    JsonDocument take() { return std::move(document_); }

    // NOLINTBEGIN(readability-identifier-naming): as the parser calls them.
    static bool on_document_begin(Code& /*error*/) { return true; }
    static bool on_document_end(Code& /*error*/) { return true; }
    static bool on_comment_part(Text /*part*/, Code& /*error*/) { return true; }
    static bool on_comment(Text /*part*/, Code& /*error*/) { return true; }
    bool on_object_begin(Code& /*error*/) { return open(JsonKind::kObject); }
    bool on_object_end(std::size_t count, Code& /*error*/) { return close(count); }
    bool on_array_begin(Code& /*error*/) { return open(JsonKind::kArray); }
    bool on_array_end(std::size_t count, Code& /*error*/) { return close(count); }
    bool on_key_part(Text part, std::size_t /*size*/, Code& /*error*/) { return append(part); }
    bool on_key(Text part, std::size_t /*size*/, Code& /*error*/) {
        append(part);
        name_ = taken();
        return true;
    }
    bool on_string_part(Text part, std::size_t /*size*/, Code& /*error*/) { return append(part); }
    bool on_string(Text part, std::size_t /*size*/, Code& /*error*/) {
        append(part);
        return add({.kind = JsonKind::kText, .text = taken()});
    }
    bool on_number_part(Text part, Code& /*error*/) { return append(part); }
    bool on_int64(std::int64_t /*value*/, Text part, Code& /*error*/) { return number(part); }
    bool on_uint64(std::uint64_t /*value*/, Text part, Code& /*error*/) { return number(part); }
    bool on_double(double /*value*/, Text part, Code& /*error*/) { return number(part); }
    bool on_bool(bool value, Code& /*error*/) {
        return add({.kind = JsonKind::kTruth, .truth = value});
    }
    bool on_null(Code& /*error*/) { return add({.kind = JsonKind::kNull}); }
    // NOLINTEND(readability-identifier-naming)

  private:
    bool append(Text part) {
        auto& texts = document_.texts_;
        LEAT_CHECK(part.size() <= texts.capacity() - texts.size());
        texts.insert(texts.end(), part.begin(), part.end());
        return true;
    }
    /// What was appended since the last call.
    std::string_view taken() {
        const std::string_view text{document_.texts_.data() + taken_,
                                    document_.texts_.size() - taken_};
        taken_ = document_.texts_.size();
        return text;
    }
    bool number(Text part) {
        append(part);
        return add({.kind = JsonKind::kNumber, .text = taken()});
    }
    bool add(JsonNode node) {
        node.name = std::exchange(name_, {});
        document_.nodes_.push_back(node);
        return true;
    }
    bool open(JsonKind kind) {
        add({.kind = kind});
        open_.push_back(document_.nodes_.size() - 1);
        return true;
    }
    bool close(std::size_t count) {
        JsonNode& node = document_.nodes_[open_.back()];
        node.count = count;
        node.span = document_.nodes_.size() - open_.back();
        open_.pop_back();
        return true;
    }
    JsonDocument document_;
    std::vector<std::size_t> open_;
    std::string_view name_;
    std::size_t taken_ = 0;
};

Result<JsonDocument> JsonDocument::parse(std::string_view text, std::size_t depth_max) {
    boost::json::parse_options options;
    options.max_depth = depth_max;
    boost::json::basic_parser<JsonNodes> parser{options};
    parser.handler().expect(text.size());
    JsonNodes::Code error;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
    if (!error && read < text.size()) error = boost::json::error::extra_data;
    if (error)
        return Error{Errc::kInvalidRecord,
                     ": no JSON, at byte " + std::to_string(read) + ": " + error.message()};
    return parser.handler().take();
}

Error JsonValue::unexpected(JsonKind expected) const {
    return json_error(std::string{name_of(expected)} + ", found " +
                      (node_->kind == JsonKind::kTruth ? node_->truth ? "true" : "false"
                                                       : std::string{name_of(node_->kind)}));
}

Result<bool> JsonValue::truth() const {
    if (node_->kind != JsonKind::kTruth) return unexpected(JsonKind::kTruth);
    return node_->truth;
}

namespace {

/// The digits without the exponent.
std::string_view mantissa_of(std::string_view digits) {
    return digits.substr(0, digits.find_first_of("eE"));
}

bool is_zero(std::string_view digits) {
    return mantissa_of(digits).find_first_of("123456789") == std::string_view::npos;
}

/// Of a number that no double holds: it is too small, not too large.
bool rounds_to_zero(std::string_view digits) {
    const std::string_view mantissa = mantissa_of(digits);
    const auto first = static_cast<std::int64_t>(mantissa.find_first_of("123456789"));
    const auto point = static_cast<std::int64_t>(std::min(mantissa.find('.'), mantissa.size()));
    std::int64_t exponent = 0;
    if (digits.size() > mantissa.size()) {
        std::string_view rest = digits.substr(mantissa.size() + 1);
        if (rest.starts_with('+')) rest.remove_prefix(1);
        // The parser lets none through that does not fit.
        static_cast<void>(std::from_chars(rest.data(), rest.data() + rest.size(), exponent));
    }
    // Of the first digit that is not 0.
    return (point > first ? point - first : point - first + 1) < -exponent;
}

}  // namespace

Result<double> JsonValue::number() const {
    if (node_->kind != JsonKind::kNumber) return unexpected(JsonKind::kNumber);
    double value = 0;
    const std::string_view text = node_->text;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size()) return value;
    if (parsed.ec == std::errc::result_out_of_range && rounds_to_zero(text))
        return text.starts_with('-') ? -0.0 : 0.0;
    return json_error("a number that fits, found " + std::string{node_->text});
}

namespace {

/// 5, and also 5.0 and 5e2; nothing when it is not whole or does not fit.
template <class T>
std::optional<T> whole_of(std::string_view digits, const Result<double>& number) {
    T value = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (parsed.ec == std::errc{} && parsed.ptr == digits.data() + digits.size()) return value;
    if (!number || std::abs(*number) > kWholeMax || std::trunc(*number) != *number)
        return std::nullopt;
    if (*number < 0 && std::is_unsigned_v<T>) return std::nullopt;
    if (*number == 0 && !is_zero(digits)) return std::nullopt;
    return static_cast<T>(*number);
}

}  // namespace

Result<std::int64_t> JsonValue::whole(std::int64_t least, std::int64_t most) const {
    if (node_->kind != JsonKind::kNumber) return unexpected(JsonKind::kNumber);
    const auto value = whole_of<std::int64_t>(node_->text, number());
    if (value && *value >= least && *value <= most) return *value;
    return json_error("a whole number from " + std::to_string(least) + " to " +
                      std::to_string(most) + ", found " + std::string{node_->text});
}

Result<std::uint64_t> JsonValue::whole_up_to(std::uint64_t most) const {
    if (node_->kind != JsonKind::kNumber) return unexpected(JsonKind::kNumber);
    const auto value = whole_of<std::uint64_t>(node_->text, number());
    if (value && *value <= most) return *value;
    return json_error("a whole number from 0 to " + std::to_string(most) + ", found " +
                      std::string{node_->text});
}

Result<std::string_view> JsonValue::text() const {
    if (node_->kind != JsonKind::kText) return unexpected(JsonKind::kText);
    return node_->text;
}

Result<std::vector<JsonValue>> JsonValue::children(JsonKind kind) const {
    if (node_->kind != kind) return unexpected(kind);
    std::vector<JsonValue> out;
    out.reserve(node_->count);
    const JsonNode* at = node_ + 1;
    for (std::size_t i = 0; i < node_->count; ++i, at += at->span) out.emplace_back(*at);
    return out;
}

Result<std::vector<JsonValue>> JsonValue::elements() const {
    return children(JsonKind::kArray);
}

Result<std::vector<JsonValue>> JsonValue::members() const {
    return children(JsonKind::kObject);
}

std::optional<JsonValue> find_member(const std::vector<JsonValue>& members, std::string_view name) {
    for (std::size_t i = members.size(); i-- > 0;)
        if (members[i].name() == name) return members[i];
    return std::nullopt;
}

Error in_member(const Error& error, std::string_view name) {
    return Error{error.code(), "." + std::string{name} + std::string{error.detail()}};
}

Error in_element(const Error& error, std::size_t index) {
    return Error{error.code(), "[" + std::to_string(index) + "]" + std::string{error.detail()}};
}

Error json_error(std::string_view what) {
    return Error{Errc::kInvalidRecord, ": expected " + std::string{what}};
}

namespace {

void append_escape(std::string& out, char c) {
    constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
    constexpr std::string_view kLetters = "\"\\bfnrt";
    if (const auto at = kShort.find(c); at != std::string_view::npos) {
        out += {'\\', kLetters[at]};
        return;
    }
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    out += "\\u00";
    out += {kDigits[byte >> 4U], kDigits[byte & 0xFU]};
}

template <class T>
Result<void> append_number(std::string& out, T number) {
    if (!std::isfinite(number)) return json_error("a number that is finite");
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    const std::string_view text{digits.data(), static_cast<std::size_t>(end - digits.data())};
    out += text;
    // So that readers who guess types by the digits take it for no integer.
    if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
    return {};
}

}  // namespace

Result<void> append_json_text(std::string& out, std::string_view text) {
    out.push_back('"');
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t size = utf8_length(text.substr(at));
        if (size == 0) return json_error("text in UTF-8, at byte " + std::to_string(at));
        const char c = text[at];
        if (size == 1 && (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'))
            append_escape(out, c);
        else
            out.append(text.substr(at, size));
        at += size;
    }
    out.push_back('"');
    return {};
}

Result<void> append_json_number(std::string& out, double number) {
    return append_number(out, number);
}

Result<void> append_json_number(std::string& out, float number) {
    return append_number(out, number);
}

}  // namespace leat::streams::detail
