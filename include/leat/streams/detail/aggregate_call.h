// SPDX-License-Identifier: Apache-2.0
//
// Calls a user's initializer, adder, reducer or merger. Layer: streams SDK, not for users.
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

/// The aggregate that an initializer begins with.
template <class Init>
struct First {
    static_assert(std::is_invocable_v<Init&>,
                  "an initializer takes nothing, and yields the first aggregate");
    using type = int;  // So that nothing else is said.
};
template <class Init>
    requires std::is_invocable_v<Init&>
struct First<Init> {
    using Yielded = PlainOf<std::invoke_result_t<Init&>>;
    static_assert(!std::is_void_v<Yielded>,
                  "an initializer yields the first aggregate, and this one yields nothing");
    using type = std::conditional_t<std::is_void_v<Yielded>, int, Yielded>;
};
template <class Init>
using FirstOf = typename First<Init>::type;

/// initializer() where the type of the aggregate is known, checked.
template <class A, class F>
std::optional<A> begun(F& initializer) {
    if constexpr (std::is_invocable_v<F&>) {
        static_assert(
            kAnswers<A, F&>,
            "an initializer yields the first aggregate, of the type that cogroup() names");
        return std::optional<A>{ask(initializer)};
    } else {
        static_assert(kNever<F>, "an initializer takes nothing, and yields the first aggregate");
        return std::nullopt;
    }
}

/// adder(key, value, aggregate), checked; a subtractor is called in the same way.
template <class A, class F, class K, class V>
std::optional<A> added(F& adder, const K& key, V&& value, A sum) {
    if constexpr (std::is_invocable_v<F&, const K&, V, A>) {
        static_assert(kAnswers<A, F&, const K&, V, A>,
                      "an adder yields the next aggregate, or an empty std::optional to delete "
                      "it; a subtractor too");
        return ask(adder, key, std::forward<V>(value), std::move(sum));
    } else {
        static_assert(kNever<F>,
                      "an adder takes (key, value, aggregate), the aggregate by value or by const "
                      "reference, and yields the next one; a subtractor too");
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

/// merger(key, one, two), or merger(one, two), checked.
template <class A, class F, class K>
std::optional<A> merged(F& merger, const K& key, A one, A two) {
    if constexpr (std::is_invocable_v<F&, const K&, A, A>) {
        static_assert(kAnswers<A, F&, const K&, A, A>, "a merger yields the aggregate of both");
        return ask(merger, key, std::move(one), std::move(two));
    } else if constexpr (std::is_invocable_v<F&, A, A>) {
        static_assert(kAnswers<A, F&, A, A>, "a merger yields the aggregate of both");
        return ask(merger, std::move(one), std::move(two));
    } else {
        static_assert(
            kNever<F>,
            "a merger takes (key, one, two) or (one, two), the aggregates of two sessions "
            "by value or by const reference, and yields that of both");
        return std::nullopt;
    }
}

}  // namespace leat::streams::detail
