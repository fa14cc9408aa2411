// SPDX-License-Identifier: Apache-2.0
//
// What users' mappers and predicates answer, checked where a topology is declared. Layer: streams
// SDK, not for users. Threading: pure functions.
#pragma once

#include <optional>
#include <ranges>
#include <type_traits>

#include "leat/streams/detail/invoke.h"
#include "leat/streams/record.h"

namespace leat::streams::detail {

/// The value type that a mapper yields: R of CallResult<...>, with an inner optional taken off.
template <class F, class K, class V>
struct Mapped {
    using Called = CallResult<F, K, V>;
    static_assert(!std::is_same_v<Called, bool>,
                  "the function yields nothing: a mapper or selector yields a value, or a "
                  "std::optional of one; peek() calls what yields nothing");
    using type = PlainOf<PlainOf<Called>>;
};
template <class F, class K, class V>
using MappedTo = typename Mapped<F, K, V>::type;

/// What a mapper to many yields of each: the element of a range.
template <class R>
struct Element {
    static_assert(std::ranges::input_range<R>,
                  "the function yields a range: of values, or of KeyValue for flat_map()");
    using type = std::ranges::range_value_t<R>;
};
template <class R>
using ElementOf = typename Element<R>::type;

/// Whether F makes a std::unique_ptr of a ValueTransformer, or is a mapper itself.
template <class F>
inline constexpr bool kMakesTransformer = false;
template <class F>
    requires requires { typename std::invoke_result_t<F&>::element_type::ValueOut; }
inline constexpr bool kMakesTransformer<F> = true;

template <class F, class K, class V>
struct Transformed : Mapped<F, K, V> {};
template <class F, class K, class V>
    requires kMakesTransformer<F>
struct Transformed<F, K, V> {
    using type = typename std::invoke_result_t<F&>::element_type::ValueOut;
};
/// The value type of transform_values().
template <class F, class K, class V>
using TransformedTo = typename Transformed<F, K, V>::type;

template <class T>
inline constexpr bool kIsKeyValue = false;
template <class K, class V>
inline constexpr bool kIsKeyValue<KeyValue<K, V>> = true;

template <class P>
struct Pair {
    static_assert(kIsKeyValue<P>,
                  "the function yields a KeyValue{key, value}, of flat_map() a range of them");
    using type = P;
};
/// P, which is a KeyValue.
template <class P>
using PairOf = typename Pair<P>::type;

/// What a predicate says; nothing when it was not called.
template <class F, class K, class V>
std::optional<bool> verdict(F& predicate, const K* key, const V* value) {
    using Called = CallResult<F, K, V>;
    if constexpr (std::is_same_v<Called, bool>) {
        static_assert(kNever<F>, "a predicate yields a bool, and this one yields nothing");
        return std::nullopt;
    } else if constexpr (!std::is_convertible_v<typename Called::value_type, bool>) {
        // Of a std::optional<bool>, "has a value" would be taken for true.
        static_assert(kNever<F>,
                      "a predicate yields a bool or a Result<bool>: of a std::optional say what "
                      "nothing means, as by value_or(false)");
        return std::nullopt;
    } else {
        const auto passes = call(predicate, key, value);
        return passes ? std::optional<bool>{*passes} : std::nullopt;
    }
}

}  // namespace leat::streams::detail
