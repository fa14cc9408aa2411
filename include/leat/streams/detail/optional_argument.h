// SPDX-License-Identifier: Apache-2.0
//
// Whether a user's function takes its value as a std::optional, and so sees a null. Layer: streams
// SDK, not for users.
// A V converts to std::optional<V>, so that "callable with a V" does not tell: the signature does.
// A generic function has none to look at, and counts as one that takes a V.
// Threading: pure functions.
#pragma once

#include <concepts>
#include <optional>
#include <type_traits>

namespace leat::streams::detail {

template <class... Args>
struct Last {
    using type = void;
};
template <class A>
struct Last<A> {
    using type = std::remove_cvref_t<A>;
};
template <class A, class... More>
struct Last<A, More...> : Last<More...> {};

/// The type of the last argument, without const and reference; void: none, or not known.
template <class F>
struct LastOf {
    using type = void;
};
template <class F>
    requires requires { &F::operator(); }
struct LastOf<F> : LastOf<decltype(&F::operator())> {};
template <class R, class... Args>
struct LastOf<R (*)(Args...)> : Last<Args...> {};
template <class R, class... Args>
struct LastOf<R (*)(Args...) noexcept> : Last<Args...> {};
template <class R, class C, class... Args>
struct LastOf<R (C::*)(Args...)> : Last<Args...> {};
template <class R, class C, class... Args>
struct LastOf<R (C::*)(Args...) const> : Last<Args...> {};
template <class R, class C, class... Args>
struct LastOf<R (C::*)(Args...) noexcept> : Last<Args...> {};
template <class R, class C, class... Args>
struct LastOf<R (C::*)(Args...) const noexcept> : Last<Args...> {};

template <class T>
inline constexpr bool kMayBeEmpty = false;
template <class T>
inline constexpr bool kMayBeEmpty<std::optional<T>> = true;

/// A V that is itself a std::optional is taken for what it is.
template <class F, class V>
concept TakesOptional =
    kMayBeEmpty<typename LastOf<F>::type> && !std::same_as<typename LastOf<F>::type, V> &&
    std::constructible_from<typename LastOf<F>::type, const V&>;

/// What such a function is shown.
template <class F, class V>
    requires TakesOptional<F, V>
auto as_optional(const V* value) -> typename LastOf<F>::type {
    using Shown = typename LastOf<F>::type;
    return value != nullptr ? Shown(*value) : Shown();
}

}  // namespace leat::streams::detail
