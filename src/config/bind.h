// SPDX-License-Identifier: Apache-2.0
//
// How a table row fills a field: into_topic<&TopicConfig::x>, into_broker<&BrokerConfig::x>.
// Layer: config (L1). For the tables only.
#pragma once

#include <array>
#include <concepts>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "config/broker_config.h"
#include "config/topic_config.h"

namespace leat::config {

/// Spellings of an enum, in the order of its enumerators; parse() has checked `choices` before.
template <class E>
inline constexpr std::array<std::string_view, 0> kSpellings{};
template <>
inline constexpr std::array<std::string_view, 6> kSpellings<Compression>{
    "producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"};
template <>
inline constexpr std::array<std::string_view, 2> kSpellings<TimestampType>{"CreateTime",
                                                                           "LogAppendTime"};
template <>
inline constexpr std::array<std::string_view, 3> kSpellings<Durability>{"sync", "interval", "os"};
template <>
inline constexpr std::array<std::string_view, 3> kSpellings<AuditScope>{"none", "changes", "all"};
template <>
inline constexpr std::array<std::string_view, 2> kSpellings<LogFormat>{"logfmt", "json"};
template <>
inline constexpr std::array<std::string_view, 5> kSpellings<LogLevel>{"trace", "debug", "info",
                                                                      "warn", "error"};

/// Leaves the field as it is when the value is null and the field has no "nothing".
template <class T>
void assign(T& field, const Value& value) {
    if constexpr (requires {
                      typename T::value_type;
                      field.reset();
                  }) {
        if (std::holds_alternative<std::monostate>(value)) {
            field.reset();
        } else {
            assign(field.emplace(), value);
        }
    } else if (std::holds_alternative<std::monostate>(value)) {
        return;
    } else if constexpr (std::same_as<T, bool>) {
        field = std::get<bool>(value);
    } else if constexpr (std::is_enum_v<T>) {
        const std::string& text = std::get<std::string>(value);
        for (std::size_t i = 0; i < kSpellings<T>.size(); ++i)
            if (kSpellings<T>[i] == text) field = static_cast<T>(i);
    } else if constexpr (std::integral<T>) {
        const std::int64_t number = std::get<std::int64_t>(value);
        LEAT_CHECK(std::in_range<T>(number));
        field = static_cast<T>(number);
    } else {
        field = std::get<T>(value);
    }
}

template <auto Member>
void assign_topic(TopicConfig& config, const Value& value) {
    assign(config.*Member, value);
}
template <auto Member>
void assign_broker(BrokerConfig& config, const Value& value) {
    assign(config.*Member, value);
}

// What they are is functions, and so they are named.
template <auto Member>  // NOLINTNEXTLINE(readability-identifier-naming)
inline constexpr void (*into_topic)(TopicConfig&, const Value&) = &assign_topic<Member>;
template <auto Member>  // NOLINTNEXTLINE(readability-identifier-naming)
inline constexpr void (*into_broker)(BrokerConfig&, const Value&) = &assign_broker<Member>;

}  // namespace leat::config
