// SPDX-License-Identifier: Apache-2.0
//
// Options of operators: aggregates for designated initialisers, {.name = "by-word"}. Layer: streams
// SDK. Spec:  Kafka Streams' Consumed, Produced, Grouped, Materialized, Named. Threading: plain
// values.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "leat/streams/record.h"
#include "leat/streams/serde.h"

namespace leat::streams {

/// The name of an operator's node; empty: a numbered one, as Kafka Streams gives.
struct Named {
    std::string name{};
};

/// How a topic is read. An empty serde stands for SerdeFor<T>.
template <class K, class V>
struct Consumed {
    Serde<K> key{};
    Serde<V> value{};
    std::string name{};
};

/// How a topic is written.
template <class K, class V>
struct Produced {
    Serde<K> key{};
    Serde<V> value{};
    std::string name{};
};

/// How records are brought together by key. `name` also names the repartition topic.
template <class K, class V>
struct Grouped {
    std::string name{};
    Serde<K> key{};
    Serde<V> value{};
};

/// How a table is kept.
template <class K, class V>
struct Materialized {
    std::string store{};  ///< Name of the store and, behind the application's id, of its changelog;
                          ///< empty: numbered.
    Serde<K> key{};
    Serde<V> value{};
    std::optional<Duration> retention{};  ///< Of windows; not given: window size + grace.
    bool logging = true;                  ///< A changelog topic is kept.
    bool persistent = true;               ///< On disk; false: in memory.
    std::string name{};                   ///< Of the operator's node.
};

namespace detail {

/// The first of those given, SerdeFor<T> at last; empty when T has none.
template <class T>
[[nodiscard]] Serde<T> choose(const Serde<T>& given, const Serde<T>& inherited) {
    if (given) return given;
    if (inherited) return inherited;
    if constexpr (HasSerde<T>) return serde_for<T>();
    return {};
}

}  // namespace detail

}  // namespace leat::streams
