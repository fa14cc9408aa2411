// SPDX-License-Identifier: Apache-2.0
//
// What flows through a topology. Layer: streams SDK.
// Spec:  Kafka Streams' Record: key, value, timestamp and headers travel together.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace leat::streams {

using Duration = std::chrono::milliseconds;

/// Milliseconds since 1970-01-01 UTC. Negative: not known; no such record is forwarded or written.
struct Timestamp {
    std::int64_t ms = -1;
    friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

/// Who gave a record of a topic its time.
enum class TimestampType : std::uint8_t {
    kNone,  ///< Nobody, or it is not known.
    kCreateTime,
    kLogAppendTime,  ///< The broker, as message.timestamp.type of the topic says.
};

struct Header {
    std::string name;
    std::optional<std::string> value;
    friend bool operator==(const Header&, const Header&) = default;
};
/// In the order in which they were added; a name may occur more than once.
using Headers = std::vector<Header>;

enum class RecordPart : std::uint8_t { kKey, kValue };

/// A record that owns what it holds. A missing key or value is Kafka's null.
/// Threading: a plain value.
template <class K, class V>
struct Record {
    std::optional<K> key{};
    std::optional<V> value{};
    Timestamp timestamp{};
    Headers headers{};
    friend bool operator==(const Record&, const Record&) = default;
};

/// What map() and flat_map() return; either side may be null.
template <class K, class V>
struct KeyValue {
    static_assert(!std::is_same_v<K, std::nullopt_t> && !std::is_same_v<V, std::nullopt_t>,
                  "std::nullopt does not say of which type the null is: KeyValue<K, V>{key, "
                  "std::nullopt}, or give it a std::optional");
    std::optional<K> key{};
    std::optional<V> value{};
    friend bool operator==(const KeyValue&, const KeyValue&) = default;
};
template <class K, class V>
KeyValue(K, V) -> KeyValue<K, V>;
template <class K, class V>
KeyValue(std::optional<K>, V) -> KeyValue<K, V>;
template <class K, class V>
KeyValue(K, std::optional<V>) -> KeyValue<K, V>;
template <class K, class V>
KeyValue(std::optional<K>, std::optional<V>) -> KeyValue<K, V>;

}  // namespace leat::streams
