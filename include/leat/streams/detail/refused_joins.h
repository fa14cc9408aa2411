// SPDX-License-Identifier: Apache-2.0
//
// Joins of streams that Kafka Streams does not have: they do not compile, and say what to use.
// Layer: streams SDK, not for users. Threading: nothing here runs.
#pragma once

#include <chrono>
#include <concepts>

#include "leat/streams/detail/join_call.h"
#include "leat/streams/windows.h"

namespace leat::streams {

template <class K, class V>
class KStream;
template <class K, class V>
class KTable;
template <class K, class V>
class GlobalKTable;

namespace detail {

/// Of KStream<K, ...>.
template <class K>
struct RefusedStreamJoins {
    // Sides of different keys.
    template <class K2, class V2, class... More>
        requires(!std::same_as<K, K2>)
    void join(const KStream<K2, V2>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<V2>,
                      "both sides of a join have keys of one type: select_key() gives one of them "
                      "the key of the other");
    }
    template <class K2, class V2, class... More>
        requires(!std::same_as<K, K2>)
    void left_join(const KStream<K2, V2>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<V2>,
                      "both sides of a join have keys of one type: select_key() gives one of them "
                      "the key of the other");
    }
    template <class K2, class V2, class... More>
        requires(!std::same_as<K, K2>)
    void outer_join(const KStream<K2, V2>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<V2>,
                      "both sides of a join have keys of one type: select_key() gives one of them "
                      "the key of the other");
    }
    template <class K2, class V2, class... More>
        requires(!std::same_as<K, K2>)
    void join(const KTable<K2, V2>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<V2>,
                      "a stream is joined with a table by the key that both have: select_key() "
                      "before it, or a GlobalKTable, which takes a selector");
    }
    template <class K2, class V2, class... More>
        requires(!std::same_as<K, K2>)
    void left_join(const KTable<K2, V2>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<V2>,
                      "a stream is joined with a table by the key that both have: select_key() "
                      "before it, or a GlobalKTable, which takes a selector");
    }
    // Without a window, or with one where there is none.
    template <class V2, class F>
    void join(const KStream<K, V2>& /*other*/, F /*joiner*/) const {
        static_assert(
            kNever<V2>,
            "two streams are joined in a window of time, which comes behind the joiner: within()");
    }
    template <class V2, class F>
    void left_join(const KStream<K, V2>& /*other*/, F /*joiner*/) const {
        static_assert(
            kNever<V2>,
            "two streams are joined in a window of time, which comes behind the joiner: within()");
    }
    template <class V2, class F>
    void outer_join(const KStream<K, V2>& /*other*/, F /*joiner*/) const {
        static_assert(
            kNever<V2>,
            "two streams are joined in a window of time, which comes behind the joiner: within()");
    }
    template <class V2, class F, class Rep, class Period, class... More>
    void join(const KStream<K, V2>& /*other*/, F /*joiner*/,
              std::chrono::duration<Rep, Period> /*window*/, More&&... /*more*/) const {
        static_assert(kNever<V2>, "how far apart two records may be is within(duration)");
    }
    template <class V2, class F, class Rep, class Period, class... More>
    void left_join(const KStream<K, V2>& /*other*/, F /*joiner*/,
                   std::chrono::duration<Rep, Period> /*window*/, More&&... /*more*/) const {
        static_assert(kNever<V2>, "how far apart two records may be is within(duration)");
    }
    template <class V2, class F, class Rep, class Period, class... More>
    void outer_join(const KStream<K, V2>& /*other*/, F /*joiner*/,
                    std::chrono::duration<Rep, Period> /*window*/, More&&... /*more*/) const {
        static_assert(kNever<V2>, "how far apart two records may be is within(duration)");
    }
    template <class V2, class F, std::same_as<JoinWindows> W, class... More>
    void join(const KTable<K, V2>& /*other*/, F /*joiner*/, W /*windows*/,
              More&&... /*more*/) const {
        static_assert(kNever<V2>,
                      "a join with a table has no window: each record meets the value that the "
                      "table has by then; Joined has a grace period");
    }
    template <class V2, class F, std::same_as<JoinWindows> W, class... More>
    void left_join(const KTable<K, V2>& /*other*/, F /*joiner*/, W /*windows*/,
                   More&&... /*more*/) const {
        static_assert(kNever<V2>,
                      "a join with a table has no window: each record meets the value that the "
                      "table has by then; Joined has a grace period");
    }
    // With a global table by the record's own key.
    template <class KG, class VG, class F>
    void join(const GlobalKTable<KG, VG>& /*other*/, F /*joiner*/) const {
        static_assert(kNever<KG>,
                      "a join with a global table takes a selector of the table's key, and then "
                      "the joiner");
    }
    template <class KG, class VG, class F>
    void left_join(const GlobalKTable<KG, VG>& /*other*/, F /*joiner*/) const {
        static_assert(kNever<KG>,
                      "a join with a global table takes a selector of the table's key, and then "
                      "the joiner");
    }
    // Outer joins with a table.
    template <class KT, class VT, class... More>
    void outer_join(const KTable<KT, VT>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<KT>,
                      "a stream has no outer join with a table: use left_join(), or to_table() and "
                      "the outer_join() of two tables");
    }
    template <class KG, class VG, class... More>
    void outer_join(const GlobalKTable<KG, VG>& /*other*/, More&&... /*more*/) const {
        static_assert(kNever<KG>,
                      "nothing is outer with a global table: use left_join(), or read its topic "
                      "with table() and join two tables");
    }
};

}  // namespace detail

}  // namespace leat::streams
