// SPDX-License-Identifier: Apache-2.0
//
// Described structs and enumerations in JSON. Layer: streams SDK, not for users.
// Threading: pure functions.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "leat/streams/detail/json_form.h"
#include "leat/streams/detail/json_text.h"
#include "leat/streams/members.h"

namespace leat::streams::detail {

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

template <Enumerated E>
struct JsonForm<E> {
    static Result<void> write(E value, JsonWriting /*how*/, std::string& out) {
        for (const auto& one : Enumerators<E>::list)
            if (one.value == value) return append_json_text(out, one.name);
        return json_error("one of the values that have names");
    }
    static Result<E> read(JsonValue from, JsonReading /*how*/) {
        LEAT_TRY(const std::string_view text, from.text());
        std::string names;
        for (const auto& one : Enumerators<E>::list) {
            if (one.name == text) return one.value;
            names.append(names.empty() ? "" : ", ").append(one.name);
        }
        return json_error("one of " + names + ", found " + std::string{text});
    }
};

template <Described S>
struct JsonForm<S> {
    static Result<void> write(const S& value, JsonWriting how, std::string& out) {
        char before = '{';
        Result<void> done;
        std::apply(
            [&](const auto&... member) {
                (void)(... && (done = write_member(value, member, how, before, out)));
            },
            Members<S>::list);
        if (before == '{') out.push_back('{');
        out.push_back('}');
        return done;
    }
    static Result<S> read(JsonValue from, JsonReading how) {
        LEAT_TRY(const auto members, from.members());
        S value{};
        Result<void> done;
        std::apply(
            [&](const auto&... member) {
                (void)(... && (done = read_member(value, member, how, members)));
                if (done && how.refuse_unknown) done = refuse_unknown(members, {member.name...});
            },
            Members<S>::list);
        if (!done) return std::move(done).error();
        return value;
    }

  private:
    template <class T>
    static Result<void> write_member(const S& value, const Member<S, T>& member, JsonWriting how,
                                     char& before, std::string& out) {
        const T& one = value.*member.at;
        if constexpr (kIsOptional<T>) {
            if (how.omit_nulls && !one) return {};
        }
        out.push_back(std::exchange(before, ','));
        LEAT_TRY_VOID(append_json_text(out, member.name));
        out.push_back(':');
        auto done = JsonForm<T>::write(one, how, out);
        if (!done) return in_member(done.error(), member.name);
        return done;
    }
    template <class T>
    static Result<void> read_member(S& value, const Member<S, T>& member, JsonReading how,
                                    const std::vector<JsonValue>& members) {
        const auto from = find_member(members, member.name);
        if (!from) {
            if (member.has_default) return {};
            if constexpr (kIsOptional<T>) {
                value.*member.at = std::nullopt;
                return {};
            }
            return in_member(json_error("a value, found none"), member.name);
        }
        auto one = JsonForm<T>::read(*from, how);
        if (!one) return in_member(one.error(), member.name);
        value.*member.at = *std::move(one);
        return {};
    }
    static Result<void> refuse_unknown(const std::vector<JsonValue>& members,
                                       std::initializer_list<std::string_view> known) {
        for (const JsonValue& member : members) {
            bool found = false;
            for (const std::string_view name : known) found = found || name == member.name();
            if (!found)
                return in_member(Error{Errc::kInvalidRecord, ": no such member is known"},
                                 member.name());
            if (!find_member(members, member.name())->is(member))
                return in_member(Error{Errc::kInvalidRecord, ": the member is there twice"},
                                 member.name());
        }
        return {};
    }
};

}  // namespace leat::streams::detail
