// SPDX-License-Identifier: Apache-2.0
#include "config/setting.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "base/check.h"

namespace leat::config {
namespace {

std::string_view trim(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n\f";
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

Error bad(const Setting& setting, std::string_view text, std::string_view why) {
    std::string detail = "Invalid value ";
    detail.append(setting.sensitive ? "[hidden]" : text).append(" for configuration ");
    detail.append(setting.name).append(": ").append(why);
    return Error{Errc::kInvalidConfig, detail};
}

bool iequals(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

bool is_choice(std::string_view choices, std::string_view text) {
    const std::vector<std::string> all = split_list(choices);
    return std::ranges::find(all, text) != all.end();
}

/// "a, b" of "a,b".
std::string spaced(std::string_view choices) {
    std::string out;
    for (const std::string& choice : split_list(choices))
        out.append(out.empty() ? "" : ", ").append(choice);
    return out;
}

std::string integer_text(double bound) {
    return std::to_string(static_cast<long long>(bound));
}

Result<Value> check_bounds(const Setting& setting, std::string_view text, double number,
                           Value value) {
    if (number < setting.min)
        return bad(setting, text, "Value must be at least " + integer_text(setting.min));
    if (number > setting.max)
        return bad(setting, text, "Value must be no more than " + integer_text(setting.max));
    return value;
}

Result<Value> parse_integer(const Setting& setting, std::string_view text) {
    std::string_view digits = trim(text);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    std::int64_t number = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), number, 10);
    bool good = error == std::errc{} && end == digits.data() + digits.size() &&
                !(text.contains('+') && digits.starts_with('-'));
    if (setting.type == Type::kInt) good = good && std::in_range<std::int32_t>(number);
    if (setting.type == Type::kShort) good = good && std::in_range<std::int16_t>(number);
    if (!good)
        return bad(setting, text, "Not a number of type " + std::string{name_of(setting.type)});
    // As Kafka says it: the number, whatever stood around it.
    return check_bounds(setting, std::to_string(number), static_cast<double>(number), number);
}

Result<Value> parse_double(const Setting& setting, std::string_view text) {
    const std::string copy{trim(text)};
    char* end = nullptr;
    const double number = std::strtod(copy.c_str(), &end);
    if (copy.empty() || end != copy.c_str() + copy.size())
        return bad(setting, text, "Not a number of type DOUBLE");
    // Kafka takes NaN where a bound does not refuse it; here it stands for 0.
    const double counted = std::isnan(number) ? 0.0 : number;
    return check_bounds(setting, text, counted, counted);
}

Result<Value> parse_list(const Setting& setting, std::string_view text) {
    std::vector<std::string> items = split_list(text);
    for (const std::string& item : items) {
        if (item.empty()) return bad(setting, text, "List elements must not be empty");
        if (!setting.choices.empty() && !is_choice(setting.choices, item))
            return bad(setting, item, "String must be one of: " + spaced(setting.choices));
    }
    // A repeated element counts once, as in Kafka.
    std::vector<std::string> once;
    for (std::string& item : items)
        if (std::ranges::find(once, item) == once.end()) once.push_back(std::move(item));
    return Value{std::move(once)};
}

Result<Value> parse_typed(const Setting& setting, std::string_view text) {
    switch (setting.type) {
        case Type::kBoolean:
            if (iequals(trim(text), "true")) return Value{true};
            if (iequals(trim(text), "false")) return Value{false};
            return bad(setting, text, "Expected value to be either true or false");
        case Type::kInt:
        case Type::kShort:
        case Type::kLong:
            return parse_integer(setting, text);
        case Type::kDouble:
            return parse_double(setting, text);
        case Type::kList:
            return parse_list(setting, text);
        case Type::kUnknown:
        case Type::kString:
        case Type::kClass:
        case Type::kPassword:
            break;
    }
    const std::string_view trimmed = setting.type == Type::kPassword ? text : trim(text);
    if (!setting.choices.empty() && !is_choice(setting.choices, trimmed))
        return bad(setting, text, "String must be one of: " + spaced(setting.choices));
    return Value{std::string{trimmed}};
}

}  // namespace

Result<Value> parse(const Setting& setting, std::string_view text) {
    LEAT_TRY(Value value, parse_typed(setting, text));
    if (setting.check != nullptr)
        if (const std::string_view why = setting.check(value); !why.empty())
            return bad(setting, text, why);
    return value;
}

std::optional<std::string> text_of(const Value& value) {
    if (std::holds_alternative<std::monostate>(value)) return std::nullopt;
    if (const auto* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
    if (const auto* i = std::get_if<std::int64_t>(&value)) return std::to_string(*i);
    if (const auto* d = std::get_if<double>(&value)) {
        char buffer[40];
        const auto end = std::to_chars(buffer, buffer + sizeof buffer, *d).ptr;
        std::string text{buffer, end};
        // As Java prints them: "1.0", "1.7E308".
        if (const auto e = text.find("e+"); e != std::string::npos) return text.replace(e, 2, "E");
        if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
        return text;
    }
    if (const auto* s = std::get_if<std::string>(&value)) return *s;
    std::string joined;
    for (const std::string& item : std::get<std::vector<std::string>>(value))
        joined.append(joined.empty() ? "" : ",").append(item);
    return joined;
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> items;
    if (trim(text).empty()) return items;
    for (;;) {
        const auto comma = text.find(',');
        items.emplace_back(trim(text.substr(0, comma)));
        if (comma == std::string_view::npos) return items;
        text.remove_prefix(comma + 1);
    }
}

std::string_view name_of(Type type) {
    switch (type) {
        case Type::kUnknown:
            return "UNKNOWN";
        case Type::kBoolean:
            return "BOOLEAN";
        case Type::kString:
            return "STRING";
        case Type::kInt:
            return "INT";
        case Type::kShort:
            return "SHORT";
        case Type::kLong:
            return "LONG";
        case Type::kDouble:
            return "DOUBLE";
        case Type::kList:
            return "LIST";
        case Type::kClass:
            return "CLASS";
        case Type::kPassword:
            return "PASSWORD";
    }
    LEAT_CHECK(false);
}

}  // namespace leat::config
