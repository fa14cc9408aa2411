// SPDX-License-Identifier: Apache-2.0
//
// How keys stand in addresses, and keys and values in answers. Layer: stream endpoint SDK.
// Spec:  JSON as streams/json.h writes it. In addresses text, UUIDs and named values stand without
//        quotes; bytes are hex digits in both.
// Threading: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "leat/streams/detail/json_form.h"
#include "leat/streams/members.h"

namespace leat::stream_endpoint {

/// Specialise it for types that json.h does not know:
///     template <> struct leat::stream_endpoint::Form<Money> {
///         static leat::Result<Money> read(std::string_view text);
///         static leat::Result<void> write(const Money& value, std::string& json);
///     };
template <class T>
struct Form {
    /// A key as an address has it, percent-decoded. Errors: kInvalidRecord.
    static Result<T> read(std::string_view text) {
        constexpr std::size_t kDepthMax = 64;
        std::string quoted;
        if constexpr (std::is_same_v<T, Uuid> || streams::Enumerated<T>) {
            LEAT_TRY_VOID(streams::detail::append_json_text(quoted, text));
            text = quoted;
        }
        LEAT_TRY(const auto document, streams::detail::JsonDocument::parse(text, kDepthMax));
        return streams::detail::JsonForm<T>::read(document.root(), {});
    }
    /// Appends JSON. Errors: kInvalidRecord.
    static Result<void> write(const T& value, std::string& json) {
        return streams::detail::JsonForm<T>::write(value, {}, json);
    }
};

/// Any bytes in addresses; in answers what is no UTF-8 is {"hex":"..."}.
template <>
struct Form<std::string> {
    static Result<std::string> read(std::string_view text) { return std::string{text}; }
    static Result<void> write(const std::string& value, std::string& json);
};

/// Errors: kInvalidRecord.
Result<std::string> bytes_of_hex(std::string_view digits);
[[nodiscard]] std::string hex_of(std::string_view bytes);

namespace detail {

template <class T>
struct BytesForm {
    static Result<T> read(std::string_view text) {
        LEAT_TRY(const std::string bytes, bytes_of_hex(text));
        const auto* first = reinterpret_cast<const typename T::value_type*>(bytes.data());
        return T(first, first + bytes.size());
    }
    static Result<void> write(const T& value, std::string& json) {
        json += '"' + hex_of({reinterpret_cast<const char*>(value.data()), value.size()}) + '"';
        return {};
    }
};

}  // namespace detail

template <>
struct Form<std::vector<std::byte>> : detail::BytesForm<std::vector<std::byte>> {};
template <>
struct Form<std::vector<std::uint8_t>> : detail::BytesForm<std::vector<std::uint8_t>> {};

}  // namespace leat::stream_endpoint
