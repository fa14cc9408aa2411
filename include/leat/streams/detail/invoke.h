// SPDX-License-Identifier: Apache-2.0
//
// Calls a user's function with a key and a value that may be null. Layer: streams SDK, not for
// users. A value declared by reference never sees a null: the call is left out. A key declared by
// reference is K{} when there is none: most functions that name the key do not look at it. One that
// yields this K{} as the new key hands on the null, which Kafka Streams would have shown it.
// Declared as pointers, both see the null. Threading: pure functions.
#pragma once

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

namespace leat::streams::detail {

/// std::optional<R>, or bool for a function without a result: nothing when the call was left out.
template <class R>
using Called = std::conditional_t<std::is_void_v<R>, bool, std::optional<R>>;

template <class F, class... Args>
auto call_now(F& function, const Args&... args)
    -> Called<std::invoke_result_t<F&, const Args&...>> {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, const Args&...>>) {
        function(args...);
        return true;
    } else {
        return function(args...);
    }
}

template <class K>
const K& key_or_empty(const K* key) {
    static const K empty{};
    return key != nullptr ? *key : empty;
}

/// f(value), or f(key, value): what the function takes decides.
template <class F, class K, class V>
auto call(F& f, const K* key, const V* value) {
    if constexpr (std::is_invocable_v<F&, const K&, const V&>) {
        using R = Called<std::invoke_result_t<F&, const K&, const V&>>;
        return value != nullptr ? R{call_now(f, key_or_empty(key), *value)} : R{};
    } else if constexpr (std::is_invocable_v<F&, const K*, const V*>) {
        return call_now(f, key, value);
    } else if constexpr (std::is_invocable_v<F&, const K&, const V*>) {
        return call_now(f, key_or_empty(key), value);
    } else if constexpr (std::is_invocable_v<F&, const K*, const V&>) {
        using R = Called<std::invoke_result_t<F&, const K*, const V&>>;
        return value != nullptr ? R{call_now(f, key, *value)} : R{};
    } else if constexpr (std::is_invocable_v<F&, const V&>) {
        using R = Called<std::invoke_result_t<F&, const V&>>;
        return value != nullptr ? R{call_now(f, *value)} : R{};
    } else {
        static_assert(std::is_invocable_v<F&, const V*>,
                      "the function takes (key, value) or (value), each by const reference or by "
                      "pointer to const");
        return call_now(f, value);
    }
}

/// Whether call() shows f a null key as K{}.
template <class F, class K, class V>
inline constexpr bool kKeyByReference =
    std::is_invocable_v<F&, const K&, const V&> ||
    (std::is_invocable_v<F&, const K&, const V*> && !std::is_invocable_v<F&, const K*, const V*>);

/// The key that f yielded for a record whose key was `before`. Without one, a K that equals the K{}
/// which f was shown is null again; of keys that cannot be compared, every K is.
template <class F, class K, class V, class K2>
const K2* new_key(const K* before, const std::optional<K2>& yielded) {
    if (!yielded) return nullptr;
    if constexpr (std::is_same_v<K, K2> && kKeyByReference<F, K, V>) {
        if (before != nullptr) return &*yielded;
        if constexpr (std::equality_comparable<K>)
            return *yielded == key_or_empty(before) ? nullptr : &*yielded;
        else
            return nullptr;
    }
    return &*yielded;
}

template <class F, class K, class V>
using CallResult =
    decltype(call(std::declval<F&>(), std::declval<const K*>(), std::declval<const V*>()));

/// The T of T or std::optional<T>: what a function that may answer "nothing" answers with.
template <class T>
struct Plain {
    using type = T;
};
template <class T>
struct Plain<std::optional<T>> {
    using type = T;
};
template <class T>
using PlainOf = typename Plain<std::remove_cvref_t<T>>::type;

/// Where the object is; null when there is none.
template <class T>
const void* address(const std::optional<T>& value) {
    return value ? &*value : nullptr;
}
template <class T>
const void* address(const std::optional<std::optional<T>>& value) {
    return value && *value ? &**value : nullptr;
}

/// What a function answered, taken out of what call() wraps it in.
template <class T>
std::optional<T> moved_out(std::optional<T>& value) {
    return std::move(value);
}
template <class T>
std::optional<T> moved_out(std::optional<std::optional<T>>& value) {
    return value ? std::move(*value) : std::nullopt;
}
/// The value type that a mapper yields: R of CallResult<...>, with an inner optional taken off.
template <class F, class K, class V>
using MappedTo = PlainOf<PlainOf<CallResult<F, K, V>>>;

}  // namespace leat::streams::detail
