// SPDX-License-Identifier: Apache-2.0
//
// The one type of keys and values of the cases: text or a 64-bit number; null is an empty optional.
// Layer: tests/streams.
// Threading: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <variant>

#include "leat/streams/serde.h"
#include "leat/streams/windows.h"

namespace leat::streams::cases {

struct Value {
    std::variant<std::string, std::int64_t> is{};
    friend bool operator==(const Value&, const Value&) = default;
};
using Maybe = std::optional<Value>;

inline Value text_value(std::string text) {
    return {std::move(text)};
}
inline Value number_value(std::int64_t number) {
    return {number};
}

/// As the functions of the cases see it; "null" for null.
std::string text(const Value* value);
std::string text(const std::int64_t* value);
/// A windowed key is key@start/end.
template <class K>
std::string text(const Windowed<K>* key) {
    if (key == nullptr) return "null";
    return text(&key->key) + "@" + std::to_string(key->window.start) + "/" +
           std::to_string(key->window.end);
}

inline Maybe maybe(const Value* value) {
    return value != nullptr ? Maybe{*value} : Maybe{};
}
inline Maybe maybe(const std::int64_t* value) {
    return value != nullptr ? Maybe{number_value(*value)} : Maybe{};
}
/// A windowed key becomes its text.
template <class K>
Maybe maybe(const Windowed<K>* key) {
    return key != nullptr ? Maybe{text_value(text(key))} : Maybe{};
}
inline const Value* address(const Maybe& value) {
    return value ? &*value : nullptr;
}

/// As print() shows it.
inline std::ostream& operator<<(std::ostream& out, const Value& value) {
    return out << text(&value);
}

/// One byte says what follows: 's' text, 'i' a number.
class ValueCodec final : public Codec<Value> {
  public:
    Result<void> encode(std::string_view topic, const Value& value,
                        std::string& out) const override;
    Result<Value> decode(std::string_view topic, std::string_view bytes) const override;
};

/// As ValueCodec, but cannot write the text "x".
class StrictCodec final : public Codec<Value> {
  public:
    Result<void> encode(std::string_view topic, const Value& value,
                        std::string& out) const override;
    Result<Value> decode(std::string_view topic, std::string_view bytes) const override;
};

}  // namespace leat::streams::cases

template <>
struct leat::streams::SerdeFor<leat::streams::cases::Value> {
    static Serde<cases::Value> get() { return std::make_shared<cases::ValueCodec>(); }
};
