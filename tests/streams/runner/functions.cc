// SPDX-License-Identifier: Apache-2.0
#include "functions.h"

#include <algorithm>

#include "base/check.h"

namespace leat::streams::cases {
namespace {

std::string shown(const Maybe& value) {
    return text(address(value));
}
std::int64_t length(const Maybe& value) {
    return value ? static_cast<std::int64_t>(shown(value).size()) : 0;
}
std::int64_t number(const Value& value) {
    return std::get<std::int64_t>(value.is);
}
/// A case that names no function of the library is a mistake in the generator.
[[noreturn]] void unknown() {
    LEAT_CHECK(false);
    std::abort();
}

}  // namespace

Maybe mapped(const std::string& name, const std::string& key, const Maybe& value) {
    if (name == "id") return value;
    if (name == "with_key") return text_value(key + "+" + shown(value));
    if (name == "boom") {
        if (shown(value) == "boom") throw Mistake{};
        return value;
    }
    if (!value) return {};
    if (name == "length") return number_value(length(value));
    if (name == "first_word") return text_value(shown(value).substr(0, shown(value).find(' ')));
    if (name == "null_if_short") return length(value) < 2 ? Maybe{} : value;
    if (name != "upper") unknown();
    Value out = *value;
    if (auto* letters = std::get_if<std::string>(&out.is)) {
        for (char& c : *letters)
            if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
}

bool holds(const std::string& name, bool has_key, const std::string& key, const Maybe& value) {
    if (name == "true") return true;
    if (name == "false") return false;
    if (name == "has_a") return shown(value).find('a') != std::string::npos;
    if (name == "even_length") return shown(value).size() % 2 == 0;
    if (name == "value_nonnull") return value.has_value();
    if (name == "key_nonnull") return has_key;
    if (name == "key_is_a") return key.starts_with('a');
    unknown();
}

Maybe key_of(const std::string& name, const Maybe& key, const Maybe& value) {
    if (name == "key") return key;
    if (name == "text") return text_value(shown(key));
    if (name == "value") return value;
    if (name == "constant") return text_value("c");
    if (name == "length") return value ? Maybe{number_value(length(value))} : Maybe{};
    if (name == "null_if_b") return shown(value).starts_with('b') ? Maybe{} : key;
    if (name != "first_letter") unknown();
    if (!value || shown(value).empty()) return {};
    return text_value(shown(value).substr(0, 1));
}

std::vector<Maybe> list_of(const std::string& name, const Maybe& value) {
    if (name == "none") return {};
    if (name == "twice") return {value, value};
    if (name == "null_too") return {value, {}};
    if (name != "words") unknown();
    std::vector<Maybe> out;
    if (!value) return out;
    const std::string line = shown(value);
    for (std::size_t at = 0; at < line.size();) {
        const auto end = std::min(line.find(' ', at), line.size());
        if (end > at) out.emplace_back(text_value(line.substr(at, end - at)));
        at = end + 1;
    }
    return out;
}

Maybe reduced(const std::string& name, const Value& a, const Maybe& b) {
    if (!b) return a;
    if (name == "max") return text(&a) >= shown(b) ? a : *b;
    if (name == "last") return b;
    if (name == "first") return a;
    if (name == "minus") return text_value(text(&a) + "-" + shown(b));
    if (name == "null_on_x" && shown(b) == "x") return {};
    if (name == "concat" || name == "null_on_x") return text_value(text(&a) + shown(b));
    unknown();
}

Value initial(const std::string& name) {
    return name == "sum_len" ? number_value(0) : text_value("");
}

Maybe added(const std::string& name, const Maybe& value, const Value& sum) {
    if (name == "sum_len") return number_value(number(sum) + length(value));
    if (name == "null_on_x" && shown(value) == "x") return {};
    if (name == "collect" || name == "null_on_x")
        return text_value(text(&sum) + "," + shown(value));
    unknown();
}

Maybe subtracted(const std::string& name, const Maybe& value, const Value& sum) {
    if (name == "sum_len") return number_value(number(sum) - length(value));
    return text_value(text(&sum) + "-" + shown(value));
}

Value united(const std::string& name, const Value& a, const Value& b) {
    if (name == "sum_len") return number_value(number(a) + number(b));
    return text_value(text(&a) + "|" + text(&b));
}

Maybe joined(const std::string& name, const std::string& key, const Maybe& left,
             const Maybe& right) {
    const std::string pair = shown(left) + "&" + shown(right);
    if (name == "pair") return text_value(pair);
    if (name == "with_key") return text_value(key + ":" + pair);
    if (name == "null_on_x") return shown(right) == "x" ? Maybe{} : text_value(pair);
    if (name != "boom") unknown();
    if (shown(left) == "boom") throw Mistake{};
    return text_value(pair);
}

std::int64_t time_of(const std::string& name, const Maybe& value, std::int64_t own,
                     std::int64_t partition) {
    if (name == "value")
        return value && std::holds_alternative<std::int64_t>(value->is) ? number(*value) : own;
    if (name == "later") return own + length(value);
    if (name == "partition") return shown(value).starts_with('b') ? partition : own;
    if (name == "none_on_x") return shown(value) == "x" ? -1 : own;
    if (name != "boom") unknown();
    if (shown(value) == "boom") throw Mistake{};
    return own;
}

Partitions chosen(const std::string& name, const std::string& key, const Maybe& value,
                  std::int32_t count) {
    using List = std::vector<std::int32_t>;
    const auto by = [count](std::size_t size) {
        return List{static_cast<std::int32_t>(size) % count};
    };
    const std::string v = shown(value);
    if (name == "length") return by(v.size());
    if (name == "key") return by(key.size());
    if (name == "ends") return count == 1 ? List{0} : List{count - 1, 0};
    if (name == "default") return std::nullopt;
    if (name == "default_on_a")
        return v.starts_with('a') ? Partitions{} : Partitions{List{count - 1}};
    if (name == "none_on_b") return v.starts_with('b') ? List{} : by(v.size());
    if (name == "all") {
        List out;
        for (std::int32_t i = 0; i < count; ++i) out.push_back(i);
        return out;
    }
    if (name != "boom") unknown();
    if (v == "boom") throw Mistake{};
    return List{0};
}

}  // namespace leat::streams::cases
