// SPDX-License-Identifier: Apache-2.0
//
// Calls a user's function with a key and a value that may be null. Layer: streams SDK, not for
// users. A value declared by reference never sees a null: the call is left out, and the operator
// decides what that means. A key declared by reference is K{} when there is none: most functions
// that name the key do not look at it. One that yields this K{} as the new key hands on the null,
// which Kafka Streams would have shown it. Declared as pointers, both see the null; the value also
// as a std::optional. Threading: pure functions.
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/result.h"
#include "leat/streams/detail/comparable.h"
#include "leat/streams/detail/guarded.h"
#include "leat/streams/detail/optional_argument.h"

namespace leat::streams::detail {

/// For what must not be called.
template <class T>
inline constexpr bool kNever = false;

/// The value that a function answers: the T of a Result<T>, no references.
template <class R>
struct Answer {
    using type = R;
    static constexpr bool may_fail = false;
};
template <class T>
struct Answer<Result<T>> {
    using type = T;
    static constexpr bool may_fail = true;
};
template <class F, class... Args>
using AnswerOf = typename Answer<std::remove_cvref_t<std::invoke_result_t<F, Args...>>>::type;

/// f(args...) for a function of the user's. The error of a Result goes to the operator's guarded().
template <class F, class... Args>
auto ask(F& f, Args&&... args) -> AnswerOf<F&, Args...> {
    using R = std::remove_cvref_t<std::invoke_result_t<F&, Args...>>;
    if constexpr (!Answer<R>::may_fail) {
        return std::invoke(f, std::forward<Args>(args)...);
    } else {
        R answer = std::invoke(f, std::forward<Args>(args)...);
        if (!answer) throw Refusal{std::move(answer).error()};  // tidy: right here, see Refusal.
        if constexpr (!std::is_void_v<typename Answer<R>::type>) return *std::move(answer);
    }
}

/// std::optional<R>, or bool for a function without a result: nothing when the call was left out.
template <class R>
using Called = std::conditional_t<std::is_void_v<R>, bool, std::optional<R>>;

template <class F, class... Args>
auto call_now(F& function, const Args&... args) -> Called<AnswerOf<F&, const Args&...>> {
    if constexpr (std::is_void_v<AnswerOf<F&, const Args&...>>) {
        ask(function, args...);
        return true;
    } else {
        return ask(function, args...);
    }
}

template <class K>
const K& key_or_empty(const K* key) {
    static const K empty{};
    return key != nullptr ? *key : empty;
}

/// Of what the library calls: static_assert(Copyable<F>::value).
template <class F>
struct Copyable {
    static_assert(std::copy_constructible<F>,
                  "each task has a copy of the function: what it captures must be copyable, as a "
                  "std::shared_ptr is");
    static constexpr bool value = true;
};

/// f(value), or f(key, value), of a function that takes the value as a std::optional.
template <class F, class K, class O>
auto call_shown(F& f, const K* key, const O& value) {
    if constexpr (std::is_invocable_v<F&, const K&, const O&>)
        return call_now(f, key_or_empty(key), value);
    else if constexpr (std::is_invocable_v<F&, const K*, const O&>)
        return call_now(f, key, value);
    else
        return call_now(f, value);
}

/// f(value), or f(key, value): what the function takes decides.
template <class F, class K, class V>
auto call(F& f, const K* key, const V* value) {
    static_assert(Copyable<F>::value);
    if constexpr (TakesOptional<F, V>) {
        return call_shown(f, key, as_optional<F, V>(value));
    } else if constexpr (std::is_invocable_v<F&, const K&, const V&>) {
        using R = Called<AnswerOf<F&, const K&, const V&>>;
        return value != nullptr ? R{call_now(f, key_or_empty(key), *value)} : R{};
    } else if constexpr (std::is_invocable_v<F&, const K*, const V*>) {
        return call_now(f, key, value);
    } else if constexpr (std::is_invocable_v<F&, const K&, const V*>) {
        return call_now(f, key_or_empty(key), value);
    } else if constexpr (std::is_invocable_v<F&, const K*, const V&>) {
        using R = Called<AnswerOf<F&, const K*, const V&>>;
        return value != nullptr ? R{call_now(f, key, *value)} : R{};
    } else if constexpr (std::is_invocable_v<F&, const V&>) {
        using R = Called<AnswerOf<F&, const V&>>;
        return value != nullptr ? R{call_now(f, *value)} : R{};
    } else if constexpr (std::is_invocable_v<F&, const V*>) {
        return call_now(f, value);
    } else {
        static_assert(kNever<F>,
                      "the function takes (key, value) or (value), each by const reference or by "
                      "pointer to const, the value also as a std::optional");
        return std::optional<V>{};
    }
}

/// Whether call() shows f a null key as K{}. Asked in call()'s order: of a generic function not all
/// forms compile.
template <class F, class K, class V>
inline constexpr bool kKeyByReference =
    std::disjunction_v<std::is_invocable<F&, const K&, const V&>,
                       std::conjunction<std::negation<std::is_invocable<F&, const K*, const V*>>,
                                        std::is_invocable<F&, const K&, const V*>>>;

/// The key that f yielded for a record whose key was `before`. Without one, a K that equals the K{}
/// which f was shown is null again; of keys that cannot be compared, every K is.
template <class F, class K, class V, class K2>
const K2* new_key(const K* before, const std::optional<K2>& yielded) {
    if (!yielded) return nullptr;
    if constexpr (std::is_same_v<K, K2> && kKeyByReference<F, K, V>) {
        if (before != nullptr) return &*yielded;
        if constexpr (IsComparable<K>::value)
            return *yielded == key_or_empty(before) ? nullptr : &*yielded;
        else
            return nullptr;
    }
    return &*yielded;
}

template <class F, class K, class V>
using CallResult =
    decltype(call(std::declval<F&>(), std::declval<const K*>(), std::declval<const V*>()));

/// The T of T, Result<T> or std::optional<T>: what a function answers that may answer "nothing".
template <class T>
struct Plain {
    using type = T;
};
template <class T>
struct Plain<std::optional<T>> {
    using type = T;
};
template <class T>
struct Plain<Result<T>> : Plain<T> {};
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
}  // namespace leat::streams::detail
