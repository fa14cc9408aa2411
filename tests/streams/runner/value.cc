// SPDX-License-Identifier: Apache-2.0
#include "value.h"

namespace leat::streams::cases {

std::string text(const std::int64_t* value) {
    return value != nullptr ? std::to_string(*value) : "null";
}

std::string text(const Value* value) {
    if (value == nullptr) return "null";
    if (const auto* number = std::get_if<std::int64_t>(&value->is)) return text(number);
    return std::get<std::string>(value->is);
}

Result<void> ValueCodec::encode(std::string_view topic, const Value& value,
                                std::string& out) const {
    if (const auto* number = std::get_if<std::int64_t>(&value.is)) {
        out.push_back('i');
        return serde_for<std::int64_t>()->encode(topic, *number, out);
    }
    out.push_back('s');
    out += std::get<std::string>(value.is);
    return {};
}

Result<Value> ValueCodec::decode(std::string_view topic, std::string_view bytes) const {
    if (bytes.size() == 9 && bytes.front() == 'i') {
        LEAT_TRY(const auto number, serde_for<std::int64_t>()->decode(topic, bytes.substr(1)));
        return number_value(number);
    }
    if (!bytes.empty() && bytes.front() == 's') return text_value(std::string{bytes.substr(1)});
    return Error{Errc::kInvalidRecord, "no value"};
}

Result<void> StrictCodec::encode(std::string_view topic, const Value& value,
                                 std::string& out) const {
    if (text(&value) == "x") return Error{Errc::kInvalidRecord, "no x"};
    return serde_for<Value>()->encode(topic, value, out);
}

Result<Value> StrictCodec::decode(std::string_view topic, std::string_view bytes) const {
    return serde_for<Value>()->decode(topic, bytes);
}

}  // namespace leat::streams::cases
