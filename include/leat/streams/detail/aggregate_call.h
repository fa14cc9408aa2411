// SPDX-License-Identifier: Apache-2.0
//
// Calls a user's adder or reducer. Layer: streams SDK, not for users.
// Threading: pure functions.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "leat/streams/detail/invoke.h"

namespace leat::streams::detail {

/// Whether f(args...) answers an aggregate A, or nothing to delete it.
template <class A, class F, class... Args>
inline constexpr bool kAnswers = std::is_convertible_v<AnswerOf<F, Args...>, std::optional<A>>;

/// adder(key, value, aggregate), checked.
template <class A, class F, class K, class V>
std::optional<A> added(F& adder, const K& key, V&& value, A sum) {
    if constexpr (std::is_invocable_v<F&, const K&, V, A>) {
        static_assert(kAnswers<A, F&, const K&, V, A>,
                      "an adder yields the next aggregate, or an empty std::optional to delete it");
        return ask(adder, key, std::forward<V>(value), std::move(sum));
    } else {
        static_assert(kNever<F>,
                      "an adder takes (key, value, aggregate), the aggregate by value or by const "
                      "reference, and yields the next one");
        return std::nullopt;
    }
}

/// reducer(aggregate, value), checked.
template <class V, class F>
std::optional<V> reduced(F& reducer, V& sum, const V& value) {
    if constexpr (std::is_invocable_v<F&, V&, const V&>) {
        static_assert(kAnswers<V, F&, V&, const V&>, "a reducer yields the next aggregate");
        return ask(reducer, sum, value);
    } else {
        static_assert(kNever<F>,
                      "a reducer takes (aggregate, value), both of the stream's value type, and "
                      "yields the next aggregate");
        return std::nullopt;
    }
}

}  // namespace leat::streams::detail
