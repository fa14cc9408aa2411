// SPDX-License-Identifier: Apache-2.0
//
// How types look in JSON. Layer: streams SDK, not for users.
// Threading: pure functions.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/uuid.h"
#include "leat/streams/detail/json_text.h"
#include "leat/streams/members.h"
#include "leat/streams/serdes.h"

namespace leat::streams::detail {

struct JsonWriting {
    bool omit_nulls = false;
};
struct JsonReading {
    bool refuse_unknown = false;
};

/// read() and write() of a type; errors have ": ..." or a path and that for detail.
template <class T>
struct JsonForm {
    static_assert(sizeof(T) == 0,
                  "this type has no JSON form: describe it with Members or "
                  "Enumerators (members.h)");
};

template <>
struct JsonForm<bool> {
    static Result<void> write(bool value, JsonWriting /*how*/, std::string& out) {
        out += value ? "true" : "false";
        return {};
    }
    static Result<bool> read(JsonValue from, JsonReading /*how*/) { return from.truth(); }
};

template <class T>
    requires std::integral<T> &&
             (sizeof(T) > 1 || std::same_as<T, std::int8_t> || std::same_as<T, std::uint8_t>)
struct JsonForm<T> {
    static Result<void> write(T value, JsonWriting /*how*/, std::string& out) {
        out += std::to_string(value);
        return {};
    }
    static Result<T> read(JsonValue from, JsonReading /*how*/) {
        constexpr auto kMost = std::numeric_limits<T>::max();
        if constexpr (std::unsigned_integral<T>) {
            LEAT_TRY(const std::uint64_t value, from.whole_up_to(kMost));
            return static_cast<T>(value);
        } else {
            LEAT_TRY(const std::int64_t value, from.whole(std::numeric_limits<T>::min(), kMost));
            return static_cast<T>(value);
        }
    }
};

template <std::floating_point T>
struct JsonForm<T> {
    static Result<void> write(T value, JsonWriting /*how*/, std::string& out) {
        return append_json_number(out, value);
    }
    static Result<T> read(JsonValue from, JsonReading /*how*/) {
        LEAT_TRY(const double value, from.number());
        if (value > double{std::numeric_limits<T>::max()} ||
            value < double{std::numeric_limits<T>::lowest()})
            return json_error("a number that fits");
        return static_cast<T>(value);
    }
};

template <>
struct JsonForm<std::string> {
    static Result<void> write(const std::string& value, JsonWriting /*how*/, std::string& out) {
        return append_json_text(out, value);
    }
    static Result<std::string> read(JsonValue from, JsonReading /*how*/) {
        LEAT_TRY(const std::string_view text, from.text());
        return std::string{text};
    }
};

template <>
struct JsonForm<Uuid> {
    static Result<void> write(const Uuid& value, JsonWriting /*how*/, std::string& out) {
        return append_json_text(out, uuid_text(value));
    }
    static Result<Uuid> read(JsonValue from, JsonReading /*how*/) {
        LEAT_TRY(const std::string_view text, from.text());
        if (auto id = parse_uuid_text(text)) return *id;
        return json_error("a UUID, found " + std::string{text});
    }
};

template <class T>
struct JsonForm<std::optional<T>> {
    static Result<void> write(const std::optional<T>& value, JsonWriting how, std::string& out) {
        if (value) return JsonForm<T>::write(*value, how, out);
        out += "null";
        return {};
    }
    static Result<std::optional<T>> read(JsonValue from, JsonReading how) {
        if (from.is_null()) return std::optional<T>{};
        LEAT_TRY(T value, JsonForm<T>::read(from, how));
        return std::optional<T>{std::move(value)};
    }
};

template <class T>
struct JsonForm<std::vector<T>> {
    static Result<void> write(const std::vector<T>& list, JsonWriting how, std::string& out) {
        out.push_back('[');
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (i > 0) out.push_back(',');
            if (auto done = JsonForm<T>::write(list[i], how, out); !done)
                return in_element(done.error(), i);
        }
        out.push_back(']');
        return {};
    }
    static Result<std::vector<T>> read(JsonValue from, JsonReading how) {
        LEAT_TRY(const auto elements, from.elements());
        std::vector<T> list;
        list.reserve(elements.size());
        for (const JsonValue& element : elements) {
            auto one = JsonForm<T>::read(element, how);
            if (!one) return in_element(one.error(), list.size());
            list.push_back(*std::move(one));
        }
        return list;
    }
};

template <class T>
concept TextMap = std::same_as<typename T::key_type, std::string> && requires(T map) {
    typename T::mapped_type;
    map.insert_or_assign(std::string{}, std::declval<typename T::mapped_type>());
};
template <TextMap T>
struct JsonForm<T> {
    using Value = typename T::mapped_type;
    static Result<void> write(const T& map, JsonWriting how, std::string& out) {
        char before = '{';
        for (const auto& [name, value] : map) {
            out.push_back(std::exchange(before, ','));
            LEAT_TRY_VOID(append_json_text(out, name));
            out.push_back(':');
            if (auto done = JsonForm<Value>::write(value, how, out); !done)
                return in_member(done.error(), name);
        }
        out += map.empty() ? "{}" : "}";
        return {};
    }
    static Result<T> read(JsonValue from, JsonReading how) {
        LEAT_TRY(const auto members, from.members());
        T map;
        for (const JsonValue& member : members) {
            auto value = JsonForm<Value>::read(member, how);
            if (!value) return in_member(value.error(), member.name());
            map.insert_or_assign(std::string{member.name()}, *std::move(value));
        }
        return map;
    }
};

}  // namespace leat::streams::detail

#include "leat/streams/detail/json_members.h"
