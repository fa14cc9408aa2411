// SPDX-License-Identifier: Apache-2.0
//
// Whether values of a type have an ==. Layer: streams SDK, not for users. Threading: pure
// functions.
#pragma once

#include <concepts>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace leat::streams::detail {

/// Whether values of T can be compared. The library's containers, pairs and tuples have an == for
/// any element, which does not compile for one that has none: the elements are asked.
template <class T>
struct IsComparable : std::bool_constant<std::equality_comparable<T>> {};
template <std::ranges::range T>
    requires(!std::is_same_v<T, std::ranges::range_value_t<T>>)
struct IsComparable<T>
    : std::bool_constant<std::equality_comparable<T> &&
                         IsComparable<std::remove_cv_t<std::ranges::range_value_t<T>>>::value> {};
template <class T>
struct IsComparable<std::optional<T>> : IsComparable<std::remove_cv_t<T>> {};
template <class A, class B>
struct IsComparable<std::pair<A, B>>
    : std::bool_constant<IsComparable<std::remove_cv_t<A>>::value &&
                         IsComparable<std::remove_cv_t<B>>::value> {};
template <class... T>
struct IsComparable<std::tuple<T...>>
    : std::bool_constant<(... && IsComparable<std::remove_cv_t<T>>::value)> {};
template <class... T>
struct IsComparable<std::variant<T...>> : IsComparable<std::tuple<T...>> {};

}  // namespace leat::streams::detail
