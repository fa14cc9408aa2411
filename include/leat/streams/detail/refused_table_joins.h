// SPDX-License-Identifier: Apache-2.0
//
// Joins of tables that Kafka Streams does not have: they do not compile, and say what to use.
// Layer: streams SDK, not for users. Threading: nothing here runs.
#pragma once

#include <concepts>

#include "leat/streams/detail/invoke.h"

namespace leat::streams {

template <class K, class V>
class KStream;
template <class K, class V>
class KTable;
template <class K, class V>
class GlobalKTable;

namespace detail {

/// Of KTable<K, ...>.
template <class K>
struct RefusedTableJoins {
    template <class K2, class V2, class... More>
        requires(!std::same_as<K, K2>)
    void join(const KTable<K2, V2>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<V2>,
                      "two tables are joined by the key that both have: use join_on() or "
                      "left_join_on() with a table of another key");
    }
    template <class K2, class V2, class... More>
        requires(!std::same_as<K, K2>)
    void left_join(const KTable<K2, V2>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<V2>,
                      "two tables are joined by the key that both have: use join_on() or "
                      "left_join_on() with a table of another key");
    }
    template <class K2, class V2, class... More>
        requires(!std::same_as<K, K2>)
    void outer_join(const KTable<K2, V2>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<V2>,
                      "two tables are joined by the key that both have: use join_on() or "
                      "left_join_on() with a table of another key");
    }
    template <class K2, class V2, class... More>
    void join(const KStream<K2, V2>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<V2>,
                      "a table has no join with a stream: join the stream with the table, or make "
                      "it a table by to_table()");
    }
    template <class K2, class V2, class... More>
    void left_join(const KStream<K2, V2>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<V2>,
                      "a table has no join with a stream: join the stream with the table, or make "
                      "it a table by to_table()");
    }
    template <class K2, class V2, class... More>
    void outer_join(const KStream<K2, V2>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<V2>,
                      "a table has no join with a stream: join the stream with the table, or make "
                      "it a table by to_table()");
    }
    template <class KG, class VG, class... More>
    void join(const GlobalKTable<KG, VG>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<KG>,
                      "a table has no join with a global table: read its topic with table() and "
                      "use join_on(), or join to_stream() with it");
    }
    template <class KG, class VG, class... More>
    void left_join(const GlobalKTable<KG, VG>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<KG>,
                      "a table has no join with a global table: read its topic with table() and "
                      "use join_on(), or join to_stream() with it");
    }
    template <class KG, class VG, class... More>
    void outer_join(const GlobalKTable<KG, VG>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<KG>,
                      "a table has no join with a global table: read its topic with table() and "
                      "use join_on(), or join to_stream() with it");
    }
    template <class KO, class VO, class... More>
    void outer_join_on(const KTable<KO, VO>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<KO>, "there is no outer join by a foreign key: use left_join_on()");
    }
};

}  // namespace detail

}  // namespace leat::streams
